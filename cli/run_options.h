// The command line of run, connect, bridge and status.
#ifndef CLI_RUN_OPTIONS_H
#define CLI_RUN_OPTIONS_H

#include <stdbool.h>

struct run_options {
    const char *dir;   // the configuration folder: -c, else config_dir_choose's result
    const char *name;  // the connector; NULL when not given
    int child_fd;      // socket for a supervised child's reports; -1: not supervised
    int number;        // of a supervised bridge process, from 1
    bool is_json;
};

enum run_options_allowed { RUN_OPTIONS_NAME = 1, RUN_OPTIONS_JSON = 2, RUN_OPTIONS_CHILD = 4 };

/**
 * Parses the command line; the strings point into argv.
 *
 * @param usage     printed for --help (to stdout) and after an error (to stderr)
 * @param allowed   bits of enum run_options_allowed
 * @param ret_exit  the exit code, when the result is false
 */
bool run_options_read(int argc, char **argv, const char *usage, int allowed, struct run_options *ret,
                      int *ret_exit);

#endif
