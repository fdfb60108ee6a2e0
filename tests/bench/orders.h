// The table `orders` of the benchmarks, and a row of it in Avro.
#ifndef TESTS_BENCH_ORDERS_H
#define TESTS_BENCH_ORDERS_H

#include "connectors/postgres/values/pg_number.h"
#include "connectors/postgres/values/pg_numeric.h"
#include "connectors/postgres/values/pg_string.h"
#include "connectors/postgres/values/pg_temporal.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/table.h"

enum { COLUMNS = 8 };

static struct column columns[COLUMNS] = {
    {.name = (char[]){"id"}, .type = {.ops = &PG_NUMBER_INT64}, .is_key = true},
    {.name = (char[]){"customer_id"}, .type = {.ops = &PG_NUMBER_INT32}},
    {.name = (char[]){"status"}, .type = {.ops = &PG_STRING_TEXT}},
    {.name = (char[]){"amount"},
     .type = {.ops = &PG_NUMERIC_DECIMAL, .precision = 12, .scale = 2},
     .is_nullable = true},
    {.name = (char[]){"created_at"}, .type = {.ops = &PG_TEMPORAL_ZONED_TIMESTAMP}, .is_nullable = true},
    {.name = (char[]){"note"}, .type = {.ops = &PG_STRING_TEXT}, .is_nullable = true},
    {.name = (char[]){"paid"}, .type = {.ops = &PG_NUMBER_BOOLEAN}, .is_nullable = true},
    {.name = (char[]){"meta"}, .type = {.ops = &PG_STRING_JSON}, .is_nullable = true},
};
static size_t keys[] = {0};
static struct table orders = {.prefix = (char[]){"shop"},
                              .schema = (char[]){"public"},
                              .name = (char[]){"orders"},
                              .topic = (char[]){"shop.public.orders"},
                              .columns = columns,
                              .column_count = COLUMNS,
                              .key_columns = keys,
                              .key_count = 1};

static const char created_at[] = "2026-01-02T03:04:05.678901Z";
static const char note[] = "leave it with the neighbours, please";
static const char meta[] = "{\"channel\": \"web\", \"items\": 3}";
static const uint8_t amount[] = {0x30, 0x39};

static inline void orders_row(struct bytes *out, int64_t id, const char *status)
{
    avro_encode_long(out, id);
    avro_encode_long(out, id % 1000);
    avro_encode_string(out, slice_of(status));
    avro_encode_long(out, 1);
    avro_encode_string(out, slice_make(amount, sizeof(amount)));
    avro_encode_long(out, 1);
    avro_encode_string(out, slice_of(created_at));
    avro_encode_long(out, 1);
    avro_encode_string(out, slice_of(note));
    avro_encode_long(out, 1);
    avro_encode_boolean(out, true);
    avro_encode_long(out, 1);
    avro_encode_string(out, slice_of(meta));
}

#endif
