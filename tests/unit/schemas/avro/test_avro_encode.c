// Compares the envelope encoder with avro-c's generic reader, and with the sizes of Debezium's records.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <avro.h>
#include <cmocka.h>
#include <inttypes.h>

#include "core/base/memory.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/avro_schema.h"
#include "tests/unit/schemas/avro/sample_table.h"

static struct avro_envelope envelope_of(const struct table *t, char op)
{
    return (struct avro_envelope){
        .version = "0.1.0",
        .connector = "postgresql",
        .table = t,
        .database = "bench",
        .snapshot = "false",
        .op = op,
        .commit_time_us = INT64_C(1795414726233631),
        .transaction_id = 3379,
        .lsn = 54850448,
        .last_commit_lsn = 0,
        .now_ns = INT64_C(1795414726708975875),
    };
}

// The datum that avro-c reads from the bytes, as JSON; the caller frees it.
static char *read_by_avro(const struct table *t, struct slice avro)
{
    struct bytes schema_text CLEANUP(bytes_clear) = {0};
    avro_schema_envelope(&schema_text, t);
    avro_schema_t schema = NULL;
    assert_int_equal(avro_schema_from_json_length((const char *)schema_text.data, schema_text.size, &schema),
                     0);
    avro_value_iface_t *class = avro_generic_class_from_schema(schema);
    avro_value_t value;
    assert_int_equal(avro_generic_value_new(class, &value), 0);
    avro_reader_t reader = avro_reader_memory((const char *)avro.data, (int64_t)avro.size);
    assert_int_equal(avro_value_read(reader, &value), 0);
    char left;
    assert_int_not_equal(avro_read(reader, &left, 1), 0);
    char *json = NULL;
    assert_int_equal(avro_value_to_json(&value, 1, &json), 0);
    avro_reader_free(reader);
    avro_value_decref(&value);
    avro_value_iface_decref(class);
    avro_schema_decref(schema);
    return json;
}

static void avro_c_reads_an_insert_as_it_was_meant(void **state)
{
    (void)state;
    struct table *t = sample_table();
    struct bytes row CLEANUP(bytes_clear) = {0};
    struct bytes avro CLEANUP(bytes_clear) = {0};
    sample_table_row(&row);
    struct avro_envelope e = envelope_of(t, 'c');
    e.after = bytes_slice(&row);
    avro_encode_envelope(&avro, &e);
    char *json = read_by_avro(t, bytes_slice(&avro));
    static const char *const PARTS[] = {
        "\"before\": null",
        "\"id\": 1, \"name\": \"Ada\", \"amount\": {\"bytes\": \"\\u0004\\u00D2\"}, \"price\": {\"double\": "
        "1.5}",
        "\"tags\": {\"array\": [{\"string\": \"x\"}, {\"string\": \"y z\"}]}",
        "\"source\": {\"version\": \"0.1.0\", \"connector\": \"postgresql\", \"name\": \"bench\", \"ts_ms\": "
        "1795414726233, "
        "\"snapshot\": {\"string\": \"false\"}, \"db\": \"bench\", \"sequence\": {\"string\": "
        "\"[null,\\\"54850448\\\"]\"}, "
        "\"ts_us\": {\"long\": 1795414726233631}, \"ts_ns\": {\"long\": 1795414726233631000}, \"schema\": "
        "\"public\", "
        "\"table\": \"sample\", \"txId\": {\"long\": 3379}, \"lsn\": {\"long\": 54850448}, \"xmin\": null, "
        "\"origin\": null, \"origin_lsn\": null}, \"transaction\": null, \"op\": \"c\", "
        "\"ts_ms\": {\"long\": 1795414726708}, \"ts_us\": {\"long\": 1795414726708975}, "
        "\"ts_ns\": {\"long\": 1795414726708975875}}",
    };
    for (size_t i = 0; i < COUNT_OF(PARTS); i++) {
        if (strstr(json, PARTS[i]) == NULL) {
            fail_msg("%s\nis not in\n%s", PARTS[i], json);
        }
    }
    free(json);
    table_free(t);
}

static void both_rows_and_both_positions_are_written(void **state)
{
    (void)state;
    struct table *t = sample_table();
    struct bytes row CLEANUP(bytes_clear) = {0};
    struct bytes avro CLEANUP(bytes_clear) = {0};
    sample_table_row(&row);
    struct avro_envelope e = envelope_of(t, 'u');
    e.before = bytes_slice(&row);
    e.after = bytes_slice(&row);
    e.last_commit_lsn = UINT64_MAX;
    e.lsn = INT64_MAX;
    e.origin = "upstream";
    e.origin_lsn = 77;
    avro_encode_envelope(&avro, &e);
    char *json = read_by_avro(t, bytes_slice(&avro));
    assert_non_null(strstr(json, "\"origin\": {\"string\": \"upstream\"}, \"origin_lsn\": {\"long\": 77}}"));
    assert_non_null(strstr(json, "[\\\"18446744073709551615\\\",\\\"9223372036854775807\\\"]"));
    assert_null(strstr(json, "\"before\": null"));
    assert_null(strstr(json, "\"after\": null"));
    free(json);
    table_free(t);
}

static void records_are_as_long_as_debeziums(void **state)
{
    (void)state;
    // snapshot-read-first.json: 178 bytes with the five of the framing, transaction null.
    struct table *t = sample_table();
    struct bytes row CLEANUP(bytes_clear) = {0};
    struct bytes avro CLEANUP(bytes_clear) = {0};
    avro_encode_long(&row, 10);
    avro_encode_string(&row, slice_of("in the snapshot"));
    avro_encode_long(&row, 1);
    avro_encode_string(&row, slice_make("\x64", 1));
    for (int i = 0; i < 11; i++) {
        avro_encode_long(&row, 0);
    }
    struct avro_envelope e = envelope_of(t, 'r');
    e.version = "3.7.0.Final";
    e.snapshot = "first";
    e.commit_time_us = INT64_C(1795414725980564);
    e.transaction_id = 3378;
    e.lsn = 54850344;
    e.now_ns = INT64_C(1795414726081043002);
    e.after = bytes_slice(&row);
    avro_encode_envelope(&avro, &e);
    assert_int_equal(avro.size, 178 - 5);
    table_free(t);
}

static void longs_take_one_to_ten_bytes(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        size_t size;
    } CASES[] = {{0, 1}, {-1, 1}, {63, 1}, {64, 2}, {-64, 1}, {-65, 2}, {INT64_MAX, 10}, {INT64_MIN, 10}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct bytes out CLEANUP(bytes_clear) = {0};
        avro_encode_long(&out, CASES[i].value);
        assert_int_equal(out.size, CASES[i].size);
    }
}

static void the_envelopes_longs_are_the_same(void **state)
{
    (void)state;
    struct table *t = sample_table();
    struct bytes avro CLEANUP(bytes_clear) = {0};
    for (int i = 0; i < 2 * 63; i++) {
        char wanted[64];
        struct avro_envelope e = envelope_of(t, 'r');
        e.lsn = (UINT64_C(1) << (i / 2)) - (uint64_t)(i % 2);
        bytes_reset(&avro);
        avro_encode_envelope(&avro, &e);
        char *json = read_by_avro(t, bytes_slice(&avro));
        (void)snprintf(wanted, sizeof(wanted), "\"lsn\": {\"long\": %" PRIu64 "}", e.lsn);
        assert_non_null(strstr(json, wanted));
        (void)snprintf(wanted, sizeof(wanted), ",\\\"%" PRIu64 "\\\"]", e.lsn);
        assert_non_null(strstr(json, wanted));
        free(json);
    }
    table_free(t);
}

static void no_memory_is_taken_once_the_buffer_has_grown(void **state)
{
    (void)state;
    struct table *t = sample_table();
    struct bytes row CLEANUP(bytes_clear) = {0};
    struct bytes avro CLEANUP(bytes_clear) = {0};
    sample_table_row(&row);
    struct avro_envelope e = envelope_of(t, 'u');
    e.before = bytes_slice(&row);
    e.after = bytes_slice(&row);
    avro_encode_envelope(&avro, &e);
    const uint8_t *data = avro.data;
    size_t capacity = avro.capacity;
    for (int i = 0; i < 1000; i++) {
        bytes_reset(&avro);
        avro_encode_envelope(&avro, &e);
    }
    assert_ptr_equal(avro.data, data);
    assert_int_equal(avro.capacity, capacity);
    table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(avro_c_reads_an_insert_as_it_was_meant),
        cmocka_unit_test(both_rows_and_both_positions_are_written),
        cmocka_unit_test(records_are_as_long_as_debeziums),
        cmocka_unit_test(longs_take_one_to_ten_bytes),
        cmocka_unit_test(the_envelopes_longs_are_the_same),
        cmocka_unit_test(no_memory_is_taken_once_the_buffer_has_grown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
