// The command line of `millrace try`.
#ifndef CLI_TRY_TRY_OPTIONS_H
#define CLI_TRY_TRY_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct try_options {
    const char *dsn;       // NULL: a temporary PostgreSQL
    const char *kafka;     // NULL: the embedded broker
    const char *handler;   // FILE or FILE:NAME; NULL: the sample function
    const char *payload;   // NULL: that of local processes
    char *const *command;  // of the function's process, its end is argv's; NULL: chosen by the handler
    int64_t changes;
    bool is_kept;
    bool is_json;
    bool is_verbose;
    bool is_help;
};

/** False, after an error message on stderr, when the command line is wrong. Strings point into argv. */
bool try_options_read(int argc, char **argv, struct try_options *ret);

void try_options_help(FILE *out);

#endif
