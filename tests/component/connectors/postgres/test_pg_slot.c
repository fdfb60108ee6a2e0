// The slot and its two sessions, against a real server: where the stream goes on, what is refused, a second
// copy.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/component/connectors/postgres/source_case.h"

static void after_reopening_the_stream_goes_on_from_what_was_confirmed(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    source_case_open(&d, "again");
    pg_server_sql(&source_case_server, "INSERT INTO r VALUES (1)");
    assert_true(source_driver_until_rows(&d, 1));
    d.is_confirming = false;
    pg_server_sql(&source_case_server, "INSERT INTO r VALUES (2)");
    assert_true(source_driver_until_rows(&d, 2));
    source_driver_close(&d);
    source_driver_reset(&d);
    pg_server_sql(&source_case_server, "INSERT INTO r VALUES (3)");
    d.is_confirming = true;
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 2));
    assert_string_equal(source_driver_lines(&d),
                        "begin\nc public.r #0 key={\"id\":2} before=- after={\"id\":2}\ncommit\n"
                        "begin\nc public.r #0 key={\"id\":3} before=- after={\"id\":3}\ncommit\n");
    source_case_close(&d);
}

// The server has its first status update.
static bool has_sent_status(const struct source_driver *d)
{
    (void)d;
    return strcmp(pg_server_ask(&source_case_server, "SELECT count(reply_time) FROM pg_stat_replication"),
                  "0") != 0;
}

static void a_slot_that_went_back_is_followed(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    source_case_open(&d, "back");
    source_driver_close(&d);
    // A copy of the slot as it is now simulates a server restored from a backup.
    source_case_wait_until_free("millrace_back");
    (void)pg_server_ask(&source_case_server,
                        "SELECT pg_copy_logical_replication_slot('millrace_back', 'old')");
    source_driver_open(&d);
    pg_server_sql(&source_case_server, "INSERT INTO r VALUES (1)");
    assert_true(source_driver_until_rows(&d, 1));
    source_driver_close(&d);
    source_case_wait_until_free("millrace_back");
    (void)pg_server_ask(&source_case_server, "SELECT pg_drop_replication_slot('millrace_back')");
    (void)pg_server_ask(&source_case_server,
                        "SELECT pg_copy_logical_replication_slot('old', 'millrace_back')");
    d.is_confirming = false;
    d.phase[0] = '\0';
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "streaming"));
    assert_true(source_driver_until(&d, has_sent_status));
    source_driver_close(&d);
    source_driver_reset(&d);
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 1));
    assert_string_equal(source_driver_lines(&d),
                        "begin\nc public.r #0 key={\"id\":1} before=- after={\"id\":1}\ncommit\n");
    source_case_close(&d);
}

static void expect_refused(struct source_driver *d, const char *says)
{
    source_driver_open(d);
    assert_true(source_driver_until_fault(d));
    assert_int_equal(d->fault.kind, FAULT_CONFIG);
    if (strstr(d->fault.text, says) == NULL || strstr(d->fault.text, "| kcat -P") == NULL) {
        fail_msg("%s", d->fault.text);
    }
    source_driver_close(d);
}

static void a_history_that_is_not_the_one_that_was_read_stops_the_connector(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    source_case_open(&d, "history");
    source_driver_close(&d);
    struct source_state good = d.known;
    d.known.timeline = 77;
    expect_refused(&d, "does not come from timeline 77");
    d.known = good;
    d.known.system_identifier[0] = '1';
    expect_refused(&d, "belonged to another cluster");
    source_case_close(&d);
}

static void a_slot_that_was_made_again_or_advanced_is_refused(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    source_case_open(&d, "again");
    pg_server_sql(&source_case_server, "INSERT INTO r VALUES (1)");
    assert_true(source_driver_until_rows(&d, 1));
    source_driver_close(&d);
    pg_server_sql(&source_case_server, "INSERT INTO r VALUES (2)");
    source_case_wait_until_free("millrace_again");
    (void)pg_server_ask(&source_case_server, "SELECT pg_drop_replication_slot('millrace_again')");
    (void)pg_server_ask(&source_case_server,
                        "SELECT pg_create_logical_replication_slot('millrace_again', 'pgoutput')");
    expect_refused(&d, "made again or advanced");
    // The message's advice works: continue without the lost changes, or with a new snapshot.
    struct source_state before = d.known;
    d.known = (struct source_state){0};
    d.config.snapshot = CONNECTOR_SNAPSHOT_NEVER;
    source_driver_reset(&d);
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "streaming"));
    pg_server_sql(&source_case_server, "INSERT INTO r VALUES (3)");
    assert_true(source_driver_until_rows(&d, 1));
    assert_null(strstr(source_driver_lines(&d), "\"id\":2"));
    source_driver_close(&d);
    d.known = before;
    d.config.snapshot = CONNECTOR_SNAPSHOT_INITIAL;
    pg_server_sql(&source_case_server, "INSERT INTO r VALUES (4)");
    source_case_wait_until_free("millrace_again");
    (void)pg_server_ask(&source_case_server, "SELECT pg_replication_slot_advance('millrace_again', "
                                             "pg_current_wal_lsn())");
    expect_refused(&d, "made again or advanced");
    (void)pg_server_ask(&source_case_server, "SELECT pg_drop_replication_slot('millrace_again')");
    d.known = (struct source_state){0};
    source_driver_reset(&d);
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 4));
    source_case_close(&d);
}

static void a_slot_that_was_dropped_is_not_made_again(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    source_case_open(&d, "gone");
    source_driver_close(&d);
    source_case_wait_until_free("millrace_gone");
    (void)pg_server_ask(&source_case_server, "SELECT pg_drop_replication_slot('millrace_gone')");
    source_driver_open(&d);
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_CONFIG);
    assert_non_null(strstr(d.fault.text, "existed before and was dropped"));
    source_case_close(&d);
}

static void a_snapshot_holds_up_no_other_slot(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server,
                  "CREATE TABLE r (id int PRIMARY KEY, v text);"
                  "INSERT INTO r SELECT i, repeat('x', 1000) FROM generate_series(1, 50000) i");
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "long", pg_server_dsn(&source_case_server));
    d.is_counting = true;
    source_driver_open(&d);
    assert_true(source_driver_until(&d, source_case_has_row));
    assert_string_equal(d.phase, "snapshotting");
    pg_server_sql(&source_case_server, "SET statement_timeout = '5s'");
    pg_server_sql(&source_case_server, "SELECT pg_create_logical_replication_slot('other', 'pgoutput')");
    pg_server_sql(&source_case_server, "RESET statement_timeout");
    assert_true(d.rows < 50000);
    source_case_close(&d);
}

static void a_second_copy_waits_for_the_slot_and_takes_over(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    source_case_open(&d, "pair");
    struct source_driver second;
    source_driver_init(&second, &pg_source_type, "pair", pg_server_dsn(&source_case_server));
    second.record = &d.known;
    source_driver_open(&second);
    assert_true(source_driver_until_phase(&second, "waiting_for_slot"));
    source_driver_close(&d);
    assert_true(source_driver_until_phase(&second, "streaming"));
    pg_server_sql(&source_case_server, "INSERT INTO r VALUES (1)");
    assert_true(source_driver_until_rows(&second, 1));
    source_driver_clear(&second);
    source_case_close(&d);
}

static void a_second_copy_stays_away_from_the_slot_of_a_running_snapshot(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE r (id int PRIMARY KEY); INSERT INTO r VALUES (1)");
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "race", pg_server_dsn(&source_case_server));
    struct source_driver second;
    source_driver_init(&second, &pg_source_type, "race", pg_server_dsn(&source_case_server));
    second.record = &d.known;
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "snapshotting"));
    char made[64];
    (void)snprintf(
        made, sizeof(made), "%s",
        pg_server_ask(&source_case_server, "SELECT confirmed_flush_lsn FROM pg_replication_slots"));
    source_driver_open(&second);
    assert_true(source_driver_until_phase(&second, "waiting_for_slot"));
    assert_non_null(strstr(second.detail, "another copy"));
    source_driver_run(&second, 1200);  // tries again meanwhile
    assert_string_equal(second.phase, "waiting_for_slot");
    assert_string_equal(
        pg_server_ask(&source_case_server, "SELECT confirmed_flush_lsn FROM pg_replication_slots"), made);
    // The first copy ends in the middle: the second one continues with its slot and reads all rows again.
    source_driver_close(&d);
    assert_true(d.known.is_known && !d.known.is_snapshot_done);
    pg_server_sql(&source_case_server, "INSERT INTO r VALUES (2)");
    assert_true(source_driver_until_phase(&second, "streaming"));
    assert_true(d.known.is_snapshot_done);
    assert_string_equal(source_driver_lines(&second),
                        "begin\nc public.r #0 key={\"id\":2} before=- after={\"id\":2}\ncommit\n"
                        "begin\nr public.r #0 first key={\"id\":1} before=- after={\"id\":1}\n"
                        "r public.r #1 last key={\"id\":2} before=- after={\"id\":2}\ncommit\n");
    source_driver_clear(&second);
    source_case_close(&d);
}

static bool waits_for_user(const struct source_driver *d)
{
    return strcmp(d->phase, "waiting_for_slot") == 0 &&
           strstr(d->detail, "slot millrace_busy is in use") != NULL;
}

static void a_slot_that_something_else_uses_is_waited_for_and_looked_at_anew(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    source_case_open(&d, "busy");
    assert_string_equal(pg_server_ask(&source_case_server,
                                      "SELECT active_pid = (SELECT pid FROM pg_locks WHERE locktype = "
                                      "'advisory' AND classid = 1835625580) FROM pg_replication_slots"),
                        "t");
    source_driver_close(&d);
    // A tool, or an older version, that holds the slot but not the lock.
    char dsn[256];
    (void)snprintf(dsn, sizeof(dsn), "%s replication=database", pg_server_dsn(&source_case_server));
    PGconn *tool = PQconnectdb(dsn);
    PGresult *result = NULL;
    do {
        PQclear(result);
        result = PQexec(tool, "START_REPLICATION SLOT millrace_busy LOGICAL 0/0 (proto_version '1', "
                              "publication_names 'millrace_busy')");
    } while (PQresultStatus(result) == PGRES_FATAL_ERROR && PQstatus(tool) == CONNECTION_OK);
    assert_int_equal(PQresultStatus(result), PGRES_COPY_BOTH);
    PQclear(result);
    d.phase[0] = '\0';
    source_driver_open(&d);
    assert_true(source_driver_until(&d, waits_for_user));
    PQfinish(tool);
    assert_true(source_driver_until_phase(&d, "streaming"));
    source_case_close(&d);
}

static void end_sessions(const char *kind)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql),
                   "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = "
                   "'millrace' AND backend_type = '%s'",
                   kind);
    assert_string_equal(pg_server_ask(&source_case_server, sql), "t");
}

static bool has_begun(const struct source_driver *d)
{
    return d->rows > 0;
}

// More than fits into the socket buffers.
static void make_large_table(void)
{
    pg_server_sql(&source_case_server,
                  "CREATE TABLE r (id int PRIMARY KEY, v text); INSERT INTO r SELECT i, repeat('x', 1000) "
                  "FROM generate_series(1, 30000) i");
}

static void sessions_of_a_dead_machine_are_ended(void **state)
{
    (void)state;
    make_large_table();
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "dead", pg_server_dsn(&source_case_server));
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "snapshotting"));
    d.is_counting = true;
    assert_true(source_driver_until(&d, has_begun));
    // From here on the first copy does not run, and its COPY blocks. The server has noticed that on one
    // session.
    end_sessions("walsender");
    struct source_driver second;
    source_driver_init(&second, &pg_source_type, "dead", pg_server_dsn(&source_case_server));
    second.record = &d.known;
    second.is_counting = true;
    source_driver_open(&second);
    assert_true(source_driver_until_phase(&second, "streaming"));
    assert_int_equal(second.rows, 30000);
    source_driver_clear(&second);
    source_case_close(&d);
}

static void the_loss_of_one_session_is_the_loss_of_both(void **state)
{
    (void)state;
    make_large_table();
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "loss", pg_server_dsn(&source_case_server));
    d.is_counting = true;
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "snapshotting"));
    end_sessions("walsender");  // this releases the lock: another copy may read the rows now
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_RETRY);
    assert_true(d.rows < 30000);
    source_driver_close(&d);
    d.phase[0] = '\0';
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "streaming"));
    end_sessions("client backend");
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_RETRY);
    source_case_close(&d);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(after_reopening_the_stream_goes_on_from_what_was_confirmed),
        cmocka_unit_test(a_slot_that_went_back_is_followed),
        cmocka_unit_test(a_history_that_is_not_the_one_that_was_read_stops_the_connector),
        cmocka_unit_test(a_slot_that_was_made_again_or_advanced_is_refused),
        cmocka_unit_test(a_slot_that_was_dropped_is_not_made_again),
        cmocka_unit_test(a_snapshot_holds_up_no_other_slot),
        cmocka_unit_test(a_second_copy_waits_for_the_slot_and_takes_over),
        cmocka_unit_test(a_second_copy_stays_away_from_the_slot_of_a_running_snapshot),
        cmocka_unit_test(a_slot_that_something_else_uses_is_waited_for_and_looked_at_anew),
        cmocka_unit_test(sessions_of_a_dead_machine_are_ended),
        cmocka_unit_test(the_loss_of_one_session_is_the_loss_of_both),
    };
    return source_case_run(tests, COUNT_OF(tests));
}
