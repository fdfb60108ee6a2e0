// Globs over the names of tables and columns.
#ifndef CONNECTORS_CONFIG_NAME_GLOB_H
#define CONNECTORS_CONFIG_NAME_GLOB_H

#include "core/base/fault.h"

/**
 * Refuses a glob, or a regular expression between slashes, that can match no name of `dots` + 1 parts, and a
 * regular expression without its slashes.
 *
 * @param form  what to write instead: "SCHEMA.TABLE, as in public.orders"
 * @param f     FAULT_CONFIG
 */
bool name_glob_check(const char *value, size_t dots, const char *form, struct fault *f) MUST_USE;

/**
 * Refuses a glob over names of `dots` + 1 parts that begins with the topic prefix, has a comma, or has a dot
 * too many beside `*` or `?`, as a regular expression without its slashes has.
 *
 * @param topic_prefix  NULL: not known
 */
bool name_glob_check_dots(const char *value, size_t dots, const char *topic_prefix, struct fault *f) MUST_USE;

/** Refuses a glob over prefixes of logical messages that looks like a regular expression, has a comma, or
 * matches only prefixes that are never published. */
bool name_glob_check_message(const char *value, struct fault *f) MUST_USE;

#endif
