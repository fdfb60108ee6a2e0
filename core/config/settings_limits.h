// The section `limits` of millrace.yaml: limits that functions share.
#ifndef CORE_CONFIG_SETTINGS_LIMITS_H
#define CORE_CONFIG_SETTINGS_LIMITS_H

#include "core/config/settings.h"

/** Reads the section into s->limits.items, and complains about what is wrong in it. */
void settings_limits_read(const struct config_file *file, struct settings *s);

#endif
