// cli/options: what is said of wrong command lines.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "cli/options.h"

enum { WORDS_MAX = 8 };

static const struct option NAMES[] = {
    {"config", required_argument, NULL, 'c'},
    {"key", required_argument, NULL, 'k'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct taken {
    const char *key;
    bool is_json;
};

static bool take(void *self, int option, const char *value)
{
    struct taken *taken = self;
    taken->key = option == 'k' ? value : taken->key;
    taken->is_json = taken->is_json || option == 'j';
    return option != 'k' || strcmp(value, "bad") != 0;
}

/** The command line without its name, and what it has come to. */
struct reading {
    const char *words[WORDS_MAX];
    struct taken taken;
    const char *dir;
    int code;
    char said[512];  // on stderr
};

static bool read_words(struct reading *r)
{
    char *argv[WORDS_MAX + 1] = {(char *)"dlq"};
    int argc = 1;
    for (; argc < WORDS_MAX && r->words[argc - 1] != NULL; argc++) {
        argv[argc] = (char *)r->words[argc - 1];
    }
    FILE *file = tmpfile();
    assert_non_null(file);
    (void)fflush(stderr);
    int kept = dup(STDERR_FILENO);
    (void)dup2(fileno(file), STDERR_FILENO);
    const struct options options = {"dlq", "usage: …\n", NAMES, take, &r->taken};
    bool is_read = options_read(argc, argv, &options, &r->dir, &r->code);
    (void)fflush(stderr);
    (void)dup2(kept, STDERR_FILENO);
    (void)close(kept);
    rewind(file);
    r->said[fread(r->said, 1, sizeof(r->said) - 1, file)] = '\0';
    (void)fclose(file);
    return is_read;
}

static void options_are_taken_and_other_words_stay(void **state)
{
    (void)state;
    struct reading r = {.words = {"list", "--key", "7", "-c", "etc", "--json", "fn"}};
    assert_true(read_words(&r));
    assert_string_equal(r.taken.key, "7");
    assert_string_equal(r.dir, "etc");
    assert_true(r.taken.is_json);
    assert_string_equal(r.said, "");
}

static void wrong_options_are_named_as_millrace_does(void **state)
{
    (void)state;
    struct reading wrong[] = {
        {.words = {"--kye", "7"}, .said = "unknown option \"--kye\"; did you mean \"--key\"?"},
        {.words = {"--zzzzzz"}, .said = "unknown option \"--zzzzzz\""},
        {.words = {"-z"}, .said = "unknown option \"-z\""},
        {.words = {"-zc", "etc"}, .said = "unknown option \"-z\""},
        {.words = {"--key"}, .said = "a value is missing after \"--key\""},
        {.words = {"-c"}, .said = "a value is missing after \"-c\""},
        {.words = {"--json=1"}, .said = "--json takes no value"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char expected[512];
        (void)snprintf(expected, sizeof(expected), "millrace dlq: %s\nusage: …\n", wrong[i].said);
        assert_false(read_words(&wrong[i]));
        assert_int_equal(wrong[i].code, CLI_USAGE);
        assert_string_equal(wrong[i].said, expected);
    }
}

static void a_value_that_the_command_refuses_is_its_own_to_explain(void **state)
{
    (void)state;
    struct reading r = {.words = {"--key", "bad"}};
    assert_false(read_words(&r));
    assert_int_equal(r.code, CLI_USAGE);
    assert_string_equal(r.said, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_taken_and_other_words_stay),
        cmocka_unit_test(wrong_options_are_named_as_millrace_does),
        cmocka_unit_test(a_value_that_the_command_refuses_is_its_own_to_explain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
