// Checks of the values of an endpoint `process`: its user, its share of the processor, its variables.
#ifndef BRIDGE_CONFIG_PROCESS_RULES_H
#define BRIDGE_CONFIG_PROCESS_RULES_H

#include "core/config/config.h"

enum { PROCESS_CPU_MILLIS_MIN = 10, PROCESS_CPU_CORES_MAX = 1024 };

extern const struct config_rules process_user_rules;
extern const struct config_rules process_cpu_rules;
extern const struct config_rules process_env_rules;

/** Cores with at most three decimals, such as 0.5, in thousandths. FAULT_CONFIG says what is allowed. */
bool process_cpu_parse(const char *text, int64_t *ret_millis, struct fault *f) MUST_USE;

#endif
