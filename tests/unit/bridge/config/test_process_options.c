// bridge/config/process_options: the endpoint `process`, in a folder that each case makes.
#include "tests/unit/config_case.h"

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/config/function_change.h"
#include "bridge/endpoints/process/instance_environment.h"

#define HEAD "source: {topics: [a]}\n"

enum { PROGRAM_MODE = 0755, PORT = 4000 };

static char folder[PATH_MAX];

static void write_file(const char *name, mode_t mode)
{
    CLEANUP(memory_free_pointer) char *path = memory_format("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs("#!/bin/sh\n", file);
    (void)fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "%s/process_options.XXXXXX", "/tmp");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, PROGRAM_MODE), 0);
    write_file("bootstrap", PROGRAM_MODE);
    write_file("notes", 0644);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    CLEANUP(memory_free_pointer) char *program = memory_format("%s/bootstrap", folder);
    CLEANUP(memory_free_pointer) char *notes = memory_format("%s/notes", folder);
    return unlink(program) + unlink(notes) + rmdir(folder);
}

static const char *user_key(void)
{
    return geteuid() == 0 ? "user: nobody, " : "";
}

/** Reads the file with `process` as the section's keys; the caller clears both. */
static void read_process(struct config_case *c, struct function_config *config, const char *process,
                         const char *tail)
{
    CLEANUP(memory_free_pointer) char *path = memory_format("%s/stock.yaml", folder);
    CLEANUP(memory_free_pointer)
    char *text = memory_format(HEAD "endpoint: {process: {\n%s\n%s}}\n%s", user_key(), process, tail);
    c->file.path = path;
    config_case_read(c, &function_config_kind, slice_of(text), config);
}

/** Line 4 has `process`, line 5 `tail`. "DIR" in `expected` stands for the folder. */
static void check_with(const char *process, const char *tail, const char *expected)
{
    struct config_case c = {0};
    struct function_config config;
    read_process(&c, &config, process, tail);
    CLEANUP(bytes_clear) struct bytes want = {0};
    for (const char *at = expected; *at != '\0';) {
        bool is_folder = strncmp(at, "DIR", 3) == 0;
        bytes_append(&want, is_folder ? folder : at, is_folder ? strlen(folder) : 1);
        at += is_folder ? 3 : 1;
    }
    assert_string_equal(bytes_text(&c.text), bytes_text(&want));
    function_config_clear(&config);
    config_case_clear(&c);
}

static void check(const char *process, const char *expected)
{
    check_with(process, "", expected);
}

static void every_key_is_read(void **state)
{
    (void)state;
    struct config_case c = {0};
    struct function_config config;
    (void)setenv("STOCK_TOKEN", "s3cret", 1);
    struct text_list variables = {0};
    c.file.variables = &variables;
    read_process(&c, &config,
                 "command: [sh, ./bootstrap, -x], handler: app.handler, directory: ., instances: 4, "
                 "env: {LOG_LEVEL: debug, TOKEN: {env: STOCK_TOKEN}, DB_URL: 'postgres://a:pw@h'}, "
                 "warm_instances: 2, concurrency_per_instance: 8, idle_stop: 0s, init_timeout: 2s, "
                 "memory: 512MiB, cpu: 0.25",
                 "");
    assert_string_equal(bytes_text(&c.text), "");
    const struct process_config *p = &config.process;
    assert_int_equal(config.endpoint, FUNCTION_ENDPOINT_PROCESS);
    assert_int_equal(config.payload, FUNCTION_PAYLOAD_LAMBDA_KAFKA);
    assert_int_equal(p->command.count, 3);
    assert_string_equal(p->handler, "app.handler");
    assert_string_equal(p->directory, folder);
    assert_string_equal(text_pairs_get(&p->env, "TOKEN"), "s3cret");
    assert_int_equal(p->instances, 4);
    assert_int_equal(p->warm_instances, 2);
    assert_int_equal(p->concurrency_per_instance, 8);
    assert_int_equal(config.delivery.concurrency, 32);
    assert_int_equal(p->idle_stop_us, 0);
    assert_int_equal(p->init_timeout_us, 2000000);
    assert_int_equal(p->memory_bytes, 512 << 20);
    assert_int_equal(p->cpu_millis, 250);
    assert_true(text_list_has(&variables, "STOCK_TOKEN"));  // the supervisor passes it on
    struct bytes shown CLEANUP(bytes_clear) = {0};
    config_show(&function_config_kind, &config, &shown);
    assert_non_null(strstr(bytes_text(&shown), "LOG_LEVEL: debug"));
    assert_non_null(strstr(bytes_text(&shown), "TOKEN: \"***\""));
    assert_null(strstr(bytes_text(&shown), "s3cret"));
    assert_null(strstr(bytes_text(&shown), "pw"));
    function_config_clear(&config);
    config_case_clear(&c);
    text_list_clear(&variables);
}

static void defaults(void **state)
{
    (void)state;
    struct config_case c = {0};
    struct function_config config;
    read_process(&c, &config, "command: [./bootstrap]", "");
    assert_string_equal(bytes_text(&c.text), "");
    const struct process_config *p = &config.process;
    assert_string_equal(p->directory, folder);
    assert_int_equal(p->instances, 1);
    assert_int_equal(p->warm_instances, 1);
    assert_int_equal(p->concurrency_per_instance, 1);
    assert_int_equal(config.delivery.concurrency, 1);
    assert_int_equal(p->idle_stop_us, INT64_C(600000000));
    assert_int_equal(p->init_timeout_us, 10000000);
    assert_int_equal(p->memory_bytes, 0);
    assert_int_equal(p->cpu_millis, 0);
    function_config_clear(&config);
    config_case_clear(&c);
}

static void a_relative_directory_starts_at_the_file(void **state)
{
    (void)state;
    check("command: [./bootstrap], directory: missing",
          "DIR/stock.yaml:4:36: error: directory: DIR/missing: No such file or directory\n");
    check("command: [sh], directory: notes",
          "DIR/stock.yaml:4:27: error: directory: DIR/notes: Not a directory\n");
    check("command: [./bootstrap], directory: /",
          "DIR/stock.yaml:4:11: error: command: /bootstrap: No such file or directory\n");
}

static void the_program_must_be_there(void **state)
{
    (void)state;
    check("handler: a", "DIR/stock.yaml:2:21: error: required key \"command\" is missing\n");
    check("command: []", "DIR/stock.yaml:4:10: error: command: the list is empty\n");
    check("command: python3", "DIR/stock.yaml:4:10: error: command: write a list, as in [a, b]\n");
    check("command: [./notes]", "DIR/stock.yaml:4:11: error: command: DIR/notes: not a program that the "
                                "function's user may run (chmod +x)\n");
    check("command: [bootstrap], env: {PATH: '/nowhere:/'}",
          "DIR/stock.yaml:4:11: error: command: there is no program bootstrap in the PATH of env "
          "(/nowhere:/)\n");
    check("command: [bootstrap], env: {PATH: '/nowhere:'}", "");  // an empty part is the directory
    (void)setenv("PATH", "/usr/bin:/bin", 1);
    check("command: [python33]", "DIR/stock.yaml:4:11: error: command: there is no program python33 in the "
                                 "PATH of millrace (/usr/bin:/bin)\n");
}

static void instances_and_calls_fit_together(void **state)
{
    (void)state;
    check("command: [sh], warm_instances: 0", "");
    check("command: [sh], warm_instances: 2",
          "DIR/stock.yaml:4:32: error: warm_instances: 2 are more than instances (1)\n");
    check("command: [sh], instances: 0",
          "DIR/stock.yaml:4:27: error: instances: must be from 1 to 256, not 0\n");
    check_with("command: [sh], instances: 2, concurrency_per_instance: 3", "delivery: {concurrency: 6}\n",
               "");
    check_with("command: [sh], instances: 2, concurrency_per_instance: 3", "delivery: {concurrency: 7}\n",
               "DIR/stock.yaml:5:25: error: concurrency: 7 calls are more than the 6 that the endpoint's "
               "processes take (instances times concurrency_per_instance)\n");
    check(
        "command: [sh], instances: 200, concurrency_per_instance: 6",
        "DIR/stock.yaml:4:58: error: concurrency_per_instance: instances times it are 1200 calls at the same "
        "time; a function has at most 1000\n");
}

static void limits_have_bounds(void **state)
{
    (void)state;
    static const char *const BAD[] = {"0", "0.009", "1025", "half", "1.", ".5", "0.0001", "-1", "1e3"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        CLEANUP(memory_free_pointer) char *text = memory_format("command: [sh], cpu: '%s'", BAD[i]);
        check(text, "DIR/stock.yaml:4:21: error: cpu: must be cores from 0.01 to 1024, such as 0.5 or 2\n");
    }
    static const char *const GOOD[] = {"0.01", "2", "1024", "1.125"};
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        CLEANUP(memory_free_pointer) char *text = memory_format("command: [sh], cpu: %s", GOOD[i]);
        check(text, "");
    }
    check("command: [sh], memory: 1MiB",
          "DIR/stock.yaml:4:24: error: memory: must be from 16MiB to 16384GiB, not 1MiB\n");
}

static void variables_of_the_runtime_are_not_the_files(void **state)
{
    (void)state;
    check("command: [sh], env: {AWS_LAMBDA_RUNTIME_API: a}",
          "DIR/stock.yaml:4:22: error: env: \"AWS_LAMBDA_RUNTIME_API\" can't be set: millrace sets it\n");
    check("command: [sh], env: {_HANDLER: a}",
          "DIR/stock.yaml:4:22: error: env: \"_HANDLER\" can't be set: millrace sets it; write the option "
          "handler\n");
    check("command: [sh], env: {LAMBDA_TASK_ROOT: a}",
          "DIR/stock.yaml:4:22: error: env: \"LAMBDA_TASK_ROOT\" can't be set: millrace sets it; write the "
          "option directory\n");
    check("command: [sh], env: {_LAMBDA_TELEMETRY_LOG_FD: 3}",
          "DIR/stock.yaml:4:22: error: env: \"_LAMBDA_TELEMETRY_LOG_FD\" can't be set: millrace sets it\n");
    check("command: [sh], env: {AWS_LAMBDA_LOG_LEVEL: DEBUG, AWS_REGION: eu-west-1}", "");
    check("command: [sh], env: {'a=b': c}",
          "DIR/stock.yaml:4:22: error: env: \"a=b\" is not a name of a variable: letters, digits and _, no "
          "digit first\n");
    check("command: [sh], env: {A: }",
          "DIR/stock.yaml:4:25: error: env: A has no value; write '' for an empty one\n");
    check("command: [sh], env: {A: ''}", "");
    check("command: [sh], env: {A: {env: NO_SUCH_VARIABLE}}",
          "DIR/stock.yaml:4:31: error: \"A\": there is no environment variable \"NO_SUCH_VARIABLE\"\n");
}

/** What an instance gets beyond the basics must be what a file can't set. */
static void all_of_lambda_is_refused(void **state)
{
    (void)state;
    char text[] = "x";
    const struct process_config p = {.handler = text, .directory = text, .concurrency_per_instance = 2};
    char **made = instance_environment_make(&p, "stock", PORT);
    size_t refused = 0;
    for (size_t i = 0; made[i] != NULL; i++) {
        CLEANUP(memory_free_pointer)
        char *name = slice_to_string(slice_make(made[i], strcspn(made[i], "=")));
        struct config_case c = {0};
        struct function_config config;
        CLEANUP(memory_free_pointer) char *keys = memory_format("command: [/bin/sh], env: {%s: a}", name);
        read_process(&c, &config, keys, "");
        refused += c.is_good ? 0 : 1;
        bool is_lambda = strstr(name, "LAMBDA_") != NULL || strcmp(name, "_HANDLER") == 0;
        assert_int_equal(c.is_good, !is_lambda);
        function_config_clear(&config);
        config_case_clear(&c);
    }
    instance_environment_free(made);
    assert_int_equal(refused, 11);
}

static void check_user(const char *user, const char *expected)
{
    struct config_case c = {0};
    struct function_config config;
    CLEANUP(memory_free_pointer)
    char *text = memory_format(HEAD "endpoint: {process: {command: [/bin/sh]%s%s}}\n",
                               user == NULL ? "" : ", user: ", user == NULL ? "" : user);
    config_case_read(&c, &function_config_kind, slice_of(text), &config);
    assert_string_equal(bytes_text(&c.text), expected);
    function_config_clear(&config);
    config_case_clear(&c);
}

static void a_function_never_runs_as_root(void **state)
{
    (void)state;
    check_user("no-such-user",
               "f.yaml:2:48: error: user: there is no user \"no-such-user\" on this machine\n");
    check_user("root", "f.yaml:2:48: error: user: a function can't run as root; name another user\n");
    check_user("0", "f.yaml:2:48: error: user: a function can't run as root; name another user\n");
    bool is_root = geteuid() == 0;
    bool is_nobody = getpwnam("nobody")->pw_uid == geteuid();
    check_user("nobody", is_root || is_nobody ? ""
                                              : "f.yaml:2:48: error: user: only root may start a function as "
                                                "user \"nobody\"; leave `user` out, or run millrace as that "
                                                "user or as root\n");
    check_user(NULL, is_root
                         ? "f.yaml:2:21: error: user: millrace runs as root, and functions must not; name "
                           "the user that this one is to run as\n"
                         : "");
}

static const char *user_name(void)
{
    const struct passwd *own = getpwuid(geteuid());
    return geteuid() == 0 ? "nobody" : own == NULL ? "" : own->pw_name;
}

/** A folder and a program of others: to root all is open, to the function's user it is not. */
static void the_functions_user_must_have_the_rights(void **state)
{
    (void)state;
    check("command: [./bootstrap]", "");
    assert_int_equal(chmod(folder, geteuid() == 0 ? 0700 : 0), 0);
    CLEANUP(memory_free_pointer)
    char *expected = memory_format("DIR/stock.yaml:2:21: error: directory: DIR: the function's user %s can't "
                                   "enter it; name a folder that it may enter\n",
                                   user_name());
    check("command: [./bootstrap]", expected);
    assert_int_equal(chmod(folder, PROGRAM_MODE), 0);
    write_file("bootstrap", 0700);
    check("command: [./bootstrap]",
          geteuid() == 0
              ? "DIR/stock.yaml:4:11: error: command: DIR/bootstrap: not a program that the function's "
                "user may run (chmod +x)\n"
              : "");
    write_file("bootstrap", PROGRAM_MODE);
}

/** A link to a program in a folder of root's, as of a venv whose Python is in root's home. */
static void a_closed_folder_on_the_way_is_named(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip();  // who can't enter it can't tell either
    }
    CLEANUP(memory_free_pointer) char *closed = memory_format("%s/closed", folder);
    CLEANUP(memory_free_pointer) char *program = memory_format("%s/sh", closed);
    CLEANUP(memory_free_pointer) char *link = memory_format("%s/link", folder);
    assert_int_equal(mkdir(closed, 0700) + symlink(closed, link), 0);
    write_file("closed/sh", PROGRAM_MODE);
    check("command: [link/sh]", "DIR/stock.yaml:4:11: error: command: DIR/link/sh: the function's user can't "
                                "enter DIR/closed, where it is; install it elsewhere\n");
    assert_int_equal(unlink(program) + unlink(link) + rmdir(closed), 0);
}

static void headers_reach_no_local_function(void **state)
{
    (void)state;
    check_with("command: [sh]", "payload: cloudevents\n",
               "DIR/stock.yaml:5:10: error: payload: cloudevents puts attributes into headers, which the "
               "Runtime API does not give to functions; choose lambda-kafka, dynamodb-stream, "
               "cloudevents-structured, or another one that is all in the body\n");
    check_with("command: [sh]", "payload: dynamodb-stream\n", "");
}

static void another_program_is_another_endpoint(void **state)
{
    (void)state;
    static const char *const FILES[] = {"command: [sh, -x]",           "command: [sh], handler: b",
                                        "command: [sh], env: {A: b}",  "command: [sh], directory: /",
                                        "command: [sh], memory: 1GiB", "command: [sh], cpu: 2",
                                        "command: [sh], instances: 2"};
    struct config_case old_case = {0};
    struct function_config old;
    read_process(&old_case, &old, "command: [sh]", "");
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        struct config_case c = {0};
        struct function_config config;
        read_process(&c, &config, FILES[i], "");
        assert_true(c.is_good);
        assert_false(function_change_is_same_endpoint(&old, &config));
        assert_int_equal(function_change_between(&old, &config), FUNCTION_CHANGE_IN_PLACE);
        function_config_clear(&config);
        config_case_clear(&c);
    }
    function_config_clear(&old);
    config_case_clear(&old_case);
}

static void one_kind_of_endpoint(void **state)
{
    (void)state;
    struct config_case c = {0};
    struct function_config config;
    config_case_read(&c, &function_config_kind, slice_of(HEAD "endpoint: {}\n"), &config);
    assert_string_equal(bytes_text(&c.text), "f.yaml:2:11: error: endpoint: choose a kind of endpoint: http, "
                                             "lambda or process\n");
    function_config_clear(&config);
    config_case_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(defaults),
        cmocka_unit_test(a_relative_directory_starts_at_the_file),
        cmocka_unit_test(the_program_must_be_there),
        cmocka_unit_test(instances_and_calls_fit_together),
        cmocka_unit_test(limits_have_bounds),
        cmocka_unit_test(variables_of_the_runtime_are_not_the_files),
        cmocka_unit_test(all_of_lambda_is_refused),
        cmocka_unit_test(a_function_never_runs_as_root),
        cmocka_unit_test(the_functions_user_must_have_the_rights),
        cmocka_unit_test(a_closed_folder_on_the_way_is_named),
        cmocka_unit_test(headers_reach_no_local_function),
        cmocka_unit_test(another_program_is_another_endpoint),
        cmocka_unit_test(one_kind_of_endpoint),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
