// Which command runs a handler: with programs and packages of the test's own on PATH.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/try/try_handler.h"
#include "cli/try/try_process.h"
#include "core/base/memory.h"

static char folder[64];
static char first_folder[512];
static struct try_handler handler;
static struct fault fault;

static void write_file(const char *name, const char *text, mode_t mode)
{
    CLEANUP(memory_free_pointer) char *path = memory_format("%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void make_folder(const char *name)
{
    CLEANUP(memory_free_pointer) char *path = memory_format("%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(chmod(path, 0755), 0);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/millrace-handler-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0755), 0);
    make_folder("bin");
    assert_non_null(getcwd(first_folder, sizeof first_folder));
    assert_int_equal(chdir(folder), 0);
    CLEANUP(memory_free_pointer) char *path = memory_format("%s/bin", folder);
    setenv("PATH", path, 1);
    unsetenv("NODE_PATH");
    unsetenv("PYTHONPATH");
    handler = (struct try_handler){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    try_handler_clear(&handler);
    assert_int_equal(chdir(first_folder), 0);
    try_process_remove_tree(folder);
    return 0;
}

/** The command, with "." for the test's folder; borrowed until the next call. */
static const char *command(void)
{
    static char text[1024];
    char *end = text;
    for (size_t i = 0; i < handler.command.count; i++) {
        const char *word = handler.command.items[i];
        bool is_ours = strncmp(word, folder, strlen(folder)) == 0;
        end += snprintf(end, sizeof text - (size_t)(end - text), "%s%s%s", i == 0 ? "" : " ",
                        is_ours ? "." : "", is_ours ? word + strlen(folder) : word);
    }
    return text;
}

static void assert_refused(const char *file, const char *text)
{
    assert_false(try_handler_find(file, NULL, &handler, &fault));
    assert_int_equal(fault.kind, FAULT_CONFIG);
    if (strstr(fault.text, text) == NULL) {
        fail_msg("%s: %s", file, fault.text);
    }
    try_handler_clear(&handler);
}

static const char can_import[] = "#!/bin/sh\ntest \"$*\" = '-c import awslambdaric'\n";
static const char can_not_import[] = "#!/bin/sh\ntest \"$*\" = '-c '\n";

static void a_python_handler_runs_under_the_python_that_has_the_client(void **state)
{
    (void)state;
    write_file("app.py", "def lambda_handler(event, context):\n    return 1\n", 0644);
    write_file("bin/python3", can_import, 0755);
    assert_true(try_handler_find("app.py", NULL, &handler, &fault));
    assert_string_equal(command(), "./bin/python3 -m awslambdaric app.lambda_handler");
    assert_string_equal(handler.handler, "app.lambda_handler");
    assert_string_equal(handler.directory, folder);
    try_handler_clear(&handler);

    make_folder(".venv");
    make_folder(".venv/bin");
    write_file(".venv/bin/python3", can_import, 0755);
    assert_true(try_handler_find("./app.py:main", NULL, &handler, &fault));
    assert_string_equal(command(), "./.venv/bin/python3 -m awslambdaric app.main");
    try_handler_clear(&handler);

    make_folder("src");
    write_file("src/app.py", "handler = 1\n", 0644);
    make_folder("src/.venv");
    make_folder("src/.venv/bin");
    write_file("src/.venv/bin/python3", can_import, 0755);
    assert_true(try_handler_find("src/app.py", NULL, &handler, &fault));
    assert_string_equal(command(), "./src/.venv/bin/python3 -m awslambdaric app.handler");
    try_handler_clear(&handler);

    write_file(".venv/bin/python3", can_not_import, 0755);
    assert_true(try_handler_find("app.py", NULL, &handler, &fault));
    assert_string_equal(command(), "./bin/python3 -m awslambdaric app.lambda_handler");
}

static void without_the_client_it_says_what_to_type(void **state)
{
    (void)state;
    make_folder("my shop");
    write_file("my shop/app.py", "handler = 1\n", 0644);
    assert_refused("my shop/app.py", "type: apt-get install python3 python3-venv");
    write_file("bin/python3", can_not_import, 0755);
    assert_refused("my shop/app.py",
                   "python3 -m venv 'my shop'/.venv && 'my shop'/.venv/bin/pip install awslambdaric ");
    write_file("app.js", "exports.handler = 1;\n", 0644);
    assert_refused("app.js", "no node that ");
    write_file("bin/node", "#!/bin/sh\n", 0755);
    write_file("bin/npm", "#!/bin/sh\necho /nowhere\n", 0755);
    assert_refused("app.js", "type: npm install --prefix . aws-lambda-ric ");
}

static void a_python_that_the_handlers_user_can_not_run_is_named(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    write_file("app.py", "handler = 1\n", 0644);
    make_folder("second");
    write_file("second/python3", can_not_import, 0755);
    write_file("bin/python3", "#!/bin/sh\ntest $(/usr/bin/id -u) = 0\n", 0755);
    CLEANUP(memory_free_pointer) char *path = memory_format("%s/bin:%s/second", folder, folder);
    CLEANUP(memory_free_pointer)
    char *text = memory_format(
        "user nobody can't run %s/bin/python3; type: %s/second/python3 -m venv ./.venv && ", folder, folder);
    setenv("PATH", path, 1);
    assert_refused("app.py", text);
    make_folder(".venv");
    make_folder(".venv/bin");
    write_file(".venv/bin/python3", "#!/bin/sh\ntest $(/usr/bin/id -u) = 0\n", 0755);
    assert_refused("app.py", "/second/python3 -m venv --clear ./.venv && ");
}

static void add_client(const char *modules, const char *script)
{
    CLEANUP(memory_free_pointer) char *package = memory_format("%s/aws-lambda-ric", modules);
    CLEANUP(memory_free_pointer) char *bin = memory_format("%s/bin", package);
    CLEANUP(memory_free_pointer) char *path = memory_format("%s/%s", bin, script);
    CLEANUP(memory_free_pointer) char *description = memory_format("%s/package.json", package);
    bool is_object = strcmp(script, "index.mjs") == 0;
    CLEANUP(memory_free_pointer)
    char *json = memory_format(
        is_object ? "{\"bin\": {\"aws-lambda-ric\": \"./bin/%s\"}}" : "{\"bin\": \"bin/%s\"}", script);
    make_folder(modules);
    make_folder(package);
    make_folder(bin);
    write_file(path, "", 0644);
    write_file(description, json, 0644);
}

static void a_node_handlers_client_is_the_nearest(void **state)
{
    (void)state;
    make_folder("src");
    write_file("src/app.mjs", "export const handler = 1;\n", 0644);
    write_file("bin/node", "#!/bin/sh\n", 0755);

    add_client("of_npm", "index.mjs");
    CLEANUP(memory_free_pointer) char *npm = memory_format("#!/bin/sh\necho %s/of_npm\n", folder);
    write_file("bin/npm", npm, 0755);
    assert_true(try_handler_find("src/app.mjs", NULL, &handler, &fault));
    assert_string_equal(command(), "./bin/node ./of_npm/aws-lambda-ric/bin/index.mjs app.handler");
    try_handler_clear(&handler);

    make_folder("lib");
    add_client("lib/node_modules", "index.js");
    assert_true(try_handler_find("src/app.mjs", NULL, &handler, &fault));
    assert_string_equal(command(), "./bin/node ./lib/node_modules/aws-lambda-ric/bin/index.js app.handler");
    try_handler_clear(&handler);

    add_client("of_path", "index.mjs");
    CLEANUP(memory_free_pointer) char *list = memory_format("/nowhere::%s/of_path", folder);
    setenv("NODE_PATH", list, 1);
    assert_true(try_handler_find("src/app.mjs", NULL, &handler, &fault));
    assert_string_equal(command(), "./bin/node ./of_path/aws-lambda-ric/bin/index.mjs app.handler");
    try_handler_clear(&handler);

    add_client("node_modules", "index.mjs");
    assert_true(try_handler_find("src/app.mjs", NULL, &handler, &fault));
    assert_string_equal(command(), "./bin/node ./node_modules/aws-lambda-ric/bin/index.mjs app.handler");
}

static void a_node_and_a_client_that_the_handlers_user_can_not_use_are_passed_over(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    write_file("app.js", "exports.handler = 1;\n", 0644);
    write_file("bin/node", "#!/bin/sh\ntest $(/usr/bin/id -u) = 0\n", 0755);
    add_client("node_modules", "index.mjs");
    assert_refused("app.js", "no node that user nobody can run is on the PATH");
    make_folder("second");
    write_file("second/node", "#!/bin/sh\n", 0755);
    CLEANUP(memory_free_pointer) char *path = memory_format("%s/bin:%s/second", folder, folder);
    setenv("PATH", path, 1);
    assert_true(try_handler_find("app.js", NULL, &handler, &fault));
    assert_string_equal(command(), "./second/node ./node_modules/aws-lambda-ric/bin/index.mjs app.handler");
    try_handler_clear(&handler);
    assert_int_equal(chmod("node_modules", 0700), 0);
    CLEANUP(memory_free_pointer)
    char *text = memory_format(
        "user nobody can't read %s/node_modules/aws-lambda-ric/bin/index.mjs; type: npm install ", folder);
    assert_refused("app.js", text);
}

static void an_executable_file_is_its_own_client(void **state)
{
    (void)state;
    write_file("bootstrap", "#!/bin/sh\n", 0755);
    assert_true(try_handler_find("bootstrap", NULL, &handler, &fault));
    assert_string_equal(command(), "./bootstrap");
    assert_null(handler.handler);
    try_handler_clear(&handler);
    assert_true(try_handler_find("./bootstrap:orders.created", NULL, &handler, &fault));
    assert_string_equal(handler.handler, "orders.created");
    try_handler_clear(&handler);
    write_file("data", "", 0644);
    assert_refused("data", "type: chmod +x data; else say with --command");
}

static void a_command_takes_the_place_of_the_client(void **state)
{
    (void)state;
    write_file("app.py", "handler = 1\n", 0644);
    write_file("bin/python3", can_not_import, 0755);
    char *const found[] = {"python3", "run.py", "-x", NULL};
    assert_true(try_handler_find("app.py", found, &handler, &fault));
    assert_string_equal(command(), "./bin/python3 run.py -x");
    assert_string_equal(handler.handler, "app.handler");
    try_handler_clear(&handler);

    // A link stays one: Python finds its virtual environment by it.
    assert_int_equal(symlink("python3", "bin/linked"), 0);
    char *const linked[] = {"bin/linked", NULL};
    assert_true(try_handler_find(NULL, linked, &handler, &fault));
    assert_string_equal(command(), "./bin/linked");
    assert_null(handler.handler);
    assert_string_equal(handler.directory, folder);
    try_handler_clear(&handler);

    char *const missing[] = {"nothing", NULL};
    assert_false(try_handler_find(NULL, missing, &handler, &fault));
    assert_non_null(strstr(fault.text, "--command nothing: there is no such program on the PATH"));
}

static void a_file_that_is_no_handler_is_refused(void **state)
{
    (void)state;
    write_file("main.py", "def main(event, context):\n    pass\n", 0644);
    write_file("my.app.py", "handler = 1\n", 0644);
    assert_refused("main.py", "it defines neither lambda_handler nor handler; type --handler main.py:NAME");
    assert_refused("main.py:", "a name is missing behind the colon");
    assert_refused("my.app.py", "a dot in a file's name");
    assert_refused("missing.py", "--handler missing.py: No such file or directory");
    assert_refused("bin", "--handler bin: it is no file");
}

static void as_root_it_runs_as_the_owner_or_as_nobody(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    write_file("bootstrap", "#!/bin/sh\n", 0755);
    assert_true(try_handler_find("bootstrap", NULL, &handler, &fault));
    assert_string_equal(handler.user.name, "nobody");
    try_handler_clear(&handler);
    assert_int_equal(chown("bootstrap", 1, 1), 0);
    assert_true(try_handler_find("bootstrap", NULL, &handler, &fault));
    assert_string_equal(handler.user.name, "daemon");
    try_handler_clear(&handler);
    assert_int_equal(chown("bootstrap", 0, 0), 0);
    assert_int_equal(chmod(folder, 0700), 0);
    assert_refused("bootstrap", "user nobody can't read it, and a handler does not run as root; type: chmod "
                                "-R o+rX /tmp/millrace-handler-");
}

static void the_functions_file_has_all_that_was_found(void **state)
{
    (void)state;
    CLEANUP(bytes_clear) struct bytes out = {0};
    text_list_add(&handler.command, "/a \"b\"/python3");
    text_list_add(&handler.command, "-m");
    handler.handler = memory_string("app.handler");
    handler.directory = memory_string("/srv");
    setenv("PYTHONPATH", "/lib", 1);
    setenv("NODE_PATH", "/modules", 1);
    snprintf(handler.user.name, sizeof handler.user.name, "nobody");
    try_handler_write(&handler, "row", &out);
    assert_string_equal(
        bytes_text(&out),
        "payload: \"row\", endpoint: {process: {command: [\"/a \\\"b\\\"/python3\", \"-m\"], directory: "
        "\"/srv\", handler: \"app.handler\", user: \"nobody\", env: {NODE_PATH: \"/modules\", PYTHONPATH: "
        "\"/lib\"}}}");
    bytes_reset(&out);
    setenv("NODE_PATH", "", 1);
    unsetenv("PYTHONPATH");
    handler.user = (struct handler_user){0};
    try_handler_write(&handler, NULL, &out);
    assert_string_equal(bytes_text(&out),
                        "endpoint: {process: {command: [\"/a \\\"b\\\"/python3\", \"-m\"], directory: "
                        "\"/srv\", handler: \"app.handler\"}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_python_handler_runs_under_the_python_that_has_the_client, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_the_client_it_says_what_to_type, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_python_that_the_handlers_user_can_not_run_is_named, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_node_handlers_client_is_the_nearest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_node_and_a_client_that_the_handlers_user_can_not_use_are_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_executable_file_is_its_own_client, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_command_takes_the_place_of_the_client, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_handler_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(as_root_it_runs_as_the_owner_or_as_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_functions_file_has_all_that_was_found, set_up, tear_down),
    };
    try_process_block_signals();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
