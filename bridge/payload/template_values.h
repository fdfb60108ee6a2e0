// The values that the templates of a function refer to, found in an event. Which fields of a schema they are
// is looked up once for each schema.
#ifndef BRIDGE_PAYLOAD_TEMPLATE_VALUES_H
#define BRIDGE_PAYLOAD_TEMPLATE_VALUES_H

#include "bridge/intake/record.h"
#include "bridge/template/template.h"

struct template_values;

/** @param refs       lent
 *  @param component  of log lines: a column that a schema does not have is logged once; lent; NULL: it is
 *                    not */
struct template_values *template_values_new(const struct template_refs *refs, const char *component);
void template_values_free(struct template_values *v);

/** The event whose values are wanted next; all is lent.
 *
 * @param cut   the event with the chosen columns alone: `${after}` is all of these, `${after.NAME}` is any
 * @param f     FAULT_REJECT: the bytes do not match their schema */
bool template_values_read(struct template_values *v, const struct record *r, const struct event_view *e,
                          const struct event_view *cut, struct fault *f) MUST_USE;

/** Appends the value of a reference as JSON, `null` when it is absent; FAULT_REJECT as json_encode_datum. */
bool template_values_append(struct template_values *v, uint32_t ref, const struct json_options *options,
                            struct bytes *out, struct fault *f) MUST_USE;

/** What it was made with. */
const struct template_refs *template_values_refs(const struct template_values *v);

#endif
