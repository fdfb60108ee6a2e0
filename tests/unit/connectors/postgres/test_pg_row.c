#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/postgres/catalogue/pg_default.h"
#include "connectors/postgres/catalogue/pg_types.h"
#include "connectors/postgres/pg_row.h"

// t(id int primary key, n int not null default 7, name text, flag bool default true)
static struct column columns[4] = {{.name = (char *)"id", .is_key = true},
                                   {.name = (char *)"n"},
                                   {.name = (char *)"name", .is_nullable = true},
                                   {.name = (char *)"flag", .is_nullable = true}};
static size_t keys[] = {0};
static struct table table = {.schema = (char *)"public",
                             .name = (char *)"t",
                             .columns = columns,
                             .column_count = 4,
                             .key_columns = keys,
                             .key_count = 1};
static struct pgoutput_tuple tuple;
static struct pgoutput_tuple old_tuple;
static struct bytes out;
static struct fault f;
static const char *nulled;
static void on_none(void *self, const struct column *c, const struct fault *why)
{
    (void)self;
    (void)why;
    nulled = c->name;
}

static struct pg_row_notes notes = {.on_none = on_none};

static void fill(struct pgoutput_tuple *t, const char *const *values)
{
    t->count = 4;
    for (size_t i = 0; i < 4; i++) {
        bool is_unchanged = values[i] != NULL && strcmp(values[i], "?") == 0;
        t->values[i] = values[i] == NULL ? (struct pgoutput_value){NULL, 0, PGOUTPUT_VALUE_NULL}
                       : is_unchanged
                           ? (struct pgoutput_value){NULL, 0, PGOUTPUT_VALUE_UNCHANGED}
                           : (struct pgoutput_value){(const uint8_t *)values[i], (uint32_t)strlen(values[i]),
                                                     PGOUTPUT_VALUE_TEXT};
    }
    bytes_reset(&out);
}

#define FILL(t, ...) fill((t), (const char *const[]){__VA_ARGS__})

static void assert_bytes(const char *want, size_t size)
{
    assert_int_equal(out.size, size);
    assert_memory_equal(out.data, want, size);
}

static void a_row_is_its_columns_with_branches_where_nullable(void **state)
{
    (void)state;
    FILL(&tuple, "1", "2", "ab", NULL);
    assert_int_equal(pg_row_append_value(&out, &table, &tuple, NULL, &notes, &f), PG_ROW_DONE);
    assert_bytes("\x02\x04\x02\x04"
                 "ab\x02",
                 7);  // flag has a default: null is the second branch
    FILL(&tuple, "1", "2", NULL, "f");
    assert_int_equal(pg_row_append_value(&out, &table, &tuple, NULL, &notes, &f), PG_ROW_DONE);
    assert_bytes("\x02\x04\0\0\0", 5);
}

static void an_unchanged_value_comes_from_the_old_row_or_is_marked(void **state)
{
    (void)state;
    FILL(&old_tuple, "1", "2", "old", "t");
    FILL(&tuple, "1", "2", "?", "t");
    assert_int_equal(pg_row_append_value(&out, &table, &tuple, &old_tuple, &notes, &f), PG_ROW_DONE);
    assert_bytes("\x02\x04\x02\x06old\0\1", 9);
    FILL(&old_tuple, "1", NULL, NULL, NULL);  // in a key tuple NULL means absent
    FILL(&tuple, "1", "2", "?", "t");
    assert_int_equal(pg_row_append_value(&out, &table, &tuple, &old_tuple, &notes, &f), PG_ROW_DONE);
    assert_bytes("\x02\x04\x02\x38__debezium_unavailable_value\0\1", 34);
}

static void a_null_where_none_may_be_asks_for_a_wider_version(void **state)
{
    (void)state;
    FILL(&tuple, "1", NULL, NULL, NULL);
    assert_int_equal(pg_row_append_value(&out, &table, &tuple, NULL, &notes, &f), PG_ROW_WIDEN);
    assert_int_equal(notes.column, 1);
}

static void an_identity_tuple_is_filled_up_with_defaults(void **state)
{
    (void)state;
    FILL(&tuple, "5", NULL, NULL, NULL);
    assert_int_equal(pg_row_append_identity(&out, &table, &tuple, &notes, &f), PG_ROW_DONE);
    assert_bytes("\x0a\x0e\0\x02", 4);
}

static void a_null_is_the_default_where_that_is_wanted(void **state)
{
    (void)state;
    columns[3].is_null_default = true;
    FILL(&tuple, "1", "2", NULL, NULL);
    assert_int_equal(pg_row_append_value(&out, &table, &tuple, NULL, &notes, &f), PG_ROW_DONE);
    assert_bytes("\x02\x04\0\0\1", 5);
    FILL(&tuple, "5", NULL, NULL, NULL);
    assert_int_equal(pg_row_append_identity(&out, &table, &tuple, &notes, &f), PG_ROW_DONE);
    assert_bytes("\x0a\x0e\0\0\1", 5);
    columns[3].is_null_default = false;
}

// A table (id int primary key, v timestamp, w timestamp not null) with `types: native`.
static void a_value_without_a_form_is_text_where_the_column_takes_it(void **state)
{
    (void)state;
    struct column three[3] = {{.name = (char *)"id", .is_key = true},
                              {.name = (char *)"v", .is_nullable = true, .takes_text = true},
                              {.name = (char *)"w", .takes_text = true}};
    const char *plain;
    pg_types_resolve(23, -1, NULL, 0, &three[0].type, &plain);
    for (size_t i = 1; i < 3; i++) {
        pg_types_resolve(1007, -1, NULL, 0, &three[i].type, &plain);
    }
    struct table wide = table;
    wide.columns = three;
    wide.column_count = 3;
    FILL(&tuple, "1", "{{1}}", "{{2}}", NULL);
    tuple.count = 3;
    nulled = NULL;
    for (size_t i = 1; i < 3; i++) {
        bytes_reset(&out);
        assert_int_equal(pg_row_append_value(&out, &wide, &tuple, NULL, &notes, &f), PG_ROW_WIDEN);
        assert_int_equal(notes.column, i);
        assert_int_equal(notes.wider, PG_ROW_WIDER_TEXT);
        three[i].has_text = true;
    }
    bytes_reset(&out);
    assert_int_equal(pg_row_append_value(&out, &wide, &tuple, NULL, &notes, &f), PG_ROW_DONE);
    assert_bytes("\x02"
                 "\x04\x0a{{1}}"
                 "\x02\x0a{{2}}",
                 15);
    assert_null(nulled);
    FILL(&tuple, "1", NULL, "{2}", NULL);
    tuple.count = 3;
    assert_int_equal(pg_row_append_value(&out, &wide, &tuple, NULL, &notes, &f), PG_ROW_DONE);
    assert_bytes("\x02\0\0\x02\x02\x04\0", 7);
    static const uint8_t binary[] = {0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 1, 0, 0,
                                     0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0,  0, 4, 0, 0, 0, 7};
    tuple.values[1] = (struct pgoutput_value){binary, sizeof(binary), PGOUTPUT_VALUE_BINARY};
    bytes_reset(&out);
    assert_int_equal(pg_row_append_value(&out, &wide, &tuple, NULL, &notes, &f), PG_ROW_DONE);
    assert_bytes("\x02"
                 "\x04\x0a{{7}}"
                 "\0\x02\x02\x04\0",
                 13);
    three[2].is_key = true;
    wide.key_columns = (size_t[]){2};
    FILL(&tuple, "1", NULL, "{{2}}", NULL);
    tuple.count = 3;
    assert_false(pg_row_append_key(&out, &wide, &tuple, NULL, &f));
    for (size_t i = 0; i < 3; i++) {
        value_type_clear(&three[i].type);
    }
}

// A table (id int primary key, v numeric), v nullable or not.
static void a_value_without_a_form_is_null_where_it_may_be(void **state)
{
    (void)state;
    struct column two[2] = {{.name = (char *)"id", .is_key = true}, {.name = (char *)"v"}};
    const char *plain;
    pg_types_resolve(23, -1, NULL, 0, &two[0].type, &plain);
    pg_types_resolve(1700, -1, NULL, 0, &two[1].type, &plain);
    struct table narrow = table;
    narrow.columns = two;
    narrow.column_count = 2;
    FILL(&tuple, "1", "NaN", NULL, NULL);
    tuple.count = 2;
    nulled = NULL;
    assert_int_equal(pg_row_append_value(&out, &narrow, &tuple, NULL, &notes, &f), PG_ROW_FAULT);
    assert_int_equal(f.kind, FAULT_REJECT);
    assert_null(nulled);
    two[1].is_nullable = true;
    bytes_reset(&out);
    assert_int_equal(pg_row_append_value(&out, &narrow, &tuple, NULL, &notes, &f), PG_ROW_DONE);
    assert_bytes("\x02\0", 2);
    assert_string_equal(nulled, "v");
}

// The key of a table (v numeric) that users chose, after a row in which v was NULL.
static void a_key_is_never_null_for_a_value_without_a_form(void **state)
{
    (void)state;
    struct column one = {.name = (char *)"v", .is_key = true, .is_nullable = true};
    const char *plain;
    pg_types_resolve(1700, -1, NULL, 0, &one.type, &plain);
    struct table narrow = table;
    narrow.columns = &one;
    narrow.column_count = 1;
    FILL(&tuple, "NaN", NULL, NULL, NULL);
    tuple.count = 1;
    assert_false(pg_row_append_key(&out, &narrow, &tuple, NULL, &f));
    assert_int_equal(f.kind, FAULT_REJECT);
}

static void an_unchanged_value_without_a_mark_is_null(void **state)
{
    (void)state;
    struct column two[2] = {{.name = (char *)"id", .is_key = true}, {.name = (char *)"v"}};
    const char *plain;
    pg_types_resolve(23, -1, NULL, 0, &two[0].type, &plain);
    pg_types_resolve(1700, -1, NULL, 0, &two[1].type, &plain);
    struct table narrow = table;
    narrow.columns = two;
    narrow.column_count = 2;
    FILL(&tuple, "1", "?", NULL, NULL);
    tuple.count = 2;
    assert_int_equal(pg_row_append_value(&out, &narrow, &tuple, NULL, &notes, &f), PG_ROW_WIDEN);
    assert_int_equal(notes.column, 1);
    two[1].is_nullable = true;
    bytes_reset(&out);
    assert_int_equal(pg_row_append_value(&out, &narrow, &tuple, NULL, &notes, &f), PG_ROW_DONE);
    assert_bytes("\x02\0", 2);
}

static enum value_step append_stale(struct bytes *to, const struct value_type *t, struct slice text,
                                    struct fault *why)
{
    (void)to;
    (void)t;
    (void)text;
    (void)why;
    return VALUE_STALE;
}

static uint64_t stale_hash_of(const char *first, const char *second)
{
    static const struct type_ops ops = {.append_text = append_stale};
    struct column two[2] = {{.name = (char *)"a", .type.ops = &ops}, {.name = (char *)"b", .type.ops = &ops}};
    struct pg_row_notes seen = {0};
    struct table narrow = table;
    narrow.columns = two;
    narrow.column_count = 2;
    FILL(&tuple, first, second, NULL, NULL);
    tuple.count = 2;
    assert_int_equal(pg_row_append_value(&out, &narrow, &tuple, NULL, &seen, &f), PG_ROW_DONE);
    assert_true(seen.is_stale);
    return seen.stale_hash;
}

static void rows_with_other_labels_that_are_not_known_are_told_apart(void **state)
{
    (void)state;
    assert_int_not_equal(stale_hash_of("new", "new"), stale_hash_of("newer", "newer"));
    assert_int_not_equal(stale_hash_of("new", "newer"), stale_hash_of("newer", "new"));
}

static void a_key_is_its_columns_alone(void **state)
{
    (void)state;
    FILL(&tuple, "5", NULL, NULL, NULL);
    assert_true(pg_row_append_key(&out, &table, &tuple, NULL, &f));
    assert_bytes("\x0a", 1);
    FILL(&tuple, NULL, NULL, NULL, NULL);
    assert_false(pg_row_append_key(&out, &table, &tuple, NULL, &f));
    assert_int_equal(f.kind, FAULT_REJECT);
}

static void a_tuple_of_another_width_is_no_row_of_this_table(void **state)
{
    (void)state;
    FILL(&tuple, "5", "1", NULL, NULL);
    tuple.count = 3;
    assert_int_equal(pg_row_append_value(&out, &table, &tuple, NULL, &notes, &f), PG_ROW_FAULT);
    assert_int_equal(f.kind, FAULT_FATAL);
}

static void assert_default(uint32_t oid, int32_t modifier, const char *expression, const char *json)
{
    struct column c = {.name = (char *)"c"};
    const char *plain;
    pg_types_resolve(oid, modifier, NULL, 0, &c.type, &plain);
    c.type_oid = oid;
    pg_default_set(&c, expression);
    if (json == NULL) {
        assert_int_equal(c.default_json.size, 0);
        assert_int_equal(c.default_avro.size, 0);
    } else {
        assert_string_equal(bytes_text(&c.default_json), json);
        assert_true(c.default_avro.size > 0);
    }
    value_type_clear(&c.type);
    bytes_clear(&c.default_avro);
    bytes_clear(&c.default_json);
}

static void defaults_follow_debezium(void **state)
{
    (void)state;
    assert_default(23, -1, "0", "0");
    assert_default(23, -1, "'-1'::integer", "-1");
    assert_default(20, -1, "nextval('s'::regclass)", "0");
    assert_default(23, -1, "(1 + 2)", NULL);
    assert_default(25, -1, "'it''s'::text", "\"it's\"");
    assert_default(1043, -1, "''::character varying", "\"\"");
    assert_default(25, -1, "NULL::text", NULL);
    assert_default(16, -1, "true", "true");
    assert_default(701, -1, "1.5", "1.5");
    assert_default(701, -1, "0", "0.0");
    assert_default(701, -1, "'1000000000000000000000000000000000000000000000000000000000000000000'::numeric",
                   "1e+66");
    assert_default(701, -1, "'NaN'::double precision", NULL);
    assert_default(1700, (10 << 16 | 2) + 4, "1.5", "\"\\u0000\xc2\x96\"");
    assert_default(1700, -1, "1.5", NULL);
    assert_default(1184, -1, "now()", "\"1970-01-01T00:00:00.000000Z\"");
    assert_default(1184, -1, "CURRENT_TIMESTAMP", "\"1970-01-01T00:00:00.000000Z\"");
    assert_default(1082, -1, "'2026-01-02'::date", "20455");
    assert_default(3802, -1, "'{}'::jsonb", "\"{}\"");
    assert_default(2950, -1, "gen_random_uuid()", "\"00000000-0000-0000-0000-000000000000\"");
    assert_default(17, -1, "'\\x00'::bytea", NULL);
    assert_default(1560, 5, "'10101'::\"bit\"", "\"\\u0015\"");
    assert_default(1186, -1, "'01:00:00'::interval", "3600000000");
    assert_default(790, -1, "'$1.50'::money", NULL);
    assert_default(1007, -1, "'{}'::integer[]", NULL);
}

static int make_table(void **state)
{
    (void)state;
    static const uint32_t oids[] = {23, 23, 25, 16};
    const char *plain;
    for (size_t i = 0; i < 4; i++) {
        columns[i].type_oid = oids[i];
        pg_types_resolve(oids[i], -1, NULL, 0, &columns[i].type, &plain);
    }
    pg_default_set(&columns[1], "7");
    pg_default_set(&columns[3], "true");
    return 0;
}

static int clear_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        value_type_clear(&columns[i].type);
        bytes_clear(&columns[i].default_avro);
        bytes_clear(&columns[i].default_json);
    }
    bytes_clear(&out);
    return 0;
}

// As the last branch, whatever the column's type is: NULL and the placeholder's text are values of their own.
static void an_unchanged_value_of_a_column_with_a_marker_is_the_marker(void **state)
{
    (void)state;
    struct column three[3] = {{.name = (char *)"id", .is_key = true},
                              {.name = (char *)"v", .has_marker = true},
                              {.name = (char *)"w", .is_nullable = true, .has_marker = true}};
    const char *plain;
    pg_types_resolve(23, -1, NULL, 0, &three[0].type, &plain);
    pg_types_resolve(25, -1, NULL, 0, &three[1].type, &plain);
    pg_types_resolve(25, -1, NULL, 0, &three[2].type, &plain);
    struct table marked = table;
    marked.columns = three;
    marked.column_count = 3;
    FILL(&tuple, "1", "?", "?", NULL);
    tuple.count = 3;
    assert_int_equal(pg_row_append_value(&out, &marked, &tuple, NULL, &notes, &f), PG_ROW_DONE);
    assert_bytes("\x02\x02\x01\x04\x01", 5);
    FILL(&tuple, "1", "a", NULL, NULL);
    tuple.count = 3;
    assert_int_equal(pg_row_append_value(&out, &marked, &tuple, NULL, &notes, &f), PG_ROW_DONE);
    assert_bytes("\x02\x00\x02"
                 "a\x00",
                 5);
    FILL(&tuple, "1", NULL, "b", NULL);
    tuple.count = 3;
    assert_int_equal(pg_row_append_identity(&out, &marked, &tuple, &notes, &f), PG_ROW_DONE);
    assert_bytes("\x02\x00\x00\x02\x02"
                 "b",
                 6);
    FILL(&tuple, "1", "?", "b", NULL);
    FILL(&old_tuple, "1", "old", NULL, NULL);
    tuple.count = old_tuple.count = 3;
    assert_int_equal(pg_row_append_value(&out, &marked, &tuple, &old_tuple, &notes, &f), PG_ROW_DONE);
    assert_bytes("\x02\x00\x06old\x02\x02"
                 "b",
                 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_its_columns_with_branches_where_nullable),
        cmocka_unit_test(an_unchanged_value_comes_from_the_old_row_or_is_marked),
        cmocka_unit_test(a_null_where_none_may_be_asks_for_a_wider_version),
        cmocka_unit_test(an_identity_tuple_is_filled_up_with_defaults),
        cmocka_unit_test(a_null_is_the_default_where_that_is_wanted),
        cmocka_unit_test(a_value_without_a_form_is_text_where_the_column_takes_it),
        cmocka_unit_test(a_value_without_a_form_is_null_where_it_may_be),
        cmocka_unit_test(a_key_is_never_null_for_a_value_without_a_form),
        cmocka_unit_test(an_unchanged_value_without_a_mark_is_null),
        cmocka_unit_test(rows_with_other_labels_that_are_not_known_are_told_apart),
        cmocka_unit_test(a_key_is_its_columns_alone),
        cmocka_unit_test(a_tuple_of_another_width_is_no_row_of_this_table),
        cmocka_unit_test(defaults_follow_debezium),
        cmocka_unit_test(an_unchanged_value_of_a_column_with_a_marker_is_the_marker),
    };
    return cmocka_run_group_tests(tests, make_table, clear_table);
}
