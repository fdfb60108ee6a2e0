// How a running function takes a new configuration: in place, or by a restart.
#ifndef BRIDGE_CONFIG_FUNCTION_CHANGE_H
#define BRIDGE_CONFIG_FUNCTION_CHANGE_H

#include "bridge/config/function_config.h"

enum function_change {
    FUNCTION_CHANGE_NONE,      // all values are equal
    FUNCTION_CHANGE_IN_PLACE,  // endpoint, payload or delivery rules changed: no rebalance
    FUNCTION_CHANGE_RESTART,   // topics or order changed: running calls must end first
};

/** Whether all of `endpoint` is equal, secrets included. */
bool function_change_is_same_endpoint(const struct function_config *a, const struct function_config *b);

/** Compares two configurations of the same function. */
enum function_change function_change_between(const struct function_config *old,
                                             const struct function_config *new);

#endif
