// millrace filter: what filters do with events, without calling anything.
#include <stdio.h>

#include "cli/cli.h"
#include "cli/config_dir.h"
#include "cli/filter_lines.h"
#include "cli/filter_try.h"
#include "cli/options.h"
#include "core/config/config_value.h"

static const char USAGE[] =
    "usage: millrace filter --lines\n"
    "       millrace filter [-c DIR] [--json] FUNCTION [--topic TOPIC] [--last N]\n"
    "       millrace filter [-c DIR] [--json] FUNCTION FILE\n"
    "\n"
    "Says of each event whether the function's operations and filter let it pass, and which part of the "
    "filter\n"
    "refused it; then how many passed. It calls nothing, and commits nothing on Kafka.\n"
    "\n"
    "  --topic TOPIC  the records of this topic instead of the function's\n"
    "  --last N       the last N records on Kafka, 100 by default\n"
    "  FILE           events as functions see them, a JSON object on each line; - is standard input\n"
    "  --json         a JSON object for each event, and one for the summary\n"
    "  --lines        reads lines {\"pattern\":…,\"event\":…} from standard input. Prints for each true when "
    "the\n"
    "                 event matches, false when it does not, or error: LINE:COLUMN: reason\n"
    "\n"
    "The patterns are those of Amazon EventBridge and AWS Lambda: docs/filters.md.\n";

enum { LAST_DEFAULT = 100, LAST_MAX = 100000 };

struct arguments {
    struct filter_try try;
    bool is_lines;
    bool asks_kafka;  // --topic or --last
};

static bool read_last(const char *text, int64_t *ret)
{
    struct fault f;
    return config_value_integer(text, ret, &f) && *ret >= 1 && *ret <= LAST_MAX;
}

static bool read_option(void *self, int option, const char *value)
{
    struct arguments *a = self;
    switch (option) {
    case 'l':
        a->is_lines = true;
        return true;
    case 'j':
        a->try.is_json = true;
        return true;
    case 't':
        a->try.topic = value;
        a->asks_kafka = true;
        return true;
    case 'n':
        a->asks_kafka = true;
        if (!read_last(value, &a->try.last)) {
            (void)fprintf(stderr, "millrace filter: --last takes a number from 1 to %d, not \"%s\"\n",
                          LAST_MAX, value);
            return false;
        }
        return true;
    default:
        return false;
    }
}

/** What does not go together; NULL: all does. */
static const char *contradiction(const struct arguments *a)
{
    bool has_other = a->try.function != NULL || a->asks_kafka || a->try.is_json || a->try.dir != NULL;
    if (a->is_lines) {
        return has_other ? "--lines stands alone" : NULL;
    }
    if (a->try.function == NULL) {
        return "the function's name is missing";
    }
    return a->try.file != NULL && a->asks_kafka ? "either FILE, or --topic and --last" : NULL;
}

/** False, with the exit code, for --help and wrong command lines. */
static bool read_arguments(int argc, char **argv, struct arguments *a, int *ret_exit)
{
    static const struct option names[] = {{"lines", no_argument, NULL, 'l'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"topic", required_argument, NULL, 't'},
                                          {"last", required_argument, NULL, 'n'},
                                          {"config", required_argument, NULL, 'c'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    *a = (struct arguments){.try = {.last = LAST_DEFAULT}};
    const struct options options = {"filter", USAGE, names, read_option, a};
    if (!options_read(argc, argv, &options, &a->try.dir, ret_exit)) {
        return false;
    }
    a->try.function = optind < argc ? argv[optind] : NULL;
    a->try.file = optind + 1 < argc ? argv[optind + 1] : NULL;
    const char *wrong = contradiction(a);
    if (optind + 2 < argc) {
        *ret_exit = options_refuse("filter", USAGE, "unexpected argument", argv[optind + 2]);
    } else if (wrong != NULL) {
        *ret_exit = options_refuse("filter", USAGE, wrong, NULL);
    }
    return optind + 2 >= argc && wrong == NULL;
}

int filter_command(int argc, char **argv)
{
    struct arguments a;
    int code;
    if (!read_arguments(argc, argv, &a, &code)) {
        return code;
    }
    if (a.is_lines) {
        (void)setvbuf(stdout, NULL, _IOLBF, 0);  // another program may wait for each verdict
        return filter_lines(stdin, stdout);
    }
    a.try.dir = config_dir_choose(a.try.dir);
    return filter_try_run(&a.try);
}
