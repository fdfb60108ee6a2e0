#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "connectors/postgres/catalogue/pg_types.h"
#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_enum.h"
#include "connectors/postgres/values/pg_hstore.h"
#include "connectors/postgres/values/pg_number.h"
#include "connectors/postgres/values/pg_numeric.h"
#include "connectors/postgres/values/pg_string.h"
#include "connectors/postgres/values/pg_temporal.h"
#include "connectors/postgres/values/pg_vector.h"
#include "core/base/memory.h"
#include "schemas/avro/avro_encode.h"

enum { NUMERIC = 1700, DATE = 1082, TIME = 1083, TIMESTAMP = 1114, TIMESTAMPTZ = 1184, TIMETZ = 1266 };

#define NUMERIC_MODIFIER(precision, scale) ((((precision) << 16) | ((scale)&0x7ff)) + 4)

static struct bytes out;
static struct fault f;

static struct value_type type_of(uint32_t oid, int32_t modifier)
{
    struct value_type t;
    const char *plain;
    pg_types_resolve(oid, modifier, NULL, 0, &t, &plain);
    return t;
}

// The text is in a heap block of exactly its size, so that a sanitizer detects a read past its end.
static enum value_step step_of(struct value_type *t, const char *text)
{
    size_t size = strlen(text);
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    memcpy(copy, text, size);
    bytes_reset(&out);
    enum value_step step = t->ops->append_text(&out, t, slice_make(copy, size), &f);
    free(copy);
    return step;
}

static enum value_step step_of_oid(uint32_t oid, int32_t modifier, const char *text)
{
    CLEANUP(value_type_clear) struct value_type t = type_of(oid, modifier);
    return step_of(&t, text);
}

static bool append(uint32_t oid, int32_t modifier, const char *text)
{
    return step_of_oid(oid, modifier, text) == VALUE_DONE;
}

static void assert_hex(const char *want)
{
    char have[4096] = "";
    for (size_t i = 0; i < out.size && i < 2000; i++) {
        (void)snprintf(have + 2 * i, 3, "%02x", out.data[i]);
    }
    assert_string_equal(have, want);
}

static void assert_long(uint32_t oid, int32_t modifier, const char *text, int64_t want)
{
    if (!append(oid, modifier, text)) {
        fail_msg("%s: %s", text, f.text);
    }
    struct bytes expected = {0};
    avro_encode_long(&expected, want);
    assert_int_equal(out.size, expected.size);
    assert_memory_equal(out.data, expected.data, out.size);
    bytes_clear(&expected);
}

static void assert_string(uint32_t oid, int32_t modifier, const char *text, const char *want)
{
    if (!append(oid, modifier, text)) {
        fail_msg("%s: %s", text, f.text);
    }
    struct bytes expected = {0};
    avro_encode_string(&expected, slice_of(want));
    if (expected.size != out.size || memcmp(out.data, expected.data, out.size) != 0) {
        fail_msg("%s gave %.*s, not %s", text, (int)out.size - 1, (char *)out.data + 1, want);
    }
    bytes_clear(&expected);
}

static void assert_refused(uint32_t oid, int32_t modifier, const char *text)
{
    assert_int_equal(step_of_oid(oid, modifier, text), VALUE_FAULT);
    assert_int_equal(f.kind, FAULT_REJECT);
}

static void assert_none(uint32_t oid, int32_t modifier, const char *text)
{
    assert_int_equal(step_of_oid(oid, modifier, text), VALUE_NONE);
    assert_int_equal(f.kind, FAULT_REJECT);
}

static void integers_keep_their_whole_range(void **state)
{
    (void)state;
    assert_long(21, -1, "-32768", -32768);
    assert_long(23, -1, "2147483647", INT32_MAX);
    assert_long(20, -1, "-9223372036854775808", INT64_MIN);
    assert_long(20, -1, "9223372036854775807", INT64_MAX);
    assert_long(26, -1, "4294967295", UINT32_MAX);
    assert_refused(21, -1, "32768");
    assert_refused(20, -1, "9223372036854775808");
    assert_refused(23, -1, "");
    assert_refused(23, -1, "-");
    assert_refused(23, -1, "1x");
}

static void floats_know_nan_and_infinity(void **state)
{
    (void)state;
    assert_true(append(701, -1, "-Infinity"));
    assert_hex("000000000000f0ff");
    assert_true(append(701, -1, "NaN"));
    assert_true(append(700, -1, "1.5"));
    assert_hex("0000c03f");
    assert_true(append(701, -1, "2.2250738585072014e-308"));
    assert_refused(701, -1, "1.5.5");
    assert_refused(701, -1, "");
}

static void decimals_are_the_shortest_two_s_complement(void **state)
{
    (void)state;
    assert_true(append(NUMERIC, NUMERIC_MODIFIER(12, 2), "12.34"));
    assert_hex("0404d2");
    assert_true(append(NUMERIC, NUMERIC_MODIFIER(12, 2), "0.00"));
    assert_hex("0200");
    assert_true(append(NUMERIC, NUMERIC_MODIFIER(12, 2), "-1.28"));
    assert_hex("0280");
    assert_true(append(NUMERIC, NUMERIC_MODIFIER(12, 2), "1.28"));
    assert_hex("040080");
    assert_true(append(NUMERIC, NUMERIC_MODIFIER(38, 0), "-170141183460469231731687303715884105728"));
    assert_hex("2080000000000000000000000000000000");
    assert_true(append(NUMERIC, NUMERIC_MODIFIER(39, 0), "170141183460469231731687303715884105728"));
    assert_hex("220080000000000000000000000000000000");
    assert_true(append(NUMERIC, NUMERIC_MODIFIER(20, 0), "18446744073709551616"));
    assert_hex("12010000000000000000");
    assert_true(append(NUMERIC, NUMERIC_MODIFIER(3, -2), "1200"));
    assert_hex("020c");
    assert_true(append(NUMERIC, NUMERIC_MODIFIER(3, -2), "0"));
    assert_hex("0200");
    assert_true(append(NUMERIC, NUMERIC_MODIFIER(5, 5), ".00001"));
    assert_hex("0201");
    assert_none(NUMERIC, NUMERIC_MODIFIER(5, 2), "NaN");
    assert_none(NUMERIC, NUMERIC_MODIFIER(5, 2), "-Infinity");
    assert_refused(NUMERIC, NUMERIC_MODIFIER(5, 2), "nan");
    assert_refused(NUMERIC, NUMERIC_MODIFIER(5, 2), "1.234");
    assert_refused(NUMERIC, NUMERIC_MODIFIER(5, 2), "");
    assert_refused(NUMERIC, NUMERIC_MODIFIER(5, 2), "-");
}

static void unbounded_numerics_carry_their_scale(void **state)
{
    (void)state;
    assert_true(append(NUMERIC, -1, "1.500"));
    assert_hex("02020f");
    assert_true(append(NUMERIC, -1, "1200"));
    assert_hex("000404b0");
    assert_true(append(NUMERIC, -1, "0.000"));
    assert_hex("000200");
    assert_none(NUMERIC, -1, "Infinity");
    char *digits = memory_new(131073);
    memset(digits, '9', 131072);
    digits[131072] = '\0';
    assert_true(append(NUMERIC, -1, digits));
    // log2(10^131072) bits and a sign bit are 54,427 bytes; 3 for the length, 1 for the scale.
    assert_int_equal(out.size, 54427 + 3 + 1);
    free(digits);
}

static void dates_reach_bc_and_infinity(void **state)
{
    (void)state;
    assert_long(DATE, -1, "2026-01-02", 20455);
    assert_long(DATE, -1, "1970-01-01", 0);
    assert_long(DATE, -1, "1969-12-31", -1);
    assert_long(DATE, -1, "0001-01-01", -719162);
    assert_long(DATE, -1, "0001-12-31 BC", -719163);
    assert_long(DATE, -1, "4714-11-24 BC", -2440588);
    assert_long(DATE, -1, "5874897-12-31", 2145042905);
    assert_long(DATE, -1, "infinity", 2146033979);
    assert_long(DATE, -1, "-infinity", -2147472691);
    assert_refused(DATE, -1, "2026-13-02");
    assert_refused(DATE, -1, "2026-1-2");
    assert_refused(DATE, -1, "2026-01-02 AD");
    assert_refused(DATE, -1, "02/01/2026");
}

static void times_keep_the_end_of_the_day(void **state)
{
    (void)state;
    assert_long(TIME, -1, "03:04:05.5", INT64_C(11045500000));
    assert_long(TIME, 3, "03:04:05.5", 11045500);
    assert_long(TIME, -1, "24:00:00", INT64_C(86400000000));
    assert_refused(TIME, -1, "24:00:01");
    assert_refused(TIME, -1, "03:04");
    assert_refused(TIME, -1, "03:04:05.1234567");
    assert_string(TIMETZ, -1, "03:04:05.670+02", "01:04:05.67Z");
    assert_string(TIMETZ, -1, "01:00:00+05:30", "19:30:00Z");
    assert_string(TIMETZ, -1, "23:00:00-03:30:15", "02:30:15Z");
    assert_string(TIMETZ, -1, "24:00:00+00", "24:00:00Z");
    assert_refused(TIMETZ, -1, "03:04:05");
}

static void timestamps_are_numbers_and_zoned_ones_text(void **state)
{
    (void)state;
    assert_long(TIMESTAMP, -1, "2026-01-02 03:04:05.678901", INT64_C(1767323045678901));
    assert_long(TIMESTAMP, 3, "2026-01-02 03:04:05.678", INT64_C(1767323045678));
    assert_long(TIMESTAMP, -1, "infinity", INT64_MAX);
    assert_long(TIMESTAMP, 0, "-infinity", INT64_C(-9223372036832400000));
    assert_long(TIMESTAMP, -1, "0044-03-15 12:00:00 BC", INT64_C(-63517780800000000));
    assert_long(TIMESTAMP, -1, "294247-01-10 04:00:54.775807", INT64_MAX);
    assert_none(TIMESTAMP, -1, "294247-01-10 04:00:54.775808");
    assert_none(TIMESTAMP, -1, "294276-12-31 23:59:59.999999");
    assert_long(TIMESTAMP, 3, "294276-12-31 23:59:59.999", INT64_C(9224318015999999));
    assert_long(TIMESTAMP, -1, "-infinity", INT64_MIN);
    assert_long(TIMESTAMP, 3, "1969-12-31 23:59:59.999", -1);
    assert_refused(TIMESTAMP, -1, "2026-01-02T03:04:05");
    assert_string(TIMESTAMPTZ, -1, "2026-01-02 03:04:05.678901+00", "2026-01-02T03:04:05.678901Z");
    assert_string(TIMESTAMPTZ, -1, "2026-01-02 03:04:05+00", "2026-01-02T03:04:05.000000Z");
    assert_string(TIMESTAMPTZ, 3, "2026-01-02 03:04:05.6+00", "2026-01-02T03:04:05.600Z");
    assert_string(TIMESTAMPTZ, 0, "2026-01-02 03:04:05+00", "2026-01-02T03:04:05Z");
    assert_string(TIMESTAMPTZ, 0, "294276-12-31 23:59:59+00", "+294276-12-31T23:59:59Z");
    assert_string(TIMESTAMPTZ, 0, "0044-03-15 12:00:00+00 BC", "-0043-03-15T12:00:00Z");
    assert_string(TIMESTAMPTZ, -1, "-infinity", "-infinity");
    assert_refused(TIMESTAMPTZ, -1, "2026-01-02 03:04:05+02");
}

static void bytes_and_booleans(void **state)
{
    (void)state;
    assert_true(append(17, -1, "\\x00fFa1"));
    assert_hex("0600ffa1");
    assert_true(append(17, -1, "\\x"));
    assert_hex("00");
    assert_refused(17, -1, "\\x0");
    assert_refused(17, -1, "\\x0g");
    assert_refused(17, -1, "\\000");
    assert_true(append(16, -1, "t"));
    assert_hex("01");
    assert_refused(16, -1, "true");
}

static void arrays_have_nullable_elements(void **state)
{
    (void)state;
    assert_true(append(1007, -1, "{}"));
    assert_hex("00");
    assert_true(append(1007, -1, "{1,NULL,-1}"));
    assert_hex("06"
               "0202"
               "00"
               "0201"
               "00");
    assert_true(append(1007, -1, "[0:1]={1,2}"));
    assert_hex("04"
               "0202"
               "0204"
               "00");
    assert_true(append(1009, -1, "{\"\",\"NULL\",\"a\\\"\\\\,b\",null}"));
    assert_hex("08"
               "0200"
               "02084e554c4c"
               "020a61225c2c62"
               "02086e756c6c"
               "00");
    assert_true(append(1001, -1, "{\"\\\\x0102\"}"));
    assert_hex("02"
               "02040102"
               "00");
    assert_true(append(1231, NUMERIC_MODIFIER(5, 2), "{1.50}"));
    assert_hex("02"
               "02040096"
               "00");
    assert_true(append(1185, -1, "{\"2026-01-02 03:04:05+00\"}"));
    assert_none(1007, -1, "{{1,2},{3,4}}");
    assert_none(1007, -1, "[0:1][0:0]={{1},{3}}");
    assert_none(1231, -1, "{1.5,NaN}");
    assert_refused(1007, -1, "{1,}");
    assert_refused(1007, -1, "{,1}");
    assert_refused(1007, -1, "{1");
    assert_refused(1007, -1, "[0:1]");
    assert_refused(1009, -1, "{\"a}");
    assert_refused(1009, -1, "{\"a\\\"}");
    assert_refused(1009, -1, "{\"a\"b}");
}

static void arrays_are_split_at_their_type_s_delimiter(void **state)
{
    (void)state;
    char box[] = "box";
    const struct pg_type types[] = {
        {.oid = 20603, .kind = 'b', .delimiter = ';', .name = box},
        {.oid = 20604, .kind = 'b', .element_oid = 20603, .delimiter = ';', .name = box},
    };
    CLEANUP(value_type_clear) struct value_type t;
    const char *plain;
    pg_types_resolve(20604, -1, types, 2, &t, &plain);
    assert_int_equal(step_of(&t, "{(3,4),(1,2);NULL;\"(7,8),(5,6)\"}"), VALUE_DONE);
    assert_hex("06"
               "021628332c34292c28312c3229"
               "00"
               "021628372c38292c28352c3629"
               "00");
    assert_int_equal(step_of(&t, "{(3,4),(1,2);}"), VALUE_FAULT);
}

static void zeros_fit_every_type(void **state)
{
    (void)state;
    static const uint32_t oids[] = {16,   17,   20,   25,   701,  1082, 1184, 1266,
                                    1700, 2950, 1007, 1000, 1231, 2951, 1022};
    for (size_t i = 0; i < sizeof(oids) / sizeof(oids[0]); i++) {
        CLEANUP(value_type_clear) struct value_type t = type_of(oids[i], -1);
        bytes_reset(&out);
        t.ops->append_zero(&out, &t);
        assert_true(out.size > 0);
    }
}

static void unchanged_values_have_debezium_s_mark_or_none(void **state)
{
    (void)state;
    // numeric, float4, float8[], bool[], numeric[], int2[], timestamp[], timestamptz[], time[]
    static const uint32_t unmarked[] = {1700, 700, 1022, 1000, 1231, 1005, 1115, 1185, 1183};
    for (size_t i = 0; i < sizeof(unmarked) / sizeof(unmarked[0]); i++) {
        CLEANUP(value_type_clear) struct value_type t = type_of(unmarked[i], -1);
        assert_null(t.ops->append_placeholder);
    }
    // text, bytea, json, text[], bytea[], int4[], int8[], date[]
    static const uint32_t marked[] = {25, 17, 114, 1009, 1001, 1007, 1016, 1182};
    for (size_t i = 0; i < sizeof(marked) / sizeof(marked[0]); i++) {
        CLEANUP(value_type_clear) struct value_type t = type_of(marked[i], -1);
        bytes_reset(&out);
        t.ops->append_placeholder(&out, &t);
        assert_true(out.size > 28);
    }
    CLEANUP(value_type_clear) struct value_type t = type_of(2951, -1);
    bytes_reset(&out);
    t.ops->append_placeholder(&out, &t);
    assert_memory_equal(out.data,
                        "\x02\x02\x48"
                        "b68a35a7-17ad-35b3-af2a-ae46edb4545a",
                        39);
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
        cmocka_unit_test(integers_keep_their_whole_range),
        cmocka_unit_test(floats_know_nan_and_infinity),
        cmocka_unit_test(decimals_are_the_shortest_two_s_complement),
        cmocka_unit_test(unbounded_numerics_carry_their_scale),
        cmocka_unit_test(dates_reach_bc_and_infinity),
        cmocka_unit_test(times_keep_the_end_of_the_day),
        cmocka_unit_test(timestamps_are_numbers_and_zoned_ones_text),
        cmocka_unit_test(bytes_and_booleans),
        cmocka_unit_test(arrays_have_nullable_elements),
        cmocka_unit_test(arrays_are_split_at_their_type_s_delimiter),
        cmocka_unit_test(zeros_fit_every_type),
        cmocka_unit_test(unchanged_values_have_debezium_s_mark_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, clear);
}
