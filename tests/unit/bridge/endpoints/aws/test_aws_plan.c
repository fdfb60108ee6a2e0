// bridge/endpoints/aws/aws_plan, aws_profiles, aws_container and aws_region: which source of credentials is
// used, and for which region.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "bridge/endpoints/aws/aws_authorities.h"
#include "bridge/endpoints/aws/aws_plan.h"
#include "bridge/endpoints/aws/aws_region.h"
#include "core/base/memory.h"

#define ROLE "arn:aws:iam::123456789012:role/"

static const char *const variables[] = {"AWS_ACCESS_KEY_ID",
                                        "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN",
                                        "AWS_PROFILE",
                                        "AWS_DEFAULT_PROFILE",
                                        "AWS_REGION",
                                        "AWS_DEFAULT_REGION",
                                        "AWS_WEB_IDENTITY_TOKEN_FILE",
                                        "AWS_ROLE_ARN",
                                        "AWS_ROLE_SESSION_NAME",
                                        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                                        "AWS_EC2_METADATA_DISABLED",
                                        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                                        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
                                        "AWS_ENDPOINT_URL",
                                        "AWS_ENDPOINT_URL_STS",
                                        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"};
static char folder[] = "/tmp/millrace-aws-XXXXXX";

static void write_file(const char *variable, const char *name, const char *text)
{
    CLEANUP(memory_free_pointer) char *path = memory_format("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    assert_int_equal(setenv(variable, path, 1), 0);
}

static int clean(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(variables); i++) {
        (void)unsetenv(variables[i]);
    }
    write_file("AWS_CONFIG_FILE", "config", "");
    write_file("AWS_SHARED_CREDENTIALS_FILE", "credentials", "");
    return 0;
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)clean(state);
    (void)unlink(getenv("AWS_CONFIG_FILE"));
    (void)unlink(getenv("AWS_SHARED_CREDENTIALS_FILE"));
    return rmdir(folder);
}

static void make(const struct aws_config *config, struct aws_plan *ret)
{
    struct fault f;
    if (!aws_plan_make(config, ret, &f)) {
        fail_msg("%s", f.text);
    }
}

static void check_refused(const struct aws_config *config, const char *part)
{
    struct aws_plan plan = {0};
    struct fault f;
    assert_false(aws_plan_make(config, &plan, &f));
    if (strstr(f.text, part) == NULL) {
        fail_msg("\"%s\" is not in: %s", part, f.text);
    }
}

/** Each source comes before those that were set before it. */
static void sources_have_the_order_of_the_sdks(void **state)
{
    (void)state;
    const struct aws_config none = {0};
    struct aws_plan plan CLEANUP(aws_plan_clear) = {0};
    (void)setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    check_refused(&none, "no AWS credentials: none in the function's file, AWS_ACCESS_KEY_ID");
    (void)unsetenv("AWS_EC2_METADATA_DISABLED");
    make(&none, &plan);
    assert_int_equal(plan.origin, AWS_ORIGIN_INSTANCE);
    assert_string_equal(plan.url, "http://169.254.169.254");
    aws_plan_clear(&plan);
    (void)setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x", 1);
    make(&none, &plan);
    assert_int_equal(plan.origin, AWS_ORIGIN_CONTAINER);
    assert_string_equal(plan.url, "http://169.254.170.2/v2/x");
    aws_plan_clear(&plan);
    write_file("AWS_SHARED_CREDENTIALS_FILE", "credentials",
               "[default]\naws_access_key_id = D\naws_secret_access_key = d\n"
               "[other]\naws_access_key_id=O\naws_secret_access_key=o=1\naws_session_token = t\n");
    make(&none, &plan);
    assert_string_equal(plan.keys.access_key_id, "D");
    assert_null(plan.keys.session_token);
    aws_plan_clear(&plan);
    (void)setenv("AWS_PROFILE", "other", 1);
    make(&none, &plan);
    assert_string_equal(plan.keys.secret_access_key, "o=1");
    assert_string_equal(plan.keys.session_token, "t");
    assert_false(plan.is_fixed);
    aws_plan_clear(&plan);
    (void)setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/token", 1);
    check_refused(&none, "AWS_ROLE_ARN is not");
    (void)setenv("AWS_ROLE_ARN", ROLE "a", 1);
    make(&none, &plan);
    assert_int_equal(plan.origin, AWS_ORIGIN_WEB_IDENTITY);
    assert_string_equal(plan.identity.session_name, "millrace");
    aws_plan_clear(&plan);
    (void)setenv("AWS_ACCESS_KEY_ID", "E", 1);
    check_refused(&none, "AWS_SECRET_ACCESS_KEY is not");
    (void)setenv("AWS_SECRET_ACCESS_KEY", "e", 1);
    make(&none, &plan);
    assert_string_equal(plan.keys.access_key_id, "E");
    assert_true(plan.is_fixed);
    aws_plan_clear(&plan);
    char profile[] = "default";
    make(&(struct aws_config){.profile = profile}, &plan);
    assert_string_equal(plan.keys.access_key_id, "D");
    aws_plan_clear(&plan);
    char id[] = "F";
    char secret[] = "f";
    make(&(struct aws_config){.access_key_id = id, .secret_access_key = secret}, &plan);
    assert_string_equal(plan.keys.access_key_id, "F");
}

static void roles_are_assumed_from_the_source_to_the_profile(void **state)
{
    (void)state;
    write_file("AWS_CONFIG_FILE", "config",
               "# a comment\n[profile last]\nrole_arn = " ROLE "last\nsource_profile = middle\n"
               "external_id = x\nduration_seconds = 900\n"
               "[profile middle]\nRole_Arn=" ROLE "middle\nsource_profile=\"base\"\n"
               "source_profile = base\nrole_session_name = me\n"
               "[profile base]\nregion = eu-west-3\ns3 =\n  aws_access_key_id = NESTED\n"
               "[services x]\naws_access_key_id = NO\n");
    write_file("AWS_SHARED_CREDENTIALS_FILE", "credentials",
               "[base]\r\naws_access_key_id = B\r\naws_secret_access_key = b\r\n");
    char name[] = "last";
    const struct aws_config config = {.profile = name};
    struct aws_plan plan CLEANUP(aws_plan_clear) = {0};
    make(&config, &plan);
    assert_string_equal(plan.keys.access_key_id, "B");
    assert_int_equal(plan.role_count, 2);
    assert_string_equal(plan.roles[0].arn, ROLE "middle");
    assert_string_equal(plan.roles[0].session_name, "me");
    assert_string_equal(plan.roles[1].arn, ROLE "last");
    assert_string_equal(plan.roles[1].external_id, "x");
    assert_int_equal(plan.roles[1].duration_s, 900);
}

static void a_role_may_have_other_sources(void **state)
{
    (void)state;
    write_file("AWS_CONFIG_FILE", "config",
               "[profile web]\nrole_arn = " ROLE "w\nweb_identity_token_file = /t\n"
               "[profile ec2]\nrole_arn = " ROLE "e\ncredential_source = Ec2InstanceMetadata\n"
               "[profile program]\nrole_arn = " ROLE "p\nsource_profile = keys\n"
               "[profile keys]\ncredential_process = \"/opt/my keys\" --json\nsso_session = x\n"
               "[profile self]\nrole_arn = " ROLE "s\nsource_profile = self\n"
               "aws_access_key_id = S\naws_secret_access_key = s\n"
               "[profile other]\nrole_arn = " ROLE "o\nsource_profile = self\n");
    struct aws_plan plan CLEANUP(aws_plan_clear) = {0};
    char name[8] = "web";
    const struct aws_config config = {.profile = name};
    make(&config, &plan);
    assert_int_equal(plan.origin, AWS_ORIGIN_WEB_IDENTITY);
    assert_string_equal(plan.identity.token_file, "/t");
    aws_plan_clear(&plan);
    memcpy(name, "ec2", 4);
    make(&config, &plan);
    assert_int_equal(plan.origin, AWS_ORIGIN_INSTANCE);
    assert_int_equal(plan.role_count, 1);
    aws_plan_clear(&plan);
    memcpy(name, "program", 8);
    make(&config, &plan);
    assert_int_equal(plan.origin, AWS_ORIGIN_PROCESS);
    assert_string_equal(plan.command, "\"/opt/my keys\" --json");
    assert_int_equal(plan.role_count, 1);
    aws_plan_clear(&plan);
    memcpy(name, "self", 5);
    make(&config, &plan);
    assert_string_equal(plan.keys.access_key_id, "S");
    assert_int_equal(plan.role_count, 1);
    aws_plan_clear(&plan);
    memcpy(name, "other", 6);  // as botocore has it: the keys of its source, not the role of that
    make(&config, &plan);
    assert_string_equal(plan.keys.access_key_id, "S");
    assert_int_equal(plan.role_count, 1);
    assert_string_equal(plan.roles[0].arn, ROLE "o");
}

static void profiles_that_can_give_no_keys_say_why(void **state)
{
    (void)state;
    write_file("AWS_CONFIG_FILE", "config",
               "[profile a]\nrole_arn = " ROLE "a\nsource_profile = b\n"
               "[profile b]\nrole_arn = " ROLE "b\nsource_profile = a\n"
               "[profile half]\naws_access_key_id = H\n"
               "[profile sso]\nsso_session = x\n"
               "[profile mfa]\nrole_arn = " ROLE "m\nmfa_serial = 1\nsource_profile = a\n"
               "[profile alone]\nrole_arn = " ROLE "m\n"
               "[profile odd]\nrole_arn = " ROLE "m\ncredential_source = Elsewhere\n"
               "[profile long]\nrole_arn = " ROLE "m\nsource_profile = a\nduration_seconds = 1h\n"
               "[profile open]\ncredential_process = \"/opt/my keys\n"
               "[profile empty]\nregion = x\n");
    static const struct {
        const char *profile;
        const char *part;
    } CASES[] = {
        {"a", "its own source_profile, by way of others"},
        {"half", "has aws_access_key_id and no aws_secret_access_key"},
        {"sso", "has sso_session, a login of a person, which millrace does not renew: use keys, role_arn, or "
                "credential_process = aws configure export-credentials --profile sso"},
        {"mfa", "needs a person"},
        {"alone", "needs either source_profile or credential_source"},
        {"odd", "credential_source = Elsewhere gives no credentials"},
        {"long", "duration_seconds must be 900 to 43200"},
        {"empty", "has no credentials"},
        {"open", "profile open: credential_process: a quote (\") is not closed"},
        {"none", "there is no profile none"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        CLEANUP(memory_free_pointer) char *name = memory_string(CASES[i].profile);
        check_refused(&(struct aws_config){.profile = name}, CASES[i].part);
    }
}

/** Keys from elsewhere would assume the role as somebody else. */
static void a_role_is_assumed_with_no_other_keys_than_its_source_profiles(void **state)
{
    (void)state;
    write_file("AWS_CONFIG_FILE", "config",
               "[default]\nrole_arn = " ROLE "d\nsource_profile = base\n"
               "[profile base]\nregion = x\n");
    (void)setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x", 1);
    check_refused(&(struct aws_config){0}, "profile base is a source_profile and has no credentials");
}

/** Plain HTTP goes only where a container's credentials may come from. */
static void a_containers_token_goes_to_no_other_host(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool is_allowed;
    } CASES[] = {
        {"http://127.0.0.1:1/x", true},
        {"http://127.9.9.9/x", true},
        {"http://[::1]:8/x", true},
        {"http://169.254.170.23/v1", true},
        {"http://[fd00:ec2::23]/v1", true},
        {"http://localhost:1/x", true},
        {"https://any.example/x", true},
        {"http://any.example/x", false},
        {"http://169.254.169.254/x", false},
        {"http://10.0.0.1/x", false},
        {"http://localhost@evil.example/x", false},
        {"ftp://127.0.0.1/x", false},
        {"http://127.0.0.1.evil.example/", false},
    };
    const struct aws_config none = {0};
    (void)setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "secret-token", 1);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct aws_plan plan CLEANUP(aws_plan_clear) = {0};
        (void)setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", CASES[i].url, 1);
        if (CASES[i].is_allowed) {
            make(&none, &plan);
            assert_string_equal(plan.authorization, "secret-token");
        } else {
            check_refused(&none, "must be https, or http to a loopback address");
        }
    }
    (void)setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/", 1);
    (void)setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nb: c", 1);
    check_refused(&none, "has line ends in it");
}

static void check_region(const struct aws_config *config, struct slice named, const char *want)
{
    CLEANUP(memory_free_pointer) char *region = NULL;
    struct fault f;
    bool is_found = aws_region_find(config, named, &region, &f);
    assert_string_equal(is_found ? region : f.text, want);
}

static void the_region_is_that_of_the_file_the_arn_the_environment_or_the_profile(void **state)
{
    (void)state;
    const struct slice none = {NULL, 0};
    struct aws_config config = {0};
    check_region(
        &config, none,
        "no AWS region: set `region` in the function's file, AWS_REGION in the environment of millrace, or "
        "region in the profile");
    write_file("AWS_CONFIG_FILE", "config", "[default]\nregion = eu-west-1\n");
    check_region(&config, none, "eu-west-1");
    (void)setenv("AWS_DEFAULT_REGION", "eu-west-2", 1);
    check_region(&config, none, "eu-west-2");
    (void)setenv("AWS_REGION", "eu-west-3", 1);
    check_region(&config, none, "eu-west-3");
    check_region(&config, slice_of("us-west-2"), "us-west-2");
    char region[] = "ca-west-1";
    config.region = region;
    check_region(&config, slice_of("us-west-2"), "ca-west-1");
    char bad[] = "evil.example/";
    config.region = bad;
    check_region(&config, none, "\"evil.example/\" is no AWS region");
}

static void check_text(struct slice found, const char *want)
{
    CLEANUP(memory_free_pointer) char *text = found.size == 0 ? memory_string("") : slice_to_string(found);
    assert_string_equal(text, want);
}

static void arns_and_urls_name_their_region(void **state)
{
    (void)state;
    check_text(aws_region_of_arn("arn:aws:lambda:us-gov-west-1:123456789012:function:a:1"), "us-gov-west-1");
    check_text(aws_region_of_arn("eu-west-1:123456789012:function:a"), "eu-west-1");
    check_text(aws_region_of_arn("123456789012:function:a-1"), "");
    check_text(aws_region_of_arn("orders-1:live"), "");
    check_text(aws_region_of_url("https://x1.lambda-url.eu-central-1.on.aws/a"), "eu-central-1");
    check_text(aws_region_of_url("https://a.execute-api.us-east-1.amazonaws.com:443/p"), "us-east-1");
    check_text(aws_region_of_url("http://127.0.0.1:4566/"), "");
}

static void check_endpoint(const char *profile, const char *service, const char *region, const char *want)
{
    CLEANUP(memory_free_pointer) char *name = profile == NULL ? NULL : memory_string(profile);
    CLEANUP(memory_free_pointer) char *url = NULL;
    struct fault f;
    assert_true(aws_region_endpoint(&(struct aws_config){.profile = name}, service, region, &url, &f));
    assert_string_equal(url, want);
}

static void services_have_the_hosts_of_their_partition(void **state)
{
    (void)state;
    static const char *const CASES[][2] = {
        {"eu-central-1", "https://lambda.eu-central-1.amazonaws.com"},
        {"cn-north-1", "https://lambda.cn-north-1.amazonaws.com.cn"},
        {"us-gov-west-1", "https://lambda.us-gov-west-1.amazonaws.com"},
        {"us-isob-east-1", "https://lambda.us-isob-east-1.sc2s.sgov.gov"},
        {"eusc-de-east-1", "https://lambda.eusc-de-east-1.amazonaws.eu"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        check_endpoint(NULL, "lambda", CASES[i][0], CASES[i][1]);
    }
}

static void other_endpoints_are_those_of_the_environment_then_of_the_profile(void **state)
{
    (void)state;
    write_file("AWS_CONFIG_FILE", "config",
               "[default]\nregion = x\n[profile local]\nendpoint_url = http://local:4566\n");
    check_endpoint("local", "lambda", "a-b-1", "http://local:4566");
    check_endpoint(NULL, "lambda", "a-b-1", "https://lambda.a-b-1.amazonaws.com");
    (void)setenv("AWS_PROFILE", "local", 1);
    check_endpoint(NULL, "sts", "a-b-1", "http://local:4566");
    (void)setenv("AWS_ENDPOINT_URL", "http://all", 1);
    (void)setenv("AWS_ENDPOINT_URL_STS", "http://sts", 1);
    check_endpoint("local", "lambda", "a-b-1", "http://all");
    check_endpoint("local", "sts", "a-b-1", "http://sts");
    (void)setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", 1);
    check_endpoint("local", "sts", "a-b-1", "https://sts.a-b-1.amazonaws.com");
}

static void an_endpoint_that_is_no_url_is_refused_with_its_place(void **state)
{
    (void)state;
    write_file("AWS_CONFIG_FILE", "config", "[profile local]\nendpoint_url = localhost:4566\n");
    char name[] = "local";
    CLEANUP(memory_free_pointer) char *url = NULL;
    struct fault f;
    assert_false(aws_region_endpoint(&(struct aws_config){.profile = name}, "sts", "a-b-1", &url, &f));
    assert_string_equal(f.text,
                        "endpoint_url of the profile: \"localhost:4566\" is no URL with http:// or https://");
    (void)setenv("AWS_ENDPOINT_URL", "ftp://all", 1);
    assert_false(aws_region_endpoint(&(struct aws_config){0}, "sts", "a-b-1", &url, &f));
    assert_string_equal(f.text, "AWS_ENDPOINT_URL: \"ftp://all\" is no URL with http:// or https://");
    (void)setenv("AWS_ENDPOINT_URL_STS", "sts", 1);
    assert_false(aws_region_endpoint(&(struct aws_config){0}, "sts", "a-b-1", &url, &f));
    assert_string_equal(f.text, "AWS_ENDPOINT_URL_STS: \"sts\" is no URL with http:// or https://");
}

/** Keys may come from elsewhere, and the files of another user. */
static void files_that_cannot_be_read_matter_only_to_a_profile(void **state)
{
    (void)state;
    (void)setenv("AWS_CONFIG_FILE", folder, 1);  // no file
    check_endpoint(NULL, "lambda", "a-b-1", "https://lambda.a-b-1.amazonaws.com");
    char name[] = "local";
    CLEANUP(memory_free_pointer) char *url = NULL;
    struct fault f;
    assert_false(aws_region_endpoint(&(struct aws_config){.profile = name}, "sts", "a-b-1", &url, &f));
}

static void keys_are_read_from_json_and_xml_or_refused_without_repeating_them(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "[]",
        "{\"AccessKeyId\":\"A\"}",
        "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hun\\nter\"}",
        "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hunter2\",\"Token\":\"a b\"}",
        "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hunter2\",\"Expiration\":\"soon\"}",
        "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"EC2 cannot assume the role\"}",
    };
    struct fault f;
    struct aws_keys keys = {0};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        assert_false(aws_keys_read_json(&keys, slice_of(BAD[i]), &f));
        assert_null(strstr(f.text, "hun"));
    }
    assert_string_equal(f.text, "AssumeRoleUnauthorizedAccess: EC2 cannot assume the role");
    assert_true(
        aws_keys_read_json(&keys,
                           slice_of("{\"Code\":\"Success\",\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\","
                                    "\"Token\":\"t\",\"Expiration\":\"2026-01-01T00:00:00Z\"}"),
                           &f));
    assert_string_equal(keys.session_token, "t");
    assert_true(keys.expires_wall_us == INT64_C(1767225600) * 1000000);
    assert_false(aws_keys_read_process(&keys, slice_of("usage: keys [--json]"), &f));
    assert_string_equal(f.text, "the output of credential_process is no JSON object");
#define PRINTED(version)                                                                                     \
    "{\"Version\":" version ",\"AccessKeyId\":\"P\",\"SecretAccessKey\":\"s\",\"SessionToken\":\"u\"}"
    assert_false(aws_keys_read_process(&keys, slice_of(PRINTED("2")), &f));
    assert_string_equal(f.text, "the output of credential_process has no \"Version\": 1");
    assert_true(aws_keys_read_process(&keys, slice_of(PRINTED("1")), &f));
    assert_string_equal(keys.access_key_id, "P");
    assert_string_equal(keys.session_token, "u");
    assert_true(keys.expires_wall_us == AWS_KEYS_FOR_EVER);
    assert_false(aws_keys_read_xml(&keys, slice_of("<A><AccessKeyId>A</AccessKeyId>"), &f));
    assert_false(aws_keys_read_xml(&keys, slice_of("<AccessKeyId>A"), &f));
    assert_true(aws_keys_read_xml(
        &keys, slice_of("<C><AccessKeyId>B</AccessKeyId><SecretAccessKey>x/+=</SecretAccessKey></C>"), &f));
    assert_string_equal(keys.secret_access_key, "x/+=");
    assert_true(keys.expires_wall_us == AWS_KEYS_FOR_EVER);
    aws_keys_clear(&keys);
}

static void a_bundle_of_authorities_without_any_is_refused(void **state)
{
    (void)state;
    struct bytes authorities CLEANUP(bytes_clear) = {0};
    struct fault f;
    (void)unsetenv("AWS_CA_BUNDLE");
    assert_true(aws_authorities_load(&authorities, &f));
    assert_int_equal(authorities.size, 0);
    (void)setenv("AWS_CA_BUNDLE", "/nonexistent/ca.pem", 1);
    assert_false(aws_authorities_load(&authorities, &f));
    assert_non_null(strstr(f.text, "AWS_CA_BUNDLE: /nonexistent/ca.pem: "));
    write_file("AWS_CA_BUNDLE", "config", "no certificate\n");
    assert_false(aws_authorities_load(&authorities, &f));
    assert_non_null(strstr(f.text, "/config: ca: there is no certificate in it"));
    (void)unsetenv("AWS_CA_BUNDLE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sources_have_the_order_of_the_sdks, clean),
        cmocka_unit_test_setup(roles_are_assumed_from_the_source_to_the_profile, clean),
        cmocka_unit_test_setup(a_role_may_have_other_sources, clean),
        cmocka_unit_test_setup(profiles_that_can_give_no_keys_say_why, clean),
        cmocka_unit_test_setup(a_role_is_assumed_with_no_other_keys_than_its_source_profiles, clean),
        cmocka_unit_test_setup(a_containers_token_goes_to_no_other_host, clean),
        cmocka_unit_test_setup(the_region_is_that_of_the_file_the_arn_the_environment_or_the_profile, clean),
        cmocka_unit_test_setup(arns_and_urls_name_their_region, clean),
        cmocka_unit_test_setup(services_have_the_hosts_of_their_partition, clean),
        cmocka_unit_test_setup(other_endpoints_are_those_of_the_environment_then_of_the_profile, clean),
        cmocka_unit_test_setup(an_endpoint_that_is_no_url_is_refused_with_its_place, clean),
        cmocka_unit_test_setup(files_that_cannot_be_read_matter_only_to_a_profile, clean),
        cmocka_unit_test_setup(a_bundle_of_authorities_without_any_is_refused, clean),
        cmocka_unit_test(keys_are_read_from_json_and_xml_or_refused_without_repeating_them),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
