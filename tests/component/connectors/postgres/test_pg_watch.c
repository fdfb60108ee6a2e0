// Tables that appear while a connector runs or is down, against a real server.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>

#include "core/base/clock.h"
#include "tests/component/connectors/postgres/source_case.h"

// An ALTER TABLE or VACUUM FULL may take hours.
static void a_table_that_is_locked_holds_up_no_change(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE r (id int PRIMARY KEY, v int DEFAULT 5);"
                                       "CREATE TABLE s (id int PRIMARY KEY, v int DEFAULT 5)");
    struct source_driver d;
    source_case_open(&d, "locked");
    source_driver_close(&d);
    pg_server_sql(&source_case_server, "INSERT INTO r VALUES (1); INSERT INTO s VALUES (2)");
    PGconn *owner = PQconnectdb(pg_server_dsn(&source_case_server));
    PQclear(PQexec(owner, "BEGIN; LOCK TABLE r IN ACCESS EXCLUSIVE MODE"));
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 2));
    assert_non_null(strstr(source_driver_lines(&d), "after={\"id\":1,\"v\":5}"));
    assert_non_null(strstr(source_driver_lines(&d), "after={\"id\":2,\"v\":5}"));
    PQfinish(owner);
    source_case_close(&d);
}

static void a_table_that_appears_is_read_and_captured(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    source_case_open(&d, "appear");
    clock_fake(clock_now_us(), clock_wall_us());  // the time of the next full look never comes
    pg_server_sql(&source_case_server,
                  "BEGIN; CREATE TABLE newcomer (id int PRIMARY KEY); INSERT INTO newcomer VALUES (2), (3);"
                  "COMMIT");
    assert_true(source_driver_until_rows(&d, 2));
    assert_string_equal(source_driver_lines(&d),
                        "begin\nr public.newcomer #0 first key={\"id\":2} before=- after={\"id\":2}\n"
                        "r public.newcomer #1 last key={\"id\":3} before=- after={\"id\":3}\ncommit\n");
    source_driver_reset(&d);
    pg_server_sql(&source_case_server, "DELETE FROM newcomer WHERE id = 2; INSERT INTO r VALUES (1)");
    assert_true(source_driver_until_rows(&d, 2));
    assert_string_equal(source_driver_lines(&d),
                        "begin\nd public.newcomer #0 key={\"id\":2} before={\"id\":2} after=-\n"
                        "c public.r #1 key={\"id\":1} before=- after={\"id\":1}\ncommit\n");
    assert_int_equal(d.known.unread_count, 0);
    clock_fake(-1, 0);
    source_case_close(&d);
}

static bool is_published(const struct source_driver *d)
{
    (void)d;
    return strcmp(pg_server_ask(&source_case_server,
                                "SELECT count(*) FROM pg_publication_tables WHERE tablename = 'second'"),
                  "1") == 0;
}

// The lock has no transaction id, which a snapshot would wait for.
static void a_locked_table_keeps_no_other_from_being_added(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    source_case_open(&d, "one_of_two");
    source_driver_close(&d);
    pg_server_sql(&source_case_server,
                  "CREATE TABLE first (id int PRIMARY KEY); CREATE TABLE second (id int PRIMARY KEY);"
                  "CREATE TABLE prepared (id int PRIMARY KEY);"
                  "INSERT INTO first VALUES (1); INSERT INTO second VALUES (2)");
    PGconn *owner = PQconnectdb(pg_server_dsn(&source_case_server));
    PQclear(PQexec(owner, "BEGIN; LOCK TABLE prepared IN SHARE MODE; PREPARE TRANSACTION 'lock'"));
    PQclear(PQexec(owner, "BEGIN; LOCK TABLE first IN SHARE MODE"));
    source_driver_open(&d);
    assert_true(source_driver_until(&d, is_published));
    pg_server_sql(&source_case_server, "ROLLBACK PREPARED 'lock'");
    assert_true(source_driver_until_rows(&d, 1));
    assert_non_null(strstr(source_driver_lines(&d), "r public.second #0 last key={\"id\":2}"));
    PQfinish(owner);
    assert_true(source_driver_until_rows(&d, 2));
    assert_non_null(strstr(source_driver_lines(&d), "r public.first #0 last key={\"id\":1}"));
    source_case_close(&d);
}

static bool has_unread(const struct source_driver *d)
{
    return d->known.unread_count > 0;
}

static void a_table_that_appears_while_nothing_runs_is_read_also_when_that_is_cut_off(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    source_case_open(&d, "away");
    source_driver_close(&d);
    pg_server_sql(&source_case_server,
                  "CREATE TABLE newcomer (id int PRIMARY KEY); INSERT INTO newcomer VALUES (2), (3), (4)");
    source_driver_open(&d);
    assert_true(source_driver_until(&d, has_unread));
    source_driver_close(&d);  // after the state was saved, before anything else
    d.rows_max = 1;
    source_driver_open(&d);
    assert_true(source_driver_until(&d, source_case_has_row));
    source_driver_close(&d);  // while reading its rows
    d.rows_max = 0;
    source_driver_reset(&d);
    pg_server_sql(&source_case_server, "DELETE FROM newcomer WHERE id = 2");
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 3));
    const char *lines = source_driver_lines(&d);
    assert_string_equal(lines,
                        "begin\nd public.newcomer #0 key={\"id\":2} before={\"id\":2} after=-\ncommit\n"
                        "begin\nr public.newcomer #0 first key={\"id\":3} before=- after={\"id\":3}\n"
                        "r public.newcomer #1 last key={\"id\":4} before=- after={\"id\":4}\ncommit\n");
    source_case_close(&d);
}

static bool has_two_unread(const struct source_driver *d)
{
    return d->known.unread_count == 2;
}

static bool has_no_unread(const struct source_driver *d)
{
    return d->known.unread_count == 0;
}

// A table that waits at a bad row keeps the record from saying that tables after it were read.
static void tables_that_appear_are_read_before_the_record_of_earlier_ones_is_saved(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    source_case_open(&d, "record");
    d.holds_read = true;
    pg_server_sql(&source_case_server, "CREATE TABLE one (id int PRIMARY KEY); INSERT INTO one VALUES (1)");
    assert_true(source_driver_until_rows(&d, 1));
    pg_server_sql(&source_case_server, "CREATE TABLE two (id int PRIMARY KEY); INSERT INTO two VALUES (2)");
    assert_true(source_driver_until(&d, has_two_unread));  // a kill from now on loses neither
    assert_true(source_driver_until_rows(&d, 2));
    assert_non_null(strstr(source_driver_lines(&d), "r public.two #0 last key={\"id\":2}"));
    pg_server_sql(&source_case_server, "INSERT INTO r VALUES (3)");
    assert_true(source_driver_until_rows(&d, 3));
    assert_int_equal(d.known.unread_count, 2);
    d.holds_read = false;
    assert_true(source_driver_until(&d, has_no_unread));
    source_driver_reset(&d);
    pg_server_sql(&source_case_server,
                  "CREATE TABLE three (id int PRIMARY KEY); INSERT INTO three VALUES (4)");
    assert_true(source_driver_until_rows(&d, 1));
    assert_string_equal(source_driver_lines(&d), "begin\nr public.three #0 last key={\"id\":4} before=- "
                                                 "after={\"id\":4}\ncommit\n");
    source_case_close(&d);
}

static bool is_added(const struct source_driver *d)
{
    (void)d;
    return strcmp(pg_server_ask(&source_case_server, "SELECT count(*) FROM pg_publication_tables"), "2") == 0;
}

static void what_an_open_transaction_wrote_before_its_table_was_added_is_read(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    source_case_open(&d, "early");
    PGconn *writer = PQconnectdb(pg_server_dsn(&source_case_server));
    PQclear(PQexec(writer, "BEGIN; INSERT INTO r VALUES (1)"));
    pg_server_sql(&source_case_server, "CREATE TABLE newcomer (id int PRIMARY KEY)");
    PQclear(PQexec(writer, "INSERT INTO newcomer VALUES (7)"));
    assert_true(source_driver_until(&d, is_added));
    source_driver_run(&d, 300);  // without the wait, the rows would have been read by now
    assert_int_equal(d.rows, 0);
    PGresult *done = PQexec(writer, "INSERT INTO newcomer VALUES (8); COMMIT");
    assert_int_equal(PQresultStatus(done), PGRES_COMMAND_OK);
    PQclear(done);
    PQfinish(writer);
    assert_true(source_driver_until_rows(&d, 3));
    source_driver_run(&d, 300);
    assert_non_null(strstr(source_driver_lines(&d), "public.newcomer #0 first key={\"id\":7}"));
    assert_non_null(strstr(source_driver_lines(&d), "key={\"id\":8}"));
    assert_non_null(strstr(source_driver_lines(&d), "c public.r"));
    source_case_close(&d);
}

struct unseen {
    struct source_driver d;
    PGconn *holder;  // its transaction runs: no snapshot is good before it ends
    PGconn *writer;
    char ended[64];  // when that transaction had ended
};

static void end_holder(struct unseen *u)
{
    PGresult *done = PQexec(u->holder, "COMMIT");
    assert_int_equal(PQresultStatus(done), PGRES_COMMAND_OK);
    PQclear(done);
    (void)snprintf(u->ended, sizeof(u->ended), "%s",
                   pg_server_ask(&source_case_server, "SELECT clock_timestamp()"));
}

static void clear_unseen(struct unseen *u)
{
    source_case_show_commits();
    PQfinish(u->holder);
    PQfinish(u->writer);
    source_case_close(&u->d);
}

// Whether the connector's ordinary session runs this query, begun after the holder's transaction.
static bool has_run(const struct source_driver *d, const char *query)
{
    const struct unseen *u = CONTAINER_OF(d, struct unseen, d);
    char sql[512];
    (void)snprintf(sql, sizeof(sql),
                   "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'millrace' AND"
                   " backend_type = 'client backend' AND query LIKE '%s%%' AND query_start > '%s'",
                   query, u->ended);
    return strcmp(pg_server_ask(&source_case_server, sql), "0") != 0;
}

// The lines may be empty, and have no data then.
static bool has_line(const struct source_driver *d, const char *text)
{
    return d->lines.size > 0 && memmem(d->lines.data, d->lines.size, text, strlen(text)) != NULL;
}

static bool has_read_newcomer(const struct source_driver *d)
{
    return has_line(d, "r public.newcomer");
}

static bool has_taken_or_read(const struct source_driver *d)
{
    return has_run(d, "BEGIN ISOLATION LEVEL") || has_read_newcomer(d);
}

static bool has_read_all(const struct source_driver *d)
{
    return has_read_newcomer(d) && d->known.unread_count == 0;
}

static bool has_row_of_r(const struct source_driver *d)
{
    return has_line(d, "c public.r ");
}

static bool has_given_back_or_read(const struct source_driver *d)
{
    return has_run(d, "ROLLBACK") || has_read_newcomer(d);
}

static bool has_row_of_newcomer(const struct source_driver *d)
{
    return has_line(d, "c public.newcomer");
}

// A table was added. Its rows are not read, because the first snapshot did not see the holder's transaction.
static void add_newcomer(struct unseen *u, const char *name)
{
    pg_server_sql(&source_case_server, "CREATE TABLE r (id int PRIMARY KEY)");
    source_case_open(&u->d, name);
    u->holder = PQconnectdb(pg_server_dsn(&source_case_server));
    u->writer = PQconnectdb(pg_server_dsn(&source_case_server));
    PQclear(PQexec(u->holder, "SET synchronous_commit = local"));
    PQclear(PQexec(u->holder, "BEGIN"));
    PQclear(PQexec(u->holder, "INSERT INTO r VALUES (1)"));
    pg_server_sql(&source_case_server, "CREATE TABLE newcomer (id int PRIMARY KEY, v int);"
                                       "INSERT INTO newcomer VALUES (7, 0)");
    (void)snprintf(u->ended, sizeof(u->ended), "-infinity");
    assert_true(source_driver_until(&u->d, has_given_back_or_read));
    assert_false(has_read_newcomer(&u->d));
    // So that the stream has described it.
    pg_server_sql(&source_case_server, "INSERT INTO newcomer VALUES (8, 0)");
    assert_true(source_driver_until(&u->d, has_row_of_newcomer));
    source_driver_reset(&u->d);
}

static void rows_that_are_read_undo_no_change_that_was_given(void **state)
{
    (void)state;
    struct unseen u;
    add_newcomer(&u, "given");
    source_case_commit_unseen(u.writer, "UPDATE newcomer SET v = v + 1");
    assert_true(source_driver_until(&u.d, source_case_has_row));
    end_holder(&u);
    assert_true(source_driver_until(&u.d, has_taken_or_read));
    assert_true(source_driver_until(&u.d, has_given_back_or_read));
    source_case_show_commits();
    assert_true(source_driver_until(&u.d, has_read_newcomer));
    const char *lines = source_driver_lines(&u.d);
    const char *read = strstr(lines, "r public.newcomer");
    assert_null(strstr(read, "u public.newcomer"));
    const char *update = strstr(lines, "u public.newcomer");
    for (const char *next = update; next != NULL; next = strstr(next + 1, "u public.newcomer")) {
        update = next;
    }
    assert_non_null(update);
    assert_int_equal(strtol(strstr(read, "\"v\":") + 4, NULL, 10),
                     strtol(strstr(update, "\"v\":") + 4, NULL, 10));
    clear_unseen(&u);
}

static void rows_are_read_before_a_change_that_their_snapshot_does_not_see(void **state)
{
    (void)state;
    struct unseen u;
    add_newcomer(&u, "unseen");
    pg_source_type.pause(u.d.source);
    source_case_commit_unseen(u.writer, "UPDATE newcomer SET v = v + 1");
    end_holder(&u);
    assert_true(source_driver_until(&u.d, has_taken_or_read));
    pg_source_type.resume(u.d.source);
    assert_true(source_driver_until(&u.d, has_row_of_r));  // the last one in the stream
    const char *read = strstr(source_driver_lines(&u.d), "r public.newcomer");
    assert_non_null(read);
    assert_non_null(strstr(read, "u public.newcomer"));
    clear_unseen(&u);
}

// The younger transaction has the first id that is not in a snapshot's range: it counts as running all the
// same.
static void what_was_written_while_a_table_was_being_added_is_read(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server,
                  "CREATE TABLE r (id int PRIMARY KEY); CREATE TABLE newcomer (id int PRIMARY KEY);"
                  "INSERT INTO newcomer VALUES (4); CREATE PUBLICATION millrace_during FOR TABLE r");
    struct unseen u = {.ended = "-infinity"};
    source_driver_init(&u.d, &pg_source_type, "during", pg_server_dsn(&source_case_server));
    u.d.config.snapshot = CONNECTOR_SNAPSHOT_NEVER;
    u.d.config.slot.create = false;
    (void)pg_server_ask(&source_case_server,
                        "SELECT pg_create_logical_replication_slot('millrace_during', 'pgoutput')");
    source_driver_open(&u.d);
    assert_true(source_driver_until_phase(&u.d, "streaming"));
    u.holder = PQconnectdb(pg_server_dsn(&source_case_server));
    u.writer = PQconnectdb(pg_server_dsn(&source_case_server));
    PQclear(PQexec(u.holder, "BEGIN"));
    PQclear(PQexec(u.holder, "ALTER PUBLICATION millrace_during ADD TABLE newcomer"));
    PQclear(PQexec(u.writer, "BEGIN"));
    PQclear(PQexec(u.writer, "INSERT INTO newcomer VALUES (5)"));
    end_holder(&u);
    assert_true(source_driver_until(&u.d, has_given_back_or_read));
    PGresult *done = PQexec(u.writer, "COMMIT");
    assert_int_equal(PQresultStatus(done), PGRES_COMMAND_OK);
    PQclear(done);
    pg_server_sql(&source_case_server, "INSERT INTO r VALUES (9)");
    assert_true(source_driver_until(&u.d, has_row_of_r));
    assert_true(source_driver_until(&u.d, has_read_all));
    assert_non_null(strstr(source_driver_lines(&u.d), "public.newcomer #1 last key={\"id\":5}"));
    clear_unseen(&u);
}

static void a_table_that_an_administrator_publishes_is_read(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server,
                  "CREATE TABLE r (id int PRIMARY KEY); CREATE TABLE byhand (id int PRIMARY KEY);"
                  "INSERT INTO byhand VALUES (4); CREATE PUBLICATION millrace_hand FOR TABLE r");
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "hand", pg_server_dsn(&source_case_server));
    d.config.slot.create = false;
    d.config.snapshot = CONNECTOR_SNAPSHOT_NEVER;
    (void)pg_server_ask(&source_case_server,
                        "SELECT pg_create_logical_replication_slot('millrace_hand', 'pgoutput')");
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "streaming"));
    pg_server_sql(&source_case_server, "ALTER PUBLICATION millrace_hand ADD TABLE byhand");
    assert_true(source_driver_until_rows(&d, 1));
    assert_non_null(strstr(source_driver_lines(&d), "r public.byhand #0 last key={\"id\":4}"));
    source_case_close(&d);
}

// A lock keeps it out of the publication for longer than the connector waits.
// Then its rows are looked for in vain, and that it counts as read is not saved
// yet when it is published at last.
static void a_table_that_could_not_be_published_at_once_is_read_when_it_is(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE r (id int PRIMARY KEY); CREATE SCHEMA other;"
                                       "CREATE TABLE other.t (id int PRIMARY KEY)");
    struct unseen u = {.ended = "-infinity"};
    source_case_open(&u.d, "late");
    u.d.holds_read = true;
    u.holder = PQconnectdb(pg_server_dsn(&source_case_server));
    PGresult *held = PQexec(u.holder, "BEGIN; ALTER PUBLICATION millrace_late ADD TABLE other.t");
    assert_int_equal(PQresultStatus(held), PGRES_COMMAND_OK);
    PQclear(held);
    clock_fake(clock_now_us() + 60 * CLOCK_US_PER_S,
               clock_wall_us());  // tables that were not read are due
    pg_server_sql(&source_case_server, "CREATE TABLE newcomer (id int PRIMARY "
                                       "KEY); INSERT INTO newcomer VALUES (7)");
    assert_true(source_driver_until(&u.d, has_given_back_or_read));
    assert_int_equal(u.d.known.unread_count, 1);
    assert_false(has_read_newcomer(&u.d));
    end_holder(&u);
    assert_true(source_driver_until(&u.d, has_read_newcomer));
    clock_fake(-1, 0);
    u.d.holds_read = false;
    assert_true(source_driver_until(&u.d, has_read_all));
    clear_unseen(&u);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_that_is_locked_holds_up_no_change),
        cmocka_unit_test(tables_that_appear_are_read_before_the_record_of_earlier_ones_is_saved),
        cmocka_unit_test(a_locked_table_keeps_no_other_from_being_added),
        cmocka_unit_test(a_table_that_appears_is_read_and_captured),
        cmocka_unit_test(a_table_that_appears_while_nothing_runs_is_read_also_when_that_is_cut_off),
        cmocka_unit_test(what_an_open_transaction_wrote_before_its_table_was_added_is_read),
        cmocka_unit_test(rows_that_are_read_undo_no_change_that_was_given),
        cmocka_unit_test(rows_are_read_before_a_change_that_their_snapshot_does_not_see),
        cmocka_unit_test(what_was_written_while_a_table_was_being_added_is_read),
        cmocka_unit_test(a_table_that_an_administrator_publishes_is_read),
        cmocka_unit_test(a_table_that_could_not_be_published_at_once_is_read_when_it_is),
    };
    return source_case_run(tests, COUNT_OF(tests));
}
