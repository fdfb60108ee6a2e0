// The environment of a child process: what any program needs, and the variables that its files name.
#ifndef CLI_SUPERVISE_ENVIRONMENT_H
#define CLI_SUPERVISE_ENVIRONMENT_H

#include "cli/config_dir.h"

/**
 * Adds the existing variables that millrace.yaml and these files name, each once.
 *
 * @param name  of the connector or function; NULL: the files of all of that kind
 */
void environment_names(const struct config_set *set, const struct config_kind *kind, const char *name,
                       struct text_list *ret);

/**
 * The part of this process's environment that a child gets: the named variables and those of a fixed list, in
 * which a connector has libpq's too.
 *
 * @return  NULL-ended; the caller frees the array, whose strings are borrowed
 */
char **environment_make(const struct text_list *names, bool is_connector);

#endif
