#include "cli/try/try_database.h"

#include <string.h>

#include "core/base/bytes.h"

enum { SLOT_ATTEMPTS = 30 };

// Drops notices such as "schema already exists, skipping".
static void ignore_notice(void *self, const char *text)
{
    (void)self;
    (void)text;
}

bool try_database_open(const char *dsn, PGconn **ret, struct fault *f)
{
    // The DSN comes last, so it overrides the others.
    const char *const keys[] = {"connect_timeout", "application_name", "options", "dbname", NULL};
    const char *const values[] = {"10", "millrace try", "-c statement_timeout=10000", dsn, NULL};
    PGconn *conn = PQconnectdbParams(keys, values, 1);
    if (PQstatus(conn) != CONNECTION_OK) {
        fault_from(f, FAULT_CONFIG, "libpq", 0, "%s", PQerrorMessage(conn));
        PQfinish(conn);
        return false;
    }
    PQsetNoticeProcessor(conn, ignore_notice, NULL);
    // From PostgreSQL 19 on the first slot switches logical decoding on where wal_level is replica.
    PGresult *result = PQexec(conn, "SELECT l, l = 'logical' OR (l = 'replica' AND effective IS NOT NULL)"
                                    " FROM (SELECT current_setting('wal_level') l,"
                                    " current_setting('effective_wal_level', true) effective) s");
    bool is_logical = PQresultStatus(result) == PGRES_TUPLES_OK && strcmp(PQgetvalue(result, 0, 1), "t") == 0;
    if (!is_logical) {
        fault_set(f, FAULT_CONFIG,
                  "wal_level is %s, so changes can't be read; run: ALTER SYSTEM SET wal_level = logical; "
                  "then restart PostgreSQL",
                  PQresultStatus(result) == PGRES_TUPLES_OK ? PQgetvalue(result, 0, 0) : "unknown");
        PQfinish(conn);
        conn = NULL;
    }
    PQclear(result);
    if (is_logical) {
        *ret = conn;
    }
    return is_logical;
}

bool try_database_run(PGconn *conn, const char *sql, struct fault *f)
{
    PGresult *result = PQexec(conn, sql);
    bool is_done = PQresultStatus(result) == PGRES_COMMAND_OK;
    if (!is_done) {
        fault_from(f, FAULT_CONFIG, "libpq", 0, "%s", PQerrorMessage(conn));
    }
    PQclear(result);
    return is_done;
}

static bool run(PGconn *conn, const char *sql, const char *parameter, struct fault *f)
{
    PGresult *result = PQexecParams(conn, sql, parameter == NULL ? 0 : 1, NULL, &parameter, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    bool is_done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!is_done) {
        fault_from(f, FAULT_CONFIG, "libpq", 0, "%s: %s", sql, PQerrorMessage(conn));
    }
    PQclear(result);
    return is_done;
}

// Retries: the walsender may need a moment to notice that the connector has disconnected.
static bool drop_slot(PGconn *conn, const char *name, struct fault *f)
{
    bool is_done = false;
    for (int attempt = 0; attempt < SLOT_ATTEMPTS && !is_done; attempt++) {
        is_done = run(conn,
                      "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                      " WHERE slot_name = $1",
                      name, f);
        if (!is_done && !run(conn, "SELECT pg_sleep(0.1)", NULL, f)) {
            return false;
        }
    }
    return is_done;
}

static bool drop_publications(PGconn *conn, const char *name, struct fault *f)
{
    // left() instead of LIKE, where '_' would be a wildcard.
    PGresult *found = PQexecParams(conn,
                                   "SELECT format('DROP PUBLICATION %I', pubname) FROM pg_publication"
                                   " WHERE pubname = $1 OR left(pubname, length($1) + 1) = $1 || '_'",
                                   1, NULL, &name, NULL, NULL, 0);
    bool is_done = PQresultStatus(found) == PGRES_TUPLES_OK;
    if (!is_done) {
        fault_from(f, FAULT_CONFIG, "libpq", 0, "pg_publication: %s", PQerrorMessage(conn));
    }
    for (int row = 0; is_done && row < PQntuples(found); row++) {
        is_done = run(conn, PQgetvalue(found, row, 0), NULL, f);
    }
    PQclear(found);
    return is_done;
}

bool try_database_clean(const char *dsn, const char *name, const char *schema, struct fault *f)
{
    PGconn *conn = NULL;
    if (!try_database_open(dsn, &conn, f)) {
        return false;
    }
    CLEANUP(memory_free_pointer)
    char *drop_schema = memory_format("DROP SCHEMA IF EXISTS %s CASCADE", schema);
    bool is_clean = drop_slot(conn, name, f);
    is_clean = drop_publications(conn, name, f) && is_clean;
    is_clean = run(conn, drop_schema, NULL, f) && is_clean;
    PQfinish(conn);
    return is_clean;
}
