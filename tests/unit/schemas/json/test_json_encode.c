#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>

#include "core/base/memory.h"
#include "schemas/json/json_encode.h"

static struct avro_type *parse(const char *schema)
{
    struct avro_type *type = NULL;
    struct fault f = {0};
    if (!avro_type_parse(slice_of(schema), &type, &f)) {
        fail_msg("%s", f.text);
    }
    return type;
}

// Encodes from a heap block of the exact size; returns the text, or "!" and the fault's text.
static const char *encode(struct bytes *out, const char *schema, const char *data, size_t size)
{
    struct avro_type *type = parse(schema);
    struct fault f = {0};
    uint8_t *exact = memory_new(size > 0 ? size : 1);
    memcpy(exact, data, size);
    bytes_append_string(out, "kept ");
    if (!json_encode_datum(type, slice_make(exact, size), NULL, out, &f)) {
        assert_int_equal(f.kind, FAULT_REJECT);
        assert_int_equal(out->size, 5);
        bytes_append_string(out, "!");
        bytes_append_string(out, f.text);
    }
    avro_type_free(type);
    free(exact);
    return bytes_text(out) + 5;
}

#define CHECK(schema, literal, want) check(schema, literal, sizeof literal - 1, want)

static void check(const char *schema, const char *data, size_t size, const char *want)
{
    struct bytes out CLEANUP(bytes_clear) = {0};
    assert_string_equal(encode(&out, schema, data, size), want);
}

static void check_refused(const char *schema, const char *data, size_t size, const char *why)
{
    struct bytes out CLEANUP(bytes_clear) = {0};
    const char *said = encode(&out, schema, data, size);
    if (said[0] != '!' || strstr(said, why) == NULL) {
        fail_msg("%s: said %s", schema, said);
    }
}

#define REFUSED(schema, literal, why) check_refused(schema, literal, sizeof literal - 1, why)

static void plain_types_come_out_as_json(void **state)
{
    (void)state;
    CHECK("\"null\"", "", "null");
    CHECK("\"boolean\"", "\x01", "true");
    CHECK("\"int\"", "\x01", "-1");
    CHECK("\"long\"", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "-9223372036854775808");
    CHECK("\"double\"", "\x00\x00\x00\x00\x00\x00\xf8\x3f", "1.5");
    CHECK("\"float\"", "\x00\x00\xc0\x3f", "1.5");
    CHECK("\"bytes\"", "\x04\x00\xff", "\"AP8=\"");
    CHECK("\"string\"", "\x04hi", "\"hi\"");
    CHECK("{\"type\":\"fixed\",\"name\":\"f\",\"size\":2}", "ab", "\"YWI=\"");
    CHECK("{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"A\",\"B\"]}", "\x02", "\"B\"");
    CHECK("{\"type\":\"array\",\"items\":\"int\"}", "\x04\x02\x04\x01\x02\x06\x00", "[1,2,3]");
    CHECK("{\"type\":\"map\",\"values\":\"int\"}",
          "\x04\x02"
          "a\x02\x02"
          "b\x04\x00",
          "{\"a\":1,\"b\":2}");
    CHECK("[\"null\",\"string\"]", "\x02\x02x", "\"x\"");
}

static size_t put_long(uint8_t *at, int64_t value)
{
    uint64_t left = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
    size_t size = 0;
    for (; left >= 0x80; left >>= 7) {
        at[size++] = (uint8_t)(left | 0x80);
    }
    at[size++] = (uint8_t)left;
    return size;
}

/** The text of a long that `rest` more bytes follow. */
static void check_long(int64_t value, size_t rest)
{
    static const char SCHEMA[] =
        "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"n\",\"type\":\"long\"},"
        "{\"name\":\"s\",\"type\":\"string\"}]}";
    char want[80];
    uint8_t data[32];
    size_t size = put_long(data, value);
    (void)snprintf(want, sizeof(want), "{\"n\":%" PRId64 ",\"s\":\"%.*s\"}", value, (int)rest,
                   "xxxxxxxxxxxx");
    size += put_long(data + size, (int64_t)rest);
    memset(data + size, 'x', rest);
    check(SCHEMA, (const char *)data, size + rest, want);
}

static void longs_of_all_sizes_are_read_before_all_that_may_follow(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 63; bits++) {
        for (size_t rest = 0; rest < 12; rest++) {
            int64_t power = INT64_C(1) << bits;
            check_long(power, rest);
            check_long(-power, rest);
            check_long(power - 1, rest);
            check_long(-power - 1, rest);
            check_long((power - 1) / 3 * 2, rest);
        }
    }
    check_long(INT64_MAX, 11);
    check_long(INT64_MIN, 11);
}

static void names_and_logical_types_say_what_a_value_stands_for(void **state)
{
    (void)state;
    CHECK("{\"type\":\"int\",\"connect.name\":\"io.debezium.time.Date\"}", "\x02", "\"1970-01-02\"");
    CHECK("{\"type\":\"int\",\"logicalType\":\"date\"}", "\x02", "\"1970-01-02\"");
    CHECK("{\"type\":\"int\",\"connect.name\":\"io.debezium.time.Time\"}", "\xd0\x0f", "\"00:00:01\"");
    CHECK("{\"type\":\"long\",\"connect.name\":\"io.debezium.time.MicroTime\"}", "\x02",
          "\"00:00:00.000001\"");
    CHECK("{\"type\":\"long\",\"connect.name\":\"io.debezium.time.Timestamp\"}", "\x02",
          "\"1970-01-01T00:00:00.001\"");
    CHECK("{\"type\":\"long\",\"connect.name\":\"io.debezium.time.NanoTimestamp\"}", "\x02",
          "\"1970-01-01T00:00:00.000000001\"");
    CHECK("{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}", "\x02",
          "\"1970-01-01T00:00:00.000001Z\"");
    CHECK("{\"type\":\"long\",\"logicalType\":\"local-timestamp-millis\"}", "\x02",
          "\"1970-01-01T00:00:00.001\"");
    CHECK("{\"type\":\"string\",\"logicalType\":\"date\"}", "\x02z", "\"z\"");
    CHECK("{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":4,\"scale\":2}", "\x04\x04\xd2",
          "\"12.34\"");
    CHECK("{\"type\":\"fixed\",\"name\":\"f\",\"size\":2,\"logicalType\":\"decimal\",\"precision\":4,"
          "\"scale\":1}",
          "\x04\xd2", "\"123.4\"");
    CHECK("{\"type\":\"string\",\"connect.name\":\"io.debezium.data.Json\"}", "\x0e{\"a\":1}", "{\"a\":1}");
    CHECK("{\"type\":\"string\",\"connect.name\":\"io.debezium.data.Json\"}", "\x06{a}", "\"{a}\"");
    CHECK("{\"type\":\"record\",\"name\":\"VariableScaleDecimal\",\"fields\":[{\"name\":\"scale\",\"type\":"
          "\"int\"},"
          "{\"name\":\"value\",\"type\":\"bytes\"}],\"connect.name\":\"io.debezium.data."
          "VariableScaleDecimal\"}",
          "\x04\x04\x04\xd2", "\"12.34\"");
}

static void a_recursive_schema_is_followed_to_a_limit(void **state)
{
    (void)state;
    static const char LIST[] =
        "{\"type\":\"record\",\"name\":\"list\",\"fields\":[{\"name\":\"v\",\"type\":\"int\"},"
        "{\"name\":\"next\",\"type\":[\"null\",\"list\"]}]}";
    CHECK(LIST, "\x02\x02\x04\x00", "{\"v\":1,\"next\":{\"v\":2,\"next\":null}}");
    char deep[1000];
    memset(deep, 2, sizeof deep);
    check_refused(LIST, deep, sizeof deep, "nested too deep");
    REFUSED("{\"type\":\"record\",\"name\":\"self\",\"fields\":[{\"name\":\"s\",\"type\":\"self\"}]}", "\x00",
            "nested too deep");
}

static void data_that_does_not_fit_the_schema_is_refused(void **state)
{
    (void)state;
    REFUSED("\"boolean\"", "\x02", "neither 0 nor 1");
    REFUSED("\"int\"", "\x80\x80\x80\x80\x10", "32 bits");
    REFUSED("\"long\"", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "64 bits");
    REFUSED("\"long\"", "\xff\xff\xff\xff\xff\xff\xff\xff\xff", "");
    REFUSED("\"long\"", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "64 bits");
    REFUSED("\"string\"", "\x01", "negative");
    REFUSED("\"string\"", "\x06hi", "");
    REFUSED("\"string\"", "\x02hi", "");
    REFUSED("[\"null\",\"string\"]", "\x04", "union's index");
    REFUSED("[\"null\",\"string\"]", "\x01", "union's index");
    REFUSED("{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"A\"]}", "\x02", "enum's index");
    REFUSED("{\"type\":\"array\",\"items\":\"int\"}", "\xfe\xff\xff\xff\x0f\x02", "more items");
    REFUSED("{\"type\":\"array\",\"items\":\"int\"}", "\x03\xfe\xff\xff\xff\x0f\x02\x00", "block's size");
    REFUSED("{\"type\":\"array\",\"items\":\"int\"}", "\x04\x02", "");
}

static void schemas_we_cannot_read_are_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "{",
        "\"nothing\"",
        "[]",
        "[\"int\",\"int\"]",
        "[\"null\",[\"int\"]]",
        "{\"type\":\"array\",\"items\":\"null\"}",
        "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"r\",\"fields\":[]}}",
        "{\"type\":\"fixed\",\"name\":\"f\",\"size\":-1}",
        "{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"A\",\"A\"]}",
        "{\"type\":\"record\",\"name\":\"1r\",\"fields\":[]}",
        "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"a\","
        "\"type\":\"int\"}]}",
        "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":\"record\","
        "\"name\":\"r\","
        "\"fields\":[]}}]}",
        "{\"type\":5}",
    };
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct avro_type *type = NULL;
        struct fault f = {0};
        assert_false(avro_type_parse(slice_of(BAD[i]), &type, &f));
        assert_int_equal(f.kind, FAULT_REJECT);
        assert_null(type);
    }
    struct bytes deep CLEANUP(bytes_clear) = {0};
    for (int i = 0; i < 10000; i++) {
        bytes_append_string(&deep, "{\"type\":\"array\",\"items\":");
    }
    struct avro_type *type = NULL;
    struct fault f = {0};
    assert_false(avro_type_parse(bytes_slice(&deep), &type, &f));
}

// Each decimal has one byte and 65,536 digits.
static void a_short_record_does_not_become_gigabytes(void **state)
{
    (void)state;
    enum { FIELDS = 300 };
    CLEANUP(bytes_clear) struct bytes schema = {0};
    CLEANUP(bytes_clear) struct bytes data = {0};
    bytes_append_string(&schema, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[");
    for (int i = 0; i < FIELDS; i++) {
        bytes_format(&schema,
                     "%s{\"name\":\"f%d\",\"type\":{\"type\":\"bytes\",\"scale\":65536,\"connect.name\":"
                     "\"org.apache.kafka.connect.data.Decimal\"}}",
                     i == 0 ? "" : ",", i);
        bytes_append_string(&data, "\x02\x01");
    }
    bytes_append_string(&schema, "]}");
    struct bytes out CLEANUP(bytes_clear) = {0};
    const char *said = encode(&out, bytes_text(&schema), bytes_text(&data), data.size);
    assert_non_null(strstr(said, "its JSON is too large"));
}

static void longs_are_strings_when_wanted(void **state)
{
    (void)state;
    struct avro_type *type =
        parse("{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"i\",\"type\":\"int\"},"
              "{\"name\":\"l\",\"type\":\"long\"}]}");
    struct bytes out CLEANUP(bytes_clear) = {0};
    struct fault f;
    const struct json_options options = {.int64_as_string = true};
    assert_true(json_encode_datum(type, slice_make("\x02\x04", 2), &options, &out, &f));
    assert_string_equal(bytes_text(&out), "{\"i\":1,\"l\":\"2\"}");
    avro_type_free(type);
}

static void a_key_s_values_can_be_written_as_they_are_stored(void **state)
{
    (void)state;
    struct avro_type *type =
        parse("{\"type\":\"record\",\"name\":\"r\",\"fields\":["
              "{\"name\":\"d\",\"type\":{\"type\":\"int\",\"connect.name\":\"io.debezium.time.Date\"}},"
              "{\"name\":\"n\",\"type\":{\"type\":\"bytes\",\"scale\":2,\"precision\":5,\"connect.name\":"
              "\"org.apache.kafka.connect.data.Decimal\"}},"
              "{\"name\":\"v\",\"type\":{\"type\":\"record\",\"name\":\"VariableScaleDecimal\",\"namespace\":"
              "\"io.debezium.data\",\"fields\":[{\"name\":\"scale\",\"type\":\"int\"},"
              "{\"name\":\"value\",\"type\":\"bytes\"}],\"connect.name\":\"io.debezium.data."
              "VariableScaleDecimal\"}},"
              "{\"name\":\"j\",\"type\":{\"type\":\"string\",\"connect.name\":\"io.debezium.data.Json\"}},"
              "{\"name\":\"f\",\"type\":\"double\"},{\"name\":\"b\",\"type\":\"bytes\"}]}");
    static const char AVRO[] = "\x02"                // d: 1
                               "\x04\x00\xe1"        // n: 2.25
                               "\x02\x02\x0f"        // v: 1.5
                               "\x04[]"              // j
                               "\0\0\0\0\0\0\0\x40"  // f: 2
                               "\x02\xff";           // b
    struct bytes out CLEANUP(bytes_clear) = {0};
    struct fault f;
    const struct json_options options = {.as_stored = true};
    assert_true(json_encode_datum(type, slice_make(AVRO, sizeof(AVRO) - 1), &options, &out, &f));
    assert_string_equal(bytes_text(&out), "{\"d\":1,\"n\":2.25,\"v\":{\"scale\":1,\"value\":\"Dw==\"},"
                                          "\"j\":\"[]\",\"f\":2.0,\"b\":\"/w==\"}");
    const struct json_options base64 = {.as_stored = true, .decimals_as_base64 = true};
    bytes_reset(&out);
    assert_true(json_encode_datum(type, slice_make(AVRO, sizeof(AVRO) - 1), &base64, &out, &f));
    assert_non_null(strstr(bytes_text(&out), "\"n\":\"AOE=\",\"v\":{\"scale\":1,\"value\":\"Dw==\"},"));
    avro_type_free(type);
}

#define MARKED_ROW                                                                                           \
    "{\"type\":\"record\",\"name\":\"Row\",\"fields\":[{\"name\":\"a\",\"type\":[\"string\",{\"type\":"      \
    "\"record\","                                                                                            \
    "\"name\":\"Unchanged\",\"namespace\":\"millrace\",\"fields\":[{\"name\":\"unchanged\",\"type\":"        \
    "\"boolean\"}]}]},"                                                                                      \
    "{\"name\":\"b\",\"type\":[\"null\",\"string\",\"millrace.Unchanged\"]}]}"

static void a_value_that_was_not_sent_is_absent(void **state)
{
    (void)state;
    CHECK(MARKED_ROW, "\x00\x02x\x02\x02y", "{\"a\":\"x\",\"b\":\"y\"}");
    CHECK(MARKED_ROW, "\x00\x02x\x04\x01", "{\"a\":\"x\"}");
    CHECK(MARKED_ROW, "\x02\x01\x00", "{\"b\":null}");
    CHECK(MARKED_ROW, "\x02\x01\x04\x01", "{}");
    REFUSED(MARKED_ROW, "\x02\x02\x00", "boolean");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_types_come_out_as_json),
        cmocka_unit_test(longs_of_all_sizes_are_read_before_all_that_may_follow),
        cmocka_unit_test(names_and_logical_types_say_what_a_value_stands_for),
        cmocka_unit_test(a_recursive_schema_is_followed_to_a_limit),
        cmocka_unit_test(data_that_does_not_fit_the_schema_is_refused),
        cmocka_unit_test(schemas_we_cannot_read_are_refused),
        cmocka_unit_test(a_short_record_does_not_become_gigabytes),
        cmocka_unit_test(longs_are_strings_when_wanted),
        cmocka_unit_test(a_key_s_values_can_be_written_as_they_are_stored),
        cmocka_unit_test(a_value_that_was_not_sent_is_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
