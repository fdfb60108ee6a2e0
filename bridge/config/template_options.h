// The part of functions/NAME.yaml about templates and columns: `template`, `columns`, and the templates in
// the URL and the headers of the endpoint.
#ifndef BRIDGE_CONFIG_TEMPLATE_OPTIONS_H
#define BRIDGE_CONFIG_TEMPLATE_OPTIONS_H

#include "core/config/config.h"

struct function_config;

extern const struct config_option template_options[];
extern const struct config_option columns_options[];

/** Rules of a URL whose path and query may be a template. */
extern const struct config_rules template_url_rules;

/** Compiles the templates; complains at the place of a mistake inside the text. */
void template_options_finish(const struct config_file *file, struct function_config *c);

#endif
