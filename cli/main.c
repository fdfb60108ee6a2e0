// millrace: chooses the command; the only place that exits.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/core_dumps.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/text.h"

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct command COMMANDS[] = {
    {"try", try_command, "deliver changes of a temporary PostgreSQL to a sample function, in seconds"},
    {"run", run_command, "run all connectors and functions of DIR as supervised processes"},
    {"connect", connect_command, "run one connector: PostgreSQL to Kafka"},
    {"bridge", bridge_command, "run the functions: Kafka to function calls"},
    {"check", check_command, "validate the configuration"},
    {"status", status_command, "show the state of connectors and functions"},
    {"registry", registry_command, "serve the embedded schema registry's REST API on a port of its own"},
    {"test", test_command, "run the tests in functions' files"},
    {"filter", filter_command, "say which events a function's filter refuses, and why"},
    {"dlq", dlq_command, "list, show, redrive and drop what could not be delivered"},
    {"replay", replay_command, "deliver a function's records again, beside live delivery"},
    {"config", config_command, "print the options, their JSON Schema, or the effective values"},
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
    (void)fprintf(stderr, "millrace: unknown command \"%s\"", word);
    if (nearest != NULL) {
        (void)fprintf(stderr, "; did you mean \"%s\"?", nearest);
    }
    (void)fputs("\nmillrace --help lists the commands\n", stderr);
    return CLI_USAGE;
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
    core_dumps_forbid();
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
    // A write to a closed connection must fail with EPIPE instead of ending the process.
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
        if (strcmp(word, COMMANDS[i].name) == 0) {
            return run(&COMMANDS[i], argc - 1, argv + 1);
        }
    }
    static const struct command hidden = {"exec-function", exec_function_command, NULL};
    if (strcmp(word, hidden.name) == 0) {
        return run(&hidden, argc - 1, argv + 1);
    }
    return refuse(word);
}
