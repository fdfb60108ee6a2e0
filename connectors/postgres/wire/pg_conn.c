#include "connectors/postgres/wire/pg_conn.h"

#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "connectors/postgres/wire/pg_conn_private.h"
#include "connectors/postgres/wire/pg_socket.h"
#include "core/base/clock.h"

enum { UNACKNOWLEDGED_MS = 5000 };  // pg_stream.c says why

static void on_poll(uv_poll_t *poll, int status, int events);

void pg_conn_unref(struct pg_conn *c)
{
    INVARIANT(c->references > 0);
    if (--c->references == 0) {
        pg_dsn_clear(&c->dsn);
        free(c->addresses);
        free(c);
    }
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct pg_conn *c = handle->data;
    free(handle);
    pg_conn_unref(c);
}

static void drop_poll(struct pg_conn *c)
{
    if (c->poll != NULL) {
        (void)uv_poll_stop(c->poll);
        uv_close((uv_handle_t *)c->poll, on_poll_closed);
        c->poll = NULL;
    }
}

// libpq changes sockets while it connects (next address, TLS refused), perhaps to one with the same
// descriptor number, so each step makes a new poll handle.
static void watch_new_socket(struct pg_conn *c, int events)
{
    drop_poll(c);
    c->poll = memory_zeroed(1, sizeof(*c->poll));
    c->poll->data = c;
    c->references++;
    INVARIANT(uv_poll_init(c->loop, c->poll, PQsocket(c->pq)) == 0);
    INVARIANT(uv_poll_start(c->poll, events, on_poll) == 0);
    c->events = events;
}

void pg_conn_set_events(struct pg_conn *c)
{
    // A lost connection must be noticed even while reading is paused, because its locks are lost too.
    int events = (c->is_paused ? UV_DISCONNECT : UV_READABLE) | (c->is_flushing ? UV_WRITABLE : 0);
    if (c->poll == NULL || events == c->events) {
        return;
    }
    c->events = events;
    (void)uv_poll_start(c->poll, events, on_poll);
}

static void enter(struct pg_conn *c, enum pg_conn_state to)
{
    static const uint32_t allowed[] = {
        [PG_CONN_NEW] = 1U << PG_CONN_RESOLVING | 1U << PG_CONN_CONNECTING | 1U << PG_CONN_OVER,
        [PG_CONN_RESOLVING] = 1U << PG_CONN_RESOLVING | 1U << PG_CONN_CONNECTING | 1U << PG_CONN_OVER,
        [PG_CONN_CONNECTING] = 1U << PG_CONN_CONNECTING | 1U << PG_CONN_OPEN | 1U << PG_CONN_OVER,
        [PG_CONN_OPEN] = 1U << PG_CONN_OVER,
        [PG_CONN_OVER] = 0,
    };
    INVARIANT((allowed[c->state] & 1U << to) != 0);
    c->state = to;
}

// Closes socket and timer; the struct is freed after their close callbacks.
static void close_connection(struct pg_conn *c)
{
    enum pg_conn_state was = c->state;
    if (was == PG_CONN_OVER) {
        return;
    }
    enter(c, PG_CONN_OVER);
    drop_poll(c);
    uv_close((uv_handle_t *)&c->timer, pg_conn_timer_closed);
    if (was == PG_CONN_RESOLVING) {
        (void)uv_cancel((uv_req_t *)&c->lookup);
    }
    pg_conn_drop_queries(c);
    PQfinish(c->pq);
    c->pq = NULL;
}

void pg_conn_timer_closed(uv_handle_t *handle)
{
    pg_conn_unref(CONTAINER_OF((uv_timer_t *)handle, struct pg_conn, timer));
}

// Connecting failed, or the connection is lost: calls on_open or on_lost, once.
void pg_conn_fail(struct pg_conn *c, const struct fault *f)
{
    if (c->state == PG_CONN_OVER) {
        return;
    }
    bool was_open = c->state == PG_CONN_OPEN;
    struct fault copy = *f;
    close_connection(c);
    (was_open ? c->on_lost : c->on_open)(c->self, &copy);
}

static void on_connected(struct pg_conn *c)
{
    (void)PQsetErrorVerbosity(c->pq, PQERRORS_DEFAULT);
    if (PQsetnonblocking(c->pq, 1) != 0) {
        struct fault f;
        (void)fault_from(&f, FAULT_RETRY, "libpq", 0, "%s", PQerrorMessage(c->pq));
        pg_conn_fail(c, &f);
        return;
    }
    (void)uv_timer_stop(&c->timer);
    if (text_pairs_get(&c->dsn.options, "tcp_user_timeout") == NULL) {
        // Not for libpq to set: it would also shorten connect_timeout.
        pg_socket_limit_silence(PQsocket(c->pq), UNACKNOWLEDGED_MS);
    }
    enter(c, PG_CONN_OPEN);
    watch_new_socket(c, UV_READABLE);
    c->on_open(c->self, NULL);
}

static void start_connecting(struct pg_conn *c);

// libpq could try all addresses itself, but PQconnectPoll has no time-out: one address that does not respond
// would use up the whole time. As in libpq, a fault that a retry can't cure ends the attempts.
static void try_next_address(struct pg_conn *c, const struct fault *f)
{
    struct fault fault = *f;
    if (c->tried_fault.kind != FAULT_NONE) {
        (void)fault_from(&fault, f->kind, f->origin, f->origin_code, "%.200s; %s", c->tried_fault.text,
                         f->text);
    }
    c->address_at++;
    if (fault.kind != FAULT_RETRY || c->address_at >= c->address_count) {
        pg_conn_fail(c, &fault);
        return;
    }
    drop_poll(c);
    PQfinish(c->pq);
    c->pq = NULL;
    c->tried_fault = fault;
    start_connecting(c);
}

static void poll_connecting(struct pg_conn *c)
{
    drop_poll(c);
    struct fault f;
    switch (PQconnectPoll(c->pq)) {
    case PGRES_POLLING_READING:
        watch_new_socket(c, UV_READABLE);
        return;
    case PGRES_POLLING_WRITING:
        watch_new_socket(c, UV_WRITABLE);
        return;
    case PGRES_POLLING_OK:
        on_connected(c);
        return;
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE:
        break;
    }
    pg_conn_connect_fault(c->pq, &f);
    try_next_address(c, &f);
}

static void flush_output(struct pg_conn *c)
{
    int flushed = PQflush(c->pq);
    if (flushed < 0) {
        struct fault f;
        (void)fault_from(&f, FAULT_RETRY, "libpq", 0, "PostgreSQL: %s", PQerrorMessage(c->pq));
        pg_conn_fail_later(c, &f);
        return;
    }
    c->is_flushing = flushed == 1;  // 1 is "more to write", not an error
    pg_conn_set_events(c);
}

// libuv stops a poll handle whose socket has an error, but the server's last message may still be unread in
// the socket. So read first; the error is reported again in the next turn.
static void watch_again(struct pg_conn *c)
{
    if (c->state == PG_CONN_OPEN && c->poll != NULL && c->events != 0) {
        (void)uv_poll_start(c->poll, c->events, on_poll);
    }
}

// Nothing is read while the connection is paused, so the socket itself says that the connection is lost.
static void fail_paused(struct pg_conn *c, int status)
{
    struct fault f;
    int error = status < 0 ? pg_socket_take_error(PQsocket(c->pq)) : 0;
    if (error == 0) {
        (void)fault_set(&f, FAULT_RETRY, "the server closed the connection");
    } else {
        (void)fault_from(&f, FAULT_RETRY, "libpq", error, "the connection to PostgreSQL broke: %s",
                         uv_strerror(-error));
    }
    pg_conn_fail(c, &f);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct pg_conn *c = poll->data;
    c->references++;
    if (c->state == PG_CONN_CONNECTING) {
        poll_connecting(c);
    } else if (c->is_paused && (status < 0 || (events & UV_DISCONNECT) != 0)) {
        fail_paused(c, status);
    } else {
        if (status < 0 || (events & UV_READABLE) != 0) {
            pg_conn_readable(c);
        }
        if (c->state == PG_CONN_OPEN && c->is_flushing) {
            flush_output(c);
        }
        if (status < 0) {
            watch_again(c);
        }
    }
    pg_conn_unref(c);
}

void pg_conn_send(struct pg_conn *c)
{
    flush_output(c);
}

static void on_timer(uv_timer_t *timer);

static void start_timeout(struct pg_conn *c)
{
    uint64_t timeout_ms = (uint64_t)(c->dsn.connect_timeout_us / CLOCK_US_PER_MS);
    (void)uv_timer_start(&c->timer, on_timer, timeout_ms, 0);
}

static void start_connecting(struct pg_conn *c)
{
    enter(c, PG_CONN_CONNECTING);
    start_timeout(c);
    CLEANUP(text_pairs_clear) struct text_pairs options = {0};
    pg_dsn_resolve(&c->dsn, c->address_count == 0 ? NULL : &c->addresses[c->address_at], &options);
    CLEANUP(memory_free_pointer) const char **words = memory_zeroed(2 * (options.count + 1), sizeof(*words));
    const char **values = words + options.count + 1;
    for (size_t i = 0; i < options.count; i++) {
        words[i] = options.items[i].key;
        values[i] = options.items[i].value;
    }
    c->pq = PQconnectStartParams(words, values, 0);
    struct fault f;
    if (c->pq == NULL || PQstatus(c->pq) == CONNECTION_BAD) {
        pg_conn_connect_fault(c->pq, &f);
        try_next_address(c, &f);
        return;
    }
    (void)PQsetErrorVerbosity(c->pq,
                              PQERRORS_VERBOSE);  // the only way to get the SQLSTATE of a failed connection
    (void)PQsetNoticeReceiver(c->pq, pg_conn_on_notice, c);
    watch_new_socket(c, UV_WRITABLE);
}

static void add_address(struct pg_conn *c, const char *text)
{
    c->addresses = memory_resize(c->addresses, (c->address_count + 1) * sizeof(*c->addresses));
    struct pg_dsn_address *address = &c->addresses[c->address_count++];
    *address = (struct pg_dsn_address){.host = c->host_at};
    memcpy(address->text, text, strnlen(text, sizeof(address->text) - 1));
}

static void put_preferred_first(struct pg_conn *c)
{
    for (size_t i = 0; i < c->address_count && c->preferred.text[0] != '\0'; i++) {
        struct pg_dsn_address found = c->addresses[i];
        if (found.host == c->preferred.host && strcmp(found.text, c->preferred.text) == 0) {
            memmove(c->addresses + 1, c->addresses, i * sizeof(found));
            c->addresses[0] = found;
            c->address_count = c->is_only_preferred ? 1 : c->address_count;
            return;
        }
    }
}

static void lookup_next(struct pg_conn *c);

static void on_lookup(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct pg_conn *c = CONTAINER_OF(request, struct pg_conn, lookup);
    if (c->state != PG_CONN_OVER) {
        for (const struct addrinfo *a = found; status == 0 && a != NULL; a = a->ai_next) {
            char text[NI_MAXHOST];
            if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) == 0) {
                add_address(c, text);
            }
        }
        if (status != 0) {
            (void)fault_from(&c->lookup_fault, FAULT_RETRY, "libuv", status,
                             "can't resolve the host %s of postgres.dsn: %s", c->dsn.hosts[c->host_at].name,
                             uv_strerror(status));
        }
        c->host_at++;
        lookup_next(c);
    }
    uv_freeaddrinfo(found);
    pg_conn_unref(c);
}

// Resolves names here, because libpq's own look-up blocks.
static void lookup_next(struct pg_conn *c)
{
    for (; c->host_at < c->dsn.host_count; c->host_at++) {
        const struct pg_dsn_host *host = &c->dsn.hosts[c->host_at];
        if (pg_dsn_needs_lookup(host)) {
            struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
            c->references++;
            enter(c, PG_CONN_RESOLVING);
            start_timeout(c);
            INVARIANT(uv_getaddrinfo(c->loop, &c->lookup, on_lookup, host->name, NULL, &hints) == 0);
            return;
        }
        bool is_socket = host->name[0] == '/' || host->name[0] == '@' || host->name[0] == '\0';
        bool is_given = host->address[0] != '\0';
        add_address(c, is_given ? host->address : is_socket ? "" : host->name);
    }
    if (c->dsn.host_count > 0 && c->address_count == 0) {
        pg_conn_fail(c, &c->lookup_fault);
        return;
    }
    c->tried_fault = c->lookup_fault;
    put_preferred_first(c);
    start_connecting(c);
}

static void begin_connecting(struct pg_conn *c)
{
    if (c->open_fault.kind != FAULT_NONE) {
        pg_conn_fail(c, &c->open_fault);
    } else {
        lookup_next(c);
    }
}

void pg_conn_later(struct pg_conn *c)
{
    if (c->state != PG_CONN_OVER) {
        (void)uv_timer_start(&c->timer, on_timer, 0, 0);
    }
}

void pg_conn_fail_later(struct pg_conn *c, const struct fault *f)
{
    if (c->late_fault.kind == FAULT_NONE) {
        c->late_fault = *f;
    }
    pg_conn_later(c);
}

static void time_out(struct pg_conn *c)
{
    struct fault f;
    bool is_resolving = c->state == PG_CONN_RESOLVING;
    size_t host = is_resolving ? c->host_at : pg_conn_address(c).host;
    (void)fault_set(
        &f, FAULT_RETRY, "PostgreSQL%s%s did not respond within %d s; check host and port of postgres.dsn",
        host < c->dsn.host_count ? " at " : "", host < c->dsn.host_count ? c->dsn.hosts[host].name : "",
        (int)(c->dsn.connect_timeout_us / CLOCK_US_PER_S));
    if (is_resolving) {
        pg_conn_fail(c, &f);  // a running look-up can't be stopped to start another one
    } else {
        try_next_address(c, &f);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct pg_conn *c = CONTAINER_OF(timer, struct pg_conn, timer);
    if (c->late_fault.kind != FAULT_NONE) {
        struct fault f = c->late_fault;
        pg_conn_fail(c, &f);
        return;
    }
    switch (c->state) {
    case PG_CONN_NEW:
        begin_connecting(c);
        return;
    case PG_CONN_RESOLVING:
    case PG_CONN_CONNECTING:
        time_out(c);
        return;
    case PG_CONN_OPEN:
        pg_conn_collect(c);
        return;
    case PG_CONN_OVER:
        return;
    }
}

struct pg_conn *pg_conn_open(const struct pg_conn_params *params)
{
    struct pg_conn *c = memory_zeroed(1, sizeof(*c));
    c->references = 2;  // the caller's and the timer's
    c->loop = params->loop;
    c->on_open = params->on_open;
    c->on_lost = params->on_lost;
    c->on_warning = params->on_warning;
    c->self = params->self;
    c->preferred = params->first;
    c->is_only_preferred = params->is_only_first;
    if (!pg_dsn_parse(params->dsn, params->password, params->is_replication, &c->dsn, &c->open_fault)) {
        c->dsn = (struct pg_dsn){0};
    }
    INVARIANT(uv_timer_init(c->loop, &c->timer) == 0);
    // Connecting begins in the timer's callback, so that no callback is called before this function returns.
    (void)uv_timer_start(&c->timer, on_timer, 0, 0);
    return c;
}

void pg_conn_close(struct pg_conn *c)
{
    if (c == NULL) {
        return;
    }
    close_connection(c);
    pg_conn_unref(c);
}
