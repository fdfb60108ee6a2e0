// The row: as it is after the change, or as it was before a delete.
//
//   one event a call            the row; millrace-operation, millrace-table and millrace-id are headers
//   batch.events over 1 [{"op":"d","table":"public.orders","id":"0000000001a2b3c4-00000000","row":{…}},…]
//
// `op` is the envelope's: c, r, u or d. It distinguishes a delete from other changes.
#include "bridge/payload/attributes.h"

#include "core/base/text.h"

static bool append_row(struct payload *p, const struct event_view *e, struct fault *f)
{
    const struct event_value *row = e->after.kind == EVENT_VALUE_NULL ? &e->before : &e->after;
    return event_value_append(&p->body, row, &p->options->json, f);
}

static bool render_element(struct payload *p, const struct attributes *a, const struct event_view *e,
                           struct fault *f)
{
    struct bytes *out = &p->body;
    bytes_append_string(out, "{\"op\":\"");
    bytes_append_byte(out, (uint8_t)e->op);
    bytes_append_string(out, "\",\"table\":\"");
    attributes_append_table(out, a);
    bytes_append_string(out, "\",\"id\":");
    text_append_json(out, a->id);
    bytes_append_string(out, ",\"row\":");
    if (!append_row(p, e, f)) {
        return false;
    }
    bytes_append_byte(out, '}');
    return true;
}

static bool render_alone(struct payload *p, const struct attributes *a, const struct event_view *e,
                         struct fault *f)
{
    attributes_append_lines(&p->lines, a);
    return append_row(p, e, f);
}

static bool render(struct payload *p, const struct record *r, const struct event_view *e, struct fault *f)
{
    struct attributes a = attributes_of(r, e);
    return p->options->is_batch ? render_element(p, &a, e, f) : render_alone(p, &a, e, f);
}

const struct payload_type payload_row = {
    .kind = "row",
    .content_type = "application/json",
    .can_batch = true,
    .opening = "[",
    .closing = "]",
    .render = render,
};
