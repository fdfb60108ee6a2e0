// bridge/config/lambda_options and aws_options: the endpoint `lambda`, and the credentials `aws`.
#include "tests/unit/config_case.h"

#include "bridge/config/function_config.h"

#define HEAD "source: {topics: [a]}\n"

static void check(const char *text, const char *expected)
{
    struct config_case c = {0};
    struct function_config config;
    c.file.is_private = true;
    config_case_read(&c, &function_config_kind, slice_of(text), &config);
    assert_string_equal(bytes_text(&c.text), expected);
    function_config_clear(&config);
    config_case_clear(&c);
}

static void every_key_is_read(void **state)
{
    (void)state;
    (void)setenv("AWS_REGION", "eu-west-1", 1);
    (void)unsetenv("AWS_PROFILE");
    struct text_list variables = {0};
    struct config_case c = {.file = {.is_private = true, .variables = &variables}};
    struct function_config config;
    config_case_read(
        &c, &function_config_kind,
        slice_of(HEAD "endpoint:\n  lambda: {function: orders, qualifier: $LATEST, region: eu-central-1,\n"
                      "    invocation: event, url: 'http://127.0.0.1:4566', log_tail: false,\n"
                      "    credentials: {access_key_id: A, secret_access_key: s, session_token: t}}\n"),
        &config);
    assert_string_equal(bytes_text(&c.text), "");
    assert_int_equal(config.endpoint, FUNCTION_ENDPOINT_LAMBDA_EVENT);
    assert_int_equal(config.payload, FUNCTION_PAYLOAD_LAMBDA_KAFKA);
    assert_string_equal(config.lambda.function, "orders");
    assert_string_equal(config.lambda.qualifier, "$LATEST");
    assert_string_equal(config.lambda.aws.region, "eu-central-1");
    assert_string_equal(config.lambda.aws.session_token, "t");
    assert_false(config.lambda.wants_log_tail);
    assert_true(text_list_has(&variables, "AWS_REGION"));
    assert_false(text_list_has(&variables, "AWS_PROFILE"));
    struct bytes shown CLEANUP(bytes_clear) = {0};
    config_show(&function_config_kind, &config, &shown);
    assert_null(strstr(bytes_text(&shown), "secret_access_key: s"));
    function_config_clear(&config);
    config_case_clear(&c);
    text_list_clear(&variables);
}

static void mistakes_have_their_place(void **state)
{
    (void)state;
    check(HEAD "endpoint: {lambda: {function: 'my function'}}\n",
          "f.yaml:2:31: error: function: must be a function's name, name:alias, an ARN "
          "(arn:aws:lambda:REGION:ACCOUNT:function:NAME) or a partial one (ACCOUNT:function:NAME)\n");
    check(HEAD "endpoint: {lambda: {function: 'a:live', qualifier: live}}\n",
          "f.yaml:2:52: error: qualifier: function names a version or alias too; keep one of them\n");
    check(HEAD "endpoint: {lambda: {function: a, region: Frankfurt}}\n",
          "f.yaml:2:42: error: region: a region has small letters, digits and '-', as in eu-central-1\n");
    check(HEAD "endpoint: {lambda: {function: a, credentials: {access_key_id: A}}}\n",
          "f.yaml:2:47: error: access_key_id and secret_access_key belong together; secret_access_key is "
          "missing\n");
    check(HEAD "endpoint: {lambda: {function: a}}\npayload: cloudevents\n",
          "f.yaml:3:10: error: payload: cloudevents puts attributes into headers, which Lambda does not give "
          "to "
          "functions; choose lambda-kafka, dynamodb-stream, cloudevents-structured, or another one that is "
          "all in "
          "the body\n");
    check(HEAD "endpoint: {http: {url: 'https://a.example/?q=a+b', auth: {aws: {region: eu-west-1}}}}\n",
          "f.yaml:2:24: error: url: with auth.aws write a space in the query as %20 and a plus sign as %2B: "
          "what a "
          "+ means in a signature is not defined\n");
    check(HEAD "endpoint: {http: {url: 'https://a.example/', auth: {bearer: x, aws: {region: eu-west-1}}}}\n",
          "f.yaml:2:69: error: aws: bearer sets the header Authorization too; keep one of them\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(mistakes_have_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
