// cli/core_dumps: a process that holds secrets leaves no core dump, whatever the machine's core_pattern is.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/core_dumps.h"

enum { LIMIT_IS_ZERO = 1, IS_DUMPABLE = 2 };

/** What a process of its own sees after the call. */
static int look(const char *wanted)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit limit = {4096, 4096};
        (void)setrlimit(RLIMIT_CORE, &limit);  // fails where the hard limit is lower: then it is 0 already
        if (wanted != NULL) {
            (void)setenv("MILLRACE_CORE_DUMPS", wanted, 1);
        } else {
            (void)unsetenv("MILLRACE_CORE_DUMPS");
        }
        core_dumps_forbid();
        (void)getrlimit(RLIMIT_CORE, &limit);
        bool is_dumpable = prctl(PR_GET_DUMPABLE) != 0;
        _exit((limit.rlim_max == 0 ? LIMIT_IS_ZERO : 0) | (is_dumpable ? IS_DUMPABLE : 0));
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void core_dumps_are_off_for_good(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__  // LeakSanitizer must be able to attach
    assert_int_equal(look(NULL), LIMIT_IS_ZERO | IS_DUMPABLE);
#else
    assert_int_equal(look(NULL), LIMIT_IS_ZERO);
    assert_int_equal(look("0"), LIMIT_IS_ZERO);
#endif
}

static void who_wants_core_dumps_says_so(void **state)
{
    (void)state;
    assert_int_equal(look("1") & IS_DUMPABLE, IS_DUMPABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(core_dumps_are_off_for_good),
        cmocka_unit_test(who_wants_core_dumps_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
