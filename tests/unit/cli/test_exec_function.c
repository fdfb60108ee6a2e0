// cli/exec_function: the command runs with what the words before it say; wrong words are refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"

enum { WORDS_MAX = 12, SAID_BYTES = 1024 };

/** What a child that runs the command line says on both outputs; its exit code. */
static int run_words(const char *const *words, char *said)
{
    char parent[16];
    (void)snprintf(parent, sizeof(parent), "%d", (int)getpid());
    char *argv[WORDS_MAX + 1] = {(char *)"exec-function"};
    int argc = 1;
    for (; argc < WORDS_MAX && words[argc - 1] != NULL; argc++) {
        argv[argc] = strcmp(words[argc - 1], "SELF") == 0 ? parent : (char *)words[argc - 1];
    }
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)dup2(ends[1], STDERR_FILENO);
        int code = exec_function_command(argc, argv);
        (void)fflush(NULL);
        _exit(code);
    }
    (void)close(ends[1]);
    size_t size = 0;
    for (ssize_t count;
         size < SAID_BYTES - 1 && (count = read(ends[0], said + size, SAID_BYTES - 1 - size)) > 0;) {
        size += (size_t)count;
    }
    said[size] = '\0';
    (void)close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void check_words(const char *const *words, int want_code, const char *want)
{
    char said[SAID_BYTES];
    assert_int_equal(run_words(words, said), want_code);
    if (strncmp(said, want, strlen(want)) != 0) {
        fail_msg("said \"%s\", not \"%s\"", said, want);
    }
}

static void the_command_runs_in_its_limits(void **state)
{
    (void)state;
    const char *const words[] = {
        "--parent",  "SELF", "--directory", "/",  "--memory",
        "268435456", "--",   "sh",          "-c", "pwd; ulimit -d; ulimit -c; exit 5",
        NULL};
    check_words(words, 5, "/\n1310720\n0\n");
}

static void options_of_the_command_are_its_own(void **state)
{
    (void)state;
    const char *const words[] = {"--parent", "SELF", "--", "echo", "--user", "nobody", NULL};
    check_words(words, CLI_DONE, "--user nobody\n");
}

static void wrong_words_are_refused(void **state)
{
    (void)state;
    const char *const no_parent[] = {"--", "true", NULL};
    check_words(no_parent, CLI_USAGE, "millrace exec-function: --parent is missing");
    const char *const no_command[] = {"--parent", "SELF", NULL};
    check_words(no_command, CLI_USAGE, "millrace exec-function: the command is missing");
    const char *const parent[] = {"--parent", "me", "--", "true", NULL};
    check_words(parent, CLI_USAGE, "millrace exec-function: --parent takes a process's number, not \"me\"");
    const char *const memory[] = {"--parent", "SELF", "--memory", "1GiB", "--", "true", NULL};
    check_words(memory, CLI_USAGE, "millrace exec-function: --memory takes bytes, not \"1GiB\"");
}

static void what_cannot_run_says_why(void **state)
{
    (void)state;
    const char *const missing[] = {"--parent", "SELF", "--", "/nowhere/bootstrap", NULL};
    check_words(missing, 127, "millrace: can't run /nowhere/bootstrap: No such file or directory\n");
    const char *const user[] = {"--parent", "SELF", "--user", "root", "--", "true", NULL};
    check_words(user, CLI_CONFIG, "millrace: a function can't run as root: name another user\n");
}

static void a_script_without_its_interpreter_says_so(void **state)
{
    (void)state;
    char path[] = "/tmp/millrace-script-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char SCRIPT[] = "#!/bin/sh\r\n";
    assert_int_equal(write(fd, SCRIPT, sizeof(SCRIPT) - 1), sizeof(SCRIPT) - 1);
    assert_int_equal(fchmod(fd, 0755), 0);
    (void)close(fd);
    const char *const words[] = {"--parent", "SELF", "--", path, NULL};
    char want[SAID_BYTES];
    (void)snprintf(want, sizeof(want), "millrace: can't run %s: its first line (#!) names a program", path);
    check_words(words, 127, want);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_command_runs_in_its_limits),
        cmocka_unit_test(options_of_the_command_are_its_own),
        cmocka_unit_test(wrong_words_are_refused),
        cmocka_unit_test(what_cannot_run_says_why),
        cmocka_unit_test(a_script_without_its_interpreter_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
