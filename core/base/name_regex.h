// Regular expressions over names, written between slashes in the configuration. They are POSIX's (extended),
// and take what users of Debezium write besides: Java's \d, groups (?:…) and escapes within brackets.
#ifndef CORE_BASE_NAME_REGEX_H
#define CORE_BASE_NAME_REGEX_H

#include "core/base/bytes.h"
#include "core/base/fault.h"

/** Whether the text is one: it begins and ends with a slash. */
bool name_regex_is(const char *text);

/**
 * The expression as POSIX writes it, `^(…)$`: it matches whole names only. The caller frees it. NULL and a
 * FAULT_CONFIG that says what POSIX lacks, or what is wrong with it.
 */
char *name_regex_posix(const char *text, struct fault *f) MUST_USE;

/** Whether it matches the whole name; a wrong one matches nothing. */
bool name_regex_matches(const char *text, const char *name, bool is_case_ignored);

enum { NAME_REGEX_GROUPS = 9 };

/** Its groups (…), without those written (?:…). */
size_t name_regex_group_count(const char *text);

/**
 * As name_regex_matches, with the parts of the name that the first groups match, from ret_groups[0] on; those
 * that match nothing are empty. They are lent by the name.
 */
bool name_regex_groups(const char *text, const char *name, bool is_case_ignored,
                       struct slice ret_groups[NAME_REGEX_GROUPS]);

#endif
