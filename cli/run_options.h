// The command line that run, connect, bridge and status share.
#ifndef CLI_RUN_OPTIONS_H
#define CLI_RUN_OPTIONS_H

#include <stdbool.h>

struct run_options {
    const char *dir;   // of the configuration; from -c, else as config_dir_choose finds it
    const char *name;  // the connector; NULL when not given
    int child_fd;      // where a supervised child reports to; -1: not supervised
    int number;        // of this one among the supervised bridge processes, from 1
    bool is_json;
};

enum run_options_allowed { RUN_OPTIONS_NAME = 1, RUN_OPTIONS_JSON = 2, RUN_OPTIONS_CHILD = 4 };

/**
 * Reads the command line; the strings are argv's.
 *
 * @param usage     printed for --help (to stdout) and after what is wrong (to stderr)
 * @param allowed   bits of enum run_options_allowed
 * @param ret_exit  with false: the exit code
 */
bool run_options_read(int argc, char **argv, const char *usage, int allowed, struct run_options *ret,
                      int *ret_exit);

#endif
