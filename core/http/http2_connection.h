// One connection that speaks HTTP/2, shared by requests.
#ifndef CORE_HTTP_HTTP2_CONNECTION_H
#define CORE_HTTP_HTTP2_CONNECTION_H

#include <uv.h>

#include "core/http/http2_session.h"
#include "core/http/http_stream.h"

struct http2_connection;

enum http2_end {
    HTTP2_END_RESPONSE,  // the parser has it
    HTTP2_END_UNSENT,    // the server has not acted on the request and will not: it may be sent again
    HTTP2_END_REFUSED,   // as UNSENT, and the connection goes on
    HTTP2_END_DENIED,    // the server has refused the client's certificate before it read anything
    HTTP2_END_FAILED,    // anything may have happened
};

/** Of the fault of a request that the server has not acted on. */
#define HTTP2_REFUSED_TEXT "the server took no more requests on the connection"

struct http2_connection_events {
    /** An exchange has ended and is no longer the connection's. `f` is set unless there is a response. */
    void (*on_end)(struct http2_exchange *e, enum http2_end end, const struct fault *f);
    /** The connection has no exchange, and takes none any more: it is to be freed. */
    void (*on_over)(void *owner, struct http2_connection *c);
    /** After exchanges have ended, or the server's limit has grown. */
    void (*on_room)(void *owner);
};

struct http2_connection_params {
    const struct http2_connection_events *events;
    void *owner;
    void *origin;
    struct bytes *buffer;       // lent, for reading; HTTP2_READ_BYTES large
    uint32_t streams_expected;  // the server's limit, until it says one
};

enum {
    HTTP2_READ_BYTES = 64 * 1024,
    HTTP2_STREAMS_USUAL = 100,  // RFC 9113, 6.5.2: servers are advised against fewer
};

/** In the order in which a connection goes through them; it may skip some. */
enum http2_connection_state {
    HTTP2_CONNECTION_OPEN,
    HTTP2_CONNECTION_DRAINING,   // takes no new requests
    HTTP2_CONNECTION_READ_ONLY,  // nothing more can be written, and soon nothing can be read
    HTTP2_CONNECTION_BROKEN,     // nothing more can be read or written; `fault` says why
};

struct http2_connection {
    struct http2_connection *next;  // for the owner's list
    struct http2_connection *prev;
    struct http2_connection_params params;
    uv_poll_t poll;
    uv_prepare_t prepare;  // writes once what a turn of the loop has begun
    int handles;
    struct http_stream stream;
    struct http2_session session;
    struct bytes out;  // frames that the socket has not taken
    size_t out_at;
    enum http2_connection_state state;
    bool has_served;  // a response
    bool is_watching_writes;
    bool is_reporting;  // in on_end
    bool is_freed;
    struct fault fault;
    int64_t idle_since_us;
    int64_t read_us;  // when something arrived last
};

/** Takes over a connected stream. */
struct http2_connection *http2_connection_new(uv_loop_t *loop, const struct http_stream *stream,
                                              const struct http2_connection_params *params);

/** How many requests it takes at once. */
uint32_t http2_connection_limit(const struct http2_connection *c);

/** How many more requests it takes now. */
size_t http2_connection_room(const struct http2_connection *c, int64_t now_us);

/** Sends a request, before the loop sleeps. The parser was begun for it. on_end follows, later on the loop.
 */
void http2_connection_send(struct http2_connection *c, struct http2_exchange *e,
                           const struct http_request *request, struct http1_parser *parser);

/**
 * Gives the exchange up: no event follows for it.
 *
 * @param is_late  nothing came in time: if nothing else has come either, the connection takes no more
 * requests
 * @param since_us when the exchange was sent
 */
void http2_connection_cancel(struct http2_exchange *e, bool is_late, int64_t since_us);

/** Whether nothing runs on it, and nothing is to be reported. */
bool http2_connection_is_idle(const struct http2_connection *c);

/** Closes and frees it; it is idle. No event follows. Allowed during an event. */
void http2_connection_free(struct http2_connection *c);

#endif
