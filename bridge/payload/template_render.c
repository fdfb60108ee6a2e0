#include "bridge/payload/template_render.h"

#include "core/base/memory.h"
#include "schemas/json/json_text.h"

void template_buffers_clear(struct template_buffers *b)
{
    bytes_clear(&b->json);
    bytes_clear(&b->text);
}

/** Absent, null, or an empty string. */
static bool is_nothing(struct slice json)
{
    return (json.size == 4 && memcmp(json.data, "null", 4) == 0) ||
           (json.size == 2 && memcmp(json.data, "\"\"", 2) == 0);
}

static bool render_json(const struct template_part *part, struct template_values *values,
                        const struct json_options *options, struct bytes *out, struct fault *f)
{
    size_t begin = out->size;
    if (!template_values_append(values, part->ref, options, out, f)) {
        return false;
    }
    if (part->otherwise != NULL && is_nothing(slice_make(out->data + begin, out->size - begin))) {
        out->size = begin;
        bytes_append_string(out, part->otherwise);
    }
    return true;
}

/** The value as text: of a string what is in it, of others their JSON. */
static struct slice text_of(struct template_buffers *b)
{
    struct slice json = bytes_slice(&b->json);
    if (json.data[0] != '"') {
        return json;
    }
    struct slice content = slice_make(json.data + 1, json.size - 2);
    if (content.size == 0 || memchr(content.data, '\\', content.size) == NULL) {
        return content;
    }
    bytes_reset(&b->text);
    json_text_unescape(&b->text, content);
    return bytes_slice(&b->text);
}

/** Servers that decode before they look for `..` must find none in a value. */
static bool has_dot_segment(struct slice text)
{
    for (size_t from = 0, at = 0; at <= text.size; at++) {
        if (at < text.size && text.data[at] != '/' && text.data[at] != '\\') {
            continue;
        }
        size_t size = at - from;
        if ((size == 1 || size == 2) && text.data[from] == '.' && text.data[at - 1] == '.') {
            return true;
        }
        from = at + 1;
    }
    return false;
}

static void name_of(const struct template_ref *ref, struct bytes *out)
{
    bytes_append_string(out, template_root_name(ref->root));
    for (size_t i = 0; i < ref->depth; i++) {
        bytes_append_byte(out, '.');
        bytes_append_slice(out, ref->names[i]);
    }
}

static bool refuse(const struct template_part *part, const struct template_values *values, const char *why,
                   struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes name = {0};
    name_of(&template_values_refs(values)->items[part->ref], &name);
    return fault_set(f, FAULT_REJECT, "${%s} can't stand in the URL's path: %s", bytes_text(&name), why);
}

static bool render_text(const struct template_part *part, struct template_values *values,
                        const struct json_options *options, struct template_buffers *b, struct bytes *out,
                        struct fault *f)
{
    bytes_reset(&b->json);
    if (!template_values_append(values, part->ref, options, &b->json, f)) {
        return false;
    }
    struct slice json = bytes_slice(&b->json);
    if (is_nothing(json)) {
        if (part->otherwise == NULL && part->encoding == TEMPLATE_IN_PATH) {
            return refuse(part, values, "it is absent, null or empty; give it a default, as ${NAME:-none}",
                          f);
        }
        bytes_append_string(out, part->otherwise == NULL ? "" : part->otherwise);
        return true;
    }
    if (part->encoding == TEMPLATE_IN_STRING && json.data[0] == '"') {
        bytes_append(out, json.data + 1, json.size - 2);
        return true;
    }
    struct slice text = text_of(b);
    if (part->encoding == TEMPLATE_IN_PATH && has_dot_segment(text)) {
        return refuse(part, values, "it has a segment . or ..", f);
    }
    template_encode(out, part->encoding, text);
    return true;
}

bool template_render(const struct template *t, struct template_values *values,
                     const struct json_options *options, struct template_buffers *buffers, struct bytes *out,
                     struct fault *f)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct template_part *part = &t->parts[i];
        bytes_append(out, part->literal, part->literal_size);
        if (!part->has_ref) {
            continue;
        }
        bool is_good = part->encoding == TEMPLATE_AS_JSON
                           ? render_json(part, values, options, out, f)
                           : render_text(part, values, options, buffers, out, f);
        if (!is_good) {
            return false;
        }
    }
    return true;
}
