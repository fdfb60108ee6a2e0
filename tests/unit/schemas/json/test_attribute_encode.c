// schemas/json/attribute_encode, attribute_json, attribute_number: DynamoDB's attribute values.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "schemas/json/attribute_encode.h"
#include "schemas/json/attribute_number.h"

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
    if (!attribute_encode_datum(type, slice_make(exact, size), out, &f)) {
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

static void each_type_has_its_tag(void **state)
{
    (void)state;
    CHECK("\"null\"", "", "{\"NULL\":true}");
    CHECK("\"boolean\"", "\x01", "{\"BOOL\":true}");
    CHECK("\"boolean\"", "\x00", "{\"BOOL\":false}");
    CHECK("\"int\"", "\x01", "{\"N\":\"-1\"}");
    CHECK("\"long\"", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "{\"N\":\"-9223372036854775808\"}");
    CHECK("\"double\"", "\x00\x00\x00\x00\x00\x00\xf8\x3f", "{\"N\":\"1.5\"}");
    CHECK("\"float\"", "\x00\x00\xc0\x3f", "{\"N\":\"1.5\"}");
    CHECK("\"bytes\"", "\x04\x00\xff", "{\"B\":\"AP8=\"}");
    CHECK("\"string\"", "\x06h\"i", "{\"S\":\"h\\\"i\"}");
    CHECK("{\"type\":\"fixed\",\"name\":\"f\",\"size\":2}", "ab", "{\"B\":\"YWI=\"}");
    CHECK("{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"A\",\"B\"]}", "\x02", "{\"S\":\"B\"}");
    CHECK("{\"type\":\"array\",\"items\":[\"null\",\"int\"]}", "\x06\x02\x02\x00\x02\x06\x00",
          "{\"L\":[{\"N\":\"1\"},{\"NULL\":true},{\"N\":\"3\"}]}");
    CHECK("{\"type\":\"map\",\"values\":\"int\"}",
          "\x02\x02"
          "a\x02\x00",
          "{\"M\":{\"a\":{\"N\":\"1\"}}}");
    CHECK("{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},"
          "{\"name\":\"b\",\"type\":[\"null\",\"string\"]}]}",
          "\x02\x02\x02x", "{\"M\":{\"a\":{\"N\":\"1\"},\"b\":{\"S\":\"x\"}}}");
    CHECK("{\"type\":\"record\",\"name\":\"r\",\"fields\":[]}", "", "{\"M\":{}}");
}

static void times_are_iso_8601_texts(void **state)
{
    (void)state;
    CHECK("{\"type\":\"int\",\"connect.name\":\"io.debezium.time.Date\"}", "\x02", "{\"S\":\"1970-01-02\"}");
    CHECK("{\"type\":\"long\",\"connect.name\":\"io.debezium.time.MicroTimestamp\"}", "\x00",
          "{\"S\":\"1970-01-01T00:00:00\"}");
    CHECK("{\"type\":\"long\",\"connect.name\":\"io.debezium.time.MicroTime\"}", "\x80\x89\x7a",
          "{\"S\":\"00:00:01\"}");
    // Not a time of day: as a number.
    CHECK("{\"type\":\"long\",\"connect.name\":\"io.debezium.time.MicroTime\"}", "\x01", "{\"N\":\"-1\"}");
}

#define DECIMAL(scale)                                                                                       \
    "{\"type\":\"bytes\",\"connect.name\":\"org.apache.kafka.connect.data.Decimal\",\"logicalType\":"        \
    "\"decimal\",\"precision\":100,\"scale\":" scale ",\"connect.parameters\":{\"scale\":\"" scale "\"}}"

static void decimals_are_exact_numbers(void **state)
{
    (void)state;
    CHECK(DECIMAL("2"), "\x04\x30\x39", "{\"N\":\"123.45\"}");
    CHECK(DECIMAL("2"), "\x02\x00", "{\"N\":\"0.00\"}");
    CHECK("{\"type\":\"record\",\"name\":\"VariableScaleDecimal\",\"connect.name\":"
          "\"io.debezium.data.VariableScaleDecimal\",\"fields\":[{\"name\":\"scale\",\"type\":\"int\"},"
          "{\"name\":\"value\",\"type\":\"bytes\"}]}",
          "\x02\x02\x07", "{\"N\":\"0.7\"}");
    // 2^128 has 39 digits.
    CHECK(DECIMAL("0"), "\x22\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
          "{\"S\":\"340282366920938463463374607431768211456\"}");
}

static void number(const char *text, const char *want)
{
    struct bytes out CLEANUP(bytes_clear) = {0};
    attribute_number_append(&out, slice_of(text));
    assert_string_equal(bytes_text(&out), want);
}

#define D38 "12345678901234567890123456789012345678"
#define ZEROS50 "00000000000000000000000000000000000000000000000000"

static void numbers_have_at_most_38_digits(void **state)
{
    (void)state;
    number("0", "{\"N\":\"0\"}");
    number("-1.50", "{\"N\":\"-1.50\"}");
    number(D38, "{\"N\":\"" D38 "\"}");
    number("-" D38, "{\"N\":\"-" D38 "\"}");
    number("1." D38 "9", "{\"S\":\"1." D38 "9\"}");
    number(D38 "9", "{\"S\":\"" D38 "9\"}");
    number("0." D38, "{\"N\":\"0." D38 "\"}");
    number("1." ZEROS50, "{\"N\":\"1\"}");
    number("12.30" ZEROS50, "{\"N\":\"12.3\"}");
    number("10.01" ZEROS50, "{\"N\":\"10.01\"}");
    number("0." ZEROS50, "{\"N\":\"0\"}");
    number("0." ZEROS50 "5", "{\"N\":\"0." ZEROS50 "5\"}");
    number("1" ZEROS50, "{\"N\":\"1E+50\"}");
    number("-123" ZEROS50, "{\"N\":\"-1.23E+52\"}");
}

static void exponents_become_digits(void **state)
{
    (void)state;
    number("1e3", "{\"N\":\"1000\"}");
    number("1.25E+2", "{\"N\":\"125\"}");
    number("1.25e1", "{\"N\":\"12.5\"}");
    number("12.50e-1", "{\"N\":\"1.25\"}");
    number("1.5e-7", "{\"N\":\"0.00000015\"}");
    number("0e9", "{\"N\":\"0\"}");
    number("1e37", "{\"N\":\"10000000000000000000000000000000000000\"}");
    number("1e38", "{\"N\":\"1E+38\"}");
    number("9.5e125", "{\"N\":\"9.5E+125\"}");
    number("1e126", "{\"S\":\"1e126\"}");
    number("1e-131", "{\"S\":\"1e-131\"}");
    number("1e99999999999999999999", "{\"S\":\"1e99999999999999999999\"}");
    number("-1e-99999999999999999999", "{\"S\":\"-1e-99999999999999999999\"}");
}

static void floating_point_numbers_that_are_none_are_texts(void **state)
{
    (void)state;
    CHECK("\"double\"", "\x00\x00\x00\x00\x00\x00\xf8\x7f", "{\"S\":\"NaN\"}");
    CHECK("\"float\"", "\x00\x00\x80\xff", "{\"S\":\"-Infinity\"}");
    CHECK("\"double\"", "\x9c\x75\x00\x88\x3c\xe4\x37\x7e", "{\"S\":\"1e+300\"}");
    CHECK("\"double\"", "\x7d\xc3\x94\x25\xad\x49\xb2\x54", "{\"N\":\"1E+100\"}");
}

static void json_columns_are_what_the_json_says(void **state)
{
    (void)state;
    static const char SCHEMA[] = "{\"type\":\"string\",\"connect.name\":\"io.debezium.data.Json\"}";
    CHECK(SCHEMA, "\x62{ \"a\" : [1, null ,true,false,{}], \"b\\\"\": \"x\\\\\"  }",
          "{\"M\":{\"a\":{\"L\":[{\"N\":\"1\"},{\"NULL\":true},{\"BOOL\":true},{\"BOOL\":false},{\"M\":{}}]},"
          "\"b\\\"\":{\"S\":\"x\\\\\"}}}");
    CHECK(SCHEMA, "\x0a[]   ", "{\"L\":[]}");
    CHECK(SCHEMA,
          "\x0a"
          "1e400",
          "{\"S\":\"1e400\"}");
    CHECK(SCHEMA, "\x08{\"a\"", "{\"S\":\"{\\\"a\\\"\"}");
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

static void what_does_not_match_is_refused(void **state)
{
    (void)state;
    CHECK("\"boolean\"", "\x02", "!Avro data: a boolean that is neither 0 nor 1");
    CHECK("\"int\"", "\x80\x80\x80\x80\x20", "!Avro data: an int of more than 32 bits");
    struct bytes out CLEANUP(bytes_clear) = {0};
    assert_int_equal(encode(&out, "\"string\"", "\x04h", 2)[0], '!');
    bytes_reset(&out);
    assert_int_equal(encode(&out, "\"int\"", "\x02\x02", 2)[0], '!');
    bytes_reset(&out);
    // A list of itself, nested 200 times.
    char deep[401];
    memset(deep, 0, sizeof(deep));
    for (size_t i = 0; i < 200; i++) {
        deep[i] = 2;
    }
    assert_string_equal(encode(&out,
                               "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":"
                               "{\"type\":\"array\",\"items\":\"r\"}}]}",
                               deep, sizeof(deep)),
                        "!Avro data: nested too deep");
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
    CHECK(MARKED_ROW, "\x00\x02x\x04\x01", "{\"M\":{\"a\":{\"S\":\"x\"}}}");
    CHECK(MARKED_ROW, "\x02\x01\x00", "{\"M\":{\"b\":{\"NULL\":true}}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_has_its_tag),
        cmocka_unit_test(times_are_iso_8601_texts),
        cmocka_unit_test(decimals_are_exact_numbers),
        cmocka_unit_test(numbers_have_at_most_38_digits),
        cmocka_unit_test(exponents_become_digits),
        cmocka_unit_test(floating_point_numbers_that_are_none_are_texts),
        cmocka_unit_test(json_columns_are_what_the_json_says),
        cmocka_unit_test(a_short_record_does_not_become_gigabytes),
        cmocka_unit_test(what_does_not_match_is_refused),
        cmocka_unit_test(a_value_that_was_not_sent_is_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
