#include "tests/component/connectors/postgres/source_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "connectors/postgres/pg_source.h"
#include "core/base/clock.h"

struct pg_server source_case_server;

void source_case_open_including(struct source_driver *d, const char *name, const char *include)
{
    source_driver_init(d, &pg_source_type, name, pg_server_dsn(&source_case_server));
    text_list_clear(&d->config.tables.include);
    text_list_add(&d->config.tables.include, include);
    source_driver_open(d);
    assert_true(source_driver_until_phase(d, "streaming"));
}

void source_case_open(struct source_driver *d, const char *name)
{
    source_case_open_including(d, name, "public.*");
}

// What the last test made, also when it failed half-way: its sessions may still be there then.
static void clean_server(void)
{
    pg_server_sql(
        &source_case_server,
        "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
        "AND backend_type IN ('client backend', 'walsender')");
    pg_server_sql(&source_case_server,
                  "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
    pg_server_sql(
        &source_case_server,
        "SELECT pg_replication_origin_session_reset() WHERE pg_replication_origin_session_is_setup();"
        "SELECT pg_replication_origin_drop(roname) FROM pg_replication_origin");
    pg_server_sql(
        &source_case_server,
        "SET client_min_messages = error; DROP SCHEMA public CASCADE; DROP SCHEMA IF EXISTS other CASCADE;"
        "CREATE SCHEMA public; ALTER ROLE millrace RESET ALL;"
        "DO $$ DECLARE it text; BEGIN "
        "FOR it IN SELECT pubname FROM pg_publication LOOP EXECUTE format('DROP PUBLICATION %I', it);"
        "END LOOP; "
        "FOR it IN SELECT rolname FROM pg_roles WHERE oid >= 16384 AND rolname <> 'millrace' LOOP "
        "EXECUTE format('DROP OWNED BY %I', it); EXECUTE format('DROP ROLE %I', it); END LOOP; END $$");
}

void source_case_show_commits(void)
{
    pg_server_sql(&source_case_server, "ALTER SYSTEM RESET synchronous_standby_names");
    (void)pg_server_ask(&source_case_server, "SELECT pg_reload_conf()");
}

void source_case_commit_unseen(PGconn *writer, const char *sql)
{
    char waits[128];
    (void)snprintf(waits, sizeof(waits),
                   "SELECT count(*) FROM pg_stat_activity WHERE pid = %d AND wait_event = 'SyncRep'",
                   PQbackendPID(writer));
    pg_server_sql(&source_case_server, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    (void)pg_server_ask(&source_case_server, "SELECT pg_reload_conf()");
    bool is_unseen = false;
    while (!is_unseen) {  // again until the server has read its settings
        bool is_done = false;
        assert_int_equal(PQsendQuery(writer, sql), 1);
        while (!is_done && !is_unseen) {
            assert_int_equal(PQconsumeInput(writer), 1);
            is_done = PQisBusy(writer) == 0;
            is_unseen = !is_done && strcmp(pg_server_ask(&source_case_server, waits), "1") == 0;
        }
        while (is_done) {
            PGresult *result = PQgetResult(writer);
            is_done = result != NULL;
            PQclear(result);
        }
    }
}

static int start_clean(void **state)
{
    (void)state;
    clock_fake(-1, 0);
    source_case_show_commits();
    clean_server();
    return 0;
}

void source_case_close(struct source_driver *d)
{
    source_driver_clear(d);
    clean_server();
}

void source_case_wait_until_free(const char *slot)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql),
                   "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '%s' AND active", slot);
    int64_t limit_us = clock_now_us() + 60 * CLOCK_US_PER_S;
    while (strcmp(pg_server_ask(&source_case_server, sql), "0") != 0) {
        (void)usleep(5000);
        assert_true(clock_now_us() < limit_us);
    }
}

bool source_case_has_row(const struct source_driver *d)
{
    return d->rows > 0;
}

static int start_server(void **state)
{
    (void)state;
    pg_server_start(&source_case_server);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    pg_server_stop(&source_case_server);
    return 0;
}

int source_case_run(struct CMUnitTest *tests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tests[i].setup_func = start_clean;
    }
    return _cmocka_run_group_tests("tests", tests, count, start_server, stop_server);
}
