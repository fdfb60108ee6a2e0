// The section `registry` of millrace.yaml.
#ifndef CORE_CONFIG_SETTINGS_REGISTRY_H
#define CORE_CONFIG_SETTINGS_REGISTRY_H

#include "core/config/settings.h"

extern const struct config_option settings_registry_options[];

/** Complains about keys that contradict each other. */
void settings_registry_check(const struct config_file *file, const struct settings *s);

#endif
