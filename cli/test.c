// millrace test: runs the tests that functions' files have; connects to nothing.
#include <stdio.h>
#include <string.h>

#include "bridge/config/function_test.h"
#include "bridge/testing/test_run.h"
#include "cli/cli.h"
#include "cli/config_dir.h"
#include "cli/options.h"
#include "core/base/memory.h"

static const char USAGE[] =
    "usage: millrace test [-c DIR] [FUNCTION…]\n"
    "\n"
    "Runs the tests of all functions, or of the named ones, without PostgreSQL, Kafka or the functions: each "
    "gives\n"
    "an event to the function's operations, filter and payload, and compares the request with what is "
    "expected\n"
    "(docs/functions.md). Shows what differs, - expected and + actual.\n"
    "Exits with 0 when all pass, with 1 when one fails, with 78 when a file is wrong.\n";

/** Tests so far. */
struct tally {
    size_t passed;
    size_t failed;
    size_t unreadable;
    size_t functions;  // that have tests
};

static void run_one(const char *dir, const struct function_config *config, const struct function_tests *tests,
                    const struct function_test *test, struct tally *tally)
{
    struct fault f;
    CLEANUP(bytes_clear) struct bytes diff = {0};
    CLEANUP(memory_free_pointer) char *folder = memory_format("%s/functions", dir);
    struct json_place at = json_tree_place(&tests->tree, test->node->at);
    CLEANUP(memory_free_pointer)
    char *name = test->name == NULL ? memory_format("line %u", at.line) : slice_to_string(test->name->text);
    if (!test_run(config, tests, test, folder, &diff, &f)) {
        tally->unreadable++;
        bool is_own_file = f.text[0] >= '0' && f.text[0] <= '9';  // "LINE:COLUMN: …"; else it names its file
        CLEANUP(memory_free_pointer)
        char *path = is_own_file ? memory_format("%s/%s.yaml:", folder, config->name) : memory_string("");
        (void)printf("%s%s: in test \"%s\"\n", path, f.text, name);
        return;
    }
    bool is_passed = diff.size == 0;
    *(is_passed ? &tally->passed : &tally->failed) += 1;
    (void)printf("%s  %s: %s\n", is_passed ? "pass" : "FAIL", config->name, name);
    if (!is_passed) {
        (void)printf("    %s/%s.yaml:%u:%u\n%s", folder, config->name, at.line, at.column, bytes_text(&diff));
    }
}

static void run_function(const char *dir, const struct function_config *config, struct tally *tally)
{
    struct fault f;
    CLEANUP(function_tests_clear) struct function_tests tests = {0};
    INVARIANT(function_tests_read(&config->tests, &tests, &f));  // was checked with the file
    tally->functions += tests.count > 0 ? 1 : 0;
    for (size_t i = 0; i < tests.count; i++) {
        run_one(dir, config, &tests, &tests.items[i], tally);
    }
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static int finish(const struct config_set *set, const struct tally *tally)
{
    (void)printf("%zu test%s of %zu function%s: %zu passed, %zu failed",
                 tally->passed + tally->failed + tally->unreadable,
                 plural(tally->passed + tally->failed + tally->unreadable), tally->functions,
                 plural(tally->functions), tally->passed, tally->failed);
    (void)printf(tally->unreadable > 0 ? ", %zu can't be run\n" : "\n", tally->unreadable);
    if (set->error_count > 0 || tally->unreadable > 0) {
        return CLI_CONFIG;
    }
    return tally->failed > 0 ? CLI_FAILED : CLI_DONE;
}

/** `names` are `count` functions; 0: all. */
static int test_dir(const char *dir, char *const *names, int count)
{
    CLEANUP(config_set_clear) struct config_set set = {0};
    const struct config_scope scope = {.folders = CONFIG_FOLDER_FUNCTIONS};
    struct tally tally = {0};
    bool is_good = config_dir_load_scope(dir, &scope, &set);
    for (int i = 0; i < count; i++) {
        if (config_set_need_function(&set, "test", dir, names[i]) == NULL) {
            return CLI_CONFIG;
        }
    }
    if (!is_good) {
        (void)fputs(bytes_text(&set.complaints), stdout);
    }
    for (size_t i = 0; i < set.function_count; i++) {
        bool is_asked = count == 0;
        for (int k = 0; k < count; k++) {
            is_asked = is_asked || strcmp(names[k], set.functions[i]->name) == 0;
        }
        if (is_asked) {
            run_function(dir, set.functions[i], &tally);
        }
    }
    return finish(&set, &tally);
}

int test_command(int argc, char **argv)
{
    static const struct options options = {"test", USAGE, OPTIONS_CONFIG_ONLY, NULL, NULL};
    const char *dir = NULL;
    int code;
    if (!options_read(argc, argv, &options, &dir, &code)) {
        return code;
    }
    return test_dir(config_dir_choose(dir), argv + optind, argc - optind);
}
