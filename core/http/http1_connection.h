// One connection that speaks HTTP/1.1: a request goes out, its response comes in, then the next.
#ifndef CORE_HTTP_HTTP1_CONNECTION_H
#define CORE_HTTP_HTTP1_CONNECTION_H

#include <uv.h>

#include "core/http/http1_output.h"
#include "core/http/http1_parser.h"

enum http1_connection_state {
    HTTP1_CONNECTION_IDLE,       // nothing may arrive: whatever does closes it
    HTTP1_CONNECTION_SENDING,    // a part of the request waits for room in the socket; a response may arrive
    HTTP1_CONNECTION_RECEIVING,  // the request is sent
    HTTP1_CONNECTION_CLOSED,
};

struct http1_connection;

struct http1_connection_events {
    /**
     * The exchange has ended; the connection is IDLE or, if it can't be used again, CLOSED.
     *
     * @param f  NULL: the parser has the response; else FAULT_RETRY: it is not complete
     */
    void (*on_end)(void *owner, struct http1_connection *c, const struct fault *f);
    /** An idle connection was closed. */
    void (*on_idle_closed)(void *owner, struct http1_connection *c);
};

struct http1_connection {
    struct http1_connection *next;  // for the owner's list
    struct http1_connection *prev;
    uv_poll_t poll;
    struct http_stream stream;
    enum http1_connection_state state;
    bool is_watching_writes;
    struct http1_output output;
    struct http1_parser *parser;  // lent for the exchange
    const struct http1_connection_events *events;
    void *owner;
    void *origin;            // the owner's
    struct bytes *buffer;    // lent, for reading; HTTP1_READ_BYTES large
    int64_t idle_since_us;   // when it became IDLE
    int64_t reuse_until_us;  // as the peer said, and not longer than routers remember it
};

enum { HTTP1_READ_BYTES = 64 * 1024 };

struct http1_connection_params {
    const struct http1_connection_events *events;
    void *owner;
    void *origin;
    struct bytes *buffer;
};

/** Takes over a connected stream. */
struct http1_connection *http1_connection_new(uv_loop_t *loop, const struct http_stream *stream,
                                              const struct http1_connection_params *params);

/** Whether an IDLE connection can be used: within its time, and nothing has arrived that
 * the loop has not told yet. */
bool http1_connection_is_usable(struct http1_connection *c, int64_t now_us);

/**
 * Sends a request on an IDLE connection. The parser was begun for it.
 *
 * @return 0: on_end follows; else the errno for which nothing was sent: the connection is to be closed
 */
int http1_connection_send(struct http1_connection *c, const struct http_request *request,
                          struct http1_parser *parser);

/** Closes and frees it, CLOSED or not. No event follows. */
void http1_connection_free(struct http1_connection *c);

#endif
