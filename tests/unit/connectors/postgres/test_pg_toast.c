// connectors/postgres/pg_toast: does an update that leaves out values get those of its time?
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "connectors/postgres/catalogue/pg_types.h"
#include "connectors/postgres/pg_toast.h"

enum { COLUMNS = 4, TEXT = 25, INT4 = 23 };

// notes(id int primary key, a text, b text, c text)
static struct column columns[COLUMNS] = {{.name = (char *)"id", .is_key = true},
                                         {.name = (char *)"a", .is_nullable = true},
                                         {.name = (char *)"b", .is_nullable = true},
                                         {.name = (char *)"c", .is_nullable = true}};
static struct table table = {.schema = (char *)"public",
                             .name = (char *)"notes",
                             .topic = (char *)"shop.public.notes",
                             .columns = columns,
                             .column_count = COLUMNS};
static struct pg_catalogue_column facts[COLUMNS] = {
    {.name = (char *)"id", .type_oid = INT4, .number = 1, .length = 4, .is_original = true},
    {.name = (char *)"a", .type_oid = TEXT, .number = 2, .length = -1, .is_original = true},
    {.name = (char *)"b", .type_oid = TEXT, .number = 3, .length = -1, .is_original = true},
    {.name = (char *)"c", .type_oid = TEXT, .number = 5, .length = -1, .is_original = true}};
static struct pg_catalogue catalogue = {
    .columns = facts, .column_count = COLUMNS, .unsent = {.is_settled = true}, .toast_target = 2032};
static const struct connector_config config = {.name = (char *)"shop", .toast = TOAST_MODE_COMPLETE};
static struct pgoutput_relation message;
static struct pg_relation relation = {.oid = 77, .is_wanted = true, .table = &table};
static struct pg_toast *toast;
static struct pgoutput_row row;
static struct fault f;
static char root[64];

static void describe(void)
{
    message = (struct pgoutput_relation){.oid = 77,
                                         .schema = slice_of("public"),
                                         .name = slice_of("notes"),
                                         .replica_identity = 'd',
                                         .column_count = COLUMNS};
    for (size_t i = 0; i < COLUMNS; i++) {
        message.columns[i] = (struct pgoutput_column){slice_of(facts[i].name), facts[i].type_oid, -1, i == 0};
    }
    pg_toast_plan_free(relation.toast);
    relation.toast = pg_toast_plan_make(&config, &message, COLUMNS, &catalogue);
}

static void begin(uint64_t position, bool is_new)
{
    struct toast_session session = {.identity = "7000 millrace_shop",
                                    .timeline = 1,
                                    .position = position,
                                    .end = UINT64_MAX,
                                    .is_new = is_new};
    bool lacks_rows;
    assert_true(pg_toast_begin(toast, &session, &lacks_rows, &f));
    describe();
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/pg_toast_XXXXXX");
    assert_non_null(mkdtemp(root));
    for (size_t i = 0; i < COLUMNS; i++) {
        const char *plain;
        pg_types_resolve(facts[i].type_oid, -1, NULL, 0, &columns[i].type, &plain);
        facts[i].written_by = 700;
        facts[i].is_original = true;
    }
    toast = pg_toast_new(&config, root, "connector/shop");
    begin(100, true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pg_toast_free(TAKE(toast));
    pg_toast_plan_free(TAKE(relation.toast));
    for (size_t i = 0; i < COLUMNS; i++) {
        value_type_clear(&columns[i].type);
    }
    static const char *const made[] = {"shop/toast/data.mdb", "shop/toast/lock", "shop/toast", "shop", ""};
    for (size_t i = 0; i < COUNT_OF(made); i++) {
        char *path = memory_format("%s/%s", root, made[i]);
        (void)remove(path);
        free(path);
    }
    return 0;
}

static void set_value(struct pgoutput_value *ret, const char *text)
{
    *ret = text == NULL ? (struct pgoutput_value){NULL, 0, PGOUTPUT_VALUE_NULL}
           : strcmp(text, "?") == 0
               ? (struct pgoutput_value){NULL, 0, PGOUTPUT_VALUE_UNCHANGED}
               : (struct pgoutput_value){(const uint8_t *)text, (uint32_t)strlen(text), PGOUTPUT_VALUE_TEXT};
}

static void set_tuple(struct pgoutput_tuple *ret, const char *id, const char *a, const char *b, const char *c)
{
    const char *const texts[COLUMNS] = {id, a, b, c};
    ret->count = COLUMNS;
    for (size_t i = 0; i < COLUMNS; i++) {
        set_value(&ret->values[i], texts[i]);
    }
}

// A change as the stream sends it. @param old  the old key if it changed, or of a delete; else NULL
static void change(uint64_t lsn, const char *old, const char *id, const char *a, const char *b, const char *c)
{
    row.relation_oid = 77;
    row.old_kind = old == NULL ? 0 : 'K';
    row.has_new = id != NULL;
    if (old != NULL) {
        set_tuple(&row.old_tuple, old, NULL, NULL, NULL);
    }
    if (id != NULL) {
        set_tuple(&row.new_tuple, id, a, b, c);
    }
    struct toast_position place = {lsn, 0};
    assert_true(pg_toast_fill(toast, &relation, &row, place, &f));
    assert_true(pg_toast_keep(toast, &relation, &row, place, &f));
}

static void assert_column(size_t column, const char *text)
{
    const struct pgoutput_value *value = &row.new_tuple.values[column];
    if (text == NULL) {
        assert_int_equal(value->kind, PGOUTPUT_VALUE_UNCHANGED);
        return;
    }
    assert_int_equal(value->kind, PGOUTPUT_VALUE_TEXT);
    assert_int_equal(value->size, strlen(text));
    assert_memory_equal(value->data, text, strlen(text));
}

static const char *large(char letter)
{
    static char all[26][2501];
    char *text = all[letter - 'a'];
    memset(text, letter, 2500);
    return text;
}

static void a_value_that_is_left_out_is_the_last_one_that_was_sent(void **state)
{
    (void)state;
    change(110, NULL, "1", large('x'), "short", NULL);
    change(111, NULL, "2", large('y'), "short", NULL);
    change(120, NULL, "1", "?", "other", NULL);
    assert_column(1, large('x'));
    change(130, NULL, "1", large('z'), "other", NULL);
    change(140, NULL, "1", "?", "again", NULL);
    assert_column(1, large('z'));
    assert_int_equal(pg_toast_unknown(toast), 0);
}

static void a_row_that_moves_takes_its_values_along(void **state)
{
    (void)state;
    change(110, NULL, "1", large('x'), "short", NULL);
    change(120, "1", "2", "?", "short", NULL);
    assert_column(1, large('x'));
    change(130, NULL, "2", "?", "other", NULL);
    assert_column(1, large('x'));
    change(140, NULL, "1", "?", "a row that was never there", NULL);
    assert_column(1, NULL);
}

static void values_of_a_deleted_row_are_not_those_of_the_next_with_its_key(void **state)
{
    (void)state;
    change(110, NULL, "1", large('x'), "short", NULL);
    change(120, "1", NULL, NULL, NULL, NULL);
    change(130, NULL, "1", "?", "short", NULL);
    assert_column(1, NULL);
    assert_int_equal(pg_toast_unknown(toast), 1);
}

// The row shrinks and grows again: what is sent within it is the newest.
static void a_value_that_was_sent_in_a_small_row_ends_the_older_one(void **state)
{
    (void)state;
    change(110, NULL, "1", large('x'), NULL, NULL);
    change(120, NULL, "1", "a value that fits", NULL, NULL);
    change(130, NULL, "1", "?", NULL, NULL);  // can't happen
    assert_column(1, NULL);
}

// What was changed in it meanwhile was not sent.
static void a_partition_that_was_attached_anew_has_no_known_values(void **state)
{
    (void)state;
    change(110, NULL, "1", large('x'), "short", NULL);
    catalogue.unsent.ends = 42;
    describe();
    change(120, NULL, "1", "?", "other", NULL);
    catalogue.unsent.ends = 0;
    assert_column(1, NULL);
    change(130, NULL, "1", large('y'), "other", NULL);
    change(140, NULL, "1", "?", "again", NULL);
    assert_column(1, large('y'));
}

static void a_table_that_is_added_anew_has_no_known_values(void **state)
{
    (void)state;
    static const uint32_t tables[] = {77};
    change(110, NULL, "1", large('x'), "short", NULL);
    assert_true(pg_toast_forget(toast, tables, 1, &f));
    describe();
    change(120, NULL, "1", "?", "other", NULL);
    assert_column(1, NULL);
    change(130, NULL, "1", large('y'), "other", NULL);
    change(140, NULL, "1", "?", "again", NULL);
    assert_column(1, large('y'));
}

static void a_rewritten_table_has_no_known_values(void **state)
{
    (void)state;
    change(110, NULL, "1", large('x'), "short", NULL);
    describe();  // ANALYZE, VACUUM …
    change(120, NULL, "1", "?", "other", NULL);
    assert_column(1, large('x'));
    facts[1].written_by = 800;  // ALTER COLUMN … TYPE text USING upper(a)
    facts[1].is_original = false;
    describe();
    change(130, NULL, "1", "?", "other", NULL);
    assert_column(1, NULL);
    change(140, NULL, "1", large('y'), "other", NULL);
    change(150, NULL, "1", "?", "again", NULL);
    assert_column(1, large('y'));
    // Whether that definition is of the stream's past is not known: the next description may be the rewrite.
    describe();
    change(160, NULL, "1", "?", "again", NULL);
    assert_column(1, NULL);
}

static void a_rewritten_column_leaves_the_others_known(void **state)
{
    (void)state;
    change(110, NULL, "1", large('x'), large('y'), NULL);
    facts[2].written_by = 800;
    describe();
    change(120, NULL, "1", "?", "?", NULL);
    assert_column(1, large('x'));
    assert_column(2, NULL);
}

static void values_from_before_full_identity_are_not_used_after_it(void **state)
{
    (void)state;
    change(110, NULL, "1", large('x'), "short", NULL);
    describe();
    message.replica_identity = 'f';
    pg_toast_plan_free(relation.toast);
    relation.toast = pg_toast_plan_make(&config, &message, COLUMNS, &catalogue);
    change(120, NULL, "1", large('y'), "short", NULL);  // not kept
    describe();
    change(130, NULL, "1", "?", "short", NULL);
    assert_column(1, NULL);
}

static void small_rows_are_not_kept(void **state)
{
    (void)state;
    struct toast_store_params params = {0};
    char *directory = memory_format("%s/shop/toast", root);
    struct toast_store *store;
    change(110, NULL, "1", "a text of more than 24 bytes", "short", NULL);
    assert_true(pg_toast_commit(toast, 120, 0, &f));
    pg_toast_end(toast);
    params.directory = directory;
    assert_true(toast_store_open(&params, &store, &f));
    assert_int_equal(toast_store_count(store), 0);
    toast_store_close(store);
    free(directory);
}

// --- against a model of the database ---

enum { CHANGES = 4000, ROWS = 6, POINTER = 18, TARGET = 2000 };

struct model_row {
    bool is_there;
    char *values[COLUMNS];  // by column, from 1; NULL: null
    bool is_out[COLUMNS];
};

struct model_change {
    char *sent[COLUMNS];  // "?": left out
    char *want[COLUMNS];
    int old;   // key; -1: none
    int next;  // key; -1: none
};

static struct model_row rows[ROWS];
static struct model_change changes[CHANGES];
static uint64_t seed;

static uint64_t draw(uint64_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % below;
}

struct drawn {
    struct drawn *next;
    char text[];
};
static struct drawn *texts;  // all that were drawn

static char *draw_text(void)
{
    if (draw(8) == 0) {
        return NULL;
    }
    size_t size = draw(3) == 0 ? draw(3000) : draw(60);
    struct drawn *drawn = memory_new(sizeof(*drawn) + size + 1);
    drawn->next = texts;
    texts = drawn;
    char *text = drawn->text;
    memset(text, (int)('a' + draw(26)), size);
    text[size] = '\0';
    for (size_t i = 0; i < size && i < 8; i++) {
        text[i] = (char)('a' + draw(26));
    }
    return text;
}

static size_t size_in_row(const struct model_row *r, size_t i)
{
    return r->values[i] == NULL ? 0 : r->is_out[i] ? POINTER : strlen(r->values[i]) + 4;
}

// As heap_toast_insert_or_update, without compression.
static void move_out(struct model_row *r)
{
    for (;;) {
        size_t size = 32;
        size_t largest = 0;
        for (size_t i = 1; i < COLUMNS; i++) {
            size += size_in_row(r, i);
            bool can_go = !r->is_out[i] && size_in_row(r, i) > 24;
            largest = can_go && (largest == 0 || size_in_row(r, i) > size_in_row(r, largest)) ? i : largest;
        }
        if (size <= TARGET || largest == 0) {
            return;
        }
        r->is_out[largest] = true;
    }
}

static void write_row(struct model_row *r, struct model_change *c, bool is_new)
{
    bool is_left_out[COLUMNS] = {false};
    for (size_t i = 1; i < COLUMNS; i++) {
        if (is_new || draw(3) == 0) {
            r->values[i] = draw_text();
            r->is_out[i] = false;
        } else {
            is_left_out[i] = r->is_out[i];
        }
    }
    r->is_there = true;
    move_out(r);
    for (size_t i = 1; i < COLUMNS; i++) {
        c->want[i] = r->values[i];
        c->sent[i] = is_left_out[i] ? (char *)"?" : r->values[i];
    }
}

static void draw_change(struct model_change *c)
{
    int at = (int)draw(ROWS);
    int to = (int)draw(ROWS);
    *c = (struct model_change){.old = -1, .next = at};
    if (!rows[at].is_there) {
        write_row(&rows[at], c, true);
    } else if (draw(8) == 0) {
        rows[at].is_there = false;
        c->old = at;
        c->next = -1;
    } else if (draw(8) == 0 && !rows[to].is_there) {
        rows[to] = rows[at];
        rows[at].is_there = false;
        c->old = at;
        c->next = to;
        write_row(&rows[to], c, false);
    } else {
        write_row(&rows[at], c, false);
    }
}

static void play(size_t i)
{
    const struct model_change *c = &changes[i];
    char old[12];
    char next[12];
    (void)snprintf(old, sizeof(old), "%d", c->old);
    (void)snprintf(next, sizeof(next), "%d", c->next);
    change(1000 + 10 * i, c->old < 0 ? NULL : old, c->next < 0 ? NULL : next, c->sent[1], c->sent[2],
           c->sent[3]);
    for (size_t column = 1; c->next >= 0 && column < COLUMNS; column++) {
        if (c->want[column] != NULL) {
            assert_column(column, c->want[column]);
        }
    }
}

// Changes, commits, descriptions and crashes at random: the stream begins again at what was confirmed, or at
// what the server has on its disk, and each value is what the row had at that change.
static void values_are_those_of_the_database_whenever_the_stream_begins_again(void **state)
{
    (void)state;
    seed = 20260815;
    for (size_t i = 0; i < CHANGES; i++) {
        draw_change(&changes[i]);
    }
    size_t confirmed = 0;  // the number of changes
    size_t oldest = 0;
    size_t crashes = 0;
    for (size_t i = 0; i < CHANGES;) {
        play(i++);
        if (draw(40) == 0) {
            confirmed = i;
            oldest = oldest + draw(confirmed - oldest + 1);
            assert_true(pg_toast_commit(toast, 995 + 10 * i, 995 + 10 * oldest, &f));
        }
        if (draw(100) == 0) {
            describe();
        }
        if (draw(150) == 0) {
            crashes++;
            i = oldest + draw(confirmed - oldest + 1);
            begin(995 + 10 * i, false);
        }
    }
    assert_true(crashes > 10);
    assert_int_equal(pg_toast_unknown(toast), 0);
    while (texts != NULL) {
        struct drawn *next = texts->next;
        free(texts);
        texts = next;
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_value_that_is_left_out_is_the_last_one_that_was_sent),
        TEST(a_row_that_moves_takes_its_values_along),
        TEST(values_of_a_deleted_row_are_not_those_of_the_next_with_its_key),
        TEST(a_value_that_was_sent_in_a_small_row_ends_the_older_one),
        TEST(a_table_that_is_added_anew_has_no_known_values),
        TEST(a_partition_that_was_attached_anew_has_no_known_values),
        TEST(a_rewritten_table_has_no_known_values),
        TEST(a_rewritten_column_leaves_the_others_known),
        TEST(values_from_before_full_identity_are_not_used_after_it),
        TEST(small_rows_are_not_kept),
        TEST(values_are_those_of_the_database_whenever_the_stream_begins_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
