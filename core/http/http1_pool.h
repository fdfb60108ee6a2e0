// The connections of a client, by where they go: idle ones in HTTP/1.1, those in HTTP/2, and those being
// made.
#ifndef CORE_HTTP_HTTP1_POOL_H
#define CORE_HTTP_HTTP1_POOL_H

#include "core/http/http1_connection.h"
#include "core/http/http2_connection.h"
#include "core/http/http_client_params.h"
#include "core/http/http_establish.h"
#include "core/http/http_head.h"

struct http1_origin;  // a scheme, host and port

/** A connection that is being made; embedded in what waits for it. */
struct http1_connect {
    struct http1_connect *next;  // in the list of those whose host is looked up
    struct http1_connect *prev;
    struct http1_origin *origin;
    struct http_establish *establish;  // NULL: the host is looked up
};

struct http1_pool_events {
    /** The connection is IDLE, and in no list. */
    void (*on_connected)(struct http1_connect *connect, struct http1_connection *connection);
    /** The connection is the origin's; it has room. */
    void (*on_connected_http2)(struct http1_connect *connect, struct http2_connection *connection);
    /** No connection was made. May not call http1_pool_clear. */
    void (*on_connect_failed)(struct http1_connect *connect, const struct fault *f);
    /** There may be room for one more connection or request. May not call http1_pool_clear. */
    void (*on_room)(void *owner);
    /** Of http1_connection_events. */
    void (*on_end)(void *owner, struct http1_connection *c, const struct fault *f);
    /** Of http2_connection_events. */
    void (*on_http2_end)(struct http2_exchange *e, enum http2_end end, const struct fault *f);
};

/** Embedded. */
struct http1_pool {
    uv_loop_t *loop;
    const struct http1_pool_events *events;
    struct http1_connection_events connection_events;
    struct http2_connection_events http2_events;
    void *owner;
    const struct http_client_params *params;  // lent
    size_t connections_max;
    size_t count;  // open connections, and those being made
    struct http1_origin *origins;
    struct http_tls *tls;      // made for the first connection over TLS
    struct http_proxy *proxy;  // NULL: there is none, or it is misconfigured
    struct fault proxy_fault;
    struct bytes buffer;
};

/** @param params  lent until http1_pool_clear */
void http1_pool_init(struct http1_pool *p, uv_loop_t *loop, const struct http_client_params *params,
                     const struct http1_pool_events *events, void *owner);

/** Closes the idle connections; all others are dropped already, and none is being made. */
void http1_pool_clear(struct http1_pool *p);

/** The origin of a request; lives as long as the pool. */
struct http1_origin *http1_pool_origin(struct http1_pool *p, const struct http_head *head);

/** Takes out the usable idle connection that was used last. NULL: there is none. */
struct http1_connection *http1_pool_take(struct http1_origin *origin);

/** A connection in HTTP/2 that takes one more request. NULL: there is none. */
struct http2_connection *http1_pool_http2(struct http1_origin *origin);

/**
 * Whether a connection that is being made should be waited for instead of making another one: where HTTP/2 is
 * or may be spoken, one may serve all.
 */
bool http1_pool_is_coming(const struct http1_origin *origin);

/** Whether one more connection may be made. If it must, closes the one in HTTP/1.1 that was idle longest of
 * all, else any in HTTP/2 on which nothing runs. */
bool http1_pool_make_room(struct http1_pool *p);

/** Begins to make a connection. An event follows, unless false: it failed at once. */
bool http1_pool_connect(struct http1_origin *origin, struct http1_connect *connect, struct fault *f) MUST_USE;

/** Stops making it, because it is no longer wanted or (is_late) took too long. No event follows. */
void http1_pool_abandon(struct http1_connect *connect, bool is_late);

/** What a call that waits for it in vain waits for; static. */
const char *http1_pool_late_text(const struct http1_connect *connect);

/** Gives back a connection whose exchange has ended: it is kept if it is IDLE. */
void http1_pool_keep(struct http1_pool *p, struct http1_connection *connection);

/** Closes and frees a connection that is in no list. */
void http1_pool_drop(struct http1_pool *p, struct http1_connection *connection);

#endif
