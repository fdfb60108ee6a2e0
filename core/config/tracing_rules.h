// Values of the section `tracing` of millrace.yaml.
#ifndef CORE_CONFIG_TRACING_RULES_H
#define CORE_CONFIG_TRACING_RULES_H

#include "core/config/config.h"

/** Of the collector's address, which gets the path of OTLP/HTTP. */
extern const struct config_rules tracing_url_rules;
/** Of headers for the collector: no value is shown. */
extern const struct config_rules tracing_header_rules;
extern const struct config_rules tracing_sample_rules;

/** Reads "1%" or "0.01": a share from 0 to 1. FAULT_CONFIG: it is none. */
bool tracing_sample_read(const char *text, double *ret, struct fault *f) MUST_USE;

#endif
