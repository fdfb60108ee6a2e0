// A rate as users write it: 100/s, 30/m, 5/h.
#ifndef CORE_CONFIG_CONFIG_RATE_H
#define CORE_CONFIG_CONFIG_RATE_H

#include <stdint.h>

#include "core/config/config.h"

/** `count` in each `period_us`. A count of 0: no limit. */
struct config_rate {
    int64_t count;
    int64_t period_us;
};

/** On failure FAULT_CONFIG says what is allowed, and `ret` is untouched. */
bool config_rate_parse(const char *text, struct config_rate *ret, struct fault *f) MUST_USE;

/** For config_rules.check. */
bool config_rate_check(const struct config_file *file, const char *value, struct fault *f);

/** One second's worth, at least 1: the burst of a rate without one. */
int64_t config_rate_default_burst(const struct config_rate *rate);

#endif
