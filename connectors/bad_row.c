#include "connectors/bad_row.h"

#include <stdio.h>

#include "connectors/kafka/record_headers.h"
#include "core/base/clock.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/avro_read.h"
#include "schemas/avro/avro_schema.h"
#include "schemas/json/json_encode.h"

enum { KEY_SHOWN_MAX = 120 };  // bytes

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

// Ends before a character of UTF-8 that would be cut.
static size_t shown_size(const struct bytes *key)
{
    size_t size = key->size < KEY_SHOWN_MAX ? key->size : KEY_SHOWN_MAX;
    while (size > 0 && size < key->size && (key->data[size] & 0xc0) == 0x80) {
        size--;
    }
    return size;
}

// Nothing without a key, or if it can't be shown.
static void append_key(struct bytes *out, const struct change *change)
{
    const struct json_options options = {.as_stored = true};
    CLEANUP(bytes_clear) struct bytes schema = {0};
    struct avro_type *type = NULL;
    struct fault f;
    if (change->op == CHANGE_MESSAGE || change->key.data == NULL || change->table->key_count == 0) {
        return;
    }
    avro_schema_key(&schema, change->table);
    if (avro_type_parse(bytes_slice(&schema), &type, &f)) {
        size_t size = out->size;
        if (!json_encode_datum(type, change->key, &options, out, &f)) {
            out->size = size;
        }
        avro_type_free(type);
    }
}

void bad_row_place(struct bytes *out, const struct change *change)
{
    CLEANUP(bytes_clear) struct bytes key = {0};
    append_key(&key, change);
    if (key.size > 0) {
        size_t shown = shown_size(&key);
        bytes_append_string(out, "key ");
        bytes_append(out, key.data, shown);
        bytes_append_string(out, shown < key.size ? "…, " : ", ");
    }
    bytes_format(out, "LSN %X/%X", (uint32_t)(change->lsn >> 32), (uint32_t)change->lsn);
}

const struct column *bad_row_largest(const struct table *table, struct slice row, size_t *ret_bytes)
{
    CLEANUP(bytes_clear) struct bytes schema = {0};
    const struct column *largest = NULL;
    struct avro_type *type = NULL;
    struct fault f;
    *ret_bytes = 0;
    avro_schema_value(&schema, table);
    if (row.data == NULL || !avro_type_parse(bytes_slice(&schema), &type, &f)) {
        return NULL;
    }
    struct cursor c = cursor_over(row);
    for (size_t i = 0; i < type->count && i < table->column_count && !c.is_short; i++) {
        const uint8_t *start = c.at;
        avro_read_skip(&c, avro_read_branch(&c, type->fields[i].type));
        if ((size_t)(c.at - start) > *ret_bytes) {
            *ret_bytes = (size_t)(c.at - start);
            largest = &table->columns[i];
        }
    }
    avro_type_free(type);
    return largest;
}

static const char *column_in(const char *message, const struct table *table)
{
    const char *found = NULL;
    for (size_t i = 0; i < table->column_count && found == NULL; i++) {
        const char *column = table->columns[i].name;
        CLEANUP(memory_free_pointer)
        char *begin = memory_format("%s.%s column %s: ", table->schema, table->name, column);
        found = strncmp(message, begin, strlen(begin)) == 0 ? column : NULL;
    }
    return found;
}

// Which row it is, for those who look for it in the database.
static void add_place(struct bytes *out, const char *message, const struct change *change)
{
    char lsn[24];
    bool is_message = change->op == CHANGE_MESSAGE;
    const char *column = is_message ? NULL : column_in(message, change->table);
    CLEANUP(bytes_clear) struct bytes text = {0};
    if (!is_message) {
        bytes_format(&text, "%s.%s", change->table->schema, change->table->name);
        record_headers_add(out, "millrace.dlq.table", bytes_slice(&text));
        bytes_reset(&text);
    }
    append_key(&text, change);
    if (text.size > 0) {
        record_headers_add(out, "millrace.dlq.key", slice_make(text.data, shown_size(&text)));
    }
    if (column != NULL) {
        record_headers_add(out, "millrace.dlq.column", slice_of(column));
    }
    (void)snprintf(lsn, sizeof(lsn), "%X/%X", (uint32_t)(change->lsn >> 32), (uint32_t)change->lsn);
    record_headers_add(out, "millrace.dlq.lsn", slice_of(lsn));
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
    add_place(out, message, change);
}
