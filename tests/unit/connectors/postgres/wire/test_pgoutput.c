#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "connectors/postgres/wire/pgoutput.h"

#define WIRE(text) slice_make((text), sizeof(text) - 1)

static struct pgoutput_message message;

// Every truncation, in a heap block of exactly its size, is refused.
static void assert_truncations_are_refused(struct slice wire)
{
    struct fault f = {0};
    for (size_t size = 0; size < wire.size; size++) {
        uint8_t *copy = malloc(size == 0 ? 1 : size);
        memcpy(copy, wire.data, size);
        assert_false(pgoutput_decode(slice_make(copy, size), &message, &f));
        assert_int_equal(f.kind, FAULT_FATAL);
        free(copy);
    }
    uint8_t *longer = malloc(wire.size + 1);
    memcpy(longer, wire.data, wire.size);
    longer[wire.size] = 0;
    assert_false(pgoutput_decode(slice_make(longer, wire.size + 1), &message, &f));
    free(longer);
}

static void assert_decodes(struct slice wire)
{
    struct fault f = {0};
    assert_truncations_are_refused(wire);
    assert_true(pgoutput_decode(wire, &message, &f));
    assert_int_equal(message.kind, wire.data[0]);
}

static void begin_and_commit_carry_positions_and_unix_times(void **state)
{
    (void)state;
    assert_decodes(WIRE("B\0\0\0\1\0\0\0\2"
                        "\0\0\0\0\0\0\0\5"
                        "\0\0\0\7"));
    assert_int_equal(message.begin.final_lsn, UINT64_C(0x100000002));
    assert_int_equal(message.begin.commit_time_us, INT64_C(946684800000005));
    assert_int_equal(message.begin.transaction_id, 7);
    assert_decodes(WIRE("C\0"
                        "\0\0\0\0\0\0\0\1"
                        "\0\0\0\0\0\0\0\2"
                        "\0\0\0\0\0\0\0\3"));
    assert_int_equal(message.commit.commit_lsn, 1);
    assert_int_equal(message.commit.end_lsn, 2);
}

static void a_relation_lists_its_columns(void **state)
{
    (void)state;
    assert_decodes(WIRE("R\0\0\x40\1public\0t\0d\0\2"
                        "\1id\0\0\0\0\x17\xff\xff\xff\xff"
                        "\0v\0\0\0\6\xa4\0\x0a\0\6"));
    assert_int_equal(message.relation.oid, 0x4001);
    assert_true(slice_equal(message.relation.schema, slice_of("public")));
    assert_int_equal(message.relation.replica_identity, 'd');
    assert_int_equal(message.relation.column_count, 2);
    assert_true(message.relation.columns[0].is_identity);
    assert_false(message.relation.columns[1].is_identity);
    assert_int_equal(message.relation.columns[0].type_modifier, -1);
    assert_int_equal(message.relation.columns[1].type_oid, 1700);
}

static void rows_carry_their_tuples(void **state)
{
    (void)state;
    assert_decodes(WIRE("I\0\0\0\1N\0\3"
                        "t\0\0\0\2ab"
                        "n"
                        "u"));
    assert_int_equal(message.row.new_tuple.count, 3);
    assert_memory_equal(message.row.new_tuple.values[0].data, "ab", 2);
    assert_int_equal(message.row.new_tuple.values[1].kind, PGOUTPUT_VALUE_NULL);
    assert_int_equal(message.row.new_tuple.values[2].kind, PGOUTPUT_VALUE_UNCHANGED);
    assert_int_equal(message.row.old_kind, 0);
    assert_decodes(WIRE("U\0\0\0\1N\0\1n"));
    assert_decodes(WIRE("U\0\0\0\1K\0\1t\0\0\0\1xN\0\1t\0\0\0\1y"));
    assert_int_equal(message.row.old_kind, 'K');
    assert_decodes(WIRE("U\0\0\0\1O\0\1nN\0\1t\0\0\0\0"));
    assert_decodes(WIRE("D\0\0\0\1K\0\1t\0\0\0\1x"));
    assert_false(message.row.has_new);
    assert_decodes(WIRE("D\0\0\0\1O\0\1n"));
}

static void what_nobody_needs_is_still_checked(void **state)
{
    (void)state;
    assert_decodes(WIRE("O\0\0\0\0\0\0\0\1name\0"));
    assert_decodes(WIRE("Y\0\0\0\1public\0mood\0"));
    assert_decodes(WIRE("T\0\0\0\2\1\0\0\0\1\0\0\0\2"));
}

static void a_message_has_a_prefix_and_content(void **state)
{
    (void)state;
    assert_decodes(WIRE("M\1\0\0\0\0\0\0\0\1prefix\0\0\0\0\3abc"));
    assert_true(message.logical.is_transactional);
    assert_true(slice_equal(message.logical.prefix, slice_of("prefix")));
    assert_true(slice_equal(message.logical.content, slice_of("abc")));
    assert_decodes(WIRE("M\0\0\0\0\0\0\0\0\1\0\0\0\0\0"));
    assert_false(message.logical.is_transactional);
    assert_int_equal(message.logical.content.size, 0);
}

static void the_forms_of_values_mix_in_a_tuple(void **state)
{
    (void)state;
    assert_decodes(WIRE("I\0\0\0\1N\0\4b\0\0\0\2\0\7t\0\0\0\1xnb\0\0\0\0"));
    const struct pgoutput_value *values = message.row.new_tuple.values;
    assert_int_equal(values[0].kind, PGOUTPUT_VALUE_BINARY);
    assert_int_equal(values[0].size, 2);
    assert_memory_equal(values[0].data, "\0\7", 2);
    assert_int_equal(values[1].kind, PGOUTPUT_VALUE_TEXT);
    assert_false(pgoutput_has_value(&values[2]));
    assert_true(pgoutput_has_value(&values[3]));
    assert_int_equal(values[3].size, 0);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    struct fault f = {0};
    assert_false(pgoutput_decode(WIRE("Z"), &message, &f));
    assert_false(pgoutput_decode(WIRE("I\0\0\0\1K\0\1n"), &message, &f));
    assert_false(pgoutput_decode(WIRE("D\0\0\0\1N\0\1n"), &message, &f));
    assert_false(pgoutput_decode(WIRE("I\0\0\0\1N\0\1x\0\0\0\0"), &message, &f));
    assert_false(pgoutput_decode(WIRE("I\0\0\0\1N\0\1b\0\0\0\2x"), &message, &f));
    assert_false(pgoutput_decode(WIRE("I\0\0\0\1N\xff\xff"), &message, &f));
    assert_false(pgoutput_decode(WIRE("I\0\0\0\1N\0\1t\xff\xff\xff\xffx"), &message, &f));
    assert_int_equal(f.kind, FAULT_FATAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begin_and_commit_carry_positions_and_unix_times),
        cmocka_unit_test(a_relation_lists_its_columns),
        cmocka_unit_test(rows_carry_their_tuples),
        cmocka_unit_test(what_nobody_needs_is_still_checked),
        cmocka_unit_test(a_message_has_a_prefix_and_content),
        cmocka_unit_test(the_forms_of_values_mix_in_a_tuple),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
