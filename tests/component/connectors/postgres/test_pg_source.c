// A source as the pipeline uses it, against a real server: first the rows that are there, then the stream.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/component/connectors/postgres/source_case.h"

static void rows_that_are_there_come_first_and_then_the_stream(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE a (id int PRIMARY KEY, name text NOT NULL);"
                                       "INSERT INTO a VALUES (1, 'one'), (2, E'tab\\there \\\\ and\\nline');"
                                       "CREATE TABLE b (id bigserial PRIMARY KEY, v numeric(10,2));"
                                       "CREATE TABLE c (id int PRIMARY KEY);"
                                       "INSERT INTO b (v) VALUES (1.5), (NULL), (-3)");
    struct source_driver d;
    source_case_open(&d, "first");
    pg_server_sql(&source_case_server, "INSERT INTO c VALUES (7)");
    assert_true(source_driver_until_rows(&d, 6));
    assert_string_equal(
        source_driver_lines(&d),
        "begin\n"
        "r public.a #0 first key={\"id\":1} before=- after={\"id\":1,\"name\":\"one\"}\n"
        "r public.a #1 last_in_data_collection key={\"id\":2} before=- "
        "after={\"id\":2,\"name\":\"tab\\there \\\\ and\\nline\"}\n"
        "commit\nbegin\n"
        "r public.b #2 first_in_data_collection key={\"id\":1} before=- after={\"id\":1,\"v\":\"1.50\"}\n"
        "r public.b #3 true key={\"id\":2} before=- after={\"id\":2,\"v\":null}\n"
        "r public.b #4 last key={\"id\":3} before=- after={\"id\":3,\"v\":\"-3.00\"}\n"
        "commit\nbegin\n"
        "c public.c #0 key={\"id\":7} before=- after={\"id\":7}\n"
        "commit\n");
    assert_true(d.known.is_snapshot_done);
    source_case_close(&d);
}

static bool has_two_rows(const struct source_driver *d)
{
    return d->rows == 2;
}

static void an_unfinished_snapshot_keeps_its_slot_and_the_deletes_since(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server,
                  "CREATE TABLE r (id int PRIMARY KEY); INSERT INTO r VALUES (1), (2), (3)");
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "half", pg_server_dsn(&source_case_server));
    d.rows_max = 2;
    source_driver_open(&d);
    assert_true(source_driver_until(&d, has_two_rows));
    source_driver_close(&d);
    d.rows_max = 0;
    assert_true(d.known.is_known && !d.known.is_snapshot_done);
    source_driver_reset(&d);
    pg_server_sql(&source_case_server, "DELETE FROM r WHERE id = 1; UPDATE r SET id = 5 WHERE id = 2");
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "streaming"));
    assert_string_equal(source_driver_lines(&d),
                        "begin\nd public.r #0 key={\"id\":1} before={\"id\":1} after=-\n"
                        "d public.r #1 key={\"id\":2} before={\"id\":2} after=- newkey={\"id\":5}\n"
                        "c public.r #2 key={\"id\":5} before=- after={\"id\":5} oldkey={\"id\":2}\ncommit\n"
                        "begin\nr public.r #0 first key={\"id\":3} before=- after={\"id\":3}\n"
                        "r public.r #1 last key={\"id\":5} before=- after={\"id\":5}\ncommit\n");
    assert_true(d.known.is_snapshot_done);
    source_case_close(&d);
}

// The row that was rolled back takes no index, and the trace in front of it does not count.
static const char TRACED_TRANSACTION[] =
    "BEGIN; INSERT INTO a VALUES (1);"
    "SELECT pg_logical_emit_message(true, 'traceparent',"
    " '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01');"
    "SELECT pg_logical_emit_message(true, 'tracestate', 'v=1'), pg_logical_emit_message(true, 'other', 'x');"
    "INSERT INTO b VALUES (1); UPDATE a SET id = 2; SAVEPOINT s;"
    "SELECT pg_logical_emit_message(true, 'traceparent',"
    " '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b9-01');"
    "INSERT INTO b VALUES (9); ROLLBACK TO s; SELECT pg_logical_emit_message(true, 'traceparent', 'none');"
    "INSERT INTO b VALUES (2);"
    "SELECT pg_logical_emit_message(true, 'traceparent',"
    " '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b8-00');"
    "INSERT INTO b VALUES (3); COMMIT";
static const char TRACED_ROWS[] =
    "begin\nc public.a #0 key={\"id\":1} before=- after={\"id\":1}\n"
    "c public.b #1 key={\"id\":1} before=- after={\"id\":1}"
    " trace=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01/v=1\n"
    "d public.a #2 key={\"id\":1} before={\"id\":1} after=- newkey={\"id\":2}"
    " trace=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01/v=1\n"
    "c public.a #3 key={\"id\":2} before=- after={\"id\":2} oldkey={\"id\":1}"
    " trace=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01/v=1\n"
    "c public.b #4 key={\"id\":2} before=- after={\"id\":2}"
    " trace=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01/v=1\n"
    "c public.b #5 key={\"id\":3} before=- after={\"id\":3}"
    " trace=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b8-00/\n"
    "commit\nbegin\nc public.a #0 key={\"id\":4} before=- after={\"id\":4}\ncommit\n";

static void rows_have_the_trace_that_their_transaction_began_with(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server,
                  "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)");
    struct source_driver d;
    source_case_open(&d, "trace");
    assert_true(source_driver_until_phase(&d, "streaming"));
    source_driver_reset(&d);
    // An index is taken by rows only; a key change is two of them.
    pg_server_sql(&source_case_server, TRACED_TRANSACTION);
    pg_server_sql(&source_case_server, "BEGIN; SELECT pg_logical_emit_message(false, 'traceparent', 'x');"
                                       "INSERT INTO a VALUES (4); COMMIT");
    assert_true(source_driver_until_rows(&d, 7));
    assert_string_equal(source_driver_lines(&d), TRACED_ROWS);
    struct source_lag lag;
    pg_source_type.lag(d.source, &lag);
    assert_int_equal(lag.invalid_traces, 1);
    source_case_close(&d);
}

static void rows_may_have_their_trace_in_a_column(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server,
                  "CREATE TABLE a (id int PRIMARY KEY, trace text); CREATE TABLE b (id int PRIMARY KEY)");
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "column", pg_server_dsn(&source_case_server));
    d.config.tracing.column = memory_string("trace");
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "streaming"));
    source_driver_reset(&d);
    pg_server_sql(&source_case_server,
                  "INSERT INTO a VALUES (1, '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01');"
                  "UPDATE a SET id = 2, trace = E'#Mon\\ntraceparent="
                  "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b8-01\\n'; INSERT INTO b VALUES (1);"
                  "INSERT INTO a VALUES (3, 'none'), (4, NULL)");
    assert_true(source_driver_until_rows(&d, 6));
    const char *lines = source_driver_lines(&d);
    static const char *const WANTED[] = {
        " trace=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01/\n",
        "newkey={\"id\":2} trace=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b8-01/\n",
        "oldkey={\"id\":1} trace=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b8-01/\n",
        "after={\"id\":1}\n",
        "after={\"id\":3,\"trace\":\"none\"}\n",
        "after={\"id\":4,\"trace\":null}\n"};
    for (size_t i = 0; i < COUNT_OF(WANTED); i++) {
        assert_non_null(strstr(lines, WANTED[i]));
    }
    source_case_close(&d);
}

static char idle_end[64];

static bool is_confirmed(const struct source_driver *d)
{
    (void)d;
    char sql[128];
    (void)snprintf(sql, sizeof(sql), "SELECT confirmed_flush_lsn >= '%s' FROM pg_replication_slots",
                   idle_end);
    return strcmp(pg_server_ask(&source_case_server, sql), "t") == 0;
}

static void an_idle_database_moves_the_slot(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE quiet (id int PRIMARY KEY)");
    struct source_driver d;
    source_case_open(&d, "idle");
    pg_server_sql(
        &source_case_server,
        "CREATE SCHEMA other; CREATE TABLE other.t (v text); INSERT INTO other.t SELECT repeat('x', 500) "
        "FROM generate_series(1, 1000)");
    (void)snprintf(idle_end, sizeof(idle_end), "%s",
                   pg_server_ask(&source_case_server, "SELECT pg_current_wal_lsn()"));
    assert_true(source_driver_until(&d, is_confirmed));
    source_case_close(&d);
}

static void a_paused_source_gives_nothing_and_then_everything(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE p (id int PRIMARY KEY, v text)");
    struct source_driver d;
    source_case_open(&d, "pause");
    d.is_counting = true;
    pg_source_type.pause(d.source);
    pg_server_sql(&source_case_server,
                  "INSERT INTO p SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i");
    source_driver_run(&d, 4000);
    assert_int_equal(d.rows, 0);
    pg_source_type.resume(d.source);
    assert_true(source_driver_until_rows(&d, 20000));
    assert_false(d.has_fault);
    source_case_close(&d);
}

static bool waits_for_tables(const struct source_driver *d)
{
    return strcmp(d->phase, "connecting") == 0 && strstr(d->detail, "waits for a table") != NULL;
}

static void a_first_snapshot_of_no_table_waits_for_one(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE PUBLICATION millrace_none; CREATE TABLE bare (v int)");
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "none", pg_server_dsn(&source_case_server));
    source_driver_open(&d);
    assert_true(source_driver_until(&d, waits_for_tables));
    assert_non_null(strstr(d.detail, "1 tables match tables.include, but none can be captured"));
    pg_server_sql(&source_case_server, "CREATE TABLE late (id int PRIMARY KEY); INSERT INTO late VALUES (1)");
    assert_true(source_driver_until_rows(&d, 1));
    assert_non_null(strstr(source_driver_lines(&d), "r public.late #0 last key={\"id\":1}"));
    assert_true(source_driver_until_phase(&d, "streaming"));
    source_case_close(&d);
    // The publication that an administrator created without tables.
    pg_server_sql(&source_case_server,
                  "CREATE PUBLICATION millrace_none; CREATE TABLE r (id int PRIMARY KEY);"
                  "INSERT INTO r VALUES (9)");
    source_driver_init(&d, &pg_source_type, "none", pg_server_dsn(&source_case_server));
    d.config.slot.create = false;
    assert_true(d.config.snapshot == CONNECTOR_SNAPSHOT_INITIAL);
    d.known = (struct source_state){.is_known = true, .slot = "millrace_none"};
    (void)snprintf(d.known.system_identifier, sizeof(d.known.system_identifier), "%s",
                   pg_server_ask(&source_case_server, "SELECT system_identifier FROM pg_control_system()"));
    d.known.timeline = 1;
    (void)pg_server_ask(&source_case_server,
                        "SELECT pg_create_logical_replication_slot('millrace_none', 'pgoutput')");
    source_driver_open(&d);
    assert_true(source_driver_until(&d, waits_for_tables));
    assert_non_null(strstr(d.detail, "ALTER PUBLICATION \"millrace_none\" ADD TABLE ONLY \"public\".\"r\";"));
    pg_server_sql(&source_case_server, "ALTER PUBLICATION \"millrace_none\" ADD TABLE ONLY \"public\".\"r\"");
    assert_true(source_driver_until_rows(&d, 1));
    source_case_close(&d);
}

static bool wants_done(const struct source_driver *d)
{
    return d->has_wanted && d->wanted.is_snapshot_done;
}

static void snapshot_never_concerns_the_first_start_only_and_a_stop_in_it_loses_nothing(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE r (id int PRIMARY KEY); INSERT INTO r VALUES (1)");
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "never", pg_server_dsn(&source_case_server));
    d.config.snapshot = CONNECTOR_SNAPSHOT_NEVER;
    d.holds_done = true;
    source_driver_open(&d);
    assert_true(source_driver_until(&d, wants_done));
    source_driver_close(&d);  // the slot exists, but the state record does not have it
    d.holds_done = false;
    assert_false(d.known.is_snapshot_done);
    pg_server_sql(&source_case_server, "INSERT INTO r VALUES (2)");
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 1));
    assert_string_equal(source_driver_lines(&d),
                        "begin\nc public.r #0 key={\"id\":2} before=- after={\"id\":2}\ncommit\n");
    source_driver_reset(&d);
    pg_server_sql(&source_case_server,
                  "CREATE TABLE later (id int PRIMARY KEY); INSERT INTO later VALUES (3)");
    assert_true(source_driver_until_rows(&d, 1));
    assert_non_null(strstr(source_driver_lines(&d), "r public.later #0 last key={\"id\":3}"));
    source_case_close(&d);
}

static bool has_read_everything(const struct source_driver *d)
{
    return d->known.is_snapshot_done && d->known.unread_count == 0;
}

// To a snapshot from before it, a table that was rewritten looks empty. The stream has nothing of a rewrite.
static void a_table_that_is_rewritten_before_its_turn_is_read_later(void **state)
{
    (void)state;
    // The first one has more than fits into the socket buffers.
    pg_server_sql(&source_case_server,
                  "CREATE TABLE r (id int PRIMARY KEY, v text); INSERT INTO r SELECT i, repeat('x', 1000) "
                  "FROM generate_series(1, 30000) i;"
                  "CREATE TABLE z (id int PRIMARY KEY, v int); INSERT INTO z VALUES (1, 5), (2, 6);"
                  "CREATE TABLE zz (id int PRIMARY KEY); INSERT INTO zz VALUES (3)");
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "rewritten", pg_server_dsn(&source_case_server));
    d.is_counting = true;
    source_driver_open(&d);
    assert_true(source_driver_until(&d, source_case_has_row));
    pg_source_type.pause(d.source);
    pg_server_sql(&source_case_server, "ALTER TABLE z ALTER v TYPE bigint");
    pg_source_type.resume(d.source);
    assert_true(source_driver_until_rows(&d, 30003));
    assert_true(source_driver_until(&d, has_read_everything));
    assert_int_equal(d.rows, 30003);
    pg_server_sql(&source_case_server, "UPDATE z SET v = 7 WHERE id = 2");
    assert_true(source_driver_until_rows(&d, 30004));
    assert_false(d.has_fault);
    source_case_close(&d);
}

// As when a table waits: nothing is confirmed, perhaps for hours.
static void a_type_without_a_binary_form_restarts_the_stream_while_nothing_is_confirmed(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE t (id int PRIMARY KEY)");
    struct source_driver d;
    source_case_open(&d, "text");
    d.is_confirming = false;
    pg_server_sql(&source_case_server, "INSERT INTO t VALUES (1)");
    assert_true(source_driver_until_rows(&d, 1));
    pg_server_sql(&source_case_server, "ALTER TABLE t ADD kind regtype; INSERT INTO t VALUES (2, 'int')");
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_RETRY);
    assert_non_null(strstr(d.fault.text, "as text"));
    source_driver_close(&d);
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 3));  // the first one again
    assert_non_null(strstr(source_driver_lines(&d), "after={\"id\":2,\"kind\":\"integer\"}\n"));
    source_case_close(&d);
}

// The restart is no loss of the connection, and the rows of the first snapshot are not read again.
static void a_restart_as_text_waits_until_the_first_snapshot_is_saved(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "saved", pg_server_dsn(&source_case_server));
    d.holds_done = true;
    source_driver_open(&d);
    assert_true(source_driver_until(&d, wants_done));
    pg_server_sql(&source_case_server, "ALTER TABLE t ADD kind regtype; INSERT INTO t VALUES (2, 'int')");
    source_driver_run(&d, 500);  // without the wait it restarts
    assert_false(d.has_restart);
    d.holds_done = false;
    assert_true(source_driver_until_fault(&d));
    assert_true(d.has_restart);
    assert_true(d.known.is_snapshot_done);
    source_driver_close(&d);
    source_driver_reset(&d);
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 1));
    assert_non_null(strstr(source_driver_lines(&d), "after={\"id\":2,\"kind\":\"integer\"}\n"));
    source_case_close(&d);
}

// The stream has no message about it.
static void a_composite_type_that_gains_such_a_type_restarts_the_stream(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server,
                  "CREATE TYPE pair AS (a int); CREATE TABLE t (id int PRIMARY KEY, p pair)");
    struct source_driver d;
    source_case_open(&d, "pair");
    pg_server_sql(&source_case_server, "INSERT INTO t VALUES (1, ROW(1))");
    assert_true(source_driver_until_rows(&d, 1));
    pg_server_sql(&source_case_server,
                  "ALTER TYPE pair ADD ATTRIBUTE b regtype; INSERT INTO t VALUES (2, ROW(2, 'int'))");
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_RETRY);
    assert_non_null(strstr(d.fault.text, "as text"));
    source_driver_close(&d);
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 2));
    assert_non_null(strstr(source_driver_lines(&d), "after={\"id\":2,\"p\":\"(2,integer)\"}\n"));
    source_case_close(&d);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_are_there_come_first_and_then_the_stream),
        cmocka_unit_test(an_unfinished_snapshot_keeps_its_slot_and_the_deletes_since),
        cmocka_unit_test(a_table_that_is_rewritten_before_its_turn_is_read_later),
        cmocka_unit_test(rows_have_the_trace_that_their_transaction_began_with),
        cmocka_unit_test(rows_may_have_their_trace_in_a_column),
        cmocka_unit_test(an_idle_database_moves_the_slot),
        cmocka_unit_test(a_paused_source_gives_nothing_and_then_everything),
        cmocka_unit_test(a_first_snapshot_of_no_table_waits_for_one),
        cmocka_unit_test(snapshot_never_concerns_the_first_start_only_and_a_stop_in_it_loses_nothing),
        cmocka_unit_test(a_type_without_a_binary_form_restarts_the_stream_while_nothing_is_confirmed),
        cmocka_unit_test(a_restart_as_text_waits_until_the_first_snapshot_is_saved),
        cmocka_unit_test(a_composite_type_that_gains_such_a_type_restarts_the_stream),
    };
    return source_case_run(tests, COUNT_OF(tests));
}
