// The section `lambda` of an endpoint: a function of AWS Lambda.
#ifndef BRIDGE_CONFIG_LAMBDA_OPTIONS_H
#define BRIDGE_CONFIG_LAMBDA_OPTIONS_H

#include "bridge/config/function_config.h"

extern const struct config_option lambda_options[];

void lambda_options_finish(const struct config_file *file, struct function_config *c);

#endif
