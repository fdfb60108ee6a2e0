#include "connectors/bad_row.h"

#include <stdio.h>

#include "connectors/kafka/record_headers.h"
#include "core/base/clock.h"
#include "core/base/cursor.h"
#include "schemas/avro/avro_encode.h"

static const char PLACEHOLDER[] = "__debezium_unavailable_value";

enum bad_row_shape {
    SHAPE_VARINT,
    SHAPE_FIXED_1,
    SHAPE_FIXED_4,
    SHAPE_FIXED_8,
    SHAPE_SIZED,
    SHAPE_VARIABLE_DECIMAL
};

static enum bad_row_shape shape_of(enum column_type type)
{
    switch (type) {
    case COLUMN_BOOLEAN:
        return SHAPE_FIXED_1;
    case COLUMN_FLOAT32:
        return SHAPE_FIXED_4;
    case COLUMN_FLOAT64:
        return SHAPE_FIXED_8;
    case COLUMN_INT16:
    case COLUMN_INT32:
    case COLUMN_INT64:
    case COLUMN_DATE:
    case COLUMN_TIME_MS:
    case COLUMN_TIME_US:
    case COLUMN_TIMESTAMP_MS:
    case COLUMN_TIMESTAMP_US:
        return SHAPE_VARINT;
    case COLUMN_VARIABLE_DECIMAL:
        return SHAPE_VARIABLE_DECIMAL;
    case COLUMN_DECIMAL:
    case COLUMN_STRING:
    case COLUMN_BYTES:
    case COLUMN_ZONED_TIMESTAMP:
    case COLUMN_ZONED_TIME:
    case COLUMN_UUID:
    case COLUMN_JSON:
    case COLUMN_XML:
        return SHAPE_SIZED;
    }
    return SHAPE_SIZED;
}

static int64_t read_long(struct cursor *c)
{
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = cursor_u8(c);
        n |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            break;
        }
    }
    return (int64_t)(n >> 1) ^ -(int64_t)(n & 1);
}

static void skip_value(struct cursor *c, enum column_type type)
{
    switch (shape_of(type)) {
    case SHAPE_VARINT:
        (void)read_long(c);
        return;
    case SHAPE_FIXED_1:
        (void)cursor_take(c, 1);
        return;
    case SHAPE_FIXED_4:
        (void)cursor_take(c, 4);
        return;
    case SHAPE_FIXED_8:
        (void)cursor_take(c, 8);
        return;
    case SHAPE_VARIABLE_DECIMAL:
        (void)read_long(c);
        (void)cursor_take(c, (size_t)read_long(c));
        return;
    case SHAPE_SIZED:
        (void)cursor_take(c, (size_t)read_long(c));
        return;
    }
}

// An array is a sequence of blocks: a count and that many nullable elements. A count of 0 ends it.
static void skip_array(struct cursor *c, enum column_type type, int64_t null_branch)
{
    for (int64_t left = read_long(c); left > 0 && !c->is_short; left = read_long(c)) {
        for (; left > 0 && !c->is_short; left--) {
            if (read_long(c) != null_branch) {
                skip_value(c, type);
            }
        }
    }
}

// A nullable column with a known default is the union [T, null], any other nullable one [null, T].
static int64_t null_branch_of(const struct column *column)
{
    return column->default_json.size > 0 ? 1 : 0;
}

static void copy_column(const struct column *column, struct cursor *c, size_t max, struct bytes *out)
{
    const uint8_t *start = c->at;
    bool is_null = column->is_nullable && read_long(c) == null_branch_of(column);
    const uint8_t *value = c->at;
    if (!is_null && column->is_array) {
        skip_array(c, column->type, 0);
    } else if (!is_null) {
        skip_value(c, column->type);
    }
    bool is_large = (size_t)(c->at - value) > max;
    if (!is_large || (!column->is_array && shape_of(column->type) != SHAPE_SIZED)) {
        bytes_append(out, start, (size_t)(c->at - start));
        return;
    }
    bytes_append(out, start, (size_t)(value - start));
    if (column->is_array) {
        avro_encode_long(out, 0);
    } else {
        avro_encode_string(out, slice_of(PLACEHOLDER));
    }
}

bool bad_row_shrink(const struct table *table, struct slice row, size_t column_max_bytes, struct bytes *out,
                    struct fault *f)
{
    struct cursor c = cursor_over(row);
    for (size_t i = 0; i < table->column_count && !c.is_short; i++) {
        copy_column(&table->columns[i], &c, column_max_bytes, out);
    }
    if (!cursor_finish(&c, "row image", f)) {
        f->kind = FAULT_FATAL;
        return false;
    }
    return true;
}

void bad_row_headers(struct bytes *out, const char *connector, const char *reason, const char *message,
                     const struct change *change)
{
    char event_id[40];
    char failed_at[24];
    (void)snprintf(event_id, sizeof(event_id), "%016lx-%08lx", change->commit_lsn, change->index);
    (void)snprintf(failed_at, sizeof(failed_at), "%ld", clock_wall_us() / CLOCK_US_PER_MS);
    record_headers_add(out, "millrace.dlq.function", slice_of(connector));
    record_headers_add(out, "millrace.dlq.reason", slice_of(reason));
    record_headers_add(out, "millrace.dlq.message", slice_of(message));
    record_headers_add(out, "millrace.dlq.topic", slice_of(change->table->topic));
    record_headers_add(out, "millrace.dlq.event_id", slice_of(event_id));
    record_headers_add(out, "millrace.dlq.failed_at", slice_of(failed_at));
}
