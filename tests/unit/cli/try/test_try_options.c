#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/try/try_options.h"

enum { ARGUMENTS_MAX = 16 };

/** The command line, split at blanks; `out` gets what it writes to standard error. */
static bool read_line(char *line, struct try_options *ret, char *out, size_t size)
{
    static char *argv[ARGUMENTS_MAX];  // the options point into it
    int argc = 0;
    for (char *word = line; word != NULL; argc++) {
        argv[argc] = word;
        word = strchr(word, ' ');
        if (word != NULL) {
            *word++ = '\0';
        }
    }
    argv[argc] = NULL;
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);
    fflush(stderr);
    dup2(fileno(file), STDERR_FILENO);
    bool is_good = try_options_read(argc, argv, ret);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    out[fread(out, 1, size - 1, file)] = '\0';
    fclose(file);
    return is_good;
}

static void a_handler_is_given_with_its_payload(void **state)
{
    (void)state;
    char line[] = "try --handler app.py:main --payload row --changes 3 -v";
    char text[256];
    struct try_options o;
    assert_true(read_line(line, &o, text, sizeof text));
    assert_string_equal(o.handler, "app.py:main");
    assert_string_equal(o.payload, "row");
    assert_null(o.command);
    assert_int_equal(o.changes, 3);
    assert_true(o.is_verbose);
}

static void all_behind_command_is_the_commands(void **state)
{
    (void)state;
    char line[] = "try --json --command python3 -m awslambdaric --changes 7 -x";
    char text[256];
    struct try_options o;
    assert_true(read_line(line, &o, text, sizeof text));
    assert_true(o.is_json);
    assert_int_equal(o.changes, 20);
    static const char *const words[] = {"python3", "-m", "awslambdaric", "--changes", "7", "-x"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_string_equal(o.command[i], words[i]);
    }
    assert_null(o.command[6]);
}

static void a_wrong_line_is_refused_with_what_is_missing(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *text;
    } wrong[] = {
        {"try --command", "a program is missing after --command"},
        {"try --handler", "a value is missing after --handler"},
        {"try --payload row", "give --handler or --command, too"},
        {"try --changes 0 --command x", "--changes needs a number"},
        {"try app.py", "unexpected argument \"app.py\""},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char line[64];
        char text[256];
        struct try_options o;
        snprintf(line, sizeof line, "%s", wrong[i].line);
        assert_false(read_line(line, &o, text, sizeof text));
        assert_non_null(strstr(text, wrong[i].text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_is_given_with_its_payload),
        cmocka_unit_test(all_behind_command_is_the_commands),
        cmocka_unit_test(a_wrong_line_is_refused_with_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
