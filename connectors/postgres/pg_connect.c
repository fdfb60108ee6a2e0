#include "connectors/postgres/pg_connect.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/log.h"

static void fail(struct pg_connect *c, const struct fault *f)
{
    c->deps->on_fault(c->deps->self, f);
}

// Also called after the session was handed over.
static void on_lost(void *self, const struct fault *f)
{
    fail(self, f);
}

static void on_identified(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_connect *c = self;
    struct pg_session *s = c->session;
    if (!pg_deps_answered(c->deps, count, 1, f, "IDENTIFY_SYSTEM")) {
        return;
    }
    (void)snprintf(s->system_identifier, sizeof(s->system_identifier), "%.31s", PQgetvalue(results[0], 0, 0));
    s->timeline = (uint32_t)strtoul(PQgetvalue(results[0], 0, 1), NULL, 10);
    c->on_connected(c->self);
}

static void on_limit_lifted(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_connect *c = self;
    (void)results;
    (void)count;
    if (f != NULL) {
        log_warn(c->deps->component, "limit_not_lifted", NULL, "SET transaction_timeout = 0: %s", f->text);
    }
}

// A snapshot that the server ends after a time would begin again without end. The setting is new in
// PostgreSQL 17: older servers would refuse a connection that asks for it.
static void lift_limit(struct pg_connect *c, struct pg_conn *conn)
{
    if (pg_conn_server_version(conn) >= 170000) {
        pg_conn_query(conn, "SET transaction_timeout = 0", on_limit_lifted, c);
    }
}

// From PostgreSQL 18 on, the server only warns that it passes over a publication that did not exist when a
// change was written. Earlier ones end the stream; so does this, for the same reasons (pg_reader.c).
static bool on_warning(void *self, const char *function, const char *text, struct fault *f)
{
    const struct pg_connect *c = self;
    if (strcmp(function, "LoadPublications") != 0) {
        return true;
    }
    if (pg_publication_is_inserts_named(c->deps->publication, text)) {
        return !pg_publication_leave_inserts_out(c->deps->publication, f);
    }
    return pg_slot_lost_publication(c->deps->config, f);
}

static void on_replication(void *self, const struct fault *f)
{
    struct pg_connect *c = self;
    if (f != NULL) {
        fail(c, f);
        return;
    }
    lift_limit(c, c->session->replication);
    pg_conn_query(c->session->replication, "IDENTIFY_SYSTEM", on_identified, c);
}

static struct pg_conn *open_connection(struct pg_connect *c, bool is_replication,
                                       void (*on_open)(void *self, const struct fault *f))
{
    const struct connector_config *config = c->deps->config;
    struct pg_conn_params params = {.loop = c->deps->loop,
                                    .dsn = config->postgres.dsn,
                                    .password = config->postgres.password,
                                    .is_replication = is_replication,
                                    .first = is_replication ? pg_conn_address(c->session->sql) : c->first,
                                    .is_only_first = is_replication,  // both connect to the same server
                                    .on_open = on_open,
                                    .on_lost = on_lost,
                                    .on_warning = is_replication ? on_warning : NULL,
                                    .self = c};
    return pg_conn_open(&params);
}

static void on_sql(void *self, const struct fault *f)
{
    struct pg_connect *c = self;
    if (f != NULL) {
        fail(c, f);
        return;
    }
    lift_limit(c, c->session->sql);
    c->session->database = memory_string(pg_conn_database(c->session->sql));
    c->session->replication = open_connection(c, true, on_replication);
}

void pg_connect_start(struct pg_connect *c)
{
    c->session->sql = open_connection(c, false, on_sql);
}
