#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "core/base/memory.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/avro_schema.h"
#include "schemas/json/json_encode.h"
#include "tests/unit/schemas/avro/sample_table.h"

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
    avro_type_free(type);
}

struct sample {
    struct table *table;
    struct avro_type *type;
    struct bytes avro;
};

static struct sample sample_make(bool has_before)
{
    struct sample s = {.table = sample_table()};
    struct bytes schema CLEANUP(bytes_clear) = {0};
    struct bytes row CLEANUP(bytes_clear) = {0};
    avro_schema_envelope(&schema, s.table);
    s.type = parse(bytes_text(&schema));
    sample_table_row(&row);
    const struct avro_envelope e = {
        .version = "0.1.0",
        .connector = "postgresql",
        .table = s.table,
        .database = "bench",
        .snapshot = "false",
        .op = has_before ? 'u' : 'c',
        .commit_time_us = INT64_C(1795414726233631),
        .transaction_id = 3379,
        .lsn = 54850448,
        .now_ns = INT64_C(1795414726708975875),
        .before = has_before ? bytes_slice(&row) : (struct slice){NULL, 0},
        .after = bytes_slice(&row),
    };
    avro_encode_envelope(&s.avro, &e);
    return s;
}

static void sample_clear(struct sample *s)
{
    table_free(s->table);
    avro_type_free(s->type);
    bytes_clear(&s->avro);
}

static const char ROW[] = "{\"id\":1,\"name\":\"Ada\",\"amount\":\"12.34\",\"price\":1.5,\"flag\":true,"
                          "\"at\":\"2026-01-02T03:04:05.678901Z\","
                          "\"day\":\"2026-01-02\",\"t\":\"03:04:05.5\",\"ts\":\"2026-01-02T03:04:05.678901\","
                          "\"doc\":{\"a\": [1, 2]},"
                          "\"uid\":\"11111111-2222-3333-4444-555555555555\",\"tags\":[\"x\",\"y "
                          "z\"],\"raw\":\"AP8=\",\"big\":\"b\"}";

static void check_span(const struct bytes *out, struct json_span span, const char *want)
{
    assert_int_equal(span.size, strlen(want));
    assert_memory_equal(out->data + span.at, want, span.size);
}

static void an_envelope_gives_data_and_its_parts(void **state)
{
    (void)state;
    struct sample s CLEANUP(sample_clear) = sample_make(false);
    struct bytes out CLEANUP(bytes_clear) = {0};
    struct bytes want CLEANUP(bytes_clear) = {0};
    struct json_event event;
    struct fault f;
    bytes_append_string(&out, "...");
    assert_true(json_encode_event(s.type, bytes_slice(&s.avro), NULL, &out, &event, &f));
    bytes_format(
        &want,
        "{\"op\":\"c\",\"before\":null,\"after\":%s,\"source\":{\"version\":\"0.1.0\","
        "\"connector\":\"postgresql\",\"name\":\"bench\",\"ts_ms\":1795414726233,\"snapshot\":\"false\","
        "\"db\":\"bench\",\"sequence\":\"[null,\\\"54850448\\\"]\",\"ts_us\":1795414726233631,"
        "\"ts_ns\":1795414726233631000,\"schema\":\"public\",\"table\":\"sample\",\"txId\":3379,"
        "\"lsn\":54850448,\"xmin\":null,\"origin\":null,\"origin_lsn\":null}}",
        ROW);
    assert_string_equal(bytes_text(&out) + 3, bytes_text(&want));
    check_span(&out, event.data, bytes_text(&want));
    check_span(&out, event.after, ROW);
    check_span(&out, event.prefix, "bench");
    check_span(&out, event.schema, "public");
    check_span(&out, event.table, "sample");
    assert_int_equal(event.before.size, 0);
    assert_true(event.is_envelope);
    assert_int_equal(event.op, 'c');
    assert_int_equal(event.commit_time_us, INT64_C(1795414726233631));
}

static void a_record_that_is_no_envelope_is_its_own_after(void **state)
{
    (void)state;
    struct avro_type *type =
        parse("{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}");
    struct bytes out CLEANUP(bytes_clear) = {0};
    struct json_event event;
    struct fault f;
    assert_true(json_encode_event(type, slice_make("\x02", 1), NULL, &out, &event, &f));
    assert_string_equal(bytes_text(&out),
                        "{\"op\":\"c\",\"before\":null,\"after\":{\"a\":1},\"source\":null}");
    assert_false(event.is_envelope);
    assert_int_equal(event.op, 'c');
    check_span(&out, event.after, "{\"a\":1}");
    avro_type_free(type);
}

static void a_row_is_written_without_the_rest_of_its_event(void **state)
{
    (void)state;
    for (int has_before = 0; has_before < 2; has_before++) {
        struct sample s CLEANUP(sample_clear) = sample_make(has_before);
        struct bytes out CLEANUP(bytes_clear) = {0};
        struct json_event event;
        struct fault f;
        bytes_append_string(&out, "...");
        assert_true(json_encode_row(s.type, bytes_slice(&s.avro), NULL, &out, &event, &f));
        assert_int_equal(out.size, 3 + strlen(ROW) + strlen("\"public\"\"sample\""));
        check_span(&out, event.after, ROW);
        check_span(&out, event.schema, "public");
        check_span(&out, event.table, "sample");
        assert_int_equal(event.before.size, 0);
        assert_int_equal(event.data.size, 0);
        assert_int_equal(event.op, has_before ? 'u' : 'c');
        assert_int_equal(event.commit_time_us, INT64_C(1795414726233631));
    }
}

/** Values of any kind may lie beside the row. Only the row is written, also when it follows from `before`. */
static void all_kinds_of_values_are_skipped(void **state)
{
    (void)state;
    struct avro_type *type = parse(
        "{\"type\":\"record\",\"name\":\"e\",\"fields\":["
        "{\"name\":\"before\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"r\",\"fields\":["
        "{\"name\":\"a\",\"type\":\"int\"}]}]},{\"name\":\"after\",\"type\":[\"null\",\"r\"]},"
        "{\"name\":\"op\",\"type\":\"string\"},{\"name\":\"x\",\"type\":{\"type\":\"record\",\"name\":\"x\","
        "\"fields\":[{\"name\":\"b\",\"type\":\"boolean\"},{\"name\":\"f\",\"type\":\"float\"},"
        "{\"name\":\"d\",\"type\":\"double\"},{\"name\":\"y\",\"type\":\"bytes\"},"
        "{\"name\":\"z\",\"type\":{\"type\":\"fixed\",\"name\":\"z\",\"size\":2}},"
        "{\"name\":\"n\",\"type\":{\"type\":\"enum\",\"name\":\"n\",\"symbols\":[\"A\",\"B\"]}},"
        "{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":\"long\"}},"
        "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":\"string\"}}]}}]}");
    static const char AVRO[] = "\x02\x0e"  // before {a: 7}
                               "\0\x02"    // no after; op:
                               "d\x01"
                               "1234"
                               "12345678"
                               "\x04yy"
                               "zz"
                               "\x02"  // x, up to n
                               "\x02\x06\0"
                               "\x02\x02k\x02v";  // l and m, but for the end of m
    struct bytes out CLEANUP(bytes_clear) = {0};
    struct json_event event;
    struct fault f;
    for (size_t size = 0; size < sizeof AVRO - 1; size++) {
        assert_false(json_encode_row(type, slice_make(AVRO, size), NULL, &out, &event, &f));
        assert_int_equal(out.size, 0);
    }
    assert_true(json_encode_row(type, slice_make(AVRO, sizeof AVRO), NULL, &out, &event, &f));
    assert_string_equal(bytes_text(&out), "null{\"a\":7}");  // there is no `after`
    check_span(&out, event.before, "{\"a\":7}");
    assert_int_equal(event.after.size, 0);
    assert_int_equal(event.op, 'd');
    avro_type_free(type);
}

static void every_truncation_is_refused_and_leaves_the_output_alone(void **state)
{
    (void)state;
    struct sample s CLEANUP(sample_clear) = sample_make(true);
    for (size_t size = 0; size < s.avro.size; size++) {
        uint8_t *exact = memory_new(size > 0 ? size : 1);
        memcpy(exact, s.avro.data, size);
        struct bytes out CLEANUP(bytes_clear) = {0};
        struct json_event event = {.op = 'x'};
        struct fault f = {0};
        bytes_append_string(&out, "kept");
        assert_false(json_encode_event(s.type, slice_make(exact, size), NULL, &out, &event, &f));
        assert_int_equal(f.kind, FAULT_REJECT);
        assert_int_equal(out.size, 4);
        assert_int_equal(event.op, 'x');
        assert_false(json_encode_row(s.type, slice_make(exact, size), NULL, &out, &event, &f));
        assert_int_equal(f.kind, FAULT_REJECT);
        assert_int_equal(out.size, 4);
        assert_int_equal(event.op, 'x');
        free(exact);
    }
}

static void it_takes_no_memory_once_warm_and_is_quick(void **state)
{
    (void)state;
    struct sample s CLEANUP(sample_clear) = sample_make(false);
    struct bytes out CLEANUP(bytes_clear) = {0};
    struct json_event event;
    struct fault f;
    assert_true(json_encode_event(s.type, bytes_slice(&s.avro), NULL, &out, &event, &f));
    const uint8_t *data = out.data;
    clock_t begin = clock();
    enum { ROUNDS = 100000 };
    for (int i = 0; i < ROUNDS; i++) {
        bytes_reset(&out);
        assert_true(json_encode_event(s.type, bytes_slice(&s.avro), NULL, &out, &event, &f));
    }
    print_message("%.2f us an event\n", (double)(clock() - begin) / ROUNDS / CLOCKS_PER_SEC * 1e6);
    assert_ptr_equal(out.data, data);
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
        cmocka_unit_test(longs_are_strings_when_wanted),
        cmocka_unit_test(a_key_s_values_can_be_written_as_they_are_stored),
        cmocka_unit_test(an_envelope_gives_data_and_its_parts),
        cmocka_unit_test(a_record_that_is_no_envelope_is_its_own_after),
        cmocka_unit_test(a_row_is_written_without_the_rest_of_its_event),
        cmocka_unit_test(all_kinds_of_values_are_skipped),
        cmocka_unit_test(every_truncation_is_refused_and_leaves_the_output_alone),
        cmocka_unit_test(it_takes_no_memory_once_warm_and_is_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
