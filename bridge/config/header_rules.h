// Which headers of requests a function's file may set, and which of their values may be shown.
#ifndef BRIDGE_CONFIG_HEADER_RULES_H
#define BRIDGE_CONFIG_HEADER_RULES_H

#include "core/config/settings.h"

/** Of pairs of a header's name and value. */
extern const struct config_rules header_rules;

/** Whether it consists of printable ASCII characters and tabs. */
bool header_value_is_printable(const char *value);

#endif
