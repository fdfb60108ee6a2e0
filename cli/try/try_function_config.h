// The configuration of `millrace try`'s function, read as a function's file is.
#ifndef CLI_TRY_TRY_FUNCTION_CONFIG_H
#define CLI_TRY_TRY_FUNCTION_CONFIG_H

#include "bridge/config/function_config.h"

/**
 * @param topics   NULL-ended
 * @param members  payload and endpoint, in YAML's flow style
 * @return         on the heap, for bridge_apply or try_function_config_free; NULL: the fault is set
 * @param f        FAULT_CONFIG: the first complaint
 */
struct function_config *try_function_config_make(const char *name, const char *const *topics,
                                                 const char *members, struct fault *f) MUST_USE;

/** Accepts NULL. */
void try_function_config_free(struct function_config *c);

#endif
