// A schema and a datum, divided by the first NUL: parsed by avro_type, viewed as an event and written as
// JSON.
#include <stdlib.h>

#include "core/base/memory.h"
#include "schemas/avro/avro_read.h"
#include "schemas/json/connect_schema.h"
#include "schemas/json/event_view.h"
#include "schemas/json/json_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** What is written whole consists of its parts, which lie in the datum. */
static void check_parts(const struct event_view *e, const struct json_options *options,
                        const struct bytes *whole)
{
    const struct event_value *const PARTS[] = {&e->before, &e->after, &e->source};
    static const char *const LABELS[] = {",\"before\":", ",\"after\":", ",\"source\":"};
    struct bytes out CLEANUP(bytes_clear) = {0};
    struct fault f;
    bytes_format(&out, "{\"op\":\"%c\"", e->op);
    for (size_t i = 0; i < 3; i++) {
        bytes_append_string(&out, LABELS[i]);
        INVARIANT(event_value_append(&out, PARTS[i], options, &f));
    }
    bytes_append_byte(&out, '}');
    INVARIANT(slice_equal(bytes_slice(&out), bytes_slice(whole)));
}

/** A view ends where a skipped value ends; of a record that nests deeper than values are skipped, it may pass
 * one level more. */
static void check_passed(const struct avro_type *type, struct slice datum, const struct event_view *e)
{
    struct cursor c = cursor_over(datum);
    avro_read_skip(&c, type);
    INVARIANT(c.is_short ? datum.size >= AVRO_READ_DEPTH_MAX : cursor_left(&c) == 0);
    INVARIANT(e->is_envelope == type->is_envelope);
}

/** Connect's schema is JSON, if there is one. */
static void check_connect_schema(const struct avro_type *type)
{
    struct fault f;
    struct slice text;
    struct connect_schemas *schemas = connect_schemas_new(false);
    if (connect_schemas_get(schemas, type, &text, &f)) {
        INVARIANT(json_check_value(text));
    } else {
        INVARIANT(f.kind == FAULT_REJECT);
    }
    connect_schemas_free(schemas);
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
    check_connect_schema(type);
    struct bytes out CLEANUP(bytes_clear) = {0};
    struct event_view event;
    const struct json_options options = {.int64_as_string = true};
    bool is_viewed = event_view_read(type, datum, &event, &f);
    if (is_viewed) {
        check_passed(type, datum, &event);
        if (event_view_append(&out, &event, &options, &f)) {
            check_parts(&event, &options, &out);
        } else {
            INVARIANT(out.size == 0);
        }
        bytes_reset(&out);
    }
    if (json_encode_datum(type, datum, NULL, &out, &f)) {
        // An envelope's op may be any text; nothing else is read more strictly than it is written.
        INVARIANT(is_viewed || type->is_envelope);
    } else {
        INVARIANT(f.kind == FAULT_REJECT);
    }
    avro_type_free(type);
    return 0;
}
