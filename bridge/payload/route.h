// Where the request of an event goes, as far as that depends on the event: the path and query of its URL, and
// the headers whose values are templates.
#ifndef BRIDGE_PAYLOAD_ROUTE_H
#define BRIDGE_PAYLOAD_ROUTE_H

#include "bridge/config/template_config.h"
#include "bridge/payload/template_render.h"

/** Zero-initialised is empty. */
struct route {
    struct bytes target;  // ends with NUL; size 0: the URL is no template
    struct bytes lines;   // joined by CR LF
};

/** Writes the route of the event that was read last; a header without a value is left out.
 *
 * @param f  FAULT_REJECT: a value can't stand in the URL, or can't be decoded */
bool route_render(const struct template_config *templates, struct template_values *values,
                  const struct json_options *options, struct template_buffers *buffers, struct route *ret,
                  struct fault *f) MUST_USE;

/** Whether events with these routes can share a request. */
bool route_equal(const struct route *a, const struct route *b);

void route_clear(struct route *r);

#endif
