// The options of a command: one way to read them, and to say what is wrong with them.
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

/** `names` has "config" ('c') and "help" ('h') where the command takes them, and ends with zeros. */
struct options {
    const char *command;         // "dlq"; of messages
    const char *usage;           // printed for --help (to stdout) and after a wrong option (to stderr)
    const struct option *names;  // each `val` is a letter or above 255
    /** An option other than --config and --help; `value` points into argv. False: the value is wrong, and
     * stderr says why. NULL: there is none. */
    bool (*take)(void *self, int option, const char *value);
    void *self;
};

/** For commands that take no other option. */
extern const struct option OPTIONS_CONFIG_ONLY[];

/**
 * Reads the options; the other words are at argv[optind] and behind.
 *
 * @param ret_dir   the value of --config; unchanged without it; may be NULL when no name is "config"
 * @param ret_exit  the exit code, when the result is false
 */
bool options_read(int argc, char **argv, const struct options *o, const char **ret_dir, int *ret_exit);

/** Prints "millrace COMMAND: WHAT "WORD"" (without the word when NULL) and the usage; returns CLI_USAGE. */
int options_refuse(const char *command, const char *usage, const char *what, const char *word);

#endif
