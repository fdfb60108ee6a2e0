// Responses in HTTP/1.1, parsed as their bytes arrive, in pieces of any size. No I/O.
//
// What RFC 9112 leaves to the client is decided so:
//
//   bare LF as a line's end     taken in the head and in trailers (2.2), refused in chunked framing (7.1)
//   bare CR, NUL in the head    refused (2.2; RFC 9110, 5.5)
//   obs-fold                    one space (5.2); before the first field refused (2.2)
//   space before a colon        refused, as is every name that is no token (5.1)
//   Content-Length              digits only; a second one, or a list, is refused, even of equal values (6.3)
//   Transfer-Encoding           beats Content-Length, but then the connection is not used again (6.1, 6.3);
//                               another last coding than chunked: the body ends with the connection;
//                               anything after chunked is refused
//   1xx                         skipped, 100 and 103 included; 101 is refused: no upgrade was asked for
//   204, 304                    no body, whatever the fields say; if they announce one, servers exist that
//   send
//                               it, so the connection is not used again
//   HTTP/1.0                    taken; the connection is used again only after Connection: keep-alive
//   trailers                    read and discarded (6.5.1)
//   a body beyond its limit     read and discarded up to a second limit, then cut off: the response is DONE
//
// Sources: RFC 9112 (HTTP/1.1), RFC 9110 (HTTP semantics).
#ifndef CORE_HTTP_HTTP1_PARSER_H
#define CORE_HTTP_HTTP1_PARSER_H

#include "core/http/http1_fields.h"

enum {
    HTTP1_HEAD_BYTES_MAX = 64 * 1024,  // of all heads of a response, its 1xx included; then of its
                                       // chunk extensions and trailers
    HTTP1_CHUNK_LINE_MAX = 4096,
    HTTP1_CHUNK_LINE_USUAL = 20,  // a size in hexadecimal and the line's end; what is longer counts above
};

enum http1_state {
    HTTP1_STATUS_LINE,
    HTTP1_FIELD,        // within a field's line, or before it
    HTTP1_FIELD_ENDED,  // its line is complete unless the next byte is a blank (obs-fold)
    HTTP1_BODY,         // `left` bytes of it are missing
    HTTP1_BODY_TO_END,  // up to the end of the connection
    HTTP1_CHUNK_SIZE,   // within the line
    HTTP1_CHUNK,        // `left` bytes of it are missing
    HTTP1_CHUNK_END,    // the CR LF after it
    HTTP1_TRAILER,      // within a line
    HTTP1_DONE,
    HTTP1_BAD,
};

/** Initialised by http1_parser_begin; zero-initialised may be cleared. */
struct http1_parser {
    enum http1_state state;
    bool has_begun;  // a byte of a response has arrived
    struct http1_fields fields;
    uint64_t left;
    size_t head_bytes;
    bool wants_fields;  // set by the owner before http1_parser_begin: `fields` gets the list of all
    size_t body_max;
    size_t discard_left;  // how much of the body behind that may still be discarded
    bool is_cut;          // there was more
    struct bytes line;    // the part of an unfinished line that has arrived
    struct bytes body;    // the first body_max bytes
    const char *why;      // in HTTP1_BAD; static
};

/**
 * Begins with the next response; keeps the buffers.
 *
 * @param body_max     how much of the body is kept
 * @param discard_max  how much more is read; a longer body is cut off, without reading more if its length
 * says so
 */
void http1_parser_begin(struct http1_parser *p, size_t body_max, size_t discard_max);

/**
 * Parses what has arrived.
 *
 * @return bytes used: all of them unless the response ends before, or is bad; see p->state
 */
size_t http1_parser_feed(struct http1_parser *p, struct slice in);

/** The peer has closed the connection in an orderly way: the response is DONE or BAD afterwards. */
void http1_parser_end(struct http1_parser *p);

/** Whether the connection may be used again after HTTP1_DONE. */
bool http1_parser_may_reuse(const struct http1_parser *p);

void http1_parser_clear(struct http1_parser *p);

#endif
