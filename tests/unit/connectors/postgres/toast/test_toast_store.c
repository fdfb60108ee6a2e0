// connectors/postgres/toast/toast_store: what was the value of a row's column as of a position?
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "connectors/postgres/toast/toast_store.h"

static char root[64];
static char *directory;
static struct toast_store *store;
static struct fault fault;

static const struct toast_key NOTE = {.table = 7, .column = 3, .row = {1}};
static const struct toast_key OTHER_ROW = {.table = 7, .column = 3, .row = {2}};
static const struct toast_key OTHER_COLUMN = {.table = 7, .column = 4, .row = {1}};
static const struct toast_position EVER = {0, 0};

static void open_store(void)
{
    struct toast_store_params params = {.directory = directory, .map_size = (size_t)64 << 20};
    assert_true(toast_store_open(&params, &store, &fault));
}

static bool begin_as(const char *identity, uint32_t timeline, uint64_t position, bool is_new)
{
    struct toast_session session = {.identity = identity,
                                    .timeline = timeline,
                                    .position = position,
                                    .end = UINT64_MAX,
                                    .is_new = is_new};
    bool lacks_rows = false;
    assert_true(toast_store_begin(store, &session, &lacks_rows, &fault));
    return lacks_rows;
}

static bool begin(uint64_t position)
{
    return begin_as("7000 millrace_shop", 1, position, false);
}

// As a crash of the process: nothing is committed on the way out.
static void reopen(void)
{
    toast_store_close(TAKE(store));
    open_store();
}

static void put(const struct toast_key *key, uint64_t lsn, uint64_t index, const char *text)
{
    struct toast_value value = {text == NULL ? TOAST_ABSENT : TOAST_TEXT, slice_of(text == NULL ? "" : text)};
    assert_true(toast_store_put(store, key, (struct toast_position){lsn, index}, value, &fault));
}

static void commit(uint64_t position, uint64_t oldest)
{
    assert_true(toast_store_commit(store, position, oldest, &fault));
}

static void assert_value_since(const struct toast_key *key, uint64_t lsn, uint64_t index,
                               struct toast_position since, const char *text)
{
    struct toast_value value;
    assert_true(toast_store_get(store, key, (struct toast_position){lsn, index}, since, &value, &fault));
    if (text == NULL) {
        assert_int_equal(value.form, TOAST_ABSENT);
        return;
    }
    assert_int_equal(value.form, TOAST_TEXT);
    assert_int_equal(value.data.size, strlen(text));
    assert_memory_equal(value.data.data, text, strlen(text));
}

static void assert_value(const struct toast_key *key, uint64_t lsn, uint64_t index, const char *text)
{
    assert_value_since(key, lsn, index, EVER, text);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/toast_store_XXXXXX");
    assert_non_null(mkdtemp(root));
    directory = memory_format("%s/a/b", root);
    open_store();
    return begin_as("7000 millrace_shop", 1, 100, true) ? 1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    toast_store_close(TAKE(store));
    static const char *const made[] = {"a/b/data.mdb", "a/b/lock", "a/b", "a", ""};
    for (size_t i = 0; i < COUNT_OF(made); i++) {
        char *path = memory_format("%s/%s", root, made[i]);
        (void)remove(path);
        free(path);
    }
    free(TAKE(directory));
    return 0;
}

static void a_value_is_that_of_the_last_change_before(void **state)
{
    (void)state;
    put(&NOTE, 110, 2, "one");
    put(&NOTE, 110, 5, "two");
    put(&NOTE, 120, 0, "three");
    assert_value(&NOTE, 110, 2, NULL);
    assert_value(&NOTE, 110, 3, "one");
    assert_value(&NOTE, 110, 5, "one");
    assert_value(&NOTE, 110, 6, "two");
    assert_value(&NOTE, 120, 0, "two");
    assert_value(&NOTE, 120, 1, "three");
    assert_value(&NOTE, UINT64_MAX, 0, "three");
    assert_value(&OTHER_ROW, 200, 0, NULL);
    assert_value(&OTHER_COLUMN, 200, 0, NULL);
}

static void a_row_that_went_has_no_value(void **state)
{
    (void)state;
    put(&NOTE, 110, 0, "one");
    put(&NOTE, 120, 0, NULL);
    assert_value(&NOTE, 120, 0, "one");
    assert_value(&NOTE, 121, 0, NULL);
    put(&NOTE, 130, 0, "");
    assert_value(&NOTE, 131, 0, "");
}

static void a_value_from_before_the_table_changed_is_not_known(void **state)
{
    (void)state;
    put(&NOTE, 110, 3, "one");
    assert_value_since(&NOTE, 120, 0, (struct toast_position){110, 3}, "one");
    assert_value_since(&NOTE, 120, 0, (struct toast_position){110, 4}, NULL);
}

// The stream begins again before what the store has: each look-up gives what it gave the first time.
static void a_stream_that_begins_again_gets_no_later_value(void **state)
{
    (void)state;
    put(&NOTE, 110, 0, "one");
    put(&NOTE, 120, 0, "two");
    put(&NOTE, 130, 0, "three");
    commit(140, 110);
    reopen();
    assert_false(begin(115));
    assert_value(&NOTE, 119, 0, "one");
    put(&NOTE, 120, 0, "two");
    assert_value(&NOTE, 125, 0, "two");
    assert_value(&NOTE, 130, 0, "two");
    assert_value(&NOTE, 131, 0, "three");
}

static void what_was_not_committed_is_gone_after_a_crash(void **state)
{
    (void)state;
    put(&NOTE, 110, 0, "one");
    commit(115, 0);
    put(&NOTE, 120, 0, "two");
    reopen();
    assert_false(begin(115));
    assert_value(&NOTE, 200, 0, "one");
}

static void a_stream_that_begins_behind_the_last_commit_empties_the_store(void **state)
{
    (void)state;
    put(&NOTE, 110, 0, "one");
    commit(115, 0);
    reopen();
    assert_true(begin(116));
    assert_value(&NOTE, 200, 0, NULL);
    assert_int_equal(toast_store_count(store), 0);
    commit(120, 0);
    reopen();
    assert_true(begin(120));
    assert_true(toast_store_filled(store, &fault));
    reopen();
    assert_false(begin(120));
}

// A disk image of the database was put back: its positions stand for other changes from now on.
static void a_database_that_went_back_empties_the_store(void **state)
{
    (void)state;
    put(&NOTE, 110, 0, "lost");
    commit(200, 100);
    struct toast_session session = {
        .identity = "7000 millrace_shop", .timeline = 1, .position = 100, .end = 199};
    bool lacks_rows = false;
    assert_true(toast_store_begin(store, &session, &lacks_rows, &fault));
    assert_true(lacks_rows);
    assert_value(&NOTE, 300, 0, NULL);
}

static void another_database_or_slot_empties_the_store(void **state)
{
    (void)state;
    put(&NOTE, 110, 0, "one");
    commit(115, 0);
    assert_true(begin_as("7001 millrace_shop", 1, 110, false));
    assert_value(&NOTE, 200, 0, NULL);
}

static void a_new_snapshot_empties_the_store(void **state)
{
    (void)state;
    put(&NOTE, 110, 0, "one");
    commit(115, 0);
    assert_false(begin_as("7000 millrace_shop", 1, 110, true));  // the snapshot has all rows
    assert_value(&NOTE, 200, 0, NULL);
}

static void a_failover_removes_what_the_new_timeline_may_lack(void **state)
{
    (void)state;
    put(&NOTE, 110, 0, "one");
    put(&NOTE, 120, 0, "two");
    put(&OTHER_ROW, 130, 0, "other");
    commit(140, 0);
    assert_false(begin_as("7000 millrace_shop", 2, 120, false));
    assert_value(&NOTE, 200, 0, "one");
    assert_value(&OTHER_ROW, 200, 0, NULL);
    commit(121, 0);
    assert_true(begin_as("7000 millrace_shop", 2, 130, false));  // not 140: that was in the old timeline
}

static void versions_that_no_stream_needs_are_removed(void **state)
{
    (void)state;
    put(&NOTE, 110, 0, "one");
    put(&NOTE, 120, 0, "two");
    put(&NOTE, 130, 0, "three");
    put(&OTHER_ROW, 111, 0, "other");
    put(&OTHER_ROW, 121, 0, NULL);
    commit(140, 120);
    assert_int_equal(toast_store_count(store), 5);  // a stream from 120 on needs "one" and "other"
    assert_value(&NOTE, 120, 0, "one");
    commit(140, 122);
    assert_int_equal(toast_store_count(store), 2);
    assert_value(&NOTE, 130, 0, "two");
    assert_value(&NOTE, 131, 0, "three");
    commit(140, 140);
    assert_int_equal(toast_store_count(store), 1);
    assert_value(&NOTE, 131, 0, "three");
}

// The server may begin lower than ever expected: what was removed is then not known, never a later value.
static void a_removed_version_is_not_known(void **state)
{
    (void)state;
    put(&NOTE, 110, 0, "one");
    put(&NOTE, 120, 0, "two");
    commit(140, 130);
    assert_false(begin(105));
    assert_value(&NOTE, 115, 0, NULL);
    assert_value(&NOTE, 125, 0, "two");
}

static void a_definition_is_remembered(void **state)
{
    (void)state;
    struct toast_definition table = {.since = {5, 6}, .fingerprint = 77, .is_settled = 1};
    struct toast_definition found;
    assert_true(toast_store_get_definition(store, 7, 3, &found, &fault));
    assert_int_equal(found.fingerprint, 0);
    assert_true(toast_store_put_definition(store, 7, 3, &table, &fault));
    commit(115, 0);
    reopen();
    assert_true(toast_store_get_definition(store, 7, 3, &found, &fault));
    assert_memory_equal(&found, &table, sizeof(table));
    assert_true(toast_store_get_definition(store, 7, 0, &found, &fault));
    assert_int_equal(found.fingerprint, 0);
    bool has = true;
    assert_true(toast_store_has_table(store, 7, &has, &fault));
    assert_false(has);
    put(&NOTE, 110, 0, "one");
    assert_true(toast_store_has_table(store, 7, &has, &fault));
    assert_true(has);
    assert_true(toast_store_has_table(store, 6, &has, &fault));
    assert_false(has);
}

// A value larger than the file may become: the error says what happens, and the store works on.
static void a_full_store_is_a_fault_that_can_be_retried(void **state)
{
    (void)state;
    size_t size = (size_t)65 << 20;
    char *large = memory_zeroed(1, size);
    put(&NOTE, 110, 0, "one");
    commit(115, 0);
    struct toast_value value = {TOAST_TEXT, slice_make(large, size)};
    assert_false(toast_store_put(store, &NOTE, (struct toast_position){120, 0}, value, &fault));
    free(large);
    assert_int_equal(fault.kind, FAULT_RETRY);
    assert_non_null(strstr(fault.text, directory));
    assert_false(begin(115));
    assert_value(&NOTE, 200, 0, "one");
    put(&NOTE, 120, 0, "two");
    commit(125, 0);
    assert_value(&NOTE, 200, 0, "two");
}

static char *path_of_file(void)
{
    return memory_format("%s/data.mdb", directory);
}

static void write_at(const char *path, long offset, const char *text)
{
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static void fill_and_close(void)
{
    put(&NOTE, 110, 0, "a value that the disk will alter");
    for (uint64_t i = 0; i < 1000; i++) {
        put(&OTHER_ROW, 110 + i, 0, "another");
    }
    commit(2000, 100);
    toast_store_close(TAKE(store));
}

static void a_file_that_was_cut_off_is_begun_anew(void **state)
{
    (void)state;
    CLEANUP(memory_free_pointer) char *path = path_of_file();
    struct stat file;
    fill_and_close();
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(truncate(path, file.st_size / 2), 0);
    open_store();
    assert_true(begin(1000));
    assert_value(&NOTE, 3000, 0, NULL);
    put(&NOTE, 3000, 0, "new");
    assert_value(&NOTE, 3001, 0, "new");
}

static void a_file_that_is_none_is_begun_anew(void **state)
{
    (void)state;
    CLEANUP(memory_free_pointer) char *path = path_of_file();
    fill_and_close();
    write_at(path, 16, "none");
    write_at(path, 4096 + 16, "none");
    open_store();
    assert_true(begin(1000));
    assert_value(&NOTE, 3000, 0, NULL);
}

static void a_value_that_the_disk_altered_is_not_known(void **state)
{
    (void)state;
    CLEANUP(memory_free_pointer) char *path = path_of_file();
    fill_and_close();
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    static char all[4 << 20];
    size_t size = fread(all, 1, sizeof(all), file);
    assert_int_equal(fclose(file), 0);
    int found = 0;
    for (size_t i = 0; i + 8 < size; i++) {
        if (memcmp(all + i, "disk will", 9) == 0) {
            write_at(path, (long)i, "DISK");
            found++;
        }
    }
    assert_true(found > 0);
    open_store();
    assert_false(begin(1000));
    assert_value(&NOTE, 3000, 0, NULL);
    assert_value(&OTHER_ROW, 3000, 0, "another");
}

static void two_processes_can_not_have_it(void **state)
{
    (void)state;
    struct toast_store_params params = {.directory = directory};
    struct toast_store *second = NULL;
    assert_false(toast_store_open(&params, &second, &fault));
    assert_int_equal(fault.kind, FAULT_RETRY);
    assert_non_null(strstr(fault.text, "in use by another process"));
    toast_store_close(TAKE(store));
    assert_true(toast_store_open(&params, &store, &fault));
}

static void a_directory_that_can_not_be_made_is_named(void **state)
{
    (void)state;
    struct toast_store_params params = {.directory = "/proc/millrace/toast"};
    struct toast_store *none = NULL;
    assert_false(toast_store_open(&params, &none, &fault));
    assert_int_equal(fault.kind, FAULT_CONFIG);
    assert_non_null(strstr(fault.text, "/proc/millrace"));
    assert_non_null(strstr(fault.text, "state_directory"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_value_is_that_of_the_last_change_before),
        TEST(a_row_that_went_has_no_value),
        TEST(a_value_from_before_the_table_changed_is_not_known),
        TEST(a_stream_that_begins_again_gets_no_later_value),
        TEST(what_was_not_committed_is_gone_after_a_crash),
        TEST(a_stream_that_begins_behind_the_last_commit_empties_the_store),
        TEST(a_database_that_went_back_empties_the_store),
        TEST(another_database_or_slot_empties_the_store),
        TEST(a_new_snapshot_empties_the_store),
        TEST(a_failover_removes_what_the_new_timeline_may_lack),
        TEST(versions_that_no_stream_needs_are_removed),
        TEST(a_removed_version_is_not_known),
        TEST(a_definition_is_remembered),
        TEST(a_full_store_is_a_fault_that_can_be_retried),
        TEST(a_file_that_was_cut_off_is_begun_anew),
        TEST(a_file_that_is_none_is_begun_anew),
        TEST(a_value_that_the_disk_altered_is_not_known),
        TEST(two_processes_can_not_have_it),
        TEST(a_directory_that_can_not_be_made_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
