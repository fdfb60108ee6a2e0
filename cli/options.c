#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "core/base/memory.h"
#include "core/base/text.h"

enum { NAMES_MAX = 32 };

const struct option OPTIONS_CONFIG_ONLY[] = {
    {"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};

int options_refuse(const char *command, const char *usage, const char *what, const char *word)
{
    (void)fprintf(stderr, "millrace %s: %s", command, what);
    if (word != NULL) {
        (void)fprintf(stderr, " \"%s\"", word);
    }
    (void)fprintf(stderr, "\n%s", usage);
    return CLI_USAGE;
}

/** The long name before "=". */
static char *name_of(const char *word)
{
    const char *name = word + strspn(word, "-");
    return memory_format("%.*s", (int)strcspn(name, "="), name);
}

static const struct option *find(const struct options *o, int value)
{
    const struct option *name = o->names;
    while (name->name != NULL && name->val != value) {
        name++;
    }
    return name->name == NULL ? NULL : name;
}

static void complain_unknown(const struct options *o, const char *word)
{
    const char *names[NAMES_MAX] = {NULL};
    for (size_t i = 0; o->names[i].name != NULL && i < NAMES_MAX - 1; i++) {
        names[i] = o->names[i].name;
    }
    CLEANUP(memory_free_pointer) char *name = name_of(word);
    const char *nearest = strncmp(word, "--", 2) == 0 ? text_nearest(name, names) : NULL;
    CLEANUP(memory_free_pointer)
    char *what = nearest == NULL
                     ? memory_format("unknown option \"%s\"", word)
                     : memory_format("unknown option \"%s\"; did you mean \"--%s\"?", word, nearest);
    (void)options_refuse(o->command, o->usage, what, NULL);
}

/** `answer` is ':' or '?' of getopt_long; `word` is the one before optind. */
static void complain(const struct options *o, int answer, const char *word)
{
    const struct option *known = optopt == 0 ? NULL : find(o, optopt);
    const char letter[] = {'-', (char)optopt, '\0'};
    if (answer == ':') {
        (void)options_refuse(o->command, o->usage, "a value is missing after", word);
    } else if (known != NULL) {
        CLEANUP(memory_free_pointer) char *what = memory_format("--%s takes no value", known->name);
        (void)options_refuse(o->command, o->usage, what, NULL);
    } else {
        complain_unknown(o, optopt == 0 ? word : letter);  // a letter of a group: optind is not behind it
    }
}

bool options_read(int argc, char **argv, const struct options *o, const char **ret_dir, int *ret_exit)
{
    *ret_exit = CLI_USAGE;
    optind = 0;  // main may have parsed options already
    opterr = 0;
    const char *letters = find(o, 'c') == NULL ? ":h" : ":c:h";
    for (int option; (option = getopt_long(argc, argv, letters, o->names, NULL)) != -1;) {
        if (option == 'h') {
            (void)fputs(o->usage, stdout);
            *ret_exit = CLI_DONE;
            return false;
        }
        if (option == '?' || option == ':') {
            complain(o, option, argv[optind - 1]);
            return false;
        }
        if (option == 'c') {
            *ret_dir = optarg;
        } else if (!o->take(o->self, option, optarg)) {
            return false;
        }
    }
    return true;
}
