// Writes a template with the values of an event.
#ifndef BRIDGE_PAYLOAD_TEMPLATE_RENDER_H
#define BRIDGE_PAYLOAD_TEMPLATE_RENDER_H

#include "bridge/payload/template_values.h"

/** Buffers, reused. Zero-initialised is empty. */
struct template_buffers {
    struct bytes json;  // one value
    struct bytes text;  // the same without quotes and escapes
};

/**
 * Appends the text for the event that was read last.
 *
 * @param f  FAULT_REJECT: a value's bytes do not match their schema, or it can't stand in a URL's path: the
 *           text has what was written before that
 */
bool template_render(const struct template *t, struct template_values *values,
                     const struct json_options *options, struct template_buffers *buffers, struct bytes *out,
                     struct fault *f) MUST_USE;

void template_buffers_clear(struct template_buffers *b);

#endif
