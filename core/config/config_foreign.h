// Keys and values of another program that users bring into a file: what answers each of them here.
#ifndef CORE_CONFIG_CONFIG_FOREIGN_H
#define CORE_CONFIG_CONFIG_FOREIGN_H

#include "core/base/bytes.h"

/** One row of the table, for the messages and for the documentation. */
struct config_foreign {
    const char *keys;    // its names, separated by blanks; globs; NULL ends the table
    const char *doc;     // what answers them, as Markdown without links
    const char *option;  // key of the option that takes `values`; NULL: none
    const char *values;  // THEIRS=OURS, separated by blanks; THEIRS= has no counterpart
};

struct config_foreigner {
    const char *program;
    const char *prefixes;               // that its keys may have in some of its files, separated by blanks
    const struct config_foreign *rows;  // the first that matches counts
};

/** Appends what answers the key, as text without marks; false: the program has no such key. */
bool config_foreign_key(const struct config_foreigner *f, const char *key, struct bytes *out);

/**
 * Appends what to write in place of a value of the option.
 *
 * @param allowed  the option's values, as they are told to a user
 * @return         false: the program has no such value
 */
bool config_foreign_value(const struct config_foreigner *f, const char *option, const char *value,
                          const char *allowed, struct bytes *out);

/** Appends the table as Markdown. */
void config_foreign_reference(const struct config_foreigner *f, struct bytes *out);

#endif
