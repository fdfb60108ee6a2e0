// Queries of a connection, one after another, their results, and COPY in either direction.
#include <stdlib.h>
#include <sys/socket.h>

#include "connectors/postgres/wire/pg_conn_private.h"
#include "core/base/memory.h"

static int pack_state(const char *sqlstate)
{
    if (sqlstate == NULL || strnlen(sqlstate, 6) != 5) {
        return 0;
    }
    return PG_CONN_STATE(sqlstate[0], sqlstate[1], sqlstate[2], sqlstate[3], sqlstate[4]);
}

// How to cure a refused connection; NULL: a retry may help. Classes: 28 authorization, 3D unknown database.
static const char *find_cure(const char *sqlstate)
{
    if (strncmp(sqlstate, "28", 2) == 0) {
        return "check user in postgres.dsn, postgres.password, and pg_hba.conf on the server";
    }
    if (strncmp(sqlstate, "3D", 2) == 0) {
        return "check dbname in postgres.dsn";
    }
    if (strncmp(sqlstate, "42704", 5) == 0) {
        return "check options in postgres.dsn; a server before PostgreSQL 14 is too old";
    }
    return NULL;
}

static bool is_state(const char *text)
{
    for (int i = 0; i < 5; i++) {
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'A' && text[i] <= 'Z'))) {
            return false;
        }
    }
    return text[5] == ':';
}

// A verbose message is "…: FATAL:  28P01: password authentication …\nLOCATION: …". libpq 15 has the SQLSTATE
// of a refused connection only there.
static const char *find_state(const char *message)
{
    for (const char *at = strstr(message, ":  "); at != NULL; at = strstr(at + 1, ":  ")) {
        if (strnlen(at, 9) == 9 && is_state(at + 3)) {
            return at + 3;
        }
    }
    return NULL;
}

void pg_conn_connect_fault(PGconn *pq, struct fault *f)
{
    const char *message = pq == NULL ? "out of memory" : PQerrorMessage(pq);
    const char *state = find_state(message);
    const char *end = strstr(message, "\nLOCATION:");
    int size = end == NULL ? (int)strlen(message) : (int)(end - message);
    if (pq != NULL && PQconnectionNeedsPassword(pq)) {
        (void)fault_from(
            f, FAULT_CONFIG, "libpq", 0,
            "PostgreSQL requires a password: set postgres.password to {file: PATH} or {env: NAME} (%.*s)",
            size, message);
        return;
    }
    CLEANUP(memory_free_pointer) char *sql = NULL;
    const char *cure = state == NULL ? NULL : find_cure(state);
    if (state != NULL && strncmp(state, "42501", 5) == 0) {  // one code for both rights
        sql = memory_format(
            "as a superuser run: ALTER ROLE \"%s\" REPLICATION; GRANT CONNECT ON DATABASE \"%s\" TO \"%s\";",
            PQuser(pq), PQdb(pq), PQuser(pq));
        cure = sql;
    }
    if (cure == NULL) {
        (void)fault_from(f, FAULT_RETRY, "libpq", 0, "can't connect to PostgreSQL: %.*s", size, message);
        return;
    }
    char code[6] = {0};
    memcpy(code, state, 5);
    (void)fault_from(f, FAULT_CONFIG, "postgresql", pack_state(code),
                     "PostgreSQL refuses the connection: %.*s; %s", size, message, cure);
}

void pg_conn_on_notice(void *self, const PGresult *notice)
{
    struct pg_conn *c = self;
    struct fault f;
    const char *function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);
    const char *text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    if (c->on_warning != NULL && function != NULL && text != NULL &&
        !c->on_warning(c->self, function, text, &f)) {
        pg_conn_fail_later(c, &f);
    }
}

static void fault_of_result(const PGresult *result, struct fault *f)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    bool is_short = primary == NULL;
    (void)fault_from(f, FAULT_RETRY, "postgresql", pack_state(state), "%s%s%s%s",
                     is_short ? PQresultErrorMessage(result) : primary, detail == NULL ? "" : " (",
                     detail == NULL ? "" : detail, detail == NULL ? "" : ")");
}

static void clear_results(struct pg_conn *c)
{
    for (size_t i = 0; i < c->result_count; i++) {
        PQclear(c->results[i]);
    }
    c->result_count = 0;
    c->result_fault.kind = FAULT_NONE;
}

void pg_conn_drop_queries(struct pg_conn *c)
{
    clear_results(c);
    while (c->first != NULL) {
        struct pg_conn_query *query = c->first;
        c->first = query->next;
        free(query);
    }
    c->last = NULL;
    c->work = PG_CONN_IDLE;
    c->on_copy = NULL;
}

// Prefers the server's last message to the socket's error: it says more.
static void explain_loss(struct pg_conn *c, struct fault *ret)
{
    *ret = c->result_fault;
    if (ret->kind == FAULT_NONE) {
        (void)fault_from(ret, FAULT_RETRY, "libpq", 0, "%s", PQerrorMessage(c->pq));
    }
    (void)fault_context(ret, "PostgreSQL closed the connection");
}

static void send_next(struct pg_conn *c)
{
    if (c->state != PG_CONN_OPEN || c->work != PG_CONN_IDLE || c->first == NULL) {
        return;
    }
    if (PQsendQuery(c->pq, c->first->sql) != 1) {
        struct fault f;
        explain_loss(c, &f);
        pg_conn_fail_later(c, &f);
        return;
    }
    c->work = PG_CONN_QUERYING;
    pg_conn_send(c);
}

// Passes the results to the first query's owner, then runs the next query unless a COPY runs.
static void deliver_results(struct pg_conn *c, enum pg_conn_work next)
{
    struct pg_conn_query *query = c->first;
    c->first = query->next;
    c->last = c->first == NULL ? NULL : c->last;
    c->work = next;
    PGresult *results[PG_CONN_RESULTS_MAX];
    size_t count = c->result_count;
    memcpy(results, c->results, sizeof(results));
    struct fault f = c->result_fault;
    c->result_count = 0;
    c->result_fault.kind = FAULT_NONE;
    c->references++;
    query->on_results(query->self, results, count, f.kind == FAULT_NONE ? NULL : &f);
    for (size_t i = 0; i < count; i++) {
        PQclear(results[i]);
    }
    free(query);
    send_next(c);
    pg_conn_unref(c);
}

static void take_result(struct pg_conn *c, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    bool is_failed = status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE;
    if (is_failed && c->result_fault.kind == FAULT_NONE) {
        fault_of_result(result, &c->result_fault);
    }
    if (is_failed || c->result_count == PG_CONN_RESULTS_MAX) {
        PQclear(result);
        return;
    }
    c->results[c->result_count++] = result;
}

void pg_conn_collect(struct pg_conn *c)
{
    while (c->work == PG_CONN_QUERYING && PQisBusy(c->pq) == 0) {
        PGresult *result = PQgetResult(c->pq);
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_COPY_IN) {
            // The server has ended its direction of a COPY BOTH; end ours.
            PQclear(result);
            (void)PQputCopyEnd(c->pq, NULL);
            pg_conn_send(c);
            continue;
        }
        if (result != NULL) {
            take_result(c, result);
        }
        if (status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
            deliver_results(c, PG_CONN_COPYING);
            return;
        }
        if (result == NULL) {
            deliver_results(c, PG_CONN_IDLE);
            return;
        }
        if (PQstatus(c->pq) == CONNECTION_BAD) {
            break;
        }
    }
    if (c->state == PG_CONN_OPEN && PQstatus(c->pq) == CONNECTION_BAD) {
        struct fault f;
        explain_loss(c, &f);
        pg_conn_fail(c, &f);
    }
}

void pg_conn_readable(struct pg_conn *c)
{
    if (c->work == PG_CONN_COPYING) {
        if (c->on_copy != NULL) {
            c->on_copy(c->copy_self);
        }
        return;
    }
    if (PQconsumeInput(c->pq) != 1) {
        struct fault f;
        explain_loss(c, &f);
        pg_conn_fail(c, &f);
        return;
    }
    pg_conn_collect(c);
}

static void push_query(struct pg_conn *c, struct pg_conn_query *query, bool is_first)
{
    query->next = is_first ? c->first : NULL;
    if (is_first || c->first == NULL) {
        c->last = c->first == NULL ? query : c->last;
        c->first = query;
    } else {
        c->last->next = query;
        c->last = query;
    }
}

static struct pg_conn_query *new_query(const char *sql, pg_conn_on_results on_results, void *self)
{
    size_t size = strlen(sql) + 1;
    struct pg_conn_query *query = memory_new(sizeof(*query) + size);
    query->next = NULL;
    query->on_results = on_results;
    query->self = self;
    memcpy(query->sql, sql, size);
    return query;
}

void pg_conn_query(struct pg_conn *c, const char *sql, pg_conn_on_results on_results, void *self)
{
    if (c->state == PG_CONN_OVER) {
        return;
    }
    push_query(c, new_query(sql, on_results, self), false);
    send_next(c);
}

bool pg_conn_answered(size_t count, size_t want, const struct fault *f, struct fault *ret)
{
    if (f == NULL && count >= want) {
        return true;
    }
    if (f == NULL) {
        return fault_set(ret, FAULT_RETRY, "the server answered %zu of %zu statements", count, want);
    }
    *ret = *f;
    return false;
}

void pg_conn_watch_copy(struct pg_conn *c, void (*on_ready)(void *self), void *self)
{
    c->on_copy = on_ready;
    c->copy_self = self;
}

int pg_conn_next_copy(struct pg_conn *c, char **ret, struct fault *f)
{
    int size = PQgetCopyData(c->pq, ret, 1);
    if (size == -2) {
        (void)fault_from(f, FAULT_RETRY, "libpq", 0, "PostgreSQL: %s", PQerrorMessage(c->pq));
    }
    return size;
}

bool pg_conn_fill_copy(struct pg_conn *c, struct fault *f)
{
    return PQconsumeInput(c->pq) == 1 ||
           fault_from(f, FAULT_RETRY, "libpq", 0, "PostgreSQL closed the connection: %s",
                      PQerrorMessage(c->pq));
}

int pg_conn_read_copy(struct pg_conn *c, char **ret, struct fault *f)
{
    int size = pg_conn_next_copy(c, ret, f);
    if (size != 0) {
        return size;
    }
    return pg_conn_fill_copy(c, f) ? pg_conn_next_copy(c, ret, f) : -2;
}

bool pg_conn_write_copy(struct pg_conn *c, struct slice message, struct fault *f)
{
    // 0: the buffer is full and can't be flushed now. The message is dropped; the caller sends a newer one
    // later.
    if (PQputCopyData(c->pq, (const char *)message.data, (int)message.size) < 0) {
        return fault_from(f, FAULT_RETRY, "libpq", 0, "PostgreSQL: %s", PQerrorMessage(c->pq));
    }
    pg_conn_send(c);
    return true;
}

void pg_conn_finish_copy(struct pg_conn *c)
{
    if (c->work == PG_CONN_COPYING && PQputCopyEnd(c->pq, NULL) == 1) {
        pg_conn_send(c);
    }
}

void pg_conn_end_copy(struct pg_conn *c, pg_conn_on_results on_results, void *self)
{
    push_query(c, new_query("", on_results, self), true);
    c->work = PG_CONN_QUERYING;
    c->on_copy = NULL;
    pg_conn_later(c);  // the result may be in libpq's buffer already
}

void pg_conn_pause(struct pg_conn *c)
{
    c->is_paused = true;
    pg_conn_set_events(c);
}

void pg_conn_resume(struct pg_conn *c)
{
    c->is_paused = false;
    pg_conn_set_events(c);
}

struct pg_dsn_address pg_conn_address(const struct pg_conn *c)
{
    return c->address_at < c->address_count ? c->addresses[c->address_at] : (struct pg_dsn_address){0};
}

int pg_conn_socket(const struct pg_conn *c)
{
    return PQsocket(c->pq);
}

bool pg_conn_is_tcp(const struct pg_conn *c)
{
    int domain = 0;
    socklen_t size = sizeof(domain);
    return getsockopt(PQsocket(c->pq), SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain != AF_UNIX;
}

int pg_conn_server_version(const struct pg_conn *c)
{
    return PQserverVersion(c->pq);
}

const char *pg_conn_database(const struct pg_conn *c)
{
    return PQdb(c->pq);
}

const char *pg_conn_user(const struct pg_conn *c)
{
    return PQuser(c->pq);
}

static void append_quoted(struct bytes *out, const char *text, char quote)
{
    bytes_append_byte(out, (uint8_t)quote);
    for (; *text != '\0'; text++) {
        if (*text == quote) {
            bytes_append_byte(out, (uint8_t)quote);
        }
        bytes_append_byte(out, (uint8_t)*text);
    }
    bytes_append_byte(out, (uint8_t)quote);
}

void pg_conn_quote_name(struct bytes *out, const char *name)
{
    append_quoted(out, name, '"');
}

// A backslash needs no escape, as standard_conforming_strings is on by default since 9.1.
void pg_conn_quote_text(struct bytes *out, const char *text)
{
    append_quoted(out, text, '\'');
}
