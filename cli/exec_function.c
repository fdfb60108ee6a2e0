// millrace exec-function: the process of a local function. The bridge starts it in place of the function's
// command, which it runs once it has confined itself; not for people, so the help of millrace leaves it out.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/confine.h"
#include "cli/guard.h"
#include "cli/options.h"

static const char exec_usage[] =
    "usage: millrace exec-function --parent PID [--user NAME] [--directory DIR] [--memory BYTES]\n"
    "                              -- COMMAND [ARGUMENT…]\n"
    "\n"
    "Runs a local function's command with its limits; the bridge calls this.\n";

static const struct option exec_names[] = {
    {"parent", required_argument, NULL, 'p'},
    {"user", required_argument, NULL, 'u'},
    {"directory", required_argument, NULL, 'd'},
    {"memory", required_argument, NULL, 'm'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/** A number from 1 to `most`; -1: it is none. */
static int64_t number_of(const char *text, int64_t most)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    bool is_number = end != text && *end == '\0' && errno == 0 && number >= 1 && number <= most;
    return is_number ? number : -1;
}

static bool take_number(int64_t number, const char *what, const char *value)
{
    if (number < 0) {
        (void)options_refuse("exec-function", exec_usage, what, value);
    }
    return number >= 0;
}

static bool take(void *self, int option, const char *value)
{
    struct confinement *c = self;
    switch (option) {
    case 'p':
        c->parent = (pid_t)number_of(value, INT32_MAX);
        return take_number(c->parent, "--parent takes a process's number, not", value);
    case 'm':
        c->memory_bytes = number_of(value, INT64_MAX);
        return take_number(c->memory_bytes, "--memory takes bytes, not", value);
    case 'u':
        c->user = value;
        return true;
    default:
        c->directory = value;
        return true;
    }
}

int exec_function_command(int argc, char **argv)
{
    struct confinement c = {0};
    const struct options options = {"exec-function", exec_usage, exec_names, take, &c};
    int code;
    if (!options_read(argc, argv, &options, NULL, &code)) {
        return code;
    }
    if (c.parent == 0 || optind >= argc) {
        return options_refuse("exec-function", exec_usage,
                              c.parent == 0 ? "--parent is missing" : "the command is missing", NULL);
    }
    struct fault f;
    if (!confine(&c, &f)) {
        (void)fprintf(stderr, "millrace: %s\n", f.text);
        return f.kind == FAULT_CONFIG ? CLI_CONFIG : CLI_INTERNAL;
    }
    return guard_run(c.parent, argv + optind);
}
