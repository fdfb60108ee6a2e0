// The PostgreSQL source against a real server, without Kafka.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connectors/postgres/pg_source.h"
#include "core/base/clock.h"
#include "tests/component/connectors/postgres/pg_server.h"
#include "tests/component/connectors/postgres/source_driver.h"

static struct pg_server server;

static void open_streaming(struct source_driver *d, const char *name)
{
    source_driver_init(d, &pg_source_type, name, pg_server_dsn(&server));
    source_driver_open(d);
    assert_true(source_driver_until_phase(d, "streaming"));
}

// What the last test made, also when it failed half-way: its sessions may still be there then.
static void clean_server(void)
{
    pg_server_sql(
        &server,
        "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
        "AND backend_type IN ('client backend', 'walsender')");
    pg_server_sql(&server, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
    pg_server_sql(
        &server,
        "SELECT pg_replication_origin_session_reset() WHERE pg_replication_origin_session_is_setup();"
        "SELECT pg_replication_origin_drop(roname) FROM pg_replication_origin");
    pg_server_sql(
        &server,
        "SET client_min_messages = error; DROP SCHEMA public CASCADE; DROP SCHEMA IF EXISTS other CASCADE;"
        "CREATE SCHEMA public; ALTER ROLE millrace RESET ALL;"
        "DO $$ DECLARE it text; BEGIN "
        "FOR it IN SELECT pubname FROM pg_publication LOOP EXECUTE format('DROP PUBLICATION %I', it);"
        "END LOOP; "
        "FOR it IN SELECT rolname FROM pg_roles WHERE oid >= 16384 AND rolname <> 'millrace' LOOP "
        "EXECUTE format('DROP OWNED BY %I', it); EXECUTE format('DROP ROLE %I', it); END LOOP; END $$");
}

static void show_commits(void)
{
    pg_server_sql(&server, "ALTER SYSTEM RESET synchronous_standby_names");
    (void)pg_server_ask(&server, "SELECT pg_reload_conf()");
}

static int start_clean(void **state)
{
    (void)state;
    clock_fake(-1, 0);
    show_commits();
    clean_server();
    return 0;
}

static void drop_all(struct source_driver *d)
{
    source_driver_clear(d);
    clean_server();
}

// A session that ended leaves its slot a little later.
static void wait_until_free(const char *slot)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql),
                   "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '%s' AND active", slot);
    int64_t limit_us = clock_now_us() + 60 * CLOCK_US_PER_S;
    while (strcmp(pg_server_ask(&server, sql), "0") != 0) {
        (void)usleep(5000);
        assert_true(clock_now_us() < limit_us);
    }
}

static void rows_that_are_there_come_first_and_then_the_stream(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE a (id int PRIMARY KEY, name text NOT NULL);"
                           "INSERT INTO a VALUES (1, 'one'), (2, E'tab\\there \\\\ and\\nline');"
                           "CREATE TABLE b (id bigserial PRIMARY KEY, v numeric(10,2));"
                           "CREATE TABLE c (id int PRIMARY KEY);"
                           "INSERT INTO b (v) VALUES (1.5), (NULL), (-3)");
    struct source_driver d;
    open_streaming(&d, "first");
    pg_server_sql(&server, "INSERT INTO c VALUES (7)");
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
    drop_all(&d);
}

static void updates_deletes_and_key_changes_look_like_debezium(void **state)
{
    (void)state;
    pg_server_sql(&server,
                  "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL, name varchar(20), big text);"
                  "ALTER TABLE t ALTER big SET STORAGE EXTERNAL;"
                  "CREATE TABLE f (id int PRIMARY KEY, big text); ALTER TABLE f REPLICA IDENTITY FULL;"
                  "ALTER TABLE f ALTER big SET STORAGE EXTERNAL");
    struct source_driver d;
    open_streaming(&d, "ops");
    pg_server_sql(&server, "INSERT INTO t VALUES (1, 5, 'x', repeat('b', 9000))");
    pg_server_sql(&server, "UPDATE t SET name = 'y'; UPDATE t SET id = 100; DELETE FROM t;");
    pg_server_sql(&server, "INSERT INTO f VALUES (1, repeat('c', 3)); UPDATE f SET id = 2; DELETE FROM f");
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
    drop_all(&d);
}

// The server sends only the index's columns of a deleted row.
static void a_replica_identity_over_an_index_is_the_key_also_beside_a_primary_key(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE coded (id int PRIMARY KEY, code text NOT NULL, v int);"
                           "CREATE UNIQUE INDEX coded_code ON coded (code);"
                           "ALTER TABLE coded REPLICA IDENTITY USING INDEX coded_code");
    struct source_driver d;
    open_streaming(&d, "coded");
    pg_server_sql(&server, "INSERT INTO coded VALUES (1, 'a', 5); UPDATE coded SET v = 6; DELETE FROM coded");
    assert_true(source_driver_until_rows(&d, 3));
    assert_string_equal(
        source_driver_lines(&d),
        "begin\nc public.coded #0 key={\"code\":\"a\"} before=- after={\"id\":1,\"code\":\"a\",\"v\":5}\n"
        "u public.coded #1 key={\"code\":\"a\"} before=- after={\"id\":1,\"code\":\"a\",\"v\":6}\n"
        "d public.coded #2 key={\"code\":\"a\"} before={\"id\":0,\"code\":\"a\",\"v\":null} after=-\n"
        "commit\n");
    drop_all(&d);
}

static void a_table_without_identity_is_left_out_and_its_inserts_can_be_had(void **state)
{
    (void)state;
    pg_server_sql(
        &server,
        "CREATE TABLE keyless (v int); CREATE TABLE logged (v int); CREATE TABLE k (id int PRIMARY KEY);"
        "CREATE UNLOGGED TABLE u (id int PRIMARY KEY)");
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "keyless", pg_server_dsn(&server));
    text_list_add(&d.config.tables.publish_inserts_only, "public.logged");
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "streaming"));
    pg_server_sql(&server,
                  "INSERT INTO keyless VALUES (1); UPDATE keyless SET v = 2; INSERT INTO logged VALUES (3);"
                  "UPDATE logged SET v = 4; INSERT INTO k VALUES (5)");
    assert_true(source_driver_until_rows(&d, 2));
    assert_string_equal(source_driver_lines(&d),
                        "begin\nc public.logged #0 key=- before=- after={\"v\":3}\n"
                        "c public.k #1 key={\"id\":5} before=- after={\"id\":5}\ncommit\n");
    drop_all(&d);
}

// The second publication is made while the slot has changes from before.
static void inserts_only_may_be_asked_for_later(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE logged (v int); CREATE TABLE k (id int PRIMARY KEY)");
    struct source_driver d;
    open_streaming(&d, "later");
    source_driver_close(&d);
    pg_server_sql(&server, "INSERT INTO k VALUES (1); INSERT INTO logged VALUES (2)");
    source_driver_clear(&d);
    struct source_state known = d.known;
    source_driver_init(&d, &pg_source_type, "later", pg_server_dsn(&server));
    d.known = known;
    text_list_add(&d.config.tables.publish_inserts_only, "public.logged");
    source_driver_open(&d);
    for (int i = 0; i < 2; i++) {  // without it up to now, then with it
        assert_true(source_driver_until_fault(&d));
        assert_int_equal(d.fault.kind, FAULT_RETRY);
        assert_non_null(strstr(d.fault.text, "inserts_only"));
        source_driver_close(&d);
        source_driver_open(&d);
    }
    pg_server_sql(&server, "INSERT INTO logged VALUES (3)");
    assert_true(source_driver_until_rows(&d, 3));
    const char *lines = source_driver_lines(&d);
    assert_non_null(strstr(lines, "c public.k #0 key={\"id\":1}"));
    assert_non_null(strstr(lines, "r public.logged #0 first key=- before=- after={\"v\":2}"));
    assert_non_null(strstr(lines, "after={\"v\":3}"));
    drop_all(&d);
}

static void a_changed_table_gets_a_new_version_and_only_then(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE v (id int PRIMARY KEY, a int)");
    struct source_driver d;
    open_streaming(&d, "version");
    pg_server_sql(&server, "INSERT INTO v VALUES (1, 2); ANALYZE v");
    pg_server_sql(&server, "INSERT INTO v VALUES (2, 3)");
    pg_server_sql(&server,
                  "ALTER TABLE v ADD b text DEFAULT 'new' NOT NULL; INSERT INTO v VALUES (3, 4, 'z')");
    pg_server_sql(
        &server,
        "ALTER TABLE v RENAME a TO c; ALTER TABLE v ALTER id TYPE bigint; UPDATE v SET c = 9 WHERE id = 3");
    assert_true(source_driver_until_rows(&d, 4));
    assert_non_null(strstr(source_driver_lines(&d), "after={\"id\":2,\"a\":3}\n"));
    assert_non_null(strstr(source_driver_lines(&d), "after={\"id\":3,\"a\":4,\"b\":\"z\"}\n"));
    assert_non_null(strstr(source_driver_lines(&d), "u public.v #"));
    assert_non_null(strstr(source_driver_lines(&d), "after={\"id\":3,\"c\":9,\"b\":\"z\"}\n"));
    drop_all(&d);
}

// The number of queries for the catalogue's columns, from the server's log.
static int count_catalogue_reads(void)
{
    static const char QUERY[] = "a.atttypmod, a.attnotnull";
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/log", server.folder);
    FILE *log = fopen(path, "r");
    assert_non_null(log);
    char *line = NULL;
    size_t capacity = 0;
    int count = 0;
    while (getline(&line, &capacity, log) >= 0) {
        count += strstr(line, QUERY) != NULL ? 1 : 0;
    }
    free(line);
    (void)fclose(log);
    return count;
}

static void relations_that_are_all_described_anew_cost_one_query(void **state)
{
    (void)state;
    enum { TABLES = 30 };
    char insert[TABLES * 40] = "";
    pg_server_sql(&server, "ALTER ROLE millrace SET log_statement = 'all'");
    for (int i = 0; i < TABLES; i++) {
        char sql[64];
        (void)snprintf(sql, sizeof(sql), "CREATE TABLE storm%d (id serial PRIMARY KEY)", i);
        pg_server_sql(&server, sql);
        (void)snprintf(insert + strlen(insert), 40, "INSERT INTO storm%d DEFAULT VALUES;", i);
    }
    struct source_driver d;
    open_streaming(&d, "storm");
    pg_server_sql(&server, insert);
    assert_true(source_driver_until_rows(&d, TABLES));
    source_driver_reset(&d);
    // The whole set is not read twice within a second: that is over, and the next one never is.
    clock_fake(clock_now_us() + 2 * CLOCK_US_PER_S, clock_wall_us());
    int before = count_catalogue_reads();
    pg_server_sql(&server, "ALTER PUBLICATION millrace_storm SET (publish = 'insert, update, delete')");
    pg_server_sql(&server, insert);
    assert_true(source_driver_until_rows(&d, TABLES));
    int reads = count_catalogue_reads() - before;
    print_message("%d reads of the catalogue for %d relations\n", reads, TABLES);
    assert_in_range(reads, 1, 3);
    clock_fake(-1, 0);
    drop_all(&d);
}

static void a_null_of_the_past_survives_a_not_null_of_now(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE w (id int PRIMARY KEY, a int)");
    struct source_driver d;
    open_streaming(&d, "widen");
    source_driver_close(&d);
    pg_server_sql(&server, "INSERT INTO w VALUES (1, NULL)");
    pg_server_sql(&server, "UPDATE w SET a = 0; ALTER TABLE w ALTER a SET NOT NULL");
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 2));
    assert_non_null(strstr(source_driver_lines(&d), "after={\"id\":1,\"a\":null}\n"));
    drop_all(&d);
}

static void a_value_that_no_record_can_hold_is_a_bad_row_and_the_stream_goes_on(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE bad (id int PRIMARY KEY, v numeric NOT NULL, m int[] NOT NULL)");
    struct source_driver d;
    open_streaming(&d, "bad");
    pg_server_sql(&server,
                  "INSERT INTO bad VALUES (1, 'NaN', '{}'), (2, 1.50, '{{1,2},{3,4}}'), (3, 2, '{1,NULL}')");
    assert_true(source_driver_until_rows(&d, 3));
    const char *lines = source_driver_lines(&d);
    assert_non_null(strstr(
        lines, "key={\"id\":1} bad={\"id\":\"1\",\"v\":\"NaN\",\"m\":\"{}\"} reason=public.bad column v"));
    assert_non_null(strstr(lines, "key={\"id\":2} bad="));
    assert_non_null(strstr(lines, "after={\"id\":3,\"v\":\"2\",\"m\":[1,null]}"));
    drop_all(&d);
}

static void a_bad_old_image_withholds_nothing_but_itself(void **state)
{
    (void)state;
    pg_server_sql(&server,
                  "CREATE TABLE full_row (id int PRIMARY KEY, n int NOT NULL, v numeric NOT NULL);"
                  "ALTER TABLE full_row REPLICA IDENTITY FULL;"
                  "CREATE TABLE odd_key (id numeric PRIMARY KEY, n int);"
                  "CREATE TABLE keyless (v numeric NOT NULL); ALTER TABLE keyless REPLICA IDENTITY FULL");
    struct source_driver d;
    open_streaming(&d, "badold");
    pg_server_sql(&server, "INSERT INTO full_row VALUES (1, 7, 'NaN'), (2, 7, 'NaN'), (3, 7, 'NaN')");
    assert_true(source_driver_until_rows(&d, 3));
    source_driver_reset(&d);
    pg_server_sql(&server, "UPDATE full_row SET v = 5 WHERE id = 1; DELETE FROM full_row WHERE id = 2;"
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
    pg_server_sql(&server, "INSERT INTO odd_key VALUES ('NaN', 1); UPDATE odd_key SET id = 2;"
                           "INSERT INTO keyless VALUES ('NaN'); DELETE FROM keyless");
    assert_true(source_driver_until_rows(&d, 4));
    const char *lines = source_driver_lines(&d);
    assert_non_null(strstr(lines, "c public.odd_key #1 key={\"id\":\"2\"} before=- after="));
    assert_non_null(strstr(lines, "d public.keyless #4 key=- bad={\"v\":\"NaN\"} reason="));
    drop_all(&d);
}

static void a_bad_row_that_changes_its_key_deletes_the_old_one(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE moved (id numeric PRIMARY KEY, v numeric NOT NULL);"
                           "INSERT INTO moved VALUES (1, 1), (3, 1)");
    struct source_driver d;
    open_streaming(&d, "badkey");
    assert_true(source_driver_until_rows(&d, 2));
    source_driver_reset(&d);
    pg_server_sql(
        &server, "UPDATE moved SET id = 2, v = 'NaN' WHERE id = 1; UPDATE moved SET id = 'NaN' WHERE id = 3");
    assert_true(source_driver_until_rows(&d, 4));
    const char *lines = source_driver_lines(&d);
    assert_non_null(strstr(lines, "d public.moved #0 key={\"id\":\"1\"} before="));
    assert_non_null(strstr(lines, "newkey={\"id\":{\"scale\":0,\"value\":\"Ag==\"}}\nc public.moved #1 "
                                  "key={\"id\":\"2\"} bad={\"id\":\"2\""));
    assert_non_null(strstr(lines, "d public.moved #2 key={\"id\":\"3\"} before="));
    assert_non_null(strstr(lines, "c public.moved #3 key=- bad={\"id\":\"NaN\""));
    drop_all(&d);
}

static void after_reopening_the_stream_goes_on_from_what_was_confirmed(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    open_streaming(&d, "again");
    pg_server_sql(&server, "INSERT INTO r VALUES (1)");
    assert_true(source_driver_until_rows(&d, 1));
    d.is_confirming = false;
    pg_server_sql(&server, "INSERT INTO r VALUES (2)");
    assert_true(source_driver_until_rows(&d, 2));
    source_driver_close(&d);
    source_driver_reset(&d);
    pg_server_sql(&server, "INSERT INTO r VALUES (3)");
    d.is_confirming = true;
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 2));
    assert_string_equal(source_driver_lines(&d),
                        "begin\nc public.r #0 key={\"id\":2} before=- after={\"id\":2}\ncommit\n"
                        "begin\nc public.r #0 key={\"id\":3} before=- after={\"id\":3}\ncommit\n");
    drop_all(&d);
}

// The server has its first status update.
static bool has_told(const struct source_driver *d)
{
    (void)d;
    return strcmp(pg_server_ask(&server, "SELECT count(reply_time) FROM pg_stat_replication"), "0") != 0;
}

static void a_slot_that_went_back_is_followed(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    open_streaming(&d, "back");
    source_driver_close(&d);
    // A copy of the slot as it is now simulates a server restored from a backup.
    wait_until_free("millrace_back");
    (void)pg_server_ask(&server, "SELECT pg_copy_logical_replication_slot('millrace_back', 'old')");
    source_driver_open(&d);
    pg_server_sql(&server, "INSERT INTO r VALUES (1)");
    assert_true(source_driver_until_rows(&d, 1));
    source_driver_close(&d);
    wait_until_free("millrace_back");
    (void)pg_server_ask(&server, "SELECT pg_drop_replication_slot('millrace_back')");
    (void)pg_server_ask(&server, "SELECT pg_copy_logical_replication_slot('old', 'millrace_back')");
    d.is_confirming = false;
    d.phase[0] = '\0';
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "streaming"));
    assert_true(source_driver_until(&d, has_told));
    source_driver_close(&d);
    source_driver_reset(&d);
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 1));
    assert_string_equal(source_driver_lines(&d),
                        "begin\nc public.r #0 key={\"id\":1} before=- after={\"id\":1}\ncommit\n");
    drop_all(&d);
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
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    open_streaming(&d, "history");
    source_driver_close(&d);
    struct source_state good = d.known;
    d.known.timeline = 77;
    expect_refused(&d, "does not come from timeline 77");
    d.known = good;
    d.known.system_identifier[0] = '1';
    expect_refused(&d, "belonged to another cluster");
    drop_all(&d);
}

static void a_slot_that_was_made_again_or_advanced_is_not_used_as_if_nothing_were(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    open_streaming(&d, "again");
    pg_server_sql(&server, "INSERT INTO r VALUES (1)");
    assert_true(source_driver_until_rows(&d, 1));
    source_driver_close(&d);
    pg_server_sql(&server, "INSERT INTO r VALUES (2)");
    wait_until_free("millrace_again");
    (void)pg_server_ask(&server, "SELECT pg_drop_replication_slot('millrace_again')");
    (void)pg_server_ask(&server, "SELECT pg_create_logical_replication_slot('millrace_again', 'pgoutput')");
    expect_refused(&d, "made again or advanced");
    // The message's advice works: continue without the lost changes, or with a new snapshot.
    struct source_state before = d.known;
    d.known = (struct source_state){0};
    d.config.snapshot = CONNECTOR_SNAPSHOT_NEVER;
    source_driver_reset(&d);
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "streaming"));
    pg_server_sql(&server, "INSERT INTO r VALUES (3)");
    assert_true(source_driver_until_rows(&d, 1));
    assert_null(strstr(source_driver_lines(&d), "\"id\":2"));
    source_driver_close(&d);
    d.known = before;
    d.config.snapshot = CONNECTOR_SNAPSHOT_INITIAL;
    pg_server_sql(&server, "INSERT INTO r VALUES (4)");
    wait_until_free("millrace_again");
    (void)pg_server_ask(&server, "SELECT pg_replication_slot_advance('millrace_again', "
                                 "pg_current_wal_lsn())");
    expect_refused(&d, "made again or advanced");
    (void)pg_server_ask(&server, "SELECT pg_drop_replication_slot('millrace_again')");
    d.known = (struct source_state){0};
    source_driver_reset(&d);
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 4));
    drop_all(&d);
}

static void a_slot_dropped_behind_our_back_is_not_made_again(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    open_streaming(&d, "gone");
    source_driver_close(&d);
    wait_until_free("millrace_gone");
    (void)pg_server_ask(&server, "SELECT pg_drop_replication_slot('millrace_gone')");
    source_driver_open(&d);
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_CONFIG);
    assert_non_null(strstr(d.fault.text, "existed before and was dropped"));
    drop_all(&d);
}

static void a_dropped_publication_stops_the_stream_with_what_to_type(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    open_streaming(&d, "unpublished");
    pg_server_sql(&server, "DROP PUBLICATION millrace_unpublished; INSERT INTO r VALUES (1)");
    assert_true(source_driver_until_fault(&d));
    source_driver_close(&d);
    source_driver_open(&d);  // creates the publication again, too late for the row
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_CONFIG);
    assert_non_null(strstr(d.fault.text, "publication was dropped"));
    assert_non_null(
        strstr(d.fault.text, "run: SELECT pg_drop_replication_slot('millrace_unpublished'); and"));
    assert_non_null(strstr(d.fault.text, "echo 'connector/unpublished:' | kcat"));
    source_driver_close(&d);
    // The message's advice works.
    wait_until_free("millrace_unpublished");
    (void)pg_server_ask(&server, "SELECT pg_drop_replication_slot('millrace_unpublished')");
    d.known = (struct source_state){0};
    source_driver_reset(&d);
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 1));
    assert_non_null(strstr(source_driver_lines(&d), "r public.r #0 last key={\"id\":1}"));
    drop_all(&d);
}

static bool has_two_rows(const struct source_driver *d)
{
    return d->rows == 2;
}

static void an_unfinished_snapshot_keeps_its_slot_and_the_deletes_since(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY); INSERT INTO r VALUES (1), (2), (3)");
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "half", pg_server_dsn(&server));
    d.rows_max = 2;
    source_driver_open(&d);
    assert_true(source_driver_until(&d, has_two_rows));
    source_driver_close(&d);
    d.rows_max = 0;
    assert_true(d.known.is_known && !d.known.is_snapshot_done);
    source_driver_reset(&d);
    pg_server_sql(&server, "DELETE FROM r WHERE id = 1; UPDATE r SET id = 5 WHERE id = 2");
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "streaming"));
    assert_string_equal(source_driver_lines(&d),
                        "begin\nd public.r #0 key={\"id\":1} before={\"id\":1} after=-\n"
                        "d public.r #1 key={\"id\":2} before={\"id\":2} after=- newkey={\"id\":5}\n"
                        "c public.r #2 key={\"id\":5} before=- after={\"id\":5} oldkey={\"id\":2}\ncommit\n"
                        "begin\nr public.r #0 first key={\"id\":3} before=- after={\"id\":3}\n"
                        "r public.r #1 last key={\"id\":5} before=- after={\"id\":5}\ncommit\n");
    assert_true(d.known.is_snapshot_done);
    drop_all(&d);
}

static bool has_a_row(const struct source_driver *d)
{
    return d->rows > 0;
}

static void a_snapshot_holds_up_no_other_slot(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY, v text);"
                           "INSERT INTO r SELECT i, repeat('x', 1000) FROM generate_series(1, 50000) i");
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "long", pg_server_dsn(&server));
    d.is_counting = true;
    source_driver_open(&d);
    assert_true(source_driver_until(&d, has_a_row));
    assert_string_equal(d.phase, "snapshotting");
    pg_server_sql(&server, "SET statement_timeout = '5s'");
    pg_server_sql(&server, "SELECT pg_create_logical_replication_slot('other', 'pgoutput')");
    pg_server_sql(&server, "RESET statement_timeout");
    assert_true(d.rows < 50000);
    drop_all(&d);
}

static void a_second_copy_waits_for_the_slot_and_takes_over(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    open_streaming(&d, "pair");
    struct source_driver second;
    source_driver_init(&second, &pg_source_type, "pair", pg_server_dsn(&server));
    second.record = &d.known;
    source_driver_open(&second);
    assert_true(source_driver_until_phase(&second, "waiting_for_slot"));
    source_driver_close(&d);
    assert_true(source_driver_until_phase(&second, "streaming"));
    pg_server_sql(&server, "INSERT INTO r VALUES (1)");
    assert_true(source_driver_until_rows(&second, 1));
    source_driver_clear(&second);
    drop_all(&d);
}

static void a_second_copy_stays_away_from_the_slot_of_a_running_snapshot(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY); INSERT INTO r VALUES (1)");
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "race", pg_server_dsn(&server));
    struct source_driver second;
    source_driver_init(&second, &pg_source_type, "race", pg_server_dsn(&server));
    second.record = &d.known;
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "snapshotting"));
    char made[64];
    (void)snprintf(made, sizeof(made), "%s",
                   pg_server_ask(&server, "SELECT confirmed_flush_lsn FROM pg_replication_slots"));
    source_driver_open(&second);
    assert_true(source_driver_until_phase(&second, "waiting_for_slot"));
    assert_non_null(strstr(second.detail, "another copy"));
    source_driver_run(&second, 1200);  // tries again meanwhile
    assert_string_equal(second.phase, "waiting_for_slot");
    assert_string_equal(pg_server_ask(&server, "SELECT confirmed_flush_lsn FROM pg_replication_slots"), made);
    // The first copy ends in the middle: the second one continues with its slot and reads all rows again.
    source_driver_close(&d);
    assert_true(d.known.is_known && !d.known.is_snapshot_done);
    pg_server_sql(&server, "INSERT INTO r VALUES (2)");
    assert_true(source_driver_until_phase(&second, "streaming"));
    assert_true(d.known.is_snapshot_done);
    assert_string_equal(source_driver_lines(&second),
                        "begin\nc public.r #0 key={\"id\":2} before=- after={\"id\":2}\ncommit\n"
                        "begin\nr public.r #0 first key={\"id\":1} before=- after={\"id\":1}\n"
                        "r public.r #1 last key={\"id\":2} before=- after={\"id\":2}\ncommit\n");
    source_driver_clear(&second);
    drop_all(&d);
}

static bool waits_for_user(const struct source_driver *d)
{
    return strcmp(d->phase, "waiting_for_slot") == 0 &&
           strstr(d->detail, "slot millrace_busy is in use") != NULL;
}

static void a_slot_that_something_else_uses_is_waited_for_and_looked_at_anew(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    open_streaming(&d, "busy");
    assert_string_equal(pg_server_ask(&server,
                                      "SELECT active_pid = (SELECT pid FROM pg_locks WHERE locktype = "
                                      "'advisory' AND classid = 1835625580) FROM pg_replication_slots"),
                        "t");
    source_driver_close(&d);
    // A tool, or an older version, that holds the slot but not the lock.
    char dsn[256];
    (void)snprintf(dsn, sizeof(dsn), "%s replication=database", pg_server_dsn(&server));
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
    drop_all(&d);
}

static void end_sessions(const char *kind)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql),
                   "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = "
                   "'millrace' AND backend_type = '%s'",
                   kind);
    assert_string_equal(pg_server_ask(&server, sql), "t");
}

static bool has_begun(const struct source_driver *d)
{
    return d->rows > 0;
}

// More than fits into the socket buffers.
static void make_large_table(void)
{
    pg_server_sql(&server,
                  "CREATE TABLE r (id int PRIMARY KEY, v text); INSERT INTO r SELECT i, repeat('x', 1000) "
                  "FROM generate_series(1, 30000) i");
}

static void what_a_dead_machine_left_behind_is_ended(void **state)
{
    (void)state;
    make_large_table();
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "dead", pg_server_dsn(&server));
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "snapshotting"));
    d.is_counting = true;
    assert_true(source_driver_until(&d, has_begun));
    // From here on the first copy does not run, and its COPY blocks. The server has noticed that on one
    // session.
    end_sessions("walsender");
    struct source_driver second;
    source_driver_init(&second, &pg_source_type, "dead", pg_server_dsn(&server));
    second.record = &d.known;
    second.is_counting = true;
    source_driver_open(&second);
    assert_true(source_driver_until_phase(&second, "streaming"));
    assert_int_equal(second.rows, 30000);
    source_driver_clear(&second);
    drop_all(&d);
}

static void the_loss_of_one_session_is_the_loss_of_both(void **state)
{
    (void)state;
    make_large_table();
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "loss", pg_server_dsn(&server));
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
    drop_all(&d);
}

// An ALTER TABLE or VACUUM FULL may take hours.
static void a_table_that_is_locked_holds_up_no_change(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY, v int DEFAULT 5);"
                           "CREATE TABLE s (id int PRIMARY KEY, v int DEFAULT 5)");
    struct source_driver d;
    open_streaming(&d, "locked");
    source_driver_close(&d);
    pg_server_sql(&server, "INSERT INTO r VALUES (1); INSERT INTO s VALUES (2)");
    PGconn *owner = PQconnectdb(pg_server_dsn(&server));
    PQclear(PQexec(owner, "BEGIN; LOCK TABLE r IN ACCESS EXCLUSIVE MODE"));
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 2));
    assert_non_null(strstr(source_driver_lines(&d), "after={\"id\":1,\"v\":5}"));
    assert_non_null(strstr(source_driver_lines(&d), "after={\"id\":2,\"v\":5}"));
    PQfinish(owner);
    drop_all(&d);
}

static char idle_end[64];

static bool is_confirmed(const struct source_driver *d)
{
    (void)d;
    char sql[128];
    (void)snprintf(sql, sizeof(sql), "SELECT confirmed_flush_lsn >= '%s' FROM pg_replication_slots",
                   idle_end);
    return strcmp(pg_server_ask(&server, sql), "t") == 0;
}

static void an_idle_database_moves_the_slot(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE quiet (id int PRIMARY KEY)");
    struct source_driver d;
    open_streaming(&d, "idle");
    pg_server_sql(
        &server,
        "CREATE SCHEMA other; CREATE TABLE other.t (v text); INSERT INTO other.t SELECT repeat('x', 500) "
        "FROM generate_series(1, 1000)");
    (void)snprintf(idle_end, sizeof(idle_end), "%s", pg_server_ask(&server, "SELECT pg_current_wal_lsn()"));
    assert_true(source_driver_until(&d, is_confirmed));
    drop_all(&d);
}

static void a_paused_source_gives_nothing_and_then_everything(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE p (id int PRIMARY KEY, v text)");
    struct source_driver d;
    open_streaming(&d, "pause");
    d.is_counting = true;
    pg_source_type.pause(d.source);
    pg_server_sql(&server, "INSERT INTO p SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i");
    source_driver_run(&d, 4000);
    assert_int_equal(d.rows, 0);
    pg_source_type.resume(d.source);
    assert_true(source_driver_until_rows(&d, 20000));
    assert_false(d.has_fault);
    drop_all(&d);
}

static void a_table_that_appears_is_read_and_captured(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    open_streaming(&d, "appear");
    clock_fake(clock_now_us(), clock_wall_us());  // the time of the next full look never comes
    pg_server_sql(&server,
                  "BEGIN; CREATE TABLE newcomer (id int PRIMARY KEY); INSERT INTO newcomer VALUES (2), (3);"
                  "COMMIT");
    assert_true(source_driver_until_rows(&d, 2));
    assert_string_equal(source_driver_lines(&d),
                        "begin\nr public.newcomer #0 first key={\"id\":2} before=- after={\"id\":2}\n"
                        "r public.newcomer #1 last key={\"id\":3} before=- after={\"id\":3}\ncommit\n");
    source_driver_reset(&d);
    pg_server_sql(&server, "DELETE FROM newcomer WHERE id = 2; INSERT INTO r VALUES (1)");
    assert_true(source_driver_until_rows(&d, 2));
    assert_string_equal(source_driver_lines(&d),
                        "begin\nd public.newcomer #0 key={\"id\":2} before={\"id\":2} after=-\n"
                        "c public.r #1 key={\"id\":1} before=- after={\"id\":1}\ncommit\n");
    assert_int_equal(d.known.unread_count, 0);
    clock_fake(-1, 0);
    drop_all(&d);
}

static bool has_unread(const struct source_driver *d)
{
    return d->known.unread_count > 0;
}

static void a_table_that_appears_while_nothing_runs_is_read_also_when_that_is_cut_off(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    open_streaming(&d, "away");
    source_driver_close(&d);
    pg_server_sql(&server,
                  "CREATE TABLE newcomer (id int PRIMARY KEY); INSERT INTO newcomer VALUES (2), (3), (4)");
    source_driver_open(&d);
    assert_true(source_driver_until(&d, has_unread));
    source_driver_close(&d);  // after the state was saved, before anything else
    d.rows_max = 1;
    source_driver_open(&d);
    assert_true(source_driver_until(&d, has_a_row));
    source_driver_close(&d);  // while reading its rows
    d.rows_max = 0;
    source_driver_reset(&d);
    pg_server_sql(&server, "DELETE FROM newcomer WHERE id = 2");
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 3));
    const char *lines = source_driver_lines(&d);
    assert_string_equal(lines,
                        "begin\nd public.newcomer #0 key={\"id\":2} before={\"id\":2} after=-\ncommit\n"
                        "begin\nr public.newcomer #0 first key={\"id\":3} before=- after={\"id\":3}\n"
                        "r public.newcomer #1 last key={\"id\":4} before=- after={\"id\":4}\ncommit\n");
    drop_all(&d);
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
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    open_streaming(&d, "record");
    d.holds_read = true;
    pg_server_sql(&server, "CREATE TABLE one (id int PRIMARY KEY); INSERT INTO one VALUES (1)");
    assert_true(source_driver_until_rows(&d, 1));
    pg_server_sql(&server, "CREATE TABLE two (id int PRIMARY KEY); INSERT INTO two VALUES (2)");
    assert_true(source_driver_until(&d, has_two_unread));  // a kill from now on loses neither
    assert_true(source_driver_until_rows(&d, 2));
    assert_non_null(strstr(source_driver_lines(&d), "r public.two #0 last key={\"id\":2}"));
    pg_server_sql(&server, "INSERT INTO r VALUES (3)");
    assert_true(source_driver_until_rows(&d, 3));
    assert_int_equal(d.known.unread_count, 2);
    d.holds_read = false;
    assert_true(source_driver_until(&d, has_no_unread));
    source_driver_reset(&d);
    pg_server_sql(&server, "CREATE TABLE three (id int PRIMARY KEY); INSERT INTO three VALUES (4)");
    assert_true(source_driver_until_rows(&d, 1));
    assert_string_equal(source_driver_lines(&d), "begin\nr public.three #0 last key={\"id\":4} before=- "
                                                 "after={\"id\":4}\ncommit\n");
    drop_all(&d);
}

static bool is_added(const struct source_driver *d)
{
    (void)d;
    return strcmp(pg_server_ask(&server, "SELECT count(*) FROM pg_publication_tables"), "2") == 0;
}

static void what_an_open_transaction_wrote_before_its_table_was_added_is_read(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    open_streaming(&d, "early");
    PGconn *writer = PQconnectdb(pg_server_dsn(&server));
    PQclear(PQexec(writer, "BEGIN; INSERT INTO r VALUES (1)"));
    pg_server_sql(&server, "CREATE TABLE newcomer (id int PRIMARY KEY)");
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
    drop_all(&d);
}

// The transaction is in the WAL, and no snapshot sees it before show_commits: it waits for a standby.
static void commit_unseen(PGconn *writer, const char *sql)
{
    char waits[128];
    (void)snprintf(waits, sizeof(waits),
                   "SELECT count(*) FROM pg_stat_activity WHERE pid = %d AND wait_event = 'SyncRep'",
                   PQbackendPID(writer));
    pg_server_sql(&server, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    (void)pg_server_ask(&server, "SELECT pg_reload_conf()");
    bool is_unseen = false;
    while (!is_unseen) {  // again until the server has read its settings
        bool is_done = false;
        assert_int_equal(PQsendQuery(writer, sql), 1);
        while (!is_done && !is_unseen) {
            assert_int_equal(PQconsumeInput(writer), 1);
            is_done = PQisBusy(writer) == 0;
            is_unseen = !is_done && strcmp(pg_server_ask(&server, waits), "1") == 0;
        }
        while (is_done) {
            PGresult *result = PQgetResult(writer);
            is_done = result != NULL;
            PQclear(result);
        }
    }
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
    (void)snprintf(u->ended, sizeof(u->ended), "%s", pg_server_ask(&server, "SELECT clock_timestamp()"));
}

static void clear_unseen(struct unseen *u)
{
    show_commits();
    PQfinish(u->holder);
    PQfinish(u->writer);
    drop_all(&u->d);
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
    return strcmp(pg_server_ask(&server, sql), "0") != 0;
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

// A table was added. Its rows are not read, because the first snapshot did not see the holder's transaction.
static void add_newcomer(struct unseen *u, const char *name)
{
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY)");
    open_streaming(&u->d, name);
    u->holder = PQconnectdb(pg_server_dsn(&server));
    u->writer = PQconnectdb(pg_server_dsn(&server));
    PQclear(PQexec(u->holder, "SET synchronous_commit = local"));
    PQclear(PQexec(u->holder, "BEGIN"));
    PQclear(PQexec(u->holder, "INSERT INTO r VALUES (1)"));
    pg_server_sql(&server, "CREATE TABLE newcomer (id int PRIMARY KEY, v int);"
                           "INSERT INTO newcomer VALUES (7, 0)");
    (void)snprintf(u->ended, sizeof(u->ended), "-infinity");
    assert_true(source_driver_until(&u->d, has_given_back_or_read));
    assert_false(has_read_newcomer(&u->d));
}

static void rows_that_are_read_undo_no_change_that_was_given(void **state)
{
    (void)state;
    struct unseen u;
    add_newcomer(&u, "given");
    commit_unseen(u.writer, "UPDATE newcomer SET v = v + 1");
    assert_true(source_driver_until(&u.d, has_a_row));
    end_holder(&u);
    assert_true(source_driver_until(&u.d, has_taken_or_read));
    assert_true(source_driver_until(&u.d, has_given_back_or_read));
    show_commits();
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
    commit_unseen(u.writer, "UPDATE newcomer SET v = v + 1");
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
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY); CREATE TABLE newcomer (id int PRIMARY KEY);"
                           "INSERT INTO newcomer VALUES (4); CREATE PUBLICATION millrace_during FOR TABLE r");
    struct unseen u = {.ended = "-infinity"};
    source_driver_init(&u.d, &pg_source_type, "during", pg_server_dsn(&server));
    u.d.config.snapshot = CONNECTOR_SNAPSHOT_NEVER;
    u.d.config.slot.create = false;
    (void)pg_server_ask(&server, "SELECT pg_create_logical_replication_slot('millrace_during', 'pgoutput')");
    source_driver_open(&u.d);
    assert_true(source_driver_until_phase(&u.d, "streaming"));
    u.holder = PQconnectdb(pg_server_dsn(&server));
    u.writer = PQconnectdb(pg_server_dsn(&server));
    PQclear(PQexec(u.holder, "BEGIN"));
    PQclear(PQexec(u.holder, "ALTER PUBLICATION millrace_during ADD TABLE newcomer"));
    PQclear(PQexec(u.writer, "BEGIN"));
    PQclear(PQexec(u.writer, "INSERT INTO newcomer VALUES (5)"));
    end_holder(&u);
    assert_true(source_driver_until(&u.d, has_given_back_or_read));
    PGresult *done = PQexec(u.writer, "COMMIT");
    assert_int_equal(PQresultStatus(done), PGRES_COMMAND_OK);
    PQclear(done);
    pg_server_sql(&server, "INSERT INTO r VALUES (9)");
    assert_true(source_driver_until(&u.d, has_row_of_r));
    assert_true(source_driver_until(&u.d, has_read_all));
    assert_non_null(strstr(source_driver_lines(&u.d), "public.newcomer #1 last key={\"id\":5}"));
    clear_unseen(&u);
}

static void a_table_that_somebody_adds_to_the_publication_is_read(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY); CREATE TABLE byhand (id int PRIMARY KEY);"
                           "INSERT INTO byhand VALUES (4); CREATE PUBLICATION millrace_hand FOR TABLE r");
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "hand", pg_server_dsn(&server));
    d.config.slot.create = false;
    d.config.snapshot = CONNECTOR_SNAPSHOT_NEVER;
    (void)pg_server_ask(&server, "SELECT pg_create_logical_replication_slot('millrace_hand', 'pgoutput')");
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "streaming"));
    pg_server_sql(&server, "ALTER PUBLICATION millrace_hand ADD TABLE byhand");
    assert_true(source_driver_until_rows(&d, 1));
    assert_non_null(strstr(source_driver_lines(&d), "r public.byhand #0 last key={\"id\":4}"));
    drop_all(&d);
}

static bool waits_for_tables(const struct source_driver *d)
{
    return strcmp(d->phase, "connecting") == 0 && strstr(d->detail, "waits for a table") != NULL;
}

static void a_first_snapshot_of_no_table_waits_for_one(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE PUBLICATION millrace_none; CREATE TABLE bare (v int)");
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "none", pg_server_dsn(&server));
    source_driver_open(&d);
    assert_true(source_driver_until(&d, waits_for_tables));
    assert_non_null(strstr(d.detail, "1 tables match tables.include, but none can be captured"));
    pg_server_sql(&server, "CREATE TABLE late (id int PRIMARY KEY); INSERT INTO late VALUES (1)");
    assert_true(source_driver_until_rows(&d, 1));
    assert_non_null(strstr(source_driver_lines(&d), "r public.late #0 last key={\"id\":1}"));
    assert_true(source_driver_until_phase(&d, "streaming"));
    drop_all(&d);
    // The publication that an administrator created without tables.
    pg_server_sql(&server, "CREATE PUBLICATION millrace_none; CREATE TABLE r (id int PRIMARY KEY);"
                           "INSERT INTO r VALUES (9)");
    source_driver_init(&d, &pg_source_type, "none", pg_server_dsn(&server));
    d.config.slot.create = false;
    assert_true(d.config.snapshot == CONNECTOR_SNAPSHOT_INITIAL);
    d.known = (struct source_state){.is_known = true, .slot = "millrace_none"};
    (void)snprintf(d.known.system_identifier, sizeof(d.known.system_identifier), "%s",
                   pg_server_ask(&server, "SELECT system_identifier FROM pg_control_system()"));
    d.known.timeline = 1;
    (void)pg_server_ask(&server, "SELECT pg_create_logical_replication_slot('millrace_none', 'pgoutput')");
    source_driver_open(&d);
    assert_true(source_driver_until(&d, waits_for_tables));
    assert_non_null(strstr(d.detail, "ALTER PUBLICATION \"millrace_none\" ADD TABLE ONLY \"public\".\"r\";"));
    pg_server_sql(&server, "ALTER PUBLICATION \"millrace_none\" ADD TABLE ONLY \"public\".\"r\"");
    assert_true(source_driver_until_rows(&d, 1));
    drop_all(&d);
}

static bool wants_done(const struct source_driver *d)
{
    return d->has_wanted && d->wanted.is_snapshot_done;
}

static void never_means_the_first_start_and_a_stop_within_it_loses_nothing(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY); INSERT INTO r VALUES (1)");
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "never", pg_server_dsn(&server));
    d.config.snapshot = CONNECTOR_SNAPSHOT_NEVER;
    d.holds_done = true;
    source_driver_open(&d);
    assert_true(source_driver_until(&d, wants_done));
    source_driver_close(&d);  // the slot exists, but the state record does not have it
    d.holds_done = false;
    assert_false(d.known.is_snapshot_done);
    pg_server_sql(&server, "INSERT INTO r VALUES (2)");
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 1));
    assert_string_equal(source_driver_lines(&d),
                        "begin\nc public.r #0 key={\"id\":2} before=- after={\"id\":2}\ncommit\n");
    source_driver_reset(&d);
    pg_server_sql(&server, "CREATE TABLE later (id int PRIMARY KEY); INSERT INTO later VALUES (3)");
    assert_true(source_driver_until_rows(&d, 1));
    assert_non_null(strstr(source_driver_lines(&d), "r public.later #0 last key={\"id\":3}"));
    drop_all(&d);
}

static void partitions_come_under_their_own_names_from_their_first_row(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE part (id int PRIMARY KEY) PARTITION BY RANGE (id);"
                           "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);"
                           "INSERT INTO part VALUES (1)");
    struct source_driver d;
    open_streaming(&d, "parts");
    pg_server_sql(
        &server,
        "CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (10) TO (20); INSERT INTO part VALUES (11)");
    assert_true(source_driver_until_rows(&d, 2));
    assert_non_null(strstr(source_driver_lines(&d), "r public.part_1 #0 last"));
    assert_non_null(strstr(source_driver_lines(&d), "c public.part_2 #0"));
    drop_all(&d);
}

static void open_including(struct source_driver *d, const char *name, const char *include)
{
    source_driver_init(d, &pg_source_type, name, pg_server_dsn(&server));
    text_list_clear(&d->config.tables.include);
    text_list_add(&d->config.tables.include, include);
    source_driver_open(d);
    assert_true(source_driver_until_phase(d, "streaming"));
}

// The same transaction twice, once with table `wide` wanted and once without: its second row has the same id.
static void ids_do_not_depend_on_which_tables_are_wanted(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE wide (id int PRIMARY KEY); ALTER TABLE wide REPLICA IDENTITY FULL;"
                           "CREATE TABLE narrow (id int PRIMARY KEY); INSERT INTO wide VALUES (1), (2)");
    struct source_driver d;
    open_including(&d, "wanted", "public.*");
    assert_true(source_driver_until_rows(&d, 2));
    source_driver_reset(&d);
    d.is_confirming = false;
    pg_server_sql(&server, "UPDATE wide SET id = 11 WHERE id = 1; UPDATE wide SET id = 2 WHERE id = 2;"
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
    drop_all(&d);
}

static void a_change_from_another_server_names_it(void **state)
{
    (void)state;
    pg_server_sql(&server,
                  "CREATE TABLE o (id int PRIMARY KEY); SELECT pg_replication_origin_create('upstream')");
    struct source_driver d;
    open_streaming(&d, "origin");
    pg_server_sql(&server, "SELECT pg_replication_origin_session_setup('upstream')");
    pg_server_sql(&server,
                  "SELECT pg_replication_origin_xact_setup('0/2A', now()); INSERT INTO o VALUES (1)");
    pg_server_sql(&server, "SELECT pg_replication_origin_session_reset()");
    pg_server_sql(&server, "INSERT INTO o VALUES (2)");
    assert_true(source_driver_until_rows(&d, 2));
    assert_string_equal(
        source_driver_lines(&d),
        "begin\nc public.o #0 origin=upstream/42 key={\"id\":1} before=- after={\"id\":1}\ncommit\n"
        "begin\nc public.o #0 key={\"id\":2} before=- after={\"id\":2}\ncommit\n");
    drop_all(&d);
}

static void a_partitioned_table_is_captured_by_its_name_alone(void **state)
{
    (void)state;
    pg_server_sql(&server,
                  "CREATE TABLE part (id int PRIMARY KEY) PARTITION BY RANGE (id);"
                  "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);"
                  "CREATE TABLE deep PARTITION OF part FOR VALUES FROM (20) TO (40) PARTITION BY RANGE (id);"
                  "CREATE TABLE deep_1 PARTITION OF deep FOR VALUES FROM (20) TO (30);"
                  "CREATE TABLE other (id int PRIMARY KEY); INSERT INTO part VALUES (1), (21)");
    struct source_driver d;
    open_including(&d, "exact", "public.part");
    pg_server_sql(
        &server, "CREATE TABLE deep_2 PARTITION OF deep FOR VALUES FROM (30) TO (40);"
                 "INSERT INTO other VALUES (5); INSERT INTO part VALUES (31); DELETE FROM part WHERE id = 1");
    assert_true(source_driver_until_rows(&d, 4));
    assert_string_equal(
        source_driver_lines(&d),
        "begin\nr public.deep_1 #0 first key={\"id\":21} before=- after={\"id\":21}\ncommit\nbegin\n"
        "r public.part_1 #1 last key={\"id\":1} before=- after={\"id\":1}\ncommit\nbegin\n"
        "c public.deep_2 #0 key={\"id\":31} before=- after={\"id\":31}\n"
        "d public.part_1 #1 key={\"id\":1} before={\"id\":1} after=-\ncommit\n");
    drop_all(&d);
}

static void a_publication_by_the_root_gives_the_roots_name(void **state)
{
    (void)state;
    pg_server_sql(&server,
                  "CREATE TABLE part (id int PRIMARY KEY) PARTITION BY RANGE (id);"
                  "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);"
                  "INSERT INTO part VALUES (1);"
                  "CREATE PUBLICATION millrace_root FOR TABLE part WITH (publish_via_partition_root)");
    struct source_driver d;
    open_including(&d, "root", "public.part");
    pg_server_sql(&server, "INSERT INTO part VALUES (2); DELETE FROM part WHERE id = 1");
    assert_true(source_driver_until_rows(&d, 3));
    assert_string_equal(
        source_driver_lines(&d),
        "begin\nr public.part #0 last key={\"id\":1} before=- after={\"id\":1}\ncommit\nbegin\n"
        "c public.part #0 key={\"id\":2} before=- after={\"id\":2}\n"
        "d public.part #1 key={\"id\":1} before={\"id\":1} after=-\ncommit\n");
    drop_all(&d);
}

static void a_table_attached_just_now_is_captured(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE part (id int PRIMARY KEY) PARTITION BY RANGE (id);"
                           "CREATE TABLE later (id int PRIMARY KEY); INSERT INTO later VALUES (1);"
                           "CREATE PUBLICATION millrace_attach FOR ALL TABLES");
    struct source_driver d;
    open_including(&d, "attach", "public.part");
    source_driver_run(&d, 300);  // the catalogue is read, where `later` is a table like any other
    pg_server_sql(&server, "ALTER TABLE part ATTACH PARTITION later FOR VALUES FROM (0) TO (10)");
    pg_server_sql(&server, "INSERT INTO part VALUES (2)");
    assert_true(source_driver_until_rows(&d, 1));
    assert_non_null(strstr(source_driver_lines(&d), "c public.later #0 key={\"id\":2}"));
    drop_all(&d);
}

static void rows_of_a_partition_that_is_gone_by_now_still_come(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE part (id int PRIMARY KEY) PARTITION BY RANGE (id);"
                           "CREATE TABLE old PARTITION OF part FOR VALUES FROM (0) TO (10);"
                           "CREATE TABLE kept PARTITION OF part FOR VALUES FROM (10) TO (20)");
    struct source_driver d;
    open_including(&d, "former", "public.part");
    pg_server_sql(&server, "INSERT INTO part VALUES (1), (11)");
    assert_true(source_driver_until_rows(&d, 2));
    source_driver_close(&d);
    source_driver_reset(&d);
    pg_server_sql(&server, "INSERT INTO part VALUES (2), (12)");
    pg_server_sql(&server, "ALTER TABLE part DETACH PARTITION old; ALTER TABLE part DETACH PARTITION kept;"
                           "DROP TABLE old");
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 2));
    const char *lines = source_driver_lines(&d);
    assert_non_null(strstr(lines, "c public.old #0 key={\"id\":2} before=- after={\"id\":2}\n"));
    assert_non_null(strstr(lines, "c public.kept #1 key={\"id\":12} before=- after={\"id\":12}\n"));
    drop_all(&d);
}

static void partitions_without_identity_keep_their_updates_and_the_others_are_captured(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE part (id int, v text) PARTITION BY RANGE (id);"
                           "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);"
                           "CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (10) TO (20);"
                           "ALTER TABLE part REPLICA IDENTITY FULL; ALTER TABLE part_1 REPLICA IDENTITY FULL;"
                           "CREATE TABLE keyed (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);"
                           "CREATE TABLE keyed_1 PARTITION OF keyed FOR VALUES FROM (0) TO (10);"
                           "CREATE TABLE keyed_2 PARTITION OF keyed FOR VALUES FROM (10) TO (20);"
                           "ALTER TABLE keyed_2 REPLICA IDENTITY NOTHING");
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "bare", pg_server_dsn(&server));
    text_list_add(&d.config.tables.publish_inserts_only, "public.keyed");
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "streaming"));
    pg_server_sql(&server,
                  "INSERT INTO part VALUES (1, 'a'), (11, 'b'); INSERT INTO keyed VALUES (1, 'a'), (11, 'b');"
                  "UPDATE part SET v = 'c'; UPDATE keyed SET v = 'c'; DELETE FROM part; DELETE FROM keyed");
    assert_true(source_driver_until_rows(&d, 7));
    assert_string_equal(
        source_driver_lines(&d),
        "begin\nc public.part_1 #0 key=- before=- after={\"id\":1,\"v\":\"a\"}\n"
        "c public.keyed_1 #1 key={\"id\":1} before=- after={\"id\":1,\"v\":\"a\"}\n"
        "c public.keyed_2 #2 key={\"id\":11} before=- after={\"id\":11,\"v\":\"b\"}\n"
        "u public.part_1 #3 key=- before={\"id\":1,\"v\":\"a\"} after={\"id\":1,\"v\":\"c\"}\n"
        "u public.keyed_1 #5 key={\"id\":1} before=- after={\"id\":1,\"v\":\"c\"}\n"
        "d public.part_1 #6 key=- before={\"id\":1,\"v\":\"c\"} after=-\n"
        "d public.keyed_1 #7 key={\"id\":1} before={\"id\":1,\"v\":null} after=-\ncommit\n");
    drop_all(&d);
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
        &server,
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
    pg_server_sql(&server, sql);
    struct source_driver d;
    open_streaming(&d, "types");
    pg_server_sql(&server, "INSERT INTO types (id) VALUES (2); DELETE FROM types");
    (void)snprintf(sql, sizeof(sql), insert, 1);
    pg_server_sql(&server, sql);
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
    drop_all(&d);
}

static void a_role_without_superuser_needs_only_what_it_is_told(void **state)
{
    (void)state;
    pg_server_sql(
        &server,
        "CREATE ROLE plain LOGIN; CREATE TABLE mine (id int PRIMARY KEY); ALTER TABLE mine OWNER TO plain;"
        "CREATE TABLE theirs (id int PRIMARY KEY)");
    char dsn[256];
    (void)snprintf(dsn, sizeof(dsn), "host=127.0.0.1 port=%d dbname=postgres user=plain", server.port);
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "plain", dsn);
    source_driver_open(&d);
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_CONFIG);
    assert_non_null(strstr(d.fault.text, "REPLICATION"));
    source_driver_close(&d);
    pg_server_sql(&server, "ALTER ROLE plain REPLICATION");
    source_driver_open(&d);
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_CONFIG);
    assert_non_null(strstr(d.fault.text, "CREATE PUBLICATION"));
    source_driver_close(&d);
    pg_server_sql(&server,
                  "GRANT CREATE ON DATABASE postgres TO plain; GRANT USAGE ON SCHEMA public TO plain");
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "streaming"));
    pg_server_sql(&server, "INSERT INTO theirs VALUES (1); INSERT INTO mine VALUES (2)");
    assert_true(source_driver_until_rows(&d, 1));
    assert_non_null(strstr(source_driver_lines(&d), "c public.mine #0"));
    drop_all(&d);
}

static void rows_that_a_policy_hides_are_not_left_out_in_silence(void **state)
{
    (void)state;
    pg_server_sql(
        &server,
        "CREATE ROLE narrow LOGIN REPLICATION; GRANT CREATE ON DATABASE postgres TO narrow;"
        "CREATE TABLE before_it (id int PRIMARY KEY); INSERT INTO before_it VALUES (1);"
        "CREATE TABLE tenants (id int PRIMARY KEY, tenant text);"
        "INSERT INTO tenants VALUES (1, 'a'), (2, 'b'); ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY only_a ON tenants USING (tenant = 'a');"
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO narrow; GRANT USAGE ON SCHEMA public TO narrow;"
        "CREATE PUBLICATION millrace_policy FOR TABLE before_it, tenants");
    char dsn[256];
    (void)snprintf(dsn, sizeof(dsn), "host=127.0.0.1 port=%d dbname=postgres user=narrow", server.port);
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "policy", dsn);
    source_driver_open(&d);
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_CONFIG);
    assert_non_null(strstr(d.fault.text, "public.tenants has row-level security"));
    assert_non_null(strstr(d.fault.text, "ALTER ROLE \"narrow\" BYPASSRLS;"));
    assert_int_equal(d.rows, 0);
    source_driver_close(&d);
    pg_server_sql(&server, "ALTER ROLE narrow BYPASSRLS");
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 3));
    assert_non_null(strstr(source_driver_lines(&d), "r public.tenants #2 last key={\"id\":2}"));
    drop_all(&d);
}

static void what_is_refused_says_how_to_mend_it(void **state)
{
    (void)state;
    char dsn[256];
    (void)snprintf(dsn, sizeof(dsn), "host=127.0.0.1 port=%d dbname=nowhere user=millrace", server.port);
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "refused", dsn);
    source_driver_open(&d);
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_CONFIG);
    assert_non_null(strstr(d.fault.text, "check dbname"));
    source_driver_clear(&d);
    (void)snprintf(dsn, sizeof(dsn), "%s options='-c nonsense=1'", pg_server_dsn(&server));
    source_driver_init(&d, &pg_source_type, "refused", dsn);
    source_driver_open(&d);
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_CONFIG);
    assert_non_null(strstr(d.fault.text, "check options in postgres.dsn"));
    source_driver_clear(&d);
    source_driver_init(&d, &pg_source_type, "refused", "host=127.0.0.1 port=1 dbname=postgres");
    source_driver_open(&d);
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_RETRY);
    source_driver_clear(&d);
    source_driver_init(&d, &pg_source_type, "refused", pg_server_dsn(&server));
    d.config.slot.create = false;
    source_driver_open(&d);
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_CONFIG);
    assert_non_null(
        strstr(d.fault.text, "SELECT pg_create_logical_replication_slot('millrace_refused', 'pgoutput');"));
    source_driver_clear(&d);
}

// A host that accepts connections and sends nothing, like one behind a broken network.
static int silent_listener(int *ret_port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

// How often somebody connected since the last time.
static int count_connections(int listener)
{
    int count = 0;
    for (int fd = accept(listener, NULL, NULL); fd >= 0; fd = accept(listener, NULL, NULL)) {
        (void)close(fd);
        count++;
    }
    return count;
}

static void a_host_that_does_not_answer_is_passed_over(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY)");
    int port = 0;
    int fd = silent_listener(&port);
    char dsn[256];
    static const char *const hosts[] = {"host=127.0.0.1,localhost", "hostaddr=127.0.0.1,127.0.0.1"};
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        (void)snprintf(dsn, sizeof(dsn),
                       "%s port=%d,%d dbname=postgres user=millrace connect_timeout=1 "
                       "target_session_attrs=read-write",
                       hosts[i], port, server.port);
        struct source_driver d;
        source_driver_init(&d, &pg_source_type, "hosts", dsn);
        source_driver_open(&d);
        assert_true(source_driver_until_phase(&d, "streaming"));
        assert_true(count_connections(fd) > 0);
        // The next time the address that worked is tried first.
        source_driver_close(&d);
        d.phase[0] = '\0';
        source_driver_open(&d);
        assert_true(source_driver_until_phase(&d, "streaming"));
        assert_int_equal(count_connections(fd), 0);
        drop_all(&d);
        pg_server_sql(&server, "CREATE TABLE r (id int PRIMARY KEY)");
    }
    struct source_driver d;
    (void)snprintf(dsn, sizeof(dsn), "host=127.0.0.1,127.0.0.1 port=%d,1 connect_timeout=1", port);
    source_driver_init(&d, &pg_source_type, "hosts", dsn);
    source_driver_open(&d);
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_RETRY);
    assert_non_null(strstr(d.fault.text, "PostgreSQL at 127.0.0.1 did not respond within 1 s"));
    assert_non_null(strstr(d.fault.text, "Connection refused"));
    drop_all(&d);
    (void)close(fd);
}

static bool has_lost(const struct source_driver *d)
{
    return d->has_fault || d->has_ended;
}

static void a_server_that_stops_and_comes_back_is_a_retry(void **state)
{
    (void)state;
    pg_server_sql(&server, "CREATE TABLE quiet (id int PRIMARY KEY)");
    struct source_driver d;
    open_streaming(&d, "restart");
    pg_server_shut_down(&server);
    // The end is noticed by what the server sends, and not by a limit on silence: the clock stands still.
    clock_fake(clock_now_us(), clock_wall_us());
    assert_true(source_driver_until(&d, has_lost));
    clock_fake(-1, 0);
    assert_true(d.has_ended || d.fault.kind == FAULT_RETRY);
    source_driver_close(&d);  // else the server waits wal_sender_timeout for its walsender
    pg_server_restart(&server, "log_statement=none");
    source_driver_open(&d);
    d.phase[0] = '\0';
    assert_true(source_driver_until_phase(&d, "streaming"));
    drop_all(&d);
    pg_server_restart(&server, "wal_level=replica");
    source_driver_init(&d, &pg_source_type, "level", pg_server_dsn(&server));
    source_driver_open(&d);
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_CONFIG);
    assert_non_null(strstr(d.fault.text, "ALTER SYSTEM SET wal_level = 'logical'"));
    source_driver_clear(&d);
}

static int start_server(void **state)
{
    (void)state;
    pg_server_start(&server);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    pg_server_stop(&server);
    return 0;
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_are_there_come_first_and_then_the_stream),
        cmocka_unit_test(updates_deletes_and_key_changes_look_like_debezium),
        cmocka_unit_test(a_replica_identity_over_an_index_is_the_key_also_beside_a_primary_key),
        cmocka_unit_test(a_table_without_identity_is_left_out_and_its_inserts_can_be_had),
        cmocka_unit_test(inserts_only_may_be_asked_for_later),
        cmocka_unit_test(a_changed_table_gets_a_new_version_and_only_then),
        cmocka_unit_test(relations_that_are_all_described_anew_cost_one_query),
        cmocka_unit_test(a_null_of_the_past_survives_a_not_null_of_now),
        cmocka_unit_test(a_value_that_no_record_can_hold_is_a_bad_row_and_the_stream_goes_on),
        cmocka_unit_test(a_bad_old_image_withholds_nothing_but_itself),
        cmocka_unit_test(a_bad_row_that_changes_its_key_deletes_the_old_one),
        cmocka_unit_test(after_reopening_the_stream_goes_on_from_what_was_confirmed),
        cmocka_unit_test(a_slot_that_went_back_is_followed),
        cmocka_unit_test(a_history_that_is_not_the_one_that_was_read_stops_the_connector),
        cmocka_unit_test(a_slot_that_was_made_again_or_advanced_is_not_used_as_if_nothing_were),
        cmocka_unit_test(a_slot_dropped_behind_our_back_is_not_made_again),
        cmocka_unit_test(a_dropped_publication_stops_the_stream_with_what_to_type),
        cmocka_unit_test(an_unfinished_snapshot_keeps_its_slot_and_the_deletes_since),
        cmocka_unit_test(a_snapshot_holds_up_no_other_slot),
        cmocka_unit_test(a_second_copy_waits_for_the_slot_and_takes_over),
        cmocka_unit_test(a_second_copy_stays_away_from_the_slot_of_a_running_snapshot),
        cmocka_unit_test(a_slot_that_something_else_uses_is_waited_for_and_looked_at_anew),
        cmocka_unit_test(what_a_dead_machine_left_behind_is_ended),
        cmocka_unit_test(the_loss_of_one_session_is_the_loss_of_both),
        cmocka_unit_test(a_table_that_is_locked_holds_up_no_change),
        cmocka_unit_test(tables_that_appear_are_read_before_the_record_of_earlier_ones_is_saved),
        cmocka_unit_test(an_idle_database_moves_the_slot),
        cmocka_unit_test(a_paused_source_gives_nothing_and_then_everything),
        cmocka_unit_test(a_table_that_appears_is_read_and_captured),
        cmocka_unit_test(a_table_that_appears_while_nothing_runs_is_read_also_when_that_is_cut_off),
        cmocka_unit_test(what_an_open_transaction_wrote_before_its_table_was_added_is_read),
        cmocka_unit_test(rows_that_are_read_undo_no_change_that_was_given),
        cmocka_unit_test(rows_are_read_before_a_change_that_their_snapshot_does_not_see),
        cmocka_unit_test(what_was_written_while_a_table_was_being_added_is_read),
        cmocka_unit_test(a_table_that_somebody_adds_to_the_publication_is_read),
        cmocka_unit_test(a_first_snapshot_of_no_table_waits_for_one),
        cmocka_unit_test(never_means_the_first_start_and_a_stop_within_it_loses_nothing),
        cmocka_unit_test(partitions_come_under_their_own_names_from_their_first_row),
        cmocka_unit_test(ids_do_not_depend_on_which_tables_are_wanted),
        cmocka_unit_test(a_change_from_another_server_names_it),
        cmocka_unit_test(a_partitioned_table_is_captured_by_its_name_alone),
        cmocka_unit_test(a_publication_by_the_root_gives_the_roots_name),
        cmocka_unit_test(a_table_attached_just_now_is_captured),
        cmocka_unit_test(rows_of_a_partition_that_is_gone_by_now_still_come),
        cmocka_unit_test(partitions_without_identity_keep_their_updates_and_the_others_are_captured),
        cmocka_unit_test(every_type_reads_the_same_from_snapshot_and_stream),
        cmocka_unit_test(a_role_without_superuser_needs_only_what_it_is_told),
        cmocka_unit_test(rows_that_a_policy_hides_are_not_left_out_in_silence),
        cmocka_unit_test(what_is_refused_says_how_to_mend_it),
        cmocka_unit_test(a_host_that_does_not_answer_is_passed_over),
        cmocka_unit_test(a_server_that_stops_and_comes_back_is_a_retry),
    };
    for (size_t i = 0; i < COUNT_OF(tests); i++) {
        tests[i].setup_func = start_clean;
    }
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
