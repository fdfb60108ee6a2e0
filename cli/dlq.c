// millrace dlq: what could not be delivered.
#include "cli/dlq.h"

#include <stdio.h>

#include "cli/cli.h"
#include "cli/options.h"

static const char USAGE[] =
    "usage: millrace dlq list FUNCTION [-c DIR] [SELECTION] [--json]\n"
    "       millrace dlq show FUNCTION PARTITION:OFFSET|ID [-c DIR] [--json]\n"
    "       millrace dlq redrive FUNCTION [-c DIR] [SELECTION] [--rate N/s] [--dry-run]\n"
    "       millrace dlq drop FUNCTION [-c DIR] [SELECTION] [--yes] [--dry-run]\n"
    "\n"
    "A dead letter waits in the function's dead-letter topic until it is redriven or dropped.\n"
    "\n"
    "  list    counts the waiting letters by reason and lists them\n"
    "  show    prints one letter, by its place in the dead-letter topic or by its event id\n"
    "  redrive delivers the selected letters to the function as its file is now; one that fails again waits\n"
    "          on, and so do later ones of its key. A redrive that ended early goes on when it is repeated.\n"
    "          Exits with 1 when some failed. --rate is 10/s unless told (also /m, /h)\n"
    "  drop    settles the selected letters without a call; asks first, unless --yes\n"
    "\n"
    "SELECTION, all of which must hold:\n"
    "  --reason R     attempts_exhausted, expired, rejected, redirect, undecodable, unknown_schema, "
    "oversize,\n"
    "                 reply_invalid, reply_oversize, too_many_hops, unrenderable\n"
    "  --key K        the row's key as JSON ({\"id\":7}), or the text of a key of one column\n"
    "  --status N     the HTTP status of the last response\n"
    "  --topic T      where the event was read: a name or a glob\n"
    "  --since T      failed at this time or later: 2026-01-02T03:04:05Z, or how long ago (2h)\n"
    "  --until T      failed before this time\n"
    "  --limit N      at most so many letters; list shows 100 unless told\n";

enum subcommand { DLQ_LIST, DLQ_SHOW, DLQ_REDRIVE, DLQ_DROP };
enum { RATE = 10 };

static const char *const SUBCOMMANDS[] = {"list", "show", "redrive", "drop", NULL};

static const char *const REASONS[] = {"attempts_exhausted", "expired",        "rejected",     "redirect",
                                      "undecodable",        "unknown_schema", "oversize",     "reply_invalid",
                                      "reply_oversize",     "too_many_hops",  "unrenderable", NULL};

static const struct option OPTIONS[] = {
    {"config", required_argument, NULL, 'c'}, {"reason", required_argument, NULL, 'r'},
    {"key", required_argument, NULL, 'k'},    {"status", required_argument, NULL, 's'},
    {"topic", required_argument, NULL, 't'},  {"since", required_argument, NULL, 'f'},
    {"until", required_argument, NULL, 'u'},  {"limit", required_argument, NULL, 'n'},
    {"rate", required_argument, NULL, 'a'},   {"yes", no_argument, NULL, 'y'},
    {"dry-run", no_argument, NULL, 'd'},      {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
};

static bool take_reason(struct dlq_options *o, const char *text)
{
    for (size_t i = 0; REASONS[i] != NULL; i++) {
        if (strcmp(text, REASONS[i]) == 0) {
            o->filter.reason = text;
            return true;
        }
    }
    (void)fprintf(stderr, "millrace dlq: --reason \"%s\" is none of", text);
    for (size_t i = 0; REASONS[i] != NULL; i++) {
        (void)fprintf(stderr, "%s %s", i == 0 ? "" : ",", REASONS[i]);
    }
    (void)fputc('\n', stderr);
    return false;
}

static bool take_option(void *self, int option, const char *value)
{
    struct dlq_options *o = self;
    switch (option) {
    case 'r':
        return take_reason(o, value);
    case 'k':
        o->filter.key = value;
        return job_setup_key("dlq", value);
    case 't':
        o->filter.topic = value;
        return true;
    case 's':
        return job_setup_number("dlq", "status", value, &o->filter.status);
    case 'f':
        return job_setup_time("dlq", "since", value, &o->filter.since_ms);
    case 'u':
        return job_setup_time("dlq", "until", value, &o->filter.until_ms);
    case 'n':
        return job_setup_number("dlq", "limit", value, &o->limit);
    case 'a':
        return job_setup_rate("dlq", value, &o->rate);
    case 'y':
        o->is_yes = true;
        return true;
    case 'd':
        o->is_dry_run = true;
        return true;
    default:
        o->is_json = true;
        return true;
    }
}

static bool refuse(const char *what, const char *word)
{
    return options_refuse("dlq", USAGE, what, word) == CLI_DONE;
}

static bool find_subcommand(const char *word, enum subcommand *ret)
{
    for (size_t i = 0; SUBCOMMANDS[i] != NULL; i++) {
        if (strcmp(word, SUBCOMMANDS[i]) == 0) {
            *ret = (enum subcommand)i;
            return true;
        }
    }
    const char *nearest = text_nearest(word, SUBCOMMANDS);
    if (nearest == NULL) {
        return refuse("unknown subcommand", word);
    }
    (void)fprintf(stderr, "millrace dlq: unknown subcommand \"%s\"; did you mean \"%s\"?\n", word, nearest);
    return false;
}

/** Takes the words beside the options. */
static bool take_words(struct dlq_options *o, enum subcommand *ret, int argc, char **argv)
{
    if (optind == argc) {
        return refuse("name a subcommand", NULL);
    }
    if (!find_subcommand(argv[optind++], ret)) {
        return false;
    }
    if (optind == argc) {
        return refuse("name the function after", SUBCOMMANDS[*ret]);
    }
    o->function = argv[optind++];
    if (*ret == DLQ_SHOW) {
        if (optind == argc) {
            return refuse("name the letter, as list does, after", o->function);
        }
        o->place = argv[optind++];
    }
    return optind == argc || refuse("unexpected argument", argv[optind]);
}

int dlq_command(int argc, char **argv)
{
    struct dlq_options options = {.filter = LETTER_FILTER_ALL, .limit = -1, .rate = RATE};
    const struct options names = {"dlq", USAGE, OPTIONS, take_option, &options};
    int code;
    if (!options_read(argc, argv, &names, &options.dir, &code)) {
        return code;
    }
    enum subcommand which = DLQ_LIST;
    if (!take_words(&options, &which, argc, argv)) {
        return CLI_USAGE;
    }
    static const char *const NAMES[] = {"dlq list", "dlq show", "dlq redrive", "dlq drop"};
    static struct job_setup s;  // when calls still run at the end, their threads may use it
    if (job_setup_open(&s, NAMES[which], options.dir, options.function, &code)) {
        switch (which) {
        case DLQ_LIST:
            code = dlq_list(&s, &options);
            break;
        case DLQ_SHOW:
            code = dlq_show(&s, &options);
            break;
        case DLQ_REDRIVE:
            code = dlq_redrive(&s, &options);
            break;
        case DLQ_DROP:
            code = dlq_drop(&s, &options);
            break;
        }
    }
    if ((code & CLI_AT_ONCE) == 0) {
        job_setup_close(&s);
    }
    return code;
}
