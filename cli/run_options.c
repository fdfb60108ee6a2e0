#include "cli/run_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/config_dir.h"

enum { OPTION_CHILD_FD = 1000, OPTION_NUMBER };

static const struct option OPTIONS[] = {
    {"config", required_argument, NULL, 'c'},
    {"help", no_argument, NULL, 'h'},
    {"json", no_argument, NULL, 'j'},
    {"child-fd", required_argument, NULL,
     OPTION_CHILD_FD},  // not in the usage: only the supervisor passes these
    {"number", required_argument, NULL, OPTION_NUMBER},
    {NULL, 0, NULL, 0},
};

/** A small whole number, or -1. */
static int read_number(const char *text)
{
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, 10);
    return errno != 0 || end == text || *end != '\0' || value < 0 || value > 1000000 ? -1 : (int)value;
}

static bool misused(const char *usage, int *ret_exit)
{
    (void)fputs(usage, stderr);
    *ret_exit = CLI_USAGE;
    return false;
}

static bool is_allowed(int option, int allowed)
{
    if (option == 'j') {
        return (allowed & RUN_OPTIONS_JSON) != 0;
    }
    if (option == OPTION_CHILD_FD || option == OPTION_NUMBER) {
        return (allowed & RUN_OPTIONS_CHILD) != 0;
    }
    return option == 'c' || option == 'h';
}

bool run_options_read(int argc, char **argv, const char *usage, int allowed, struct run_options *ret,
                      int *ret_exit)
{
    struct run_options read = {.child_fd = -1, .number = 1};
    optind = 0;  // main may have parsed options already
    for (int option; (option = getopt_long(argc, argv, "c:h", OPTIONS, NULL)) != -1;) {
        if (!is_allowed(option, allowed)) {
            return misused(usage, ret_exit);
        }
        if (option == 'h') {
            (void)fputs(usage, stdout);
            *ret_exit = CLI_DONE;
            return false;
        }
        if (option == 'c') {
            read.dir = optarg;
        } else if (option == 'j') {
            read.is_json = true;
        } else if (option == OPTION_CHILD_FD) {
            read.child_fd = read_number(optarg);
        } else {
            read.number = read_number(optarg);
        }
    }
    if (optind < argc && (allowed & RUN_OPTIONS_NAME) != 0) {
        read.name = argv[optind++];
    }
    if (optind < argc) {
        (void)fprintf(stderr, "millrace %s: unexpected argument \"%s\"\n", argv[0], argv[optind]);
        return misused(usage, ret_exit);
    }
    read.dir = config_dir_choose(read.dir);
    *ret = read;
    return true;
}
