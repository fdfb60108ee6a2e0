// What it takes to bring a running function to its new configuration.
#ifndef BRIDGE_FUNCTION_FUNCTION_CHANGE_H
#define BRIDGE_FUNCTION_FUNCTION_CHANGE_H

#include "bridge/config/function_config.h"

enum function_change {
    FUNCTION_CHANGE_NONE,      // the same in every value
    FUNCTION_CHANGE_IN_PLACE,  // endpoint, payload, rules of delivery: without a rebalance
    FUNCTION_CHANGE_RESTART,   // its topics or its order: it must end what it has begun first
};

/** Whether both call the same address in the same way. */
bool function_change_is_same_endpoint(const struct function_config *a, const struct function_config *b);

/** Two configurations of one name. */
enum function_change function_change_between(const struct function_config *old,
                                             const struct function_config *new);

#endif
