// What the function's file says: `template: {body: …}`, with the values of the event.
//
//   one event a call            the text
//   batch.events over 1 [TEXT,TEXT,…], if it is JSON
#include "bridge/payload/payload.h"

static bool render(struct payload *p, const struct record *r, const struct event_view *e, struct fault *f)
{
    (void)r;
    (void)e;
    const struct payload_options *o = p->options;
    return template_render(o->templates->compiled, o->plans->values, &o->json, &p->buffers, &p->body, f);
}

const struct payload_type payload_template = {
    .kind = "template",
    .content_type = "application/json",
    .can_batch = true,
    .opening = "[",
    .closing = "]",
    .render = render,
};
