// schemas/json/event_view: the parts of an event, found without reading its values, and written as JSON.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <time.h>

#include "core/base/memory.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/avro_schema.h"
#include "schemas/json/event_view.h"
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

static void check_value(const struct event_value *value, const char *want)
{
    struct bytes out CLEANUP(bytes_clear) = {0};
    struct fault f;
    assert_true(event_value_append(&out, value, NULL, &f));
    assert_string_equal(bytes_text(&out), want);
}

static void check_text(struct slice text, const char *want)
{
    assert_int_equal(text.size, strlen(want));
    assert_memory_equal(text.data, want, text.size);
}

static void an_envelope_gives_its_parts(void **state)
{
    (void)state;
    for (int has_before = 0; has_before < 2; has_before++) {
        struct sample s CLEANUP(sample_clear) = sample_make(has_before);
        struct event_view e;
        struct fault f;
        assert_true(event_view_read(s.type, bytes_slice(&s.avro), &e, &f));
        assert_true(e.is_envelope);
        assert_int_equal(e.op, has_before ? 'u' : 'c');
        assert_int_equal(e.commit_time_us, INT64_C(1795414726233631));
        check_text(e.prefix, "bench");
        check_text(e.schema, "public");
        check_text(e.table, "sample");
        check_value(&e.after, ROW);
        check_value(&e.before, has_before ? ROW : "null");
    }
}

static void an_envelope_is_written_with_its_op_first(void **state)
{
    (void)state;
    struct sample s CLEANUP(sample_clear) = sample_make(false);
    struct bytes out CLEANUP(bytes_clear) = {0};
    struct bytes want CLEANUP(bytes_clear) = {0};
    struct fault f;
    bytes_append_string(&out, "...");
    assert_true(event_view_encode(s.type, bytes_slice(&s.avro), NULL, &out, &f));
    bytes_format(
        &want,
        "...{\"op\":\"c\",\"before\":null,\"after\":%s,\"source\":{\"version\":\"0.1.0\","
        "\"connector\":\"postgresql\",\"name\":\"bench\",\"ts_ms\":1795414726233,\"snapshot\":\"false\","
        "\"db\":\"bench\",\"sequence\":\"[null,\\\"54850448\\\"]\",\"ts_us\":1795414726233631,"
        "\"ts_ns\":1795414726233631000,\"schema\":\"public\",\"table\":\"sample\",\"txId\":3379,"
        "\"lsn\":54850448,\"xmin\":null,\"origin\":null,\"origin_lsn\":null}}",
        ROW);
    assert_string_equal(bytes_text(&out), bytes_text(&want));
}

static void a_record_that_is_no_envelope_is_its_own_after(void **state)
{
    (void)state;
    struct avro_type *type =
        parse("{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}");
    struct bytes out CLEANUP(bytes_clear) = {0};
    struct event_view e;
    struct fault f;
    assert_true(event_view_encode(type, slice_make("\x02", 1), NULL, &out, &f));
    assert_string_equal(bytes_text(&out),
                        "{\"op\":\"c\",\"before\":null,\"after\":{\"a\":1},\"source\":null}");
    assert_true(event_view_read(type, slice_make("\x02", 1), &e, &f));
    assert_false(e.is_envelope);
    assert_int_equal(e.op, 'c');
    check_value(&e.after, "{\"a\":1}");
    assert_false(event_view_read(type, slice_make("\x02\x02", 2), &e, &f));
    assert_string_equal(f.text, "Avro data has 1 bytes too many");
    avro_type_free(type);
}

/** Another producer may have the commit time in milliseconds only, and unions of its own. */
static void a_source_s_time_may_be_in_milliseconds(void **state)
{
    (void)state;
    struct avro_type *type =
        parse("{\"type\":\"record\",\"name\":\"e\",\"fields\":["
              "{\"name\":\"source\",\"type\":{\"type\":\"record\",\"name\":\"s\",\"fields\":["
              "{\"name\":\"ts_us\",\"type\":[\"long\",\"null\"]},{\"name\":\"ts_ms\",\"type\":\"long\"},"
              "{\"name\":\"table\",\"type\":[\"null\",\"string\"]}]}},"
              "{\"name\":\"op\",\"type\":\"string\"},{\"name\":\"before\",\"type\":\"null\"},"
              "{\"name\":\"after\",\"type\":[\"string\",\"null\",\"int\"]}]}");
    // The index of the second union is one byte more than it needs.
    static const char AVRO[] = "\x02\x0a\x82\0\x02t\x02u\x04\x0e";
    struct event_view e;
    struct fault f;
    assert_true(event_view_read(type, slice_make(AVRO, sizeof(AVRO) - 1), &e, &f));
    assert_int_equal(e.commit_time_us, 5000);
    check_text(e.table, "t");
    check_value(&e.after, "7");
    check_value(&e.before, "null");
    avro_type_free(type);
}

/** Values of any kind may lie beside the row, and with null or without. */
static void all_kinds_of_values_are_passed(void **state)
{
    (void)state;
    struct avro_type *type = parse(
        "{\"type\":\"record\",\"name\":\"e\",\"fields\":["
        "{\"name\":\"before\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"r\",\"fields\":["
        "{\"name\":\"a\",\"type\":\"int\"}]}]},{\"name\":\"after\",\"type\":[\"null\",\"r\"]},"
        "{\"name\":\"op\",\"type\":\"string\"},"
        "{\"name\":\"x\",\"type\":[{\"type\":\"record\",\"name\":\"x\","
        "\"fields\":[{\"name\":\"b\",\"type\":\"boolean\"},{\"name\":\"f\",\"type\":\"float\"},"
        "{\"name\":\"d\",\"type\":\"double\"},{\"name\":\"y\",\"type\":\"bytes\"},"
        "{\"name\":\"z\",\"type\":{\"type\":\"fixed\",\"name\":\"z\",\"size\":2}},"
        "{\"name\":\"n\",\"type\":{\"type\":\"enum\",\"name\":\"n\",\"symbols\":[\"A\",\"B\"]}},"
        "{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":\"long\"}},"
        "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":\"string\"}}]},\"null\"]},"
        "{\"name\":\"b\",\"type\":[\"null\",\"boolean\"]},{\"name\":\"f\",\"type\":[\"float\",\"null\"]},"
        "{\"name\":\"d\",\"type\":[\"null\",\"double\"]},{\"name\":\"y\",\"type\":[\"null\",\"bytes\"]},"
        "{\"name\":\"z\",\"type\":[\"null\",\"z\"]},{\"name\":\"n\",\"type\":[\"null\",\"n\"]},"
        "{\"name\":\"i\",\"type\":\"long\"},{\"name\":\"u\",\"type\":[\"null\",\"int\",\"string\"]},"
        "{\"name\":\"nothing\",\"type\":\"null\"},{\"name\":\"w\",\"type\":[\"null\",\"x\"]}]}");
    static const char AVRO[] = "\x02\x0e"  // before {a: 7}
                               "\0\x02"    // no after; op:
                               "d\0\x01"
                               "1234"
                               "12345678"
                               "\x04yy"
                               "zz"
                               "\x02"                        // x, up to n
                               "\x02\x06\0\x02\x02k\x02v\0"  // its l and m
                               "\x02\x01\0"
                               "1234"
                               "\x02"
                               "12345678"  // b, f, d
                               "\x02\x80\x01"
                               "1234567890123456789012345678901234567890123456789012345678901234"
                               "\0\x02\x02"                                // y, z is null, n
                               "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"  // i
                               "\x04\x02u";                                // u; w, which is null, is the NUL
    struct event_view e;
    struct fault f;
    for (size_t size = 0; size < sizeof AVRO; size++) {
        CLEANUP(memory_free_pointer) uint8_t *exact = memory_new(size + 1);
        memcpy(exact, AVRO, size);
        assert_false(event_view_read(type, slice_make(exact, size), &e, &f));
        assert_int_equal(f.kind, FAULT_REJECT);
    }
    assert_true(event_view_read(type, slice_make(AVRO, sizeof AVRO), &e, &f));
    check_value(&e.before, "{\"a\":7}");
    check_value(&e.after, "null");
    assert_int_equal(e.op, 'd');
    avro_type_free(type);
}

static void an_op_is_one_letter(void **state)
{
    (void)state;
    struct avro_type *type = parse("{\"type\":\"record\",\"name\":\"e\",\"fields\":["
                                   "{\"name\":\"op\",\"type\":\"string\"},"
                                   "{\"name\":\"before\",\"type\":\"null\"},"
                                   "{\"name\":\"after\",\"type\":\"null\"}]}");
    struct event_view e;
    struct fault f;
    assert_true(event_view_read(type,
                                slice_make("\x02"
                                           "t",
                                           2),
                                &e, &f));
    assert_false(event_view_read(type,
                                 slice_make("\x02"
                                            "T",
                                            2),
                                 &e, &f));
    assert_false(event_view_read(type,
                                 slice_make("\x04"
                                            "cc",
                                            3),
                                 &e, &f));
    assert_string_equal(f.text, "Avro data: an envelope's op is not a single letter");
    avro_type_free(type);
}

static void every_truncation_is_refused_and_leaves_the_output_alone(void **state)
{
    (void)state;
    struct sample s CLEANUP(sample_clear) = sample_make(true);
    for (size_t size = 0; size < s.avro.size; size++) {
        CLEANUP(memory_free_pointer) uint8_t *exact = memory_new(size + 1);
        memcpy(exact, s.avro.data, size);
        struct bytes out CLEANUP(bytes_clear) = {0};
        struct fault f = {0};
        bytes_append_string(&out, "kept");
        assert_false(event_view_encode(s.type, slice_make(exact, size), NULL, &out, &f));
        assert_int_equal(f.kind, FAULT_REJECT);
        assert_int_equal(out.size, 4);
    }
}

/** What is only passed when it is found is checked when it is written. */
static void a_value_that_can_t_be_written_leaves_the_output_alone(void **state)
{
    (void)state;
    struct avro_type *type = parse("{\"type\":\"record\",\"name\":\"e\",\"fields\":["
                                   "{\"name\":\"op\",\"type\":\"string\"},"
                                   "{\"name\":\"before\",\"type\":\"null\"},"
                                   "{\"name\":\"after\",\"type\":\"boolean\"}]}");
    struct bytes out CLEANUP(bytes_clear) = {0};
    struct event_view e;
    struct fault f;
    bytes_append_string(&out, "kept");
    assert_true(event_view_read(type,
                                slice_make("\x02"
                                           "c\x02",
                                           3),
                                &e, &f));
    assert_false(event_view_append(&out, &e, NULL, &f));
    assert_string_equal(f.text, "Avro data: a boolean that is neither 0 nor 1");
    assert_int_equal(out.size, 4);
    avro_type_free(type);
}

static void it_takes_no_memory_once_warm_and_is_quick(void **state)
{
    (void)state;
    struct sample s CLEANUP(sample_clear) = sample_make(false);
    struct bytes out CLEANUP(bytes_clear) = {0};
    struct fault f;
    assert_true(event_view_encode(s.type, bytes_slice(&s.avro), NULL, &out, &f));
    const uint8_t *data = out.data;
    clock_t begin = clock();
    enum { ROUNDS = 100000 };
    for (int i = 0; i < ROUNDS; i++) {
        bytes_reset(&out);
        assert_true(event_view_encode(s.type, bytes_slice(&s.avro), NULL, &out, &f));
    }
    print_message("%.2f us an event\n", (double)(clock() - begin) / ROUNDS / CLOCKS_PER_SEC * 1e6);
    assert_ptr_equal(out.data, data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_envelope_gives_its_parts),
        cmocka_unit_test(an_envelope_is_written_with_its_op_first),
        cmocka_unit_test(a_record_that_is_no_envelope_is_its_own_after),
        cmocka_unit_test(a_source_s_time_may_be_in_milliseconds),
        cmocka_unit_test(all_kinds_of_values_are_passed),
        cmocka_unit_test(an_op_is_one_letter),
        cmocka_unit_test(every_truncation_is_refused_and_leaves_the_output_alone),
        cmocka_unit_test(a_value_that_can_t_be_written_leaves_the_output_alone),
        cmocka_unit_test(it_takes_no_memory_once_warm_and_is_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
