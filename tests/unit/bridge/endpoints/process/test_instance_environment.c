// bridge/endpoints/process/instance_environment: what a local function's process finds, and what not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "bridge/endpoints/process/instance_environment.h"
#include "core/base/memory.h"

enum { PORT = 40123, MIB = 1024 * 1024 };

static const char *value_of(char **environment, const char *name)
{
    const char *found = NULL;
    for (size_t i = 0; environment[i] != NULL; i++) {
        if (strncmp(environment[i], name, strlen(name)) == 0 && environment[i][strlen(name)] == '=') {
            assert_null(found);  // once
            found = environment[i] + strlen(name) + 1;
        }
    }
    return found;
}

static size_t count_of(char **environment)
{
    size_t count = 0;
    while (environment[count] != NULL) {
        count++;
    }
    return count;
}

static void lambda_says_what_it_says_to_its_runtimes(void **state)
{
    (void)state;
    char handler[] = "app.handler";
    char directory[] = "/srv/functions";
    const struct process_config c = {.handler = handler,
                                     .directory = directory,
                                     .concurrency_per_instance = 4,
                                     .memory_bytes = INT64_C(512) * MIB};
    char **made = instance_environment_make(&c, "stock", PORT);
    assert_string_equal(value_of(made, "AWS_LAMBDA_RUNTIME_API"), "127.0.0.1:40123");
    assert_string_equal(value_of(made, "_HANDLER"), "app.handler");
    assert_string_equal(value_of(made, "LAMBDA_TASK_ROOT"), "/srv/functions");
    assert_string_equal(value_of(made, "LAMBDA_RUNTIME_DIR"), "/srv/functions");
    assert_string_equal(value_of(made, "AWS_LAMBDA_FUNCTION_NAME"), "stock");
    assert_string_equal(value_of(made, "AWS_LAMBDA_FUNCTION_VERSION"), "$LATEST");
    assert_string_equal(value_of(made, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), "512");
    assert_string_equal(value_of(made, "AWS_LAMBDA_LOG_GROUP_NAME"), "/millrace/stock");
    assert_string_equal(value_of(made, "AWS_LAMBDA_LOG_STREAM_NAME"), "[$LATEST]40123");
    assert_string_equal(value_of(made, "AWS_LAMBDA_INITIALIZATION_TYPE"), "on-demand");
    assert_string_equal(value_of(made, "AWS_LAMBDA_MAX_CONCURRENCY"), "4");
    instance_environment_free(made);
}

static void what_the_file_leaves_out_is_absent(void **state)
{
    (void)state;
    const struct process_config c = {.concurrency_per_instance = 1};
    char **made = instance_environment_make(&c, "stock", PORT);
    assert_null(value_of(made, "_HANDLER"));
    assert_null(value_of(made, "AWS_LAMBDA_MAX_CONCURRENCY"));  // a client would serve several calls at once
    CLEANUP(memory_free_pointer)
    char *machine = memory_format("%lld", (long long)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) / MIB);
    assert_string_equal(value_of(made, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), machine);
    instance_environment_free(made);
}

static void nothing_else_is_inherited(void **state)
{
    (void)state;
    assert_int_equal(clearenv(), 0);
    const struct process_config c = {.concurrency_per_instance = 1};
    char **bare = instance_environment_make(&c, "stock", PORT);
    size_t count = count_of(bare);
    assert_string_equal(value_of(bare, "PATH"), "/usr/local/bin:/usr/bin:/bin");
    assert_string_equal(value_of(bare, "LANG"), "C.UTF-8");
    assert_null(value_of(bare, "TZ"));
    instance_environment_free(bare);
    (void)setenv("PGPASSWORD", "secret", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    (void)setenv("LD_PRELOAD", "", 1);
    (void)setenv("NOTIFY_SOCKET", "/run/notify", 1);
    (void)setenv("PATH", "/opt/bin", 1);
    (void)setenv("LANG", "de_DE.UTF-8", 1);
    (void)setenv("TZ", "Europe/Berlin", 1);
    (void)setenv("HOME", "/home/me", 1);
    char **made = instance_environment_make(&c, "stock", PORT);
    assert_int_equal(count_of(made), count + 1);  // TZ
    assert_string_equal(value_of(made, "PATH"), "/opt/bin");
    assert_string_equal(value_of(made, "LANG"), "de_DE.UTF-8");
    assert_string_equal(value_of(made, "TZ"), "Europe/Berlin");
    assert_string_equal(value_of(made, "HOME"), "/home/me");
    instance_environment_free(made);
}

static void the_file_adds_and_replaces(void **state)
{
    (void)state;
    (void)setenv("PATH", "/opt/bin", 1);
    struct process_config c = {.concurrency_per_instance = 1};
    text_pairs_set(&c.env, "PATH", "/venv/bin:/usr/bin");
    text_pairs_set(&c.env, "TZ", "UTC");
    text_pairs_set_secret(&c.env, "TOKEN", "a=b");
    char **made = instance_environment_make(&c, "stock", PORT);
    assert_string_equal(value_of(made, "PATH"), "/venv/bin:/usr/bin");
    assert_string_equal(value_of(made, "TZ"), "UTC");
    assert_string_equal(value_of(made, "TOKEN"), "a=b");
    instance_environment_free(made);
    text_pairs_clear(&c.env);
}

static void home_is_the_users(void **state)
{
    (void)state;
    (void)setenv("HOME", "/srv/secrets", 1);
    char name[] = "nobody";
    const struct process_config c = {.concurrency_per_instance = 1, .user = name};
    char **made = instance_environment_make(&c, "stock", PORT);
    assert_string_equal(value_of(made, "HOME"), getpwnam("nobody")->pw_dir);
    instance_environment_free(made);
    instance_environment_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lambda_says_what_it_says_to_its_runtimes),
        cmocka_unit_test(what_the_file_leaves_out_is_absent),
        cmocka_unit_test(nothing_else_is_inherited),
        cmocka_unit_test(the_file_adds_and_replaces),
        cmocka_unit_test(home_is_the_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
