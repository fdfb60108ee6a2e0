// Checks of `millrace check` beyond single files: librdkafka's own check of its properties, and warnings.
#ifndef CLI_CHECK_MORE_H
#define CLI_CHECK_MORE_H

#include "cli/config_dir.h"

/** Makes librdkafka clients from the properties, as at the start, without connecting: finds invalid
 * combinations. */
bool check_more_kafka(const struct settings *settings, struct fault *f) MUST_USE;

/** Adds warnings about folders to the set's. */
void check_more_warn(const char *dir, struct config_set *set);

#endif
