// millrace: chooses the command; the only place that exits.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "cli/cli.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/text.h"

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct command COMMANDS[] = {
    {"try", try_command, "see changes of a throwaway PostgreSQL reach a sample function, in seconds"},
    {"run", run_command, "everything in DIR: a supervised process for each connector and the functions"},
    {"connect", connect_command, "one connector only: database to Kafka"},
    {"bridge", bridge_command, "the functions only: Kafka to functions"},
    {"check", check_command, "validate the configuration"},
    {"status", status_command, "show the state of connectors and functions"},
    {"registry", registry_command, "serve the embedded schema registry's REST API on a port of its own"},
    {"config", config_command, "the options, their JSON Schema, the effective values"},
};

static void print_help(FILE *out)
{
    (void)fputs("usage: millrace COMMAND [-c DIR] …\n\n"
                "PostgreSQL changes become function calls, through Kafka.\n\n",
                out);
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
        (void)fprintf(out, "  %-9s %s\n", COMMANDS[i].name, COMMANDS[i].summary);
    }
    (void)fprintf(out, "  %-9s %s\n", "version", "show the version");
    (void)fputs("\n`millrace help COMMAND` says more. DIR is $MILLRACE_CONFIG, ./millrace or /etc/millrace\n"
                "unless -c names it.\n",
                out);
}

static int refuse(const char *word)
{
    const char *names[COUNT_OF(COMMANDS) + 1] = {NULL};
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
        names[i] = COMMANDS[i].name;
    }
    const char *nearest = text_nearest(word, names);
    (void)fprintf(stderr, "millrace: there is no command \"%s\"", word);
    if (nearest != NULL) {
        (void)fprintf(stderr, "; did you mean \"%s\"?", nearest);
    }
    (void)fputs("\nmillrace --help lists the commands\n", stderr);
    return CLI_USAGE;
}

/** A core would hold the secrets: none is written unless MILLRACE_CORE_DUMPS=1 asks for them. */
static void forbid_core_dumps(void)
{
    const char *asked = getenv("MILLRACE_CORE_DUMPS");
    if (asked != NULL && strcmp(asked, "1") == 0) {
        return;
    }
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__          // the leak check attaches to us
    (void)prctl(PR_SET_DUMPABLE, 0);  // a core_pattern that is a program heeds no limit
#endif
}

static int run(const struct command *command, int argc, char **argv)
{
    int code = command->run(argc, argv);
    log_finish();
    if ((code & CLI_AT_ONCE) != 0) {
        (void)fflush(NULL);
        quick_exit(code & ~CLI_AT_ONCE);
    }
    return code;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return CLI_USAGE;
    }
    forbid_core_dumps();
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || (strcmp(word, "help") == 0 && argc == 2)) {
        print_help(stdout);
        return CLI_DONE;
    }
    char option[] = "--help";
    char *help[] = {argv[0], argc > 2 ? argv[2] : NULL, option, NULL};
    if (strcmp(word, "help") == 0) {  // `help COMMAND` is `COMMAND --help`
        word = argv[2];
        argv = help;
        argc = 3;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "version") == 0) {
        (void)printf("millrace %s\n", MILLRACE_VERSION);
        return CLI_DONE;
    }
    // A peer that has gone is an error of the call that wrote to it, never the end of the process.
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
        if (strcmp(word, COMMANDS[i].name) == 0) {
            return run(&COMMANDS[i], argc - 1, argv + 1);
        }
    }
    return refuse(word);
}
