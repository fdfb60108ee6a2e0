// Whether an event matches a pattern, and if not, what in the pattern refused it.
#ifndef BRIDGE_FILTER_MATCH_H
#define BRIDGE_FILTER_MATCH_H

#include "bridge/filter/pattern.h"

/** Whether the event, an object, matches; `scratch` is the caller's, kept between events to save allocations.
 */
bool match_event(const struct pattern *p, const struct filter_value_ops *ops, struct filter_value event,
                 struct bytes *scratch);

/**
 * The first term, in the order of the text, with which the event no longer matches; NULL when it matches.
 * With a term inside an array it may be the one that no single element satisfies together with those before
 * it.
 */
const struct pattern_term *match_explain(const struct pattern *p, const struct filter_value_ops *ops,
                                         struct filter_value event, struct bytes *scratch);

#endif
