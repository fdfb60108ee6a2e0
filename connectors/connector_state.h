// The connector's record in the state topic: key `connector/<name>`, value JSON.
#ifndef CONNECTORS_CONNECTOR_STATE_H
#define CONNECTORS_CONNECTOR_STATE_H

#include "connectors/source.h"

/**
 * Appends {"slot":…,"system_identifier":…,"timeline":…,"snapshot":"done"|"running"}, with
 * "position":"16/B374D848" if it is known and "unread":[…] if tables are not read yet.
 */
void connector_state_write(struct bytes *out, const struct source_state *state);

/** @param value  a record's value; data NULL: *ret becomes zero. FAULT_CONFIG: not a connector's record. */
bool connector_state_read(struct slice value, struct source_state *ret, struct fault *f) MUST_USE;

#endif
