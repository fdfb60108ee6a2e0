// What rows of the stream become, against a real server: images, keys, identities, bad rows, types.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/component/connectors/postgres/source_case.h"

static void updates_deletes_and_key_changes_look_like_debezium(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server,
                  "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL, name varchar(20), big text);"
                  "ALTER TABLE t ALTER big SET STORAGE EXTERNAL;"
                  "CREATE TABLE f (id int PRIMARY KEY, big text); ALTER TABLE f REPLICA IDENTITY FULL;"
                  "ALTER TABLE f ALTER big SET STORAGE EXTERNAL");
    struct source_driver d;
    source_case_open(&d, "ops");
    pg_server_sql(&source_case_server, "INSERT INTO t VALUES (1, 5, 'x', repeat('b', 9000))");
    pg_server_sql(&source_case_server, "UPDATE t SET name = 'y'; UPDATE t SET id = 100; DELETE FROM t;");
    pg_server_sql(&source_case_server,
                  "INSERT INTO f VALUES (1, repeat('c', 3)); UPDATE f SET id = 2; DELETE FROM f");
    assert_true(source_driver_until_rows(&d, 9));
    char *found = strstr(source_driver_lines(&d), "u public.t");
    assert_non_null(found);
    assert_string_equal(
        found,
        "u public.t #0 key={\"id\":1} before=- "
        "after={\"id\":1,\"n\":5,\"name\":\"y\",\"big\":\"__debezium_unavailable_value\"}\n"
        "d public.t #1 key={\"id\":1} before={\"id\":1,\"n\":0,\"name\":null,\"big\":null} after=- "
        "newkey={\"id\":100}\n"
        "c public.t #2 key={\"id\":100} before=- "
        "after={\"id\":100,\"n\":5,\"name\":\"y\",\"big\":\"__debezium_unavailable_value\"} "
        "oldkey={\"id\":1}\n"
        "d public.t #3 key={\"id\":100} before={\"id\":100,\"n\":0,\"name\":null,\"big\":null} after=-\n"
        "commit\nbegin\n"
        "c public.f #0 key={\"id\":1} before=- after={\"id\":1,\"big\":\"ccc\"}\n"
        "d public.f #1 key={\"id\":1} before={\"id\":1,\"big\":\"ccc\"} after=- newkey={\"id\":2}\n"
        "c public.f #2 key={\"id\":2} before=- after={\"id\":2,\"big\":\"ccc\"} oldkey={\"id\":1}\n"
        "d public.f #3 key={\"id\":2} before={\"id\":2,\"big\":\"ccc\"} after=-\n"
        "commit\n");
    source_case_close(&d);
}

// The server sends only the index's columns of a deleted row.
static void a_replica_identity_over_an_index_is_the_key_also_beside_a_primary_key(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE coded (id int PRIMARY KEY, code text NOT NULL, v int);"
                                       "CREATE UNIQUE INDEX coded_code ON coded (code);"
                                       "ALTER TABLE coded REPLICA IDENTITY USING INDEX coded_code");
    struct source_driver d;
    source_case_open(&d, "coded");
    pg_server_sql(&source_case_server,
                  "INSERT INTO coded VALUES (1, 'a', 5); UPDATE coded SET v = 6; DELETE FROM coded");
    assert_true(source_driver_until_rows(&d, 3));
    assert_string_equal(
        source_driver_lines(&d),
        "begin\nc public.coded #0 key={\"code\":\"a\"} before=- after={\"id\":1,\"code\":\"a\",\"v\":5}\n"
        "u public.coded #1 key={\"code\":\"a\"} before=- after={\"id\":1,\"code\":\"a\",\"v\":6}\n"
        "d public.coded #2 key={\"code\":\"a\"} before={\"id\":0,\"code\":\"a\",\"v\":null} after=-\n"
        "commit\n");
    source_case_close(&d);
}

static void a_value_that_no_record_can_hold_is_a_bad_row_and_the_stream_goes_on(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server,
                  "CREATE TABLE bad (id int PRIMARY KEY, v numeric NOT NULL, m int[] NOT NULL)");
    struct source_driver d;
    source_case_open(&d, "bad");
    pg_server_sql(&source_case_server,
                  "INSERT INTO bad VALUES (1, 'NaN', '{}'), (2, 1.50, '{{1,2},{3,4}}'), (3, 2, '{1,NULL}')");
    assert_true(source_driver_until_rows(&d, 3));
    const char *lines = source_driver_lines(&d);
    assert_non_null(strstr(
        lines, "key={\"id\":1} bad={\"id\":\"1\",\"v\":\"NaN\",\"m\":\"{}\"} reason=public.bad column v"));
    assert_non_null(strstr(lines, "key={\"id\":2} bad="));
    assert_non_null(strstr(lines, "after={\"id\":3,\"v\":\"2\",\"m\":[1,null]}"));
    source_case_close(&d);
}

static void a_bad_old_image_is_null_and_the_change_is_published(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server,
                  "CREATE TABLE full_row (id int PRIMARY KEY, n int NOT NULL, v numeric NOT NULL);"
                  "ALTER TABLE full_row REPLICA IDENTITY FULL;"
                  "CREATE TABLE odd_key (id numeric PRIMARY KEY, n int);"
                  "CREATE TABLE keyless (v numeric NOT NULL); ALTER TABLE keyless REPLICA IDENTITY FULL");
    struct source_driver d;
    source_case_open(&d, "badold");
    pg_server_sql(&source_case_server,
                  "INSERT INTO full_row VALUES (1, 7, 'NaN'), (2, 7, 'NaN'), (3, 7, 'NaN')");
    assert_true(source_driver_until_rows(&d, 3));
    source_driver_reset(&d);
    pg_server_sql(&source_case_server,
                  "UPDATE full_row SET v = 5 WHERE id = 1; DELETE FROM full_row WHERE id = 2;"
                  "UPDATE full_row SET id = 4, v = 6 WHERE id = 3");
    assert_true(source_driver_until_rows(&d, 4));
    assert_string_equal(
        source_driver_lines(&d),
        "begin\nu public.full_row #0 key={\"id\":1} before=- after={\"id\":1,\"n\":7,\"v\":\"5\"}\n"
        "d public.full_row #2 key={\"id\":2} before={\"id\":2,\"n\":0,\"v\":\"0\"} after=-\n"
        "d public.full_row #3 key={\"id\":3} before={\"id\":3,\"n\":0,\"v\":\"0\"} after=- "
        "newkey={\"id\":4}\n"
        "c public.full_row #4 key={\"id\":4} before=- after={\"id\":4,\"n\":7,\"v\":\"6\"} "
        "oldkey={\"id\":3}\ncommit\n");
    source_driver_reset(&d);
    // A row whose key can't be encoded was never published; a row without key that can't be encoded can't be
    // deleted.
    pg_server_sql(&source_case_server, "INSERT INTO odd_key VALUES ('NaN', 1); UPDATE odd_key SET id = 2;"
                                       "INSERT INTO keyless VALUES ('NaN'); DELETE FROM keyless");
    assert_true(source_driver_until_rows(&d, 4));
    const char *lines = source_driver_lines(&d);
    assert_non_null(strstr(lines, "c public.odd_key #1 key={\"id\":\"2\"} before=- after="));
    assert_non_null(strstr(lines, "d public.keyless #4 key=- bad={\"v\":\"NaN\"} reason="));
    source_case_close(&d);
}

static void a_bad_row_that_changes_its_key_deletes_the_old_one(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE moved (id numeric PRIMARY KEY, v numeric NOT NULL);"
                                       "INSERT INTO moved VALUES (1, 1), (3, 1)");
    struct source_driver d;
    source_case_open(&d, "badkey");
    assert_true(source_driver_until_rows(&d, 2));
    source_driver_reset(&d);
    pg_server_sql(
        &source_case_server,
        "UPDATE moved SET id = 2, v = 'NaN' WHERE id = 1; UPDATE moved SET id = 'NaN' WHERE id = 3");
    assert_true(source_driver_until_rows(&d, 4));
    const char *lines = source_driver_lines(&d);
    assert_non_null(strstr(lines, "d public.moved #0 key={\"id\":\"1\"} before="));
    assert_non_null(strstr(lines, "newkey={\"id\":{\"scale\":0,\"value\":\"Ag==\"}}\nc public.moved #1 "
                                  "key={\"id\":\"2\"} bad={\"id\":\"2\""));
    assert_non_null(strstr(lines, "d public.moved #2 key={\"id\":\"3\"} before="));
    assert_non_null(strstr(lines, "c public.moved #3 key=- bad={\"id\":\"NaN\""));
    source_case_close(&d);
}

// The same transaction twice, once with table `wide` wanted and once without: its second row has the same id.
static void ids_do_not_depend_on_which_tables_are_wanted(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server,
                  "CREATE TABLE wide (id int PRIMARY KEY); ALTER TABLE wide REPLICA IDENTITY FULL;"
                  "CREATE TABLE narrow (id int PRIMARY KEY); INSERT INTO wide VALUES (1), (2)");
    struct source_driver d;
    source_case_open_including(&d, "wanted", "public.*");
    assert_true(source_driver_until_rows(&d, 2));
    source_driver_reset(&d);
    d.is_confirming = false;
    pg_server_sql(&source_case_server,
                  "UPDATE wide SET id = 11 WHERE id = 1; UPDATE wide SET id = 2 WHERE id = 2;"
                  "INSERT INTO narrow VALUES (7)");
    assert_true(source_driver_until_rows(&d, 4));
    static const char ROW[] = "c public.narrow #4 key={\"id\":7}";
    assert_non_null(strstr(source_driver_lines(&d), "u public.wide #2"));
    assert_non_null(strstr(source_driver_lines(&d), ROW));
    source_driver_close(&d);
    source_driver_reset(&d);
    text_list_clear(&d.config.tables.include);
    text_list_add(&d.config.tables.include, "public.narrow");
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 1));
    assert_null(strstr(source_driver_lines(&d), "public.wide"));
    assert_non_null(strstr(source_driver_lines(&d), ROW));
    source_case_close(&d);
}

static void a_change_from_another_server_names_it(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server,
                  "CREATE TABLE o (id int PRIMARY KEY); SELECT pg_replication_origin_create('upstream')");
    struct source_driver d;
    source_case_open(&d, "origin");
    pg_server_sql(&source_case_server, "SELECT pg_replication_origin_session_setup('upstream')");
    pg_server_sql(&source_case_server,
                  "SELECT pg_replication_origin_xact_setup('0/2A', now()); INSERT INTO o VALUES (1)");
    pg_server_sql(&source_case_server, "SELECT pg_replication_origin_session_reset()");
    pg_server_sql(&source_case_server, "INSERT INTO o VALUES (2)");
    assert_true(source_driver_until_rows(&d, 2));
    assert_string_equal(
        source_driver_lines(&d),
        "begin\nc public.o #0 origin=upstream/42 key={\"id\":1} before=- after={\"id\":1}\ncommit\n"
        "begin\nc public.o #0 key={\"id\":2} before=- after={\"id\":2}\ncommit\n");
    source_case_close(&d);
}

// Cut out what follows "after=" in the line that begins with `head`.
static void after_of(const char *lines, const char *head, char *ret, size_t size)
{
    const char *line = strstr(lines, head);
    assert_non_null(line);
    const char *after = strstr(line, "after=");
    const char *end = strchr(after, '\n');
    (void)snprintf(ret, size, "%.*s", (int)(end - after), after);
}

static void every_type_reads_the_same_from_snapshot_and_stream(void **state)
{
    (void)state;
    pg_server_sql(
        &source_case_server,
        "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN price AS numeric(8,3);"
        "CREATE DOMAIN mark AS price; CREATE TYPE pair AS (a int, b text);"
        "CREATE TABLE types (id int PRIMARY KEY, i2 int2, i8 int8, f4 float4, f8 float8, n numeric(12,2),"
        " nn numeric, b bool, c char(4), v varchar(9), t text, by bytea, d date, tm time, tm3 time(3),"
        " ts timestamp, ts3 timestamp(3), tz timestamptz, tz0 timestamptz(0), ttz timetz, u uuid, j json,"
        " jb jsonb, x xml, m mood, pr mark, ma mood[], ia int[], ta text[], na numeric(5,2)[], da date[],"
        " ba bytea[], tza timestamptz[], iv interval, mo money, ine inet, ran int4range, bi bit(3), vb "
        "varbit,"
        " pt point, co pair, pra price[], o oid, ch \"char\", nm name, tv tsvector,"
        " g int GENERATED ALWAYS AS (id * 2) STORED)");
    const char *insert =
        "INSERT INTO types VALUES (%d, -5, 1::bigint << 62, 1.5, '-Infinity', -12.345, "
        "12345678901234567890123456789.5,"
        " true, 'ab', 'x', E'a\\tb\\\\\"', '\\x00ff', '0044-03-15 BC', '24:00', '01:02:03.4567', 'infinity',"
        " '2026-01-02 03:04:05.6789', '2026-01-02 03:04:05.6+02', '2026-01-02 03:04:05.6', "
        "'03:04:05.5+05:30',"
        " '11111111-2222-3333-4444-555555555555', '{\"a\" : 1}', '{\"a\" : 1}', '<a/>', 'glad', 1.5, "
        "'{sad,glad}', '{1,NULL}',"
        " E'{\"a b\",\"q\\\\\"\"}', '{1.5,2}', '{2026-01-02}', '{\"\\\\x01\"}', '{2026-01-02 03:04:05+00}',"
        " '-1 day 2 hours', '12.50', '10.0.0.1', '[1,5)', B'101', B'1', '(1,2)', '(1,b)', '{1.25}', 7, 'z', "
        "'nm', 'a b')";
    char sql[2048];
    (void)snprintf(sql, sizeof(sql), insert, 1);
    pg_server_sql(&source_case_server, sql);
    struct source_driver d;
    source_case_open(&d, "types");
    pg_server_sql(&source_case_server, "INSERT INTO types (id) VALUES (2); DELETE FROM types");
    (void)snprintf(sql, sizeof(sql), insert, 1);
    pg_server_sql(&source_case_server, sql);
    assert_true(source_driver_until_rows(&d, 5));
    char first[4096];
    char again[4096];
    after_of(source_driver_lines(&d), "r public.types", first, sizeof(first));
    after_of(strstr(source_driver_lines(&d), "d public.types #2"), "c public.types", again, sizeof(again));
    assert_string_equal(first, again);
    print_message("%s\n", first);
    assert_non_null(strstr(first, "\"n\":\"-12.35\""));
    assert_non_null(strstr(first, "\"c\":\"ab  \""));
    assert_non_null(strstr(first, "\"pr\":\"1.500\""));
    assert_non_null(strstr(first, "\"ma\":[\"sad\",\"glad\"]"));
    assert_non_null(strstr(first, "\"tz0\":\"2026-01-02T03:04:06Z\""));
    assert_non_null(strstr(first, "\"pra\":[\"1.250\"]"));
    source_case_close(&d);
}

static void start_as_text(struct source_driver *d)
{
    assert_true(source_driver_until_fault(d));
    assert_int_equal(d->fault.kind, FAULT_RETRY);
    assert_non_null(strstr(d->fault.text, "as text"));
    source_driver_close(d);
    source_driver_open(d);
}

// In binary form a composite value has the fields of the time when its row was written, and the catalogue the
// newest ones. PostgreSQL's text can always be read.
static void rows_from_before_a_composite_type_was_altered_are_read(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server,
                  "CREATE TYPE pair AS (a int, b date); CREATE TABLE co (id int PRIMARY KEY, v pair)");
    struct source_driver d;
    source_case_open(&d, "altered");
    struct source_state known = d.known;
    source_driver_clear(&d);
    pg_server_sql(&source_case_server,
                  "INSERT INTO co VALUES (1, '(1,2026-01-02)');"
                  "ALTER TYPE pair DROP ATTRIBUTE a; ALTER TYPE pair ADD ATTRIBUTE c int;"
                  "INSERT INTO co VALUES (2, '(2026-01-03,3)');"
                  "ALTER TYPE pair ADD ATTRIBUTE d int");
    source_driver_init(&d, &pg_source_type, "altered", pg_server_dsn(&source_case_server));
    d.known = known;
    source_driver_open(&d);
    start_as_text(&d);
    assert_true(source_driver_until_rows(&d, 2));
    assert_non_null(strstr(source_driver_lines(&d), "after={\"id\":1,\"v\":\"(1,2026-01-02)\"}"));
    assert_non_null(strstr(source_driver_lines(&d), "after={\"id\":2,\"v\":\"(2026-01-03,3)\"}"));
    source_case_close(&d);
}

static void a_field_that_is_read_as_text_only_may_be_added_to_a_composite_type(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server,
                  "CREATE TYPE pair AS (a int, b text); CREATE TABLE co (id int PRIMARY KEY, v pair)");
    struct source_driver d;
    source_case_open(&d, "added");
    pg_server_sql(&source_case_server, "INSERT INTO co VALUES (1, '(1,x)');"
                                       "ALTER TYPE pair ADD ATTRIBUTE k regtype;"
                                       "INSERT INTO co VALUES (2, '(2,y,int)')");
    start_as_text(&d);
    assert_true(source_driver_until_rows(&d, 2));
    assert_non_null(strstr(source_driver_lines(&d), "after={\"id\":2,\"v\":\"(2,y,integer)\"}"));
    source_case_close(&d);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_deletes_and_key_changes_look_like_debezium),
        cmocka_unit_test(a_replica_identity_over_an_index_is_the_key_also_beside_a_primary_key),
        cmocka_unit_test(a_value_that_no_record_can_hold_is_a_bad_row_and_the_stream_goes_on),
        cmocka_unit_test(a_bad_old_image_is_null_and_the_change_is_published),
        cmocka_unit_test(a_bad_row_that_changes_its_key_deletes_the_old_one),
        cmocka_unit_test(ids_do_not_depend_on_which_tables_are_wanted),
        cmocka_unit_test(a_change_from_another_server_names_it),
        cmocka_unit_test(every_type_reads_the_same_from_snapshot_and_stream),
        cmocka_unit_test(rows_from_before_a_composite_type_was_altered_are_read),
        cmocka_unit_test(a_field_that_is_read_as_text_only_may_be_added_to_a_composite_type),
    };
    return source_case_run(tests, COUNT_OF(tests));
}
