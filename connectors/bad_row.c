#include "connectors/bad_row.h"

#include <stdio.h>

#include "connectors/kafka/record_headers.h"
#include "core/base/clock.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/avro_read.h"
#include "schemas/avro/avro_schema.h"

static void shrink_value(const struct avro_type *type, struct cursor *c, size_t max, struct bytes *out);

static void shrink_fields(const struct avro_type *record, struct cursor *c, size_t max, struct bytes *out)
{
    for (size_t i = 0; i < record->count && !c->is_short; i++) {
        shrink_value(record->fields[i].type, c, max, out);
    }
}

// A decimal's record is kept: the placeholder would be read as a number.
static bool has_parts(const struct avro_type *type)
{
    return type->kind == AVRO_KIND_RECORD && type->meaning != AVRO_MEANING_VARIABLE_DECIMAL;
}

static bool is_text(const struct avro_type *type)
{
    return type->kind == AVRO_KIND_STRING || type->kind == AVRO_KIND_BYTES;
}

static void shrink_value(const struct avro_type *type, struct cursor *c, size_t max, struct bytes *out)
{
    const uint8_t *start = c->at;
    const struct avro_type *value = avro_read_branch(c, type);
    bytes_append(out, start, (size_t)(c->at - start));
    if (c->is_short) {
        return;
    }
    if (has_parts(value)) {
        shrink_fields(value, c, max, out);
        return;
    }
    start = c->at;
    avro_read_skip(c, value);
    size_t size = (size_t)(c->at - start);
    if (size > max && (value->kind == AVRO_KIND_ARRAY || value->kind == AVRO_KIND_MAP)) {
        avro_encode_long(out, 0);
    } else if (size > max && is_text(value)) {
        avro_encode_string(out, slice_of(VALUE_PLACEHOLDER));
    } else {
        bytes_append(out, start, size);
    }
}

bool bad_row_shrink(const struct table *table, struct slice row, size_t column_max_bytes, struct bytes *out,
                    struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes schema = {0};
    struct avro_type *type;
    avro_schema_value(&schema, table);
    if (!avro_type_parse(bytes_slice(&schema), &type, f)) {
        f->kind = FAULT_FATAL;
        return false;
    }
    struct cursor c = cursor_over(row);
    shrink_fields(type, &c, column_max_bytes, out);
    avro_type_free(type);
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
