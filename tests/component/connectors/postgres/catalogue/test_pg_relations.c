// Which tables are captured and under which definitions, against a real server: publications, versions,
// partitions.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>

#include "core/base/clock.h"
#include "tests/component/connectors/postgres/source_case.h"

static void a_table_without_identity_is_left_out_and_its_inserts_can_be_had(void **state)
{
    (void)state;
    pg_server_sql(
        &source_case_server,
        "CREATE TABLE keyless (v int); CREATE TABLE logged (v int); CREATE TABLE k (id int PRIMARY KEY);"
        "CREATE UNLOGGED TABLE u (id int PRIMARY KEY)");
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "keyless", pg_server_dsn(&source_case_server));
    text_list_add(&d.config.tables.publish_inserts_only, "public.logged");
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "streaming"));
    pg_server_sql(&source_case_server,
                  "INSERT INTO keyless VALUES (1); UPDATE keyless SET v = 2; INSERT INTO logged VALUES (3);"
                  "UPDATE logged SET v = 4; INSERT INTO k VALUES (5)");
    assert_true(source_driver_until_rows(&d, 2));
    assert_string_equal(source_driver_lines(&d),
                        "begin\nc public.logged #0 key=- before=- after={\"v\":3}\n"
                        "c public.k #1 key={\"id\":5} before=- after={\"id\":5}\ncommit\n");
    source_case_close(&d);
}

// The second publication is made while the slot has changes from before.
static void inserts_only_may_be_asked_for_later(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE logged (v int); CREATE TABLE k (id int PRIMARY KEY)");
    struct source_driver d;
    source_case_open(&d, "later");
    source_driver_close(&d);
    pg_server_sql(&source_case_server, "INSERT INTO k VALUES (1); INSERT INTO logged VALUES (2)");
    source_driver_clear(&d);
    struct source_state known = d.known;
    source_driver_init(&d, &pg_source_type, "later", pg_server_dsn(&source_case_server));
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
    pg_server_sql(&source_case_server, "INSERT INTO logged VALUES (3)");
    assert_true(source_driver_until_rows(&d, 3));
    const char *lines = source_driver_lines(&d);
    assert_non_null(strstr(lines, "c public.k #0 key={\"id\":1}"));
    assert_non_null(strstr(lines, "r public.logged #0 first key=- before=- after={\"v\":2}"));
    assert_non_null(strstr(lines, "after={\"v\":3}"));
    source_case_close(&d);
}

static void a_changed_table_gets_a_new_version_and_only_then(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE v (id int PRIMARY KEY, a int)");
    struct source_driver d;
    source_case_open(&d, "version");
    pg_server_sql(&source_case_server, "INSERT INTO v VALUES (1, 2); ANALYZE v");
    pg_server_sql(&source_case_server, "INSERT INTO v VALUES (2, 3)");
    pg_server_sql(&source_case_server,
                  "ALTER TABLE v ADD b text DEFAULT 'new' NOT NULL; INSERT INTO v VALUES (3, 4, 'z')");
    pg_server_sql(
        &source_case_server,
        "ALTER TABLE v RENAME a TO c; ALTER TABLE v ALTER id TYPE bigint; UPDATE v SET c = 9 WHERE id = 3");
    assert_true(source_driver_until_rows(&d, 4));
    assert_non_null(strstr(source_driver_lines(&d), "after={\"id\":2,\"a\":3}\n"));
    assert_non_null(strstr(source_driver_lines(&d), "after={\"id\":3,\"a\":4,\"b\":\"z\"}\n"));
    assert_non_null(strstr(source_driver_lines(&d), "u public.v #"));
    assert_non_null(strstr(source_driver_lines(&d), "after={\"id\":3,\"c\":9,\"b\":\"z\"}\n"));
    source_case_close(&d);
}

// The Relation message does not tell it, nor NOT NULL and defaults.
static void a_primary_key_that_is_added_just_after_the_start_is_known_at_the_next_row(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE v (a int NOT NULL, b int NOT NULL);"
                                       "ALTER TABLE v REPLICA IDENTITY FULL");
    struct source_driver d;
    source_case_open(&d, "fresh");
    pg_server_sql(&source_case_server, "ALTER TABLE v ADD PRIMARY KEY (b, a)");
    pg_server_sql(&source_case_server, "INSERT INTO v VALUES (1, 2)");
    assert_true(source_driver_until_rows(&d, 1));
    assert_non_null(strstr(source_driver_lines(&d), "key={\"b\":2,\"a\":1}"));
    source_case_close(&d);
}

struct hidden {
    struct source_driver d;
    PGconn *spare;
    PGconn *writer;
    char begun[64];  // before the transaction
};

// A transaction changes a table's definition and is in the WAL, but a synchronous standby that does not
// confirm it keeps it from being visible. The connector has asked for the definition.
static bool has_asked(const struct source_driver *d)
{
    const struct hidden *h = CONTAINER_OF(d, struct hidden, d);
    char sql[512];
    (void)snprintf(sql, sizeof(sql),
                   "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'millrace' AND"
                   " backend_type = 'client backend' AND query LIKE 'SELECT pg_current_snapshot%%' AND"
                   " query_start > '%s'",
                   h->begun);
    return strcmp(pg_server_ask(&source_case_server, sql), "0") != 0;
}

static void until_asked(struct hidden *h)
{
    (void)snprintf(h->begun, sizeof(h->begun), "%s",
                   pg_server_ask(&source_case_server, "SELECT clock_timestamp()"));
    assert_true(source_driver_until(&h->d, has_asked));
}

static void hide_a_key(struct hidden *h, const char *name)
{
    pg_server_sql(&source_case_server, "CREATE TABLE v (a int NOT NULL, b int NOT NULL);"
                                       "ALTER TABLE v REPLICA IDENTITY FULL");
    source_case_open(&h->d, name);
    h->spare = PQconnectdb(pg_server_dsn(&source_case_server));
    h->writer = PQconnectdb(pg_server_dsn(&source_case_server));
    source_case_commit_unseen(h->spare, "SELECT pg_logical_emit_message(true, 'spare', '')");
    bool has_settings = false;
    while (!has_settings) {
        PGresult *shown = PQexec(h->writer, "SHOW synchronous_standby_names");
        has_settings = strcmp(PQgetvalue(shown, 0, 0), "nobody") == 0;
        PQclear(shown);
    }
    (void)snprintf(h->begun, sizeof(h->begun), "%s",
                   pg_server_ask(&source_case_server, "SELECT clock_timestamp()"));
    assert_int_equal(PQsendQuery(h->writer, "ALTER TABLE v ADD PRIMARY KEY (b, a);"
                                            "INSERT INTO v VALUES (1, 2)"),
                     1);
    assert_true(source_driver_until(&h->d, has_asked));
}

static void clear_hidden(struct hidden *h)
{
    PQfinish(h->spare);
    PQfinish(h->writer);
    source_case_close(&h->d);
}

static void a_definition_is_read_when_its_transaction_is_visible(void **state)
{
    (void)state;
    struct hidden h;
    hide_a_key(&h, "hidden");
    assert_int_equal(h.d.rows, 0);
    source_case_show_commits();
    assert_true(source_driver_until_rows(&h.d, 1));
    assert_non_null(strstr(source_driver_lines(&h.d), "key={\"b\":2,\"a\":1}"));
    clear_hidden(&h);
}

static bool is_given(const struct source_driver *d)
{
    return d->rows == 1;
}

static void a_transaction_that_stays_hidden_does_not_stop_the_stream_for_ever(void **state)
{
    (void)state;
    struct hidden h;
    hide_a_key(&h, "for_ever");
    until_asked(&h);  // again: it has read the first answer
    clock_fake(clock_now_us() + 61 * CLOCK_US_PER_S, clock_wall_us());
    assert_true(source_driver_until(&h.d, is_given));
    assert_non_null(strstr(source_driver_lines(&h.d), "key=- "));
    source_case_show_commits();
    assert_true(source_driver_until_fault(&h.d));
    assert_true(h.d.has_restart);
    assert_int_equal(h.d.fault.kind, FAULT_RETRY);
    assert_non_null(strstr(h.d.fault.text, "is visible now"));
    clock_fake(-1, 0);
    source_driver_close(&h.d);
    source_driver_reset(&h.d);
    source_driver_open(&h.d);
    pg_server_sql(&source_case_server, "INSERT INTO v VALUES (3, 4)");
    assert_true(source_driver_until_rows(&h.d, 1));
    assert_non_null(strstr(source_driver_lines(&h.d), "key={\"b\":4,\"a\":3}"));
    clear_hidden(&h);
}

static bool has_streamed(const struct source_driver *d)
{
    return d->opened == 2 && strcmp(d->phase, "streaming") == 0 && d->prepared.size > 0;
}

// The registry must get a table's versions in their order, and the catalogue has only the newest one.
static void versions_are_made_before_their_first_row_unless_the_stream_may_have_older_ones(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server,
                  "CREATE TABLE kept (id int PRIMARY KEY); CREATE TABLE altered (id int PRIMARY KEY);"
                  "CREATE TABLE dropped (id int PRIMARY KEY, a int)");
    struct source_driver d;
    source_case_open(&d, "early");
    assert_non_null(strstr(bytes_text(&d.prepared), "kept:1\n"));
    assert_non_null(strstr(bytes_text(&d.prepared), "altered:1\n"));
    assert_non_null(strstr(bytes_text(&d.prepared), "dropped:2\n"));
    assert_int_equal(d.rows, 0);
    source_driver_close(&d);
    pg_server_sql(&source_case_server, "INSERT INTO altered VALUES (1);"
                                       "ALTER TABLE altered ADD a int; ALTER TABLE altered ADD b int;"
                                       "ALTER TABLE dropped DROP a");
    bytes_reset(&d.prepared);
    source_driver_reset(&d);
    source_driver_open(&d);
    assert_true(source_driver_until(&d, has_streamed));
    assert_string_equal(bytes_text(&d.prepared), "kept:1\n");
    assert_true(source_driver_until_rows(&d, 1));
    assert_non_null(strstr(source_driver_lines(&d), "after={\"id\":1}\n"));
    source_case_close(&d);
}

// The number of queries for the catalogue's columns, from the server's log.
static int count_catalogue_reads(void)
{
    static const char QUERY[] = "a.atttypmod, a.attnotnull";
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/log", source_case_server.folder);
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

// Their first rows come in transactions of their own, which the catalogue of the start is too old for.
static void tables_whose_first_rows_come_one_by_one_do_not_cost_a_query_each(void **state)
{
    (void)state;
    enum { TABLES = 60 };
    pg_server_sql(&source_case_server, "ALTER ROLE millrace SET log_statement = 'all'");
    for (int i = 0; i < TABLES; i++) {
        char sql[64];
        (void)snprintf(sql, sizeof(sql), "CREATE TABLE one%d (id serial PRIMARY KEY)", i);
        pg_server_sql(&source_case_server, sql);
    }
    struct source_driver d;
    source_case_open(&d, "one");
    int before = count_catalogue_reads();
    for (int i = 0; i < TABLES; i++) {
        char sql[64];
        (void)snprintf(sql, sizeof(sql), "INSERT INTO one%d DEFAULT VALUES", i);
        pg_server_sql(&source_case_server, sql);
    }
    assert_true(source_driver_until_rows(&d, TABLES));
    int reads = count_catalogue_reads() - before;
    print_message("%d reads of the catalogue for %d relations\n", reads, TABLES);
    assert_in_range(reads, 1, 6);
    source_case_close(&d);
}

static void relations_that_are_all_described_anew_cost_few_queries(void **state)
{
    (void)state;
    enum { TABLES = 30 };
    char insert[TABLES * 40] = "";
    pg_server_sql(&source_case_server, "ALTER ROLE millrace SET log_statement = 'all'");
    for (int i = 0; i < TABLES; i++) {
        char sql[64];
        (void)snprintf(sql, sizeof(sql), "CREATE TABLE storm%d (id serial PRIMARY KEY)", i);
        pg_server_sql(&source_case_server, sql);
        (void)snprintf(insert + strlen(insert), 40, "INSERT INTO storm%d DEFAULT VALUES;", i);
    }
    struct source_driver d;
    source_case_open(&d, "storm");
    pg_server_sql(&source_case_server, insert);
    assert_true(source_driver_until_rows(&d, TABLES));
    source_driver_reset(&d);
    int before = count_catalogue_reads();
    pg_server_sql(&source_case_server,
                  "ALTER PUBLICATION millrace_storm SET (publish = 'insert, update, delete')");
    pg_server_sql(&source_case_server, insert);
    assert_true(source_driver_until_rows(&d, TABLES));
    int reads = count_catalogue_reads() - before;
    print_message("%d reads of the catalogue for %d relations\n", reads, TABLES);
    assert_in_range(reads, 1, 5);
    source_case_close(&d);
}

// From PostgreSQL 16 on, listing the tables waits for a lock on any of them; here it waits for one on the
// list.
static void a_lock_that_hinders_listing_the_tables_is_tried_once_for_many_relations(void **state)
{
    (void)state;
    enum { TABLES = 10 };
    char insert[TABLES * 40] = "";
    pg_server_sql(&source_case_server, "ALTER ROLE millrace SET log_statement = 'all'");
    for (int i = 0; i < TABLES; i++) {
        char sql[64];
        (void)snprintf(sql, sizeof(sql), "CREATE TABLE held%d (id serial PRIMARY KEY)", i);
        pg_server_sql(&source_case_server, sql);
        (void)snprintf(insert + strlen(insert), 40, "INSERT INTO held%d DEFAULT VALUES;", i);
    }
    struct source_driver d;
    source_case_open(&d, "held");
    pg_server_sql(&source_case_server, insert);
    assert_true(source_driver_until_rows(&d, TABLES));
    source_driver_reset(&d);
    clock_fake(clock_now_us() + 2 * CLOCK_US_PER_S, clock_wall_us());
    PGconn *holder = PQconnectdb(pg_server_dsn(&source_case_server));
    PGresult *locked =
        PQexec(holder, "SET allow_system_table_mods = on; BEGIN; "
                       "ALTER VIEW pg_catalog.pg_publication_tables SET (security_barrier = true)");
    assert_int_equal(PQresultStatus(locked), PGRES_COMMAND_OK);
    PQclear(locked);
    int before = count_catalogue_reads();
    pg_server_sql(&source_case_server,
                  "ALTER PUBLICATION millrace_held SET (publish = 'insert, update, delete')");
    pg_server_sql(&source_case_server, insert);
    assert_true(source_driver_until_rows(&d, TABLES));
    PQfinish(holder);
    // The log has the statement that failed a second time, beside its error.
    assert_in_range(count_catalogue_reads() - before, TABLES, TABLES + 2);
    clock_fake(-1, 0);
    source_case_close(&d);
}

static void a_null_of_the_past_survives_a_not_null_of_now(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE w (id int PRIMARY KEY, a int)");
    struct source_driver d;
    source_case_open(&d, "widen");
    source_driver_close(&d);
    pg_server_sql(&source_case_server, "INSERT INTO w VALUES (1, NULL)");
    pg_server_sql(&source_case_server, "UPDATE w SET a = 0; ALTER TABLE w ALTER a SET NOT NULL");
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 2));
    assert_non_null(strstr(source_driver_lines(&d), "after={\"id\":1,\"a\":null}\n"));
    source_case_close(&d);
}

static void partitions_come_under_their_own_names_from_their_first_row(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE part (id int PRIMARY KEY) PARTITION BY RANGE (id);"
                                       "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);"
                                       "INSERT INTO part VALUES (1)");
    struct source_driver d;
    source_case_open(&d, "parts");
    pg_server_sql(
        &source_case_server,
        "CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (10) TO (20); INSERT INTO part VALUES (11)");
    assert_true(source_driver_until_rows(&d, 2));
    assert_non_null(strstr(source_driver_lines(&d), "r public.part_1 #0 last"));
    assert_non_null(strstr(source_driver_lines(&d), "c public.part_2 #0"));
    source_case_close(&d);
}

static void a_partitioned_table_is_captured_by_its_name_alone(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server,
                  "CREATE TABLE part (id int PRIMARY KEY) PARTITION BY RANGE (id);"
                  "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);"
                  "CREATE TABLE deep PARTITION OF part FOR VALUES FROM (20) TO (40) PARTITION BY RANGE (id);"
                  "CREATE TABLE deep_1 PARTITION OF deep FOR VALUES FROM (20) TO (30);"
                  "CREATE TABLE other (id int PRIMARY KEY); INSERT INTO part VALUES (1), (21)");
    struct source_driver d;
    source_case_open_including(&d, "exact", "public.part");
    pg_server_sql(
        &source_case_server,
        "CREATE TABLE deep_2 PARTITION OF deep FOR VALUES FROM (30) TO (40);"
        "INSERT INTO other VALUES (5); INSERT INTO part VALUES (31); DELETE FROM part WHERE id = 1");
    assert_true(source_driver_until_rows(&d, 4));
    assert_string_equal(
        source_driver_lines(&d),
        "begin\nr public.deep_1 #0 first key={\"id\":21} before=- after={\"id\":21}\ncommit\nbegin\n"
        "r public.part_1 #1 last key={\"id\":1} before=- after={\"id\":1}\ncommit\nbegin\n"
        "c public.deep_2 #0 key={\"id\":31} before=- after={\"id\":31}\n"
        "d public.part_1 #1 key={\"id\":1} before={\"id\":1} after=-\ncommit\n");
    source_case_close(&d);
}

static void a_publication_by_the_root_gives_the_roots_name(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server,
                  "CREATE TABLE part (id int PRIMARY KEY) PARTITION BY RANGE (id);"
                  "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);"
                  "INSERT INTO part VALUES (1);"
                  "CREATE PUBLICATION millrace_root FOR TABLE part WITH (publish_via_partition_root)");
    struct source_driver d;
    source_case_open_including(&d, "root", "public.part");
    pg_server_sql(&source_case_server, "INSERT INTO part VALUES (2); DELETE FROM part WHERE id = 1");
    assert_true(source_driver_until_rows(&d, 3));
    assert_string_equal(
        source_driver_lines(&d),
        "begin\nr public.part #0 last key={\"id\":1} before=- after={\"id\":1}\ncommit\nbegin\n"
        "c public.part #0 key={\"id\":2} before=- after={\"id\":2}\n"
        "d public.part #1 key={\"id\":1} before={\"id\":1} after=-\ncommit\n");
    source_case_close(&d);
}

static void a_table_attached_just_now_is_captured(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server,
                  "CREATE TABLE part (id int PRIMARY KEY) PARTITION BY RANGE (id);"
                  "CREATE TABLE later (id int PRIMARY KEY); INSERT INTO later VALUES (1);"
                  "CREATE PUBLICATION millrace_attach FOR ALL TABLES");
    struct source_driver d;
    source_case_open_including(&d, "attach", "public.part");
    source_driver_run(&d, 300);  // the catalogue is read, where `later` is a table like any other
    pg_server_sql(&source_case_server, "ALTER TABLE part ATTACH PARTITION later FOR VALUES FROM (0) TO (10)");
    pg_server_sql(&source_case_server, "INSERT INTO part VALUES (2)");
    assert_true(source_driver_until_rows(&d, 1));
    assert_non_null(strstr(source_driver_lines(&d), "c public.later #0 key={\"id\":2}"));
    source_case_close(&d);
}

static void rows_of_a_partition_that_is_gone_by_now_still_come(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE part (id int PRIMARY KEY) PARTITION BY RANGE (id);"
                                       "CREATE TABLE old PARTITION OF part FOR VALUES FROM (0) TO (10);"
                                       "CREATE TABLE kept PARTITION OF part FOR VALUES FROM (10) TO (20)");
    struct source_driver d;
    source_case_open_including(&d, "former", "public.part");
    pg_server_sql(&source_case_server, "INSERT INTO part VALUES (1), (11)");
    assert_true(source_driver_until_rows(&d, 2));
    source_driver_close(&d);
    source_driver_reset(&d);
    pg_server_sql(&source_case_server, "INSERT INTO part VALUES (2), (12)");
    pg_server_sql(&source_case_server,
                  "ALTER TABLE part DETACH PARTITION old; ALTER TABLE part DETACH PARTITION kept;"
                  "DROP TABLE old");
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 2));
    const char *lines = source_driver_lines(&d);
    assert_non_null(strstr(lines, "c public.old #0 key={\"id\":2} before=- after={\"id\":2}\n"));
    assert_non_null(strstr(lines, "c public.kept #1 key={\"id\":12} before=- after={\"id\":12}\n"));
    source_case_close(&d);
}

// Both are chosen by the name of the partitioned table, which the catalogue does not tell any more.
static void columns_of_a_partition_that_is_gone_by_now_are_masked_and_left_out(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server,
                  "CREATE TABLE part (id int PRIMARY KEY, a text, b text) PARTITION BY RANGE (id);"
                  "CREATE TABLE old PARTITION OF part FOR VALUES FROM (0) TO (10);"
                  "CREATE TABLE kept PARTITION OF part FOR VALUES FROM (10) TO (20)");
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "masked", pg_server_dsn(&source_case_server));
    text_pairs_set(&d.config.columns.mask, "public.part.a", "***");
    text_list_add(&d.config.columns.exclude, "public.part.b");
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "streaming"));
    pg_server_sql(&source_case_server, "INSERT INTO part VALUES (1, 'secret', 'out'), (11, 'secret', 'out')");
    assert_true(source_driver_until_rows(&d, 2));
    source_driver_close(&d);
    source_driver_reset(&d);
    pg_server_sql(&source_case_server, "INSERT INTO part VALUES (2, 'secret', 'out'), (12, 'secret', 'out')");
    pg_server_sql(&source_case_server,
                  "ALTER TABLE part DETACH PARTITION old; ALTER TABLE part DETACH PARTITION kept;"
                  "DROP TABLE old");
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 2));
    const char *lines = source_driver_lines(&d);
    assert_non_null(
        strstr(lines, "c public.old #0 key={\"id\":2} before=- after={\"id\":2,\"a\":\"***\"}\n"));
    assert_non_null(
        strstr(lines, "c public.kept #1 key={\"id\":12} before=- after={\"id\":12,\"a\":\"***\"}\n"));
    source_case_close(&d);
}

static void partitions_without_identity_keep_their_updates_and_the_others_are_captured(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server,
                  "CREATE TABLE part (id int, v text) PARTITION BY RANGE (id);"
                  "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);"
                  "CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (10) TO (20);"
                  "ALTER TABLE part REPLICA IDENTITY FULL; ALTER TABLE part_1 REPLICA IDENTITY FULL;"
                  "CREATE TABLE keyed (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);"
                  "CREATE TABLE keyed_1 PARTITION OF keyed FOR VALUES FROM (0) TO (10);"
                  "CREATE TABLE keyed_2 PARTITION OF keyed FOR VALUES FROM (10) TO (20);"
                  "ALTER TABLE keyed_2 REPLICA IDENTITY NOTHING");
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "bare", pg_server_dsn(&source_case_server));
    text_list_add(&d.config.tables.publish_inserts_only, "public.keyed");
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "streaming"));
    pg_server_sql(&source_case_server,
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
    source_case_close(&d);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_without_identity_is_left_out_and_its_inserts_can_be_had),
        cmocka_unit_test(inserts_only_may_be_asked_for_later),
        cmocka_unit_test(a_changed_table_gets_a_new_version_and_only_then),
        cmocka_unit_test(a_primary_key_that_is_added_just_after_the_start_is_known_at_the_next_row),
        cmocka_unit_test(a_definition_is_read_when_its_transaction_is_visible),
        cmocka_unit_test(a_transaction_that_stays_hidden_does_not_stop_the_stream_for_ever),
        cmocka_unit_test(versions_are_made_before_their_first_row_unless_the_stream_may_have_older_ones),
        cmocka_unit_test(tables_whose_first_rows_come_one_by_one_do_not_cost_a_query_each),
        cmocka_unit_test(relations_that_are_all_described_anew_cost_few_queries),
        cmocka_unit_test(a_lock_that_hinders_listing_the_tables_is_tried_once_for_many_relations),
        cmocka_unit_test(a_null_of_the_past_survives_a_not_null_of_now),
        cmocka_unit_test(partitions_come_under_their_own_names_from_their_first_row),
        cmocka_unit_test(a_partitioned_table_is_captured_by_its_name_alone),
        cmocka_unit_test(a_publication_by_the_root_gives_the_roots_name),
        cmocka_unit_test(a_table_attached_just_now_is_captured),
        cmocka_unit_test(rows_of_a_partition_that_is_gone_by_now_still_come),
        cmocka_unit_test(columns_of_a_partition_that_is_gone_by_now_are_masked_and_left_out),
        cmocka_unit_test(partitions_without_identity_keep_their_updates_and_the_others_are_captured),
    };
    return source_case_run(tests, COUNT_OF(tests));
}
