#include "cli/try/try_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define CHANGES_MAX INT64_C(1000000)

enum { CHANGES_DEFAULT = 20 };

void try_options_help(FILE *out)
{
    fputs("usage: millrace try [--handler FILE[:NAME]] [--payload KIND] [--changes N] [--dsn DSN]\n"
          "                    [--kafka HOST:PORT] [--keep] [--json] [-v] [--command PROGRAM [ARGUMENT…]]\n"
          "\n"
          "Starts a throwaway PostgreSQL, an embedded broker, a connector, a bridge and a function, changes\n"
          "some rows, and shows each change on its way to the function. Without --handler and --command the\n"
          "function is a sample; with one of them it is yours, written for AWS Lambda, in a local process.\n"
          "\n"
          "  --handler FILE[:NAME]\n"
          "                     FILE.py, FILE.js, FILE.mjs, FILE.cjs or a bootstrap that can be executed;\n"
          "                     NAME is lambda_handler or handler, whichever the file defines\n"
          "  --payload KIND     what a call carries (lambda-kafka), as in a function's file\n"
          "  --command PROGRAM [ARGUMENT…]\n"
          "                     the process that asks for the calls, in place of the one found for the\n"
          "                     handler; the last option, as all behind it belongs to it\n"
          "\n"
          "  --changes N        row changes to make (20)\n"
          "  --dsn DSN          use this PostgreSQL; everything made there is removed at the end\n"
          "  --kafka HOST:PORT  use this Kafka; everything made there is removed at the end\n"
          "  --keep             remove nothing and leave the throwaway PostgreSQL running\n"
          "  --json             one line of JSON on stdout, nothing else\n"
          "  -v, --verbose      show what connector, bridge and handler write\n",
          out);
}

static bool read_changes(const char *text, int64_t *ret)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 1 || value > CHANGES_MAX) {
        fprintf(stderr, "millrace try: --changes needs a number from 1 to %lld, not \"%s\"\n",
                (long long)CHANGES_MAX, text);
        return false;
    }
    *ret = value;
    return true;
}

static bool read_one(int option, struct try_options *o)
{
    switch (option) {
    case 'd':
        o->dsn = optarg;
        return true;
    case 'b':
        o->kafka = optarg;
        return true;
    case 'f':
        o->handler = optarg;
        return true;
    case 'p':
        o->payload = optarg;
        return true;
    case 'n':
        return read_changes(optarg, &o->changes);
    case 'k':
        o->is_kept = true;
        return true;
    case 'j':
        o->is_json = true;
        return true;
    case 'v':
        o->is_verbose = true;
        return true;
    case 'h':
        o->is_help = true;
        return true;
    default:
        return false;
    }
}

/** Cuts the command off the arguments: all behind --command. Returns how many are before it. */
static int cut_command(int argc, char **argv, struct try_options *o)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--command") == 0) {
            o->command = argv + i + 1;
            return i;
        }
    }
    return argc;
}

static bool check(const struct try_options *o)
{
    if (o->command != NULL && o->command[0] == NULL) {
        fputs("millrace try: a program is missing after --command\n", stderr);
        return false;
    }
    if (o->payload != NULL && o->handler == NULL && o->command == NULL) {
        fputs("millrace try: --payload says what a handler gets: give --handler or --command, too\n", stderr);
        return false;
    }
    return true;
}

bool try_options_read(int argc, char **argv, struct try_options *ret)
{
    static const struct option known[] = {
        {"dsn", required_argument, NULL, 'd'},     {"kafka", required_argument, NULL, 'b'},
        {"changes", required_argument, NULL, 'n'}, {"keep", no_argument, NULL, 'k'},
        {"json", no_argument, NULL, 'j'},          {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},          {"handler", required_argument, NULL, 'f'},
        {"payload", required_argument, NULL, 'p'}, {NULL, 0, NULL, 0},
    };
    struct try_options o = {.changes = CHANGES_DEFAULT};
    argc = cut_command(argc, argv, &o);
    optind = 0;  // main may have parsed options already
    opterr = 0;
    for (int option = 0; (option = getopt_long(argc, argv, ":vh", known, NULL)) != -1;) {
        if (option == '?' || option == ':') {
            fprintf(stderr, "millrace try: %s %s\n",
                    option == ':' ? "a value is missing after" : "unknown option", argv[optind - 1]);
            return false;
        }
        if (!read_one(option, &o)) {
            return false;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "millrace try: unexpected argument \"%s\"\n", argv[optind]);
        return false;
    }
    if (!o.is_help && !check(&o)) {
        return false;
    }
    *ret = o;
    return true;
}
