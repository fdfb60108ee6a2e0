// A template, a NUL, and a row: what is rendered can't leave its place. The first byte says what the
// template is.
#include "bridge/payload/payload.h"
#include "core/base/memory.h"
#include "schemas/json/json_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** No JSON is nested deeper. */
static size_t count_openings(const struct bytes *json)
{
    size_t count = 0;
    for (size_t i = 0; i < json->size; i++) {
        count += json->data[i] == '[' || json->data[i] == '{' ? 1 : 0;
    }
    return count;
}

/** A JSON body is JSON, a target and a header have neither blanks nor line ends that the template has not. */
static void check(const struct template *t, const struct bytes *out)
{
    if (t->kind == TEMPLATE_OF_JSON && count_openings(out) < JSON_CHECK_DEPTH_MAX) {
        INVARIANT(json_check_value(bytes_slice(out)));
    }
    size_t literals = 0;
    size_t found = 0;
    for (size_t i = 0; i < t->count; i++) {
        for (const char *c = t->parts[i].literal; c < t->parts[i].literal + t->parts[i].literal_size; c++) {
            literals += *c == '\r' || *c == '\n' || *c == '\0' ? 1 : 0;
        }
    }
    for (size_t i = 0; i < out->size; i++) {
        found += out->data[i] == '\r' || out->data[i] == '\n' || out->data[i] == '\0' ? 1 : 0;
    }
    INVARIANT(found == literals || t->kind == TEMPLATE_OF_JSON || t->kind == TEMPLATE_OF_TEXT);
}

static void render(const struct template *t, const struct template_refs *refs, struct slice after)
{
    struct fault f = {0};
    const struct json_options options = {0};
    CLEANUP(bytes_clear) struct bytes out = {0};
    CLEANUP(template_buffers_clear) struct template_buffers buffers = {0};
    struct template_values *values = template_values_new(refs, NULL);
    const struct record r = {.topic = "a", .timestamp_ms = -1, .id = after, .key = after, .has_key = true};
    const struct event_view e = {
        .op = 'c',
        .after = {json_check_value(after) ? EVENT_VALUE_JSON : EVENT_VALUE_TEXT, NULL, after},
        .key = {EVENT_VALUE_TEXT, NULL, after},
    };
    INVARIANT(template_values_read(values, &r, &e, &e, &f));
    if (template_render(t, values, &options, &buffers, &out, &f)) {
        check(t, &out);
    } else {
        INVARIANT(f.kind == FAULT_REJECT && t->kind == TEMPLATE_OF_TARGET);
    }
    template_values_free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fault f = {0};
    struct template_place place = {0};
    struct template *t = NULL;
    CLEANUP(template_refs_clear) struct template_refs refs = {0};
    if (size == 0) {
        return 0;
    }
    const uint8_t *end = memchr(data + 1, 0, size - 1);
    size_t text_size = end == NULL ? size - 1 : (size_t)(end - data - 1);
    enum template_kind kind = (enum template_kind)(data[0] % (TEMPLATE_OF_HEADER + 1));
    if (!template_compile(slice_make(data + 1, text_size), kind, &refs, &t, &place, &f)) {
        INVARIANT(f.kind == FAULT_CONFIG && f.text[0] != '\0' && place.line > 0 && place.column > 0);
        return 0;
    }
    render(t, &refs, end == NULL ? (struct slice){data, 0} : slice_make(end + 1, size - text_size - 2));
    template_free(t);
    return 0;
}
