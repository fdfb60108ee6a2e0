// One envelope of the orders table, encoded a million times by our encoder and by avro-c's value interface
// with fields resolved by index and the value reset between rows: why the connector writes Avro itself.
#include <avro.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/avro_schema.h"
#include "tests/bench/orders.h"

enum { ROWS = 1000000, ENVELOPE_SOURCE = 2 };

static const char sequence[] = "[\"54850784\",\"54850784\"]";

static double run_ours(struct bytes *out)
{
    struct bytes row = {0};
    struct avro_envelope e = {.version = "0.1.0",
                              .connector = "postgresql",
                              .table = &orders,
                              .database = "shop",
                              .snapshot = "false",
                              .op = 'c',
                              .commit_time_us = 1795414726233631,
                              .transaction_id = 3379,
                              .last_commit_lsn = 54850784,
                              .now_ns = 1795414726708975875};
    int64_t start_us = clock_now_us();
    for (int64_t id = 0; id < ROWS; id++) {
        bytes_reset(&row);
        bytes_reset(out);
        orders_row(&row, id, "paid");
        e.lsn = 54850784;
        e.after = bytes_slice(&row);
        avro_encode_envelope(out, &e);
    }
    double ns = (double)(clock_now_us() - start_us) * 1000 / ROWS;
    bytes_clear(&row);
    return ns;
}

static avro_value_t field(avro_value_t *record, size_t index)
{
    avro_value_t value;
    INVARIANT(avro_value_get_by_index(record, index, &value, NULL) == 0);
    return value;
}

static avro_value_t branch(avro_value_t *record, size_t index, int discriminant)
{
    avro_value_t value = field(record, index);
    avro_value_t chosen;
    INVARIANT(avro_value_set_branch(&value, discriminant, &chosen) == 0);
    return chosen;
}

static void set_text(avro_value_t value, const char *text)
{
    (void)avro_value_set_string_len(&value, text, strlen(text) + 1);
}

static void set_long(avro_value_t value, int64_t number)
{
    (void)avro_value_set_long(&value, number);
}

static void row_theirs(avro_value_t *row, int64_t id)
{
    set_long(field(row, 0), id);
    avro_value_t customer = field(row, 1);
    (void)avro_value_set_int(&customer, (int32_t)(id % 1000));
    set_text(field(row, 2), "paid");
    avro_value_t decimal = branch(row, 3, 1);
    (void)avro_value_set_bytes(&decimal, (void *)(uintptr_t)amount, sizeof(amount));
    set_text(branch(row, 4, 1), created_at);
    set_text(branch(row, 5, 1), note);
    avro_value_t paid = branch(row, 6, 1);
    (void)avro_value_set_boolean(&paid, 1);
    set_text(branch(row, 7, 1), meta);
}

static void source_theirs(avro_value_t *source)
{
    set_text(field(source, 0), "0.1.0");
    set_text(field(source, 1), "postgresql");
    set_text(field(source, 2), "shop");
    set_long(field(source, 3), 1795414726233);
    set_text(branch(source, 4, 0), "false");
    set_text(field(source, 5), "shop");
    set_text(branch(source, 6, 1), sequence);
    set_long(branch(source, 7, 1), 1795414726233631);
    set_long(branch(source, 8, 1), 1795414726233631000);
    set_text(field(source, 9), "public");
    set_text(field(source, 10), "orders");
    set_long(branch(source, 11, 1), 3379);
    set_long(branch(source, 12, 1), 54850784);
    for (size_t i = 13; i < 16; i++) {
        avro_value_t none = branch(source, i, 0);
        (void)avro_value_set_null(&none);
    }
}

static void envelope_theirs(avro_value_t *envelope, int64_t id)
{
    avro_value_t none = branch(envelope, 0, 0);
    (void)avro_value_set_null(&none);
    avro_value_t row = branch(envelope, 1, 1);
    row_theirs(&row, id);
    avro_value_t source = field(envelope, ENVELOPE_SOURCE);
    source_theirs(&source);
    none = branch(envelope, 3, 0);
    (void)avro_value_set_null(&none);
    set_text(field(envelope, 4), "c");
    set_long(branch(envelope, 5, 1), 1795414726708);
    set_long(branch(envelope, 6, 1), 1795414726708975);
    set_long(branch(envelope, 7, 1), 1795414726708975875);
}

static double run_theirs(struct bytes *out)
{
    struct bytes text = {0};
    avro_schema_envelope(&text, &orders);
    avro_schema_t schema;
    INVARIANT(avro_schema_from_json_length((const char *)text.data, text.size, &schema) == 0);
    avro_value_iface_t *interface = avro_generic_class_from_schema(schema);
    avro_value_t envelope;
    INVARIANT(avro_generic_value_new(interface, &envelope) == 0);
    (void)bytes_reserve(out, 4096);
    avro_writer_t writer = avro_writer_memory((const char *)out->data, 4096);
    int64_t start_us = clock_now_us();
    for (int64_t id = 0; id < ROWS; id++) {
        avro_writer_reset(writer);
        (void)avro_value_reset(&envelope);
        envelope_theirs(&envelope, id);
        INVARIANT(avro_value_write(writer, &envelope) == 0);
    }
    double ns = (double)(clock_now_us() - start_us) * 1000 / ROWS;
    out->size = (size_t)avro_writer_tell(writer);
    avro_writer_free(writer);
    avro_value_decref(&envelope);
    avro_value_iface_decref(interface);
    avro_schema_decref(schema);
    bytes_clear(&text);
    return ns;
}

int main(void)
{
    struct bytes ours = {0};
    struct bytes theirs = {0};
    for (int round = 0; round < 3; round++) {
        double ours_ns = run_ours(&ours);
        double theirs_ns = run_theirs(&theirs);
        (void)printf("ours %.0f ns, avro-c %.0f ns, %zu bytes each, %s\n", ours_ns, theirs_ns, ours.size,
                     slice_equal(bytes_slice(&ours), bytes_slice(&theirs)) ? "identical" : "DIFFERENT");
    }
    bytes_clear(&ours);
    bytes_clear(&theirs);
    return 0;
}
