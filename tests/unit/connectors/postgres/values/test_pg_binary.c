// Values in binary form: bytes that PostgreSQL 15 sent, with their text. Both forms give the same Avro value,
// and the text comes out of the bytes again. Bytes of another size are refused, not read past their end.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "connectors/postgres/catalogue/pg_types.h"
#include "core/base/memory.h"

#define NUMERIC_MODIFIER(precision, scale) ((((precision) << 16) | ((scale)&0x7ff)) + 4)

static const struct {
    uint32_t oid;
    int32_t modifier;
    const char *hex;
    const char *text;
} VALUES[] = {
    {16, -1, "01", "t"},
    {16, -1, "00", "f"},
    {21, -1, "8000", "-32768"},
    {23, -1, "80000000", "-2147483648"},
    {23, -1, "7fffffff", "2147483647"},
    {20, -1, "8000000000000000", "-9223372036854775808"},
    {20, -1, "7fffffffffffffff", "9223372036854775807"},
    {26, -1, "ffffffff", "4294967295"},
    {700, -1, "7f7fffff", "3.4028235e+38"},
    {700, -1, "80000001", "-1e-45"},
    {701, -1, "3fb999999999999a", "0.1"},
    {701, -1, "8000000000000001", "-5e-324"},
    {701, -1, "7fefffffffffffff", "1.7976931348623157e+308"},
    {1700, -1, "0000000000000000", "0"},
    {1700, -1, "0000000000000002", "0.00"},
    {1700, -1, "00010007000000000064", "1000000000000000000000000000000"},
    {1700, NUMERIC_MODIFIER(12, 2), "0000000000000002", "0.00"},
    {1700, NUMERIC_MODIFIER(12, 2), "0001ffff400000020064", "-0.01"},
    {1700, NUMERIC_MODIFIER(12, 2), "00040002000000020063270f270f26ac", "9999999999.99"},
    {1700, NUMERIC_MODIFIER(38, 10), "000a00060000000a04d2162e23340d801ed204d2162e007b11d722c4",
     "1234567890123456789012345678.0123456789"},
    {1700, NUMERIC_MODIFIER(5, -2), "0002000100000000007b11f8", "1234600"},
    {1700, NUMERIC_MODIFIER(5, -2), "00010000000000000064", "100"},
    {1700, NUMERIC_MODIFIER(3, 5), "0002ffff0000000500632328", "0.00999"},
    {1700, NUMERIC_MODIFIER(3, 5), "0001fffe4000000503e8", "-0.00001"},
    {25, -1, "", ""},
    {25, -1, "c3bc6ec3af20f09fa689", "ünï 🦉"},
    {1042, 9, "c3a4c3b6c3bc2020", "äöü  "},
    {18, -1, "63", "c"},
    {18, -1, "00", ""},
    {17, -1, "00ff10", "\\x00ff10"},
    {17, -1, "", "\\x"},
    {114, -1, "7b7d", "{}"},
    {3802, -1, "017b226b223a205b312c20322e35302c206e756c6c5d7d", "{\"k\": [1, 2.50, null]}"},
    {2950, -1, "11111111222233334444555555555555", "11111111-2222-3333-4444-555555555555"},
    {869, -1, "02180004c0a80105", "192.168.1.5/24"},
    {869, -1, "022000040a000001", "10.0.0.1"},
    {869, -1, "0380001000000000000000000000ffff01020304", "::ffff:1.2.3.4"},
    {650, -1, "0320011020010db8000000000000000000000000", "2001:db8::/32"},
    {829, -1, "08002b010203", "08:00:2b:01:02:03"},
    {774, -1, "08002b0102030405", "08:00:2b:01:02:03:04:05"},
};

static struct bytes out;
static struct fault f;

static void read_hex(const char *hex, struct bytes *ret)
{
    bytes_reset(ret);
    for (; hex[0] != '\0'; hex += 2) {
        char digits[3] = {hex[0], hex[1], '\0'};
        bytes_append_byte(ret, (uint8_t)strtol(digits, NULL, 16));
    }
}

typedef enum value_step call(struct bytes *o, const struct value_type *t, struct slice value,
                             struct fault *f);

// The value is in a heap block of exactly its size, so that a sanitizer detects a read past its end.
static enum value_step try(call *function, const struct value_type *t, struct slice value)
{
    uint8_t *copy = malloc(value.size == 0 ? 1 : value.size);
    if (value.size > 0) {
        memcpy(copy, value.data, value.size);
    }
    bytes_reset(&out);
    enum value_step step = function(&out, t, slice_make(copy, value.size), &f);
    free(copy);
    return step;
}

static void both_forms_give_the_same_value_and_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(VALUES); i++) {
        CLEANUP(value_type_clear) struct value_type t;
        CLEANUP(bytes_clear) struct bytes data = {0};
        const char *plain;
        pg_types_resolve(VALUES[i].oid, VALUES[i].modifier, NULL, 0, &t, &plain);
        read_hex(VALUES[i].hex, &data);
        assert_int_equal(try(t.ops->append_text, &t, slice_of(VALUES[i].text)), VALUE_DONE);
        CLEANUP(bytes_clear) struct bytes expected = out;
        out = (struct bytes){0};
        assert_int_equal(try(t.ops->append_binary, &t, bytes_slice(&data)), VALUE_DONE);
        if (!slice_equal(bytes_slice(&expected), bytes_slice(&out))) {
            fail_msg("type %u: %s differs in binary form", VALUES[i].oid, VALUES[i].text);
        }
        assert_int_equal(try(t.ops->write_text, &t, bytes_slice(&data)), VALUE_DONE);
        assert_string_equal(bytes_text(&out), VALUES[i].text);
    }
}

static bool has_any_size(uint32_t oid)
{
    return oid == 25 || oid == 1042 || oid == 17 || oid == 114 || oid == 3802;
}

static void bytes_of_another_size_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(VALUES); i++) {
        CLEANUP(value_type_clear) struct value_type t;
        CLEANUP(bytes_clear) struct bytes data = {0};
        const char *plain;
        pg_types_resolve(VALUES[i].oid, VALUES[i].modifier, NULL, 0, &t, &plain);
        read_hex(VALUES[i].hex, &data);
        bytes_append_byte(&data, 0);
        for (size_t size = 0; size <= data.size && !has_any_size(VALUES[i].oid); size++) {
            if (size == data.size - 1 || (VALUES[i].oid == 829 && size == 8) ||
                (VALUES[i].oid == 774 && size == 6)) {
                continue;
            }
            assert_int_equal(try(t.ops->append_binary, &t, slice_make(data.data, size)), VALUE_FAULT);
            assert_int_equal(f.kind, FAULT_REJECT);
            assert_int_equal(try(t.ops->write_text, &t, slice_make(data.data, size)), VALUE_FAULT);
        }
    }
}

static void assert_step(uint32_t oid, int32_t modifier, const char *hex, enum value_step want)
{
    CLEANUP(value_type_clear) struct value_type t;
    CLEANUP(bytes_clear) struct bytes data = {0};
    const char *plain;
    pg_types_resolve(oid, modifier, NULL, 0, &t, &plain);
    read_hex(hex, &data);
    assert_int_equal(try(t.ops->append_binary, &t, bytes_slice(&data)), want);
    assert_int_equal(f.kind, FAULT_REJECT);
}

static void bytes_that_are_no_value_are_refused(void **state)
{
    (void)state;
    assert_step(1700, -1, "00000000c0000000", VALUE_NONE);  // NaN
    assert_step(1700, -1, "00000000f0000000", VALUE_NONE);  // -Infinity
    assert_step(1700, -1, "0000000012340000", VALUE_FAULT);
    assert_step(1700, -1, "00010000000000002710", VALUE_FAULT);                      // a digit of 10000
    assert_step(1700, NUMERIC_MODIFIER(5, 2), "0001ffff000000040001", VALUE_FAULT);  // below the scale
    assert_step(1700, -1, "0001fff80000001e0864", VALUE_FAULT);  // digits that its text does not show
    assert_step(1184, -1, "80000000da000000", VALUE_FAULT);      // before 4714 BC
    assert_step(1114, -1, "7fffffff00000000", VALUE_FAULT);      // after 294276
    assert_step(16, -1, "02", VALUE_FAULT);
    assert_step(3802, -1, "027b7d", VALUE_FAULT);
    assert_step(3802, -1, "", VALUE_FAULT);
    assert_step(869, -1, "02210004c0a80105", VALUE_FAULT);  // 33 bits of an IPv4 address
    assert_step(869, -1, "03180004c0a80105", VALUE_FAULT);
}

static int clear(void **state)
{
    (void)state;
    bytes_clear(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_give_the_same_value_and_text),
        cmocka_unit_test(bytes_of_another_size_are_refused),
        cmocka_unit_test(bytes_that_are_no_value_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, clear);
}
