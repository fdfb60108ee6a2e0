// What `check` finds beyond single files: librdkafka's own judgement, and what is probably not meant.
#ifndef CLI_CHECK_MORE_H
#define CLI_CHECK_MORE_H

#include "cli/config_dir.h"

/** librdkafka's refusal of the properties together, as it would come at the start; nothing is connected. */
bool check_more_kafka(const struct settings *settings, struct fault *f) MUST_USE;

/** Appends warnings, one a line; returns how many. */
size_t check_more_warn(const char *dir, const struct config_set *set, struct bytes *out);

#endif
