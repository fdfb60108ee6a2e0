// A schema and a datum, divided by the first NUL: parsed by avro_type and written as JSON.
#include <stdlib.h>

#include "core/base/memory.h"
#include "schemas/json/json_encode.h"
#include "schemas/json/json_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_same(const struct bytes *a, struct json_span of_a, const struct bytes *b,
                    struct json_span of_b)
{
    return slice_equal(slice_make(a->data + of_a.at, of_a.size), slice_make(b->data + of_b.at, of_b.size));
}

/** What can be written whole can be written as a row, with the same bytes. */
static void check_row(const struct avro_type *type, struct slice datum, const struct json_options *options,
                      const struct bytes *whole, const struct json_event *event)
{
    struct bytes out CLEANUP(bytes_clear) = {0};
    struct json_event row;
    struct fault f;
    INVARIANT(json_encode_row(type, datum, options, &out, &row, &f));
    INVARIANT(is_same(&out, row.after, whole, event->after));
    INVARIANT(event->after.size > 0 || is_same(&out, row.before, whole, event->before));
    INVARIANT(is_same(&out, row.schema, whole, event->schema));
    INVARIANT(is_same(&out, row.table, whole, event->table));
    INVARIANT(row.op == event->op && row.commit_time_us == event->commit_time_us);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
    if (end == NULL) {
        return 0;
    }
    struct slice schema = slice_make(data, (size_t)(end - data));
    struct slice datum = slice_make(end + 1, size - schema.size - 1);
    struct avro_type *type = NULL;
    struct fault f;
    if (!avro_type_parse(schema, &type, &f)) {
        return 0;
    }
    struct bytes out CLEANUP(bytes_clear) = {0};
    struct json_event event;
    const struct json_options options = {.int64_as_string = true};
    if (json_encode_event(type, datum, &options, &out, &event, &f)) {
        INVARIANT(event.data.size == out.size);
        INVARIANT(event.after.at + event.after.size <= out.size);
        INVARIANT(event.before.at + event.before.size <= out.size);
        struct bytes table CLEANUP(bytes_clear) = {0};
        json_text_unescape(&table, slice_make(out.data + event.table.at, event.table.size));
        INVARIANT(table.size <= event.table.size);
        check_row(type, datum, &options, &out, &event);
    } else {
        INVARIANT(out.size == 0);
        if (!json_encode_row(type, datum, &options, &out, &event, &f)) {
            INVARIANT(out.size == 0);
        }
        bytes_reset(&out);
    }
    if (!json_encode_datum(type, datum, NULL, &out, &f)) {
        INVARIANT(f.kind == FAULT_REJECT);
    }
    avro_type_free(type);
    return 0;
}
