// The option table of millrace.yaml.
#ifndef CORE_CONFIG_SETTINGS_KIND_H
#define CORE_CONFIG_SETTINGS_KIND_H

#include "core/config/settings.h"

/** Reads into a struct settings. */
extern const struct config_kind settings_kind;

#endif
