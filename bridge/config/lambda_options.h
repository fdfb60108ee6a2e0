// The section `lambda` of an endpoint: a function of AWS Lambda.
#ifndef BRIDGE_CONFIG_LAMBDA_OPTIONS_H
#define BRIDGE_CONFIG_LAMBDA_OPTIONS_H

#include "bridge/config/function_config.h"

extern const struct config_option lambda_options[];

/** The payload of a function of AWS Lambda whose file names none; before other checks of the payload. */
void lambda_options_choose_payload(const struct config_file *file, struct function_config *c);

void lambda_options_finish(const struct config_file *file, struct function_config *c);

#endif
