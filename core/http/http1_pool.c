#include "core/http/http1_pool.h"

#include <string.h>
#include <utlist.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/http/http_policy.h"
#include "core/http/http_proxy.h"

enum origin_protocol {
    ORIGIN_UNKNOWN,  // it will be known when the first connection is made
    ORIGIN_HTTP1,
    ORIGIN_HTTP2,
};

/** Where connections go. */
struct http1_origin {
    struct http1_origin *next;
    struct http1_pool *pool;
    char *host;
    int port;
    bool is_tls;
    enum origin_protocol protocol;
    size_t coming;                     // connections that are being made
    struct http_addresses *addresses;  // of the proxy if there is one
    struct http1_connect *looking_up;
    struct http1_connection *idle;   // the one used last is first
    struct http2_connection *http2;  // all of them
};

static void on_idle_closed(void *owner, struct http1_connection *connection)
{
    struct http1_pool *p = owner;
    struct http1_origin *origin = connection->origin;
    DL_DELETE(origin->idle, connection);
    http1_pool_drop(p, connection);
    p->events->on_room(p->owner);
}

static void drop_http2(struct http2_connection *connection)
{
    struct http1_origin *origin = connection->params.origin;
    DL_DELETE(origin->http2, connection);
    origin->pool->count--;
    http2_connection_free(connection);
}

static void on_http2_over(void *owner, struct http2_connection *connection)
{
    struct http1_pool *p = owner;
    drop_http2(connection);
    p->events->on_room(p->owner);
}

static void on_http2_room(void *owner)
{
    struct http1_pool *p = owner;
    p->events->on_room(p->owner);
}

void http1_pool_init(struct http1_pool *p, uv_loop_t *loop, const struct http_client_params *params,
                     const struct http1_pool_events *events, void *owner)
{
    *p = (struct http1_pool){
        .loop = loop,
        .events = events,
        .connection_events = {events->on_end, on_idle_closed},
        .http2_events = {events->on_http2_end, on_http2_over, on_http2_room},
        .owner = owner,
        .connections_max = params->connections_max > 0 ? params->connections_max : 1,
        .params = params,
    };
    p->buffer.is_secret = true;  // a response may be a token
    (void)bytes_reserve(&p->buffer, HTTP1_READ_BYTES);
    if (params->proxy.url != NULL && !http_proxy_new(&params->proxy, &p->proxy, &p->proxy_fault)) {
        p->proxy_fault.kind = FAULT_RETRY;  // of each call
    }
}

void http1_pool_drop(struct http1_pool *p, struct http1_connection *connection)
{
    http1_connection_free(connection);
    p->count--;
}

struct http1_connection *http1_pool_take(struct http1_origin *origin)
{
    while (origin->idle != NULL) {
        struct http1_connection *connection = origin->idle;
        DL_DELETE(origin->idle, connection);
        if (http1_connection_is_usable(connection, clock_now_us())) {
            return connection;
        }
        http1_pool_drop(origin->pool, connection);
    }
    return NULL;
}

struct http2_connection *http1_pool_http2(struct http1_origin *origin)
{
    int64_t now_us = origin->http2 == NULL ? 0 : clock_now_us();
    struct http2_connection *connection;
    struct http2_connection *next;
    DL_FOREACH_SAFE (origin->http2, connection, next) {
        if (http2_connection_room(connection, now_us) > 0) {
            return connection;
        }
        if (http2_connection_is_idle(connection)) {
            drop_http2(connection);  // idle for too long, or the server takes no more requests
        }
    }
    return NULL;
}

bool http1_pool_is_coming(const struct http1_origin *origin)
{
    return origin->coming > 0 && origin->protocol != ORIGIN_HTTP1;
}

/** Closes a connection in HTTP/2 on which nothing runs; false: there is none. */
static bool evict_http2(struct http1_pool *p)
{
    for (struct http1_origin *origin = p->origins; origin != NULL; origin = origin->next) {
        struct http2_connection *connection;
        DL_FOREACH (origin->http2, connection) {
            if (http2_connection_is_idle(connection)) {
                drop_http2(connection);
                return true;
            }
        }
    }
    return false;
}

/** Closes an idle connection, in HTTP/1.1 the one that was idle longest; false: there is none. */
static bool evict_idle(struct http1_pool *p)
{
    struct http1_origin *of = NULL;
    for (struct http1_origin *origin = p->origins; origin != NULL; origin = origin->next) {
        if (origin->idle != NULL &&
            (of == NULL || origin->idle->prev->idle_since_us < of->idle->prev->idle_since_us)) {
            of = origin;
        }
    }
    if (of == NULL) {
        return evict_http2(p);
    }
    struct http1_connection *last = of->idle->prev;
    DL_DELETE(of->idle, last);
    http1_pool_drop(p, last);
    return true;
}

bool http1_pool_make_room(struct http1_pool *p)
{
    return p->count < p->connections_max || evict_idle(p);
}

/** No connection comes of it. */
static void give_up(struct http1_origin *origin)
{
    origin->coming--;
    origin->pool->count--;
}

static void on_established(void *self, const struct http_stream *stream, bool is_http2, const struct fault *f)
{
    struct http1_connect *connect = self;
    struct http1_origin *origin = connect->origin;
    struct http1_pool *p = origin->pool;
    connect->establish = NULL;
    if (stream == NULL) {
        http_addresses_doubt(origin->addresses);
        give_up(origin);
        p->events->on_connect_failed(connect, f);
        p->events->on_room(p->owner);
        return;
    }
    origin->coming--;
    origin->protocol = is_http2 ? ORIGIN_HTTP2 : ORIGIN_HTTP1;
    if (is_http2) {
        uint32_t streams =
            origin->http2 == NULL ? HTTP2_STREAMS_USUAL : http2_connection_limit(origin->http2);
        const struct http2_connection_params params = {&p->http2_events, p, origin, &p->buffer, streams};
        struct http2_connection *connection = http2_connection_new(p->loop, stream, &params);
        DL_APPEND(origin->http2, connection);
        p->events->on_connected_http2(connect, connection);
        return;
    }
    const struct http1_connection_params params = {&p->connection_events, p, origin, &p->buffer};
    p->events->on_connected(connect, http1_connection_new(p->loop, stream, &params));
}

/** Begins with TCP; false: an address is refused, or the client's TLS or proxy is misconfigured. */
static bool establish(struct http1_connect *connect, const struct http_address_list *addresses,
                      struct fault *f)
{
    struct http1_origin *origin = connect->origin;
    struct http1_pool *p = origin->pool;
    if (origin->is_tls && p->tls == NULL && !http_tls_new(&p->params->tls, p->params->version, &p->tls, f)) {
        f->kind = FAULT_RETRY;
        return fault_context(f, "tls");
    }
    const struct http_establish_params params = {
        .loop = p->loop,
        .addresses = addresses,
        .guard = {p->params->policy, p->proxy == NULL ? origin->host : p->proxy->host},
        .host = origin->host,
        .port = origin->port,
        .tls = origin->is_tls ? p->tls : NULL,
        .proxy_headers = p->proxy == NULL ? NULL : p->proxy->headers,
        .version = p->params->version,
    };
    connect->establish = http_establish_start(&params, on_established, connect, f);
    return connect->establish != NULL;
}

/** Dials, or waits until the host is looked up. False: that can't even begin, or an address is refused. */
static bool go_on(struct http1_connect *connect, struct fault *f)
{
    struct http1_origin *origin = connect->origin;
    const struct http_address_list *addresses = NULL;
    bool is_begun = http_addresses_get(origin->addresses, &addresses, f);
    if (is_begun && addresses == NULL) {
        DL_APPEND(origin->looking_up, connect);
        return true;
    }
    is_begun = is_begun && establish(connect, addresses, f);
    if (!is_begun) {
        give_up(origin);
    }
    return is_begun;
}

bool http1_pool_connect(struct http1_origin *origin, struct http1_connect *connect, struct fault *f)
{
    const struct http_client_params *params = origin->pool->params;
    origin->pool->count++;
    origin->coming++;
    *connect = (struct http1_connect){.origin = origin};
    if (params->proxy.url != NULL && origin->pool->proxy == NULL) {
        *f = origin->pool->proxy_fault;
        give_up(origin);
        return false;
    }
    if (params->proxy.url != NULL && params->policy != NULL &&
        !http_policy_permits_unresolved(params->policy, origin->host, f)) {
        give_up(origin);
        return false;
    }
    return go_on(connect, f);
}

static void on_addresses(void *self, const struct fault *f)
{
    struct http1_origin *origin = self;
    struct http1_pool *p = origin->pool;
    struct http1_connect *list = origin->looking_up;
    origin->looking_up = NULL;
    struct http1_connect *connect = NULL;
    struct http1_connect *next = NULL;
    DL_FOREACH_SAFE (list, connect, next) {
        struct fault why;
        if (f != NULL) {
            give_up(origin);
            p->events->on_connect_failed(connect, f);
        } else if (!go_on(connect, &why)) {
            p->events->on_connect_failed(connect, &why);
        }
    }
    p->events->on_room(p->owner);
}

void http1_pool_abandon(struct http1_connect *connect, bool is_late)
{
    struct http1_origin *origin = connect->origin;
    if (connect->establish == NULL) {
        DL_DELETE(origin->looking_up, connect);
    } else {
        http_establish_cancel(connect->establish);
        connect->establish = NULL;
        if (is_late) {
            http_addresses_doubt(origin->addresses);
        }
    }
    give_up(origin);
}

const char *http1_pool_late_text(const struct http1_connect *connect)
{
    return connect->establish == NULL ? "the host was not looked up in time"
           : http_establish_is_dialing(connect->establish)
               ? "no connection in time"
               : "TLS or the proxy's tunnel was not ready in time";
}

void http1_pool_keep(struct http1_pool *p, struct http1_connection *connection)
{
    struct http1_origin *origin = connection->origin;
    connection->owner = p;
    if (connection->state == HTTP1_CONNECTION_CLOSED) {
        http1_pool_drop(p, connection);
        return;
    }
    DL_PREPEND(origin->idle, connection);
    struct http1_connection *last = origin->idle->prev;
    if (last != connection && connection->idle_since_us >= last->reuse_until_us) {
        DL_DELETE(origin->idle, last);
        http1_pool_drop(p, last);
    }
}

/** What is known before the first connection is made. */
static enum origin_protocol protocol_of(enum http_version version, bool is_tls)
{
    switch (version) {
    case HTTP_VERSION_AUTO:
        return is_tls ? ORIGIN_UNKNOWN : ORIGIN_HTTP1;
    case HTTP_VERSION_1_1:
        return ORIGIN_HTTP1;
    case HTTP_VERSION_2:
        break;
    }
    return ORIGIN_HTTP2;
}

struct http1_origin *http1_pool_origin(struct http1_pool *p, const struct http_head *head)
{
    struct http1_origin *origin = p->origins;
    while (origin != NULL && (origin->port != head->port || origin->is_tls != head->is_tls ||
                              strcmp(origin->host, head->host) != 0)) {
        origin = origin->next;
    }
    if (origin == NULL) {
        origin = memory_zeroed(1, sizeof(*origin));
        origin->pool = p;
        origin->host = memory_string(head->host);
        origin->port = head->port;
        origin->is_tls = head->is_tls;
        origin->protocol = protocol_of(p->params->version, head->is_tls);
        origin->addresses =
            http_addresses_new(p->loop, p->proxy == NULL ? head->host : p->proxy->host,
                               p->proxy == NULL ? head->port : p->proxy->port, on_addresses, origin);
        origin->next = p->origins;
        p->origins = origin;
    }
    return origin;
}

void http1_pool_clear(struct http1_pool *p)
{
    while (evict_idle(p)) {}
    for (struct http1_origin *origin = p->origins, *next; origin != NULL; origin = next) {
        next = origin->next;
        http_addresses_free(origin->addresses);
        free(origin->host);
        free(origin);
    }
    http_tls_free(p->tls);
    http_proxy_free(p->proxy);
    bytes_clear(&p->buffer);
}
