// cli/config_profile: profiles of AWS's shared files, with the place where a function's file names them.
#include "tests/unit/config_case.h"

#include <stdio.h>
#include <unistd.h>

#include "bridge/config/function_config.h"
#include "cli/config_profile.h"

#define HEAD "source: {topics: [a]}\n"

static char dir[] = "/tmp/config-profile-XXXXXX";
static char *config_file;
static char *credentials_file;

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int start(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(dir));
    config_file = memory_format("%s/config", dir);
    credentials_file = memory_format("%s/credentials", dir);
    (void)setenv("AWS_CONFIG_FILE", config_file, 1);
    (void)setenv("AWS_SHARED_CREDENTIALS_FILE", credentials_file, 1);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    (void)unlink(config_file);
    (void)unlink(credentials_file);
    free(config_file);
    free(credentials_file);
    return rmdir(dir);
}

/** `%s` in the expected texts is the folder. */
static void check(const char *endpoint, const char *errors, const char *warnings)
{
    CLEANUP(memory_free_pointer) char *text = memory_format(HEAD "endpoint: {%s}\n", endpoint);
    struct config_case c = {.file = {.is_private = true}};
    struct function_config config;
    struct complaints found = {0};
    struct bytes said CLEANUP(bytes_clear) = {0};
    config_case_read(&c, &function_config_kind, slice_of(text), &config);
    assert_string_equal(bytes_text(&c.text), "");
    config_profile_check(&c.file, &config, &found);
    CLEANUP(memory_free_pointer) char *wanted_warnings = memory_format(warnings, dir, dir);
    complaints_write(&found, "warning", &said);
    assert_string_equal(bytes_text(&said), wanted_warnings);
    CLEANUP(memory_free_pointer) char *wanted_errors = memory_format(errors, dir, dir);
    bytes_reset(&said);
    complaints_write(&c.complaints, "error", &said);
    assert_string_equal(bytes_text(&said), wanted_errors);
    complaints_clear(&found);
    function_config_clear(&config);
    config_case_clear(&c);
}

#define LAMBDA(profile) "lambda: {function: a, credentials: {profile: " profile "}}"

static void files_that_do_not_exist_yet_are_warned_of(void **state)
{
    (void)state;
    check(LAMBDA("orders"), "",
          "f.yaml:2:57: warning: profile: neither %s/config nor %s/credentials exists here; until one does, "
          "calls wait for credentials\n");
    check("lambda: {function: a}", "", "");
}

static void a_profile_is_in_one_of_the_files(void **state)
{
    (void)state;
    write_file(config_file, "[profile orders]\nrole_arn = arn:aws:iam::1:role/o\nsource_profile = base\n"
                            "[profile half]\naws_access_key_id = A\n");
    write_file(credentials_file, "[base]\naws_access_key_id = A\naws_secret_access_key = hunter2\n");
    check(LAMBDA("orders"), "", "");
    check(LAMBDA("base"), "", "");
    check(LAMBDA("ordres"),
          "f.yaml:2:57: error: profile: there is no profile \"ordres\" in %s/config and %s/credentials; did "
          "you mean \"orders\"?\n",
          "");
    check("http: {url: 'https://x.example/', auth: {aws: {region: eu-west-1, profile: production}}}",
          "f.yaml:2:87: error: profile: there is no profile \"production\" in %s/config and "
          "%s/credentials\n",
          "");
    check(LAMBDA("half"), "",
          "f.yaml:2:57: warning: profile: profile half has aws_access_key_id and no aws_secret_access_key\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_do_not_exist_yet_are_warned_of),
        cmocka_unit_test(a_profile_is_in_one_of_the_files),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
