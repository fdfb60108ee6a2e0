#include "core/http/http1_pool.h"

#include <string.h>
#include <utlist.h>

#include "core/base/clock.h"
#include "core/base/memory.h"

/** Where connections go. */
struct http1_origin {
    struct http1_origin *next;
    struct http1_pool *pool;
    char *host;
    int port;
    struct http_addresses *addresses;
    struct http1_connect *looking_up;
    struct http1_connection *idle;  // the one used last is first
};

static void on_idle_closed(void *owner, struct http1_connection *connection)
{
    struct http1_pool *p = owner;
    struct http1_origin *origin = connection->origin;
    DL_DELETE(origin->idle, connection);
    http1_pool_drop(p, connection);
    p->events->on_room(p->owner);
}

void http1_pool_init(struct http1_pool *p, uv_loop_t *loop, const struct http_client_params *params,
                     const struct http1_pool_events *events,
                     void (*on_end)(void *owner, struct http1_connection *c, const struct fault *f),
                     void *owner)
{
    *p = (struct http1_pool){
        .loop = loop,
        .events = events,
        .connection_events = {on_end, on_idle_closed},
        .owner = owner,
        .connections_max = params->connections_max > 0 ? params->connections_max : 1,
        .policy = params->policy,
    };
    (void)bytes_reserve(&p->buffer, HTTP1_READ_BYTES);
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

/** Closes the connection that was idle longest of all; false: there is none. */
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
        return false;
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

static void on_dialed(void *self, int fd, const struct fault *f)
{
    struct http1_connect *connect = self;
    struct http1_origin *origin = connect->origin;
    struct http1_pool *p = origin->pool;
    connect->dial = NULL;
    if (fd < 0) {
        http_addresses_doubt(origin->addresses);
        p->count--;
        p->events->on_connect_failed(connect, f);
        p->events->on_room(p->owner);
        return;
    }
    const struct http1_connection_params params = {&p->connection_events, p, origin, &p->buffer};
    p->events->on_connected(connect, http1_connection_new(p->loop, fd, &params));
}

/** Dials, or waits until the host is looked up. False: that can't even begin, or an address is refused. */
static bool go_on(struct http1_connect *connect, struct fault *f)
{
    struct http1_origin *origin = connect->origin;
    const struct http_address_list *addresses = NULL;
    if (!http_addresses_get(origin->addresses, &addresses, f)) {
        origin->pool->count--;
        return false;
    }
    if (addresses == NULL) {
        DL_APPEND(origin->looking_up, connect);
    } else {
        const struct http_dial_guard guard = {origin->pool->policy, origin->host};
        connect->dial = http_dial_start(origin->pool->loop, addresses, &guard, on_dialed, connect, f);
        if (connect->dial == NULL) {
            origin->pool->count--;
            return false;
        }
    }
    return true;
}

bool http1_pool_connect(struct http1_origin *origin, struct http1_connect *connect, struct fault *f)
{
    origin->pool->count++;
    *connect = (struct http1_connect){.origin = origin};
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
            p->count--;
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
    if (connect->dial == NULL) {
        DL_DELETE(origin->looking_up, connect);
    } else {
        http_dial_cancel(connect->dial);
        connect->dial = NULL;
        if (is_late) {
            http_addresses_doubt(origin->addresses);
        }
    }
    origin->pool->count--;
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

struct http1_origin *http1_pool_origin(struct http1_pool *p, const struct http_head *head)
{
    struct http1_origin *origin = p->origins;
    while (origin != NULL && (origin->port != head->port || strcmp(origin->host, head->host) != 0)) {
        origin = origin->next;
    }
    if (origin == NULL) {
        origin = memory_zeroed(1, sizeof(*origin));
        origin->pool = p;
        origin->host = memory_string(head->host);
        origin->port = head->port;
        origin->addresses = http_addresses_new(p->loop, head->host, head->port, on_addresses, origin);
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
    bytes_clear(&p->buffer);
}
