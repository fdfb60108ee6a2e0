// The connector's record in the state topic: key `connector/<name>`, value JSON.
#ifndef CONNECTORS_CONNECTOR_STATE_H
#define CONNECTORS_CONNECTOR_STATE_H

#include "connectors/source.h"

/**
 * Appends {"slot":…,"system_identifier":…,"timeline":…,"snapshot":"done"|"running"}, with
 * "position":"16/B374D848" when it is known and "unread":[…] when tables are still to be read.
 */
void connector_state_write(struct bytes *out, const struct source_state *state);

/** @param value  a record's value; data NULL gives a state that is not known. FAULT_CONFIG: not such a
 * record. */
bool connector_state_read(struct slice value, struct source_state *ret, struct fault *f) MUST_USE;

#endif
