// cli/supervise/environment: which variables a child process gets.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "cli/supervise/environment.h"
#include "core/config/settings_kind.h"

static char *given[] = {"PATH=/bin",
                        "LC_TIME=C",
                        "PGPASSFILE=/p",
                        "SSL_CERT_FILE=/c",
                        "TOKEN=t",
                        "TOKEN_OTHER=o",
                        "SHOP_PASSWORD=s",
                        "LD_AUDIT=/l",
                        "NOTIFY_SOCKET=/n",
                        "EMPTY=",
                        "ASAN_OPTIONS=a=b",
                        "AWS_SECRET_ACCESS_KEY=k",
                        NULL};

static void check(const struct text_list *names, bool is_connector, const char *expected)
{
    char **before = environ;
    environ = given;
    char **made = environment_make(names, is_connector);
    environ = before;
    struct bytes text = {0};
    for (char **one = made; *one != NULL; one++) {
        bytes_format(&text, "%s\n", *one);
    }
    assert_string_equal(bytes_text(&text), expected);
    bytes_clear(&text);
    free(made);
}

static void a_child_gets_the_fixed_list_and_what_its_files_name(void **state)
{
    (void)state;
    struct text_list names = {0};
    check(&names, false, "PATH=/bin\nLC_TIME=C\nSSL_CERT_FILE=/c\nASAN_OPTIONS=a=b\n");
    text_list_add(&names, "TOKEN");
    text_list_add(&names, "EMPTY");
    check(&names, false, "PATH=/bin\nLC_TIME=C\nSSL_CERT_FILE=/c\nTOKEN=t\nEMPTY=\nASAN_OPTIONS=a=b\n");
    text_list_clear(&names);
}

static void a_connector_gets_those_of_libpq_too(void **state)
{
    (void)state;
    const struct text_list none = {0};
    check(&none, true, "PATH=/bin\nLC_TIME=C\nPGPASSFILE=/p\nSSL_CERT_FILE=/c\nASAN_OPTIONS=a=b\n");
}

static void names_are_those_of_the_shared_file_and_of_its_own_that_exist(void **state)
{
    (void)state;
    char *kafka[] = {"TOKEN", "NOT_THERE"};
    char *shop[] = {"SHOP_PASSWORD", "TOKEN"};
    char *mail[] = {"TOKEN_OTHER"};
    struct config_variables files[] = {{&settings_kind, "millrace", {kafka, 2}},
                                       {&connector_config_kind, "shop", {shop, 2}},
                                       {&function_config_kind, "shop", {mail, 1}}};
    const struct config_set set = {.variables = files, .variables_count = 3};
    char **before = environ;
    environ = given;
    struct text_list names = {0};
    environment_names(&set, &connector_config_kind, "shop", &names);
    assert_int_equal(names.count, 2);
    assert_string_equal(names.items[0], "TOKEN");
    assert_string_equal(names.items[1], "SHOP_PASSWORD");
    text_list_clear(&names);
    environment_names(&set, &connector_config_kind, "other", &names);
    assert_int_equal(names.count, 1);
    text_list_clear(&names);
    environment_names(&set, &function_config_kind, NULL, &names);
    assert_int_equal(names.count, 2);
    assert_string_equal(names.items[1], "TOKEN_OTHER");
    text_list_clear(&names);
    environ = before;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_gets_the_fixed_list_and_what_its_files_name),
        cmocka_unit_test(a_connector_gets_those_of_libpq_too),
        cmocka_unit_test(names_are_those_of_the_shared_file_and_of_its_own_that_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
