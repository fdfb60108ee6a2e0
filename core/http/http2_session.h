// The requests and responses that share a connection in HTTP/2, as nghttp2's streams. No I/O.
#ifndef CORE_HTTP_HTTP2_SESSION_H
#define CORE_HTTP_HTTP2_SESSION_H

#include "core/http/http1_parser.h"
#include "core/http/http2_request.h"
#include "core/http/http_request.h"

struct http2_session;

/** A request and its response; embedded in the call. Zero-initialised before its first use. */
struct http2_exchange {
    struct http2_exchange *next;  // among those that run on the connection, or have ended
    struct http2_exchange *prev;
    struct http2_session *session;  // NULL: none
    int32_t stream_id;
    const struct http_request *request;  // lent
    struct http1_parser *parser;         // lent; holds the response as HTTP/1.1's would be
    size_t body_at;                      // of the request
    size_t head_bytes;
    bool is_sent;         // its head has gone into the connection
    bool is_head_ended;   // of the response; what follows are trailers
    bool is_complete;     // the response is
    uint32_t error_code;  // of the stream, when it has ended
    const char *why;      // why we reset it; static; NULL
    bool is_ended;        // and not reported yet
    bool is_served;       // the connection has had responses
};

/** Embedded in its owner, and must not move. */
struct http2_session {
    nghttp2_session *frames;
    struct http2_exchange *running;
    size_t running_count;
    struct http2_exchange *ended;  // to be reported by the owner once nghttp2 has returned
    struct http2_scratch scratch;
    bool is_going_away;  // the server has said that it takes no new requests
};

void http2_session_init(struct http2_session *s);

/** Nothing runs. */
void http2_session_clear(struct http2_session *s);

/** Begins a request: its frames can be collected. The parser was begun for it. */
void http2_session_send(struct http2_session *s, struct http2_exchange *e, const struct http_request *request,
                        struct http1_parser *parser);

/** The exchange is given up: its stream is reset, and it is in no list. */
void http2_session_cancel(struct http2_exchange *e);

/** Everything that runs ends. */
void http2_session_end_all(struct http2_session *s);

/**
 * Appends frames that are to be written, until there are about `enough` bytes.
 *
 * @return  0, or nghttp2's error
 */
int http2_session_collect(struct http2_session *s, struct bytes *out, size_t enough);

/** Takes what has arrived. Returns 0, or nghttp2's error. */
int http2_session_feed(struct http2_session *s, struct slice in);

/** Whether neither side has anything to say any more. */
bool http2_session_is_over(const struct http2_session *s);

/** How many requests the server takes at once; UINT32_MAX until it says. */
uint32_t http2_session_limit(const struct http2_session *s);

#endif
