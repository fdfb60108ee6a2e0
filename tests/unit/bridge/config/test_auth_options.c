// bridge/config/auth_options, oauth2_options: the section `auth` of an HTTP endpoint.
#include "tests/unit/config_case.h"

#include "bridge/config/function_config.h"

#define AUTH(text) "source: {topics: [a]}\nendpoint:\n  http:\n    url: http://x\n    auth:\n      " text "\n"

/** The file in which they are is private, so that secrets may stand in it. */
static void check_auth(const char *text, const char *want)
{
    struct config_case c = {.file = {.is_private = true}};
    struct function_config config;
    config_case_read(&c, &function_config_kind, slice_of(text), &config);
    assert_string_equal(bytes_text(&c.text), want);
    function_config_clear(&config);
    config_case_clear(&c);
}

static void credentials_are_checked_where_they_stand(void **state)
{
    (void)state;
#define OAUTH2 "oauth2: {token_url: https://t/, client_id: a"
    static const struct {
        const char *text;
        const char *want;
    } CASES[] = {
        {AUTH("basic: {user: \"a\", password: \"\\xe4:b\"}"), ""},
        {AUTH("basic: {user: 'a:b', password: x}"),
         "f.yaml:6:21: error: user: a user's name must not contain ':'\n"},
        {AUTH("basic: {user: a, password: \"b\\r\\nX: 1\"}"),
         "f.yaml:6:34: error: password: must not contain control characters or line ends\n"},
        {AUTH("basic: {user: a}"), "f.yaml:6:14: error: required key \"password\" is missing\n"},
        {AUTH("basic: {user: a, password: b}\n      bearer: x"),
         "f.yaml:6:14: error: basic: bearer sets the header Authorization too; keep one of them\n"},
        {AUTH("api_key: {header: x-api-key, value: k}\n      bearer: x"), ""},
        {AUTH("api_key: {header: 'x api', value: k}"),
         "f.yaml:6:25: error: header: \"x api\" is not a valid header name\n"},
        {AUTH("api_key: {header: Authorization, value: k}"),
         "f.yaml:6:25: error: header: authorization is set by other credentials; use bearer or basic\n"},
        {AUTH("api_key: {header: content-type, value: k}"),
         "f.yaml:6:25: error: header: \"content-type\" can't be set: millrace sets it\n"},
        {AUTH("api_key: {header: x-k, value: \"a\\nb\"}"),
         "f.yaml:6:37: error: value: a header value must consist of printable ASCII characters, without line "
         "ends\n"},
        {AUTH(OAUTH2 ", client_secret: b, scope: 'r w', audience: x, parameters: {resource: y}}"), ""},
        {AUTH(OAUTH2 ", client_secret: b, proxy: {url: 'http://p', password: x}}"),
         "f.yaml:6:106: error: password: has a meaning only with user\n"},
        {AUTH(OAUTH2 "}"), "f.yaml:6:15: error: oauth2: choose client_secret or private_key_jwt\n"},
        {AUTH(OAUTH2 ", client_secret: b, private_key_jwt: {key: x}}"),
         "f.yaml:6:15: error: oauth2: it has both client_secret and private_key_jwt; keep one of them\n"
         "f.yaml:6:94: error: key: not a private key in PEM (-----BEGIN PRIVATE KEY-----)\n"},
        {AUTH(OAUTH2 ", client_secret: b, parameters: {grant_type: x}}"),
         "f.yaml:6:84: error: \"grant_type\" can't be set here: millrace sets it\n"},
        {AUTH(OAUTH2 ", client_secret: b, parameters: {audience: x}}"),
         "f.yaml:6:84: error: \"audience\" can't be set here: it is an option of oauth2\n"},
        {AUTH("oauth2: {token_url: 'https://a:b@t/', client_id: a, client_secret: b}"),
         "f.yaml:6:27: error: token_url: a URL must not contain a name and password; use auth\n"},
        {AUTH("standard_webhooks: {previous_secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}"),
         "f.yaml:6:26: error: standard_webhooks: choose secret or private_key, or both\n"
         "f.yaml:6:44: error: previous_secret: has a meaning only with secret\n"},
        {AUTH("standard_webhooks: {private_key: whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=}"), ""},
        {AUTH("standard_webhooks: {private_key: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}"),
         "f.yaml:6:40: error: private_key: a private key of Standard Webhooks is whsk_ and the base64 of an "
         "Ed25519 key: 32 bytes, or 64 with the public key behind it\n"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        check_auth(CASES[i].text, CASES[i].want);
    }
}

/** Reads the file, shows it without its secrets, and reads what was shown. */
static void show(const char *text, struct bytes *ret)
{
    struct config_case c = {.file = {.is_private = true}};
    struct function_config config;
    config_case_read(&c, &function_config_kind, slice_of(text), &config);
    assert_string_equal(bytes_text(&c.text), "");
    config_show(&function_config_kind, &config, ret);
    function_config_clear(&config);
    config_case_clear(&c);
    check_auth(bytes_text(ret), "");
}

static void the_defaults_of_credentials_that_are_not_there_are_not_shown(void **state)
{
    (void)state;
    CLEANUP(bytes_clear) struct bytes shown = {0};
    show(AUTH("basic: {user: a, password: hunter2}"), &shown);
    assert_null(strstr(bytes_text(&shown), "oauth2"));
    assert_null(strstr(bytes_text(&shown), "hunter2"));
    bytes_reset(&shown);
    show(AUTH(OAUTH2 ", client_secret: hunter2, parameters: {resource: urn:x, pin: hunter2}}"), &shown);
    assert_non_null(strstr(bytes_text(&shown), "client_auth: basic"));
    assert_non_null(strstr(bytes_text(&shown), "resource: urn:x"));
    assert_null(strstr(bytes_text(&shown), "private_key_jwt"));
    assert_null(strstr(bytes_text(&shown), "hunter2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_are_checked_where_they_stand),
        cmocka_unit_test(the_defaults_of_credentials_that_are_not_there_are_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
