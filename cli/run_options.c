#include "cli/run_options.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/config_dir.h"
#include "cli/options.h"
#include "core/base/memory.h"

enum { OPTION_CHILD_FD = 1000, OPTION_NUMBER, OPTIONS_MAX = 8 };

struct known_option {
    struct option option;
    int allowed;  // the bit that allows it; 0: always
};

static const struct known_option KNOWN[] = {
    {{"config", required_argument, NULL, 'c'}, 0},
    {{"help", no_argument, NULL, 'h'}, 0},
    {{"json", no_argument, NULL, 'j'}, RUN_OPTIONS_JSON},
    // Not in the usage: only the supervisor passes these.
    {{"child-fd", required_argument, NULL, OPTION_CHILD_FD}, RUN_OPTIONS_CHILD},
    {{"number", required_argument, NULL, OPTION_NUMBER}, RUN_OPTIONS_CHILD},
};

/** A small whole number, or -1. */
static int read_number(const char *text)
{
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, 10);
    return errno != 0 || end == text || *end != '\0' || value < 0 || value > 1000000 ? -1 : (int)value;
}

static bool take(void *self, int option, const char *value)
{
    struct run_options *read = self;
    if (option == 'j') {
        read->is_json = true;
    } else if (option == OPTION_CHILD_FD) {
        read->child_fd = read_number(value);
    } else {
        read->number = read_number(value);
    }
    return true;
}

bool run_options_read(int argc, char **argv, const char *usage, int allowed, struct run_options *ret,
                      int *ret_exit)
{
    struct run_options read = {.child_fd = -1, .number = 1};
    struct option names[OPTIONS_MAX] = {{NULL, 0, NULL, 0}};
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(KNOWN); i++) {
        if ((KNOWN[i].allowed & ~allowed) == 0) {
            names[count++] = KNOWN[i].option;
        }
    }
    const struct options options = {argv[0], usage, names, take, &read};
    if (!options_read(argc, argv, &options, &read.dir, ret_exit)) {
        return false;
    }
    if (optind < argc && (allowed & RUN_OPTIONS_NAME) != 0) {
        read.name = argv[optind++];
    }
    if (optind < argc) {
        *ret_exit = options_refuse(argv[0], usage, "unexpected argument", argv[optind]);
        return false;
    }
    read.dir = config_dir_choose(read.dir);
    *ret = read;
    return true;
}
