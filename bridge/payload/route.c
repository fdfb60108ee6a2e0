#include "bridge/payload/route.h"

enum { TARGET_MAX = 16 * 1024 };  // more than servers take

void route_clear(struct route *r)
{
    bytes_clear(&r->target);
    bytes_clear(&r->lines);
}

bool route_equal(const struct route *a, const struct route *b)
{
    return slice_equal(bytes_slice(&a->target), bytes_slice(&b->target)) &&
           slice_equal(bytes_slice(&a->lines), bytes_slice(&b->lines));
}

/** A value and the text around it can make one together. */
static bool has_dot_segment(struct slice target)
{
    size_t from = 1;
    for (size_t at = 1; at <= target.size; at++) {
        bool is_end = at == target.size || target.data[at] == '?';
        if (!is_end && target.data[at] != '/') {
            continue;
        }
        if ((at - from == 1 && target.data[from] == '.') ||
            (at - from == 2 && target.data[from] == '.' && target.data[from + 1] == '.')) {
            return true;
        }
        if (is_end) {
            return false;
        }
        from = at + 1;
    }
    return false;
}

static bool render_target(const struct template *t, struct template_values *values,
                          const struct json_options *options, struct template_buffers *buffers,
                          struct bytes *out, struct fault *f)
{
    bool has_path = t->count > 0 && t->parts[0].literal_size > 0 && t->parts[0].literal[0] == '/';
    if (!has_path) {  // the URL has a query alone
        bytes_append_byte(out, '/');
    }
    if (!template_render(t, values, options, buffers, out, f)) {
        return false;
    }
    if (has_dot_segment(bytes_slice(out))) {
        return fault_set(f, FAULT_REJECT, "the URL's path gets a segment . or ..");
    }
    if (out->size > TARGET_MAX) {
        return fault_set(f, FAULT_REJECT, "the URL's path and query would have %zu bytes, over %d", out->size,
                         TARGET_MAX);
    }
    bytes_append_byte(out, 0);
    return true;
}

static bool render_header(const struct header_template *header, struct template_values *values,
                          const struct json_options *options, struct template_buffers *buffers,
                          struct bytes *out, struct fault *f)
{
    size_t begin = out->size;
    if (begin > 0) {
        bytes_append(out, "\r\n", 2);
    }
    bytes_append_string(out, header->name);
    bytes_append(out, ": ", 2);
    size_t value = out->size;
    if (!template_render(header->value, values, options, buffers, out, f)) {
        return false;
    }
    out->size = out->size == value ? begin : out->size;
    return true;
}

bool route_render(const struct template_config *templates, struct template_values *values,
                  const struct json_options *options, struct template_buffers *buffers, struct route *ret,
                  struct fault *f)
{
    bytes_reset(&ret->target);
    bytes_reset(&ret->lines);
    if (templates->target != NULL &&
        !render_target(templates->target, values, options, buffers, &ret->target, f)) {
        return false;
    }
    for (size_t i = 0; i < templates->header_count; i++) {
        if (!render_header(&templates->headers[i], values, options, buffers, &ret->lines, f)) {
            return fault_context(f, "header");
        }
    }
    return true;
}
