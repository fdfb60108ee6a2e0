// Which events a function wants: its operations and its filter, evaluated on a record before it takes a lane.
#ifndef BRIDGE_DELIVERY_EVENT_FILTER_H
#define BRIDGE_DELIVERY_EVENT_FILTER_H

#include "bridge/config/function_config.h"
#include "bridge/delivery/function_metrics.h"
#include "bridge/intake/record.h"

struct event_filter;

/** NULL: every record is wanted. `component` and `metrics` are lent, and the configuration until it is freed.
 */
struct event_filter *event_filter_new(const struct function_config *config, const char *component,
                                      struct function_metrics *metrics);

/** Accepts NULL. */
void event_filter_free(struct event_filter *e);

/**
 * Whether the record, which was resolved, is not wanted. Records that can't be read are: their payload is
 * rejected later, with a dead letter. Accepts NULL.
 */
bool event_filter_refuses(struct event_filter *e, const struct record *r);

#endif
