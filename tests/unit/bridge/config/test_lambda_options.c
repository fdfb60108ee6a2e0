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
    check(
        HEAD "endpoint: {lambda: {function: 'my function'}}\n",
        "f.yaml:2:31: error: function: must be a function's name, name:alias, an ARN "
        "(arn:aws:lambda:REGION:ACCOUNT:function:NAME) or a partial one (ACCOUNT:function:NAME); an account "
        "has 12 digits\n");
    check(HEAD "endpoint: {lambda: {function: 'a:live', qualifier: live}}\n",
          "f.yaml:2:52: error: qualifier: function names a version or alias too; keep one of them\n");
    check(HEAD "endpoint: {lambda: {function: a, region: Frankfurt}}\n",
          "f.yaml:2:42: error: region: must be a region's name as AWS writes it, such as eu-central-1\n");
    check(HEAD "endpoint: {lambda: {function: a, region: eu-central-1b}}\n",
          "f.yaml:2:42: error: region: this is an availability zone; its region is eu-central-1\n");
    check(HEAD "endpoint: {lambda: {function: a, region: us-gov-west-1}}\n", "");
    check(HEAD "endpoint: {lambda: {function: a, region: frankfurt}}\n",
          "f.yaml:2:42: error: region: must be a region's name as AWS writes it, such as eu-central-1\n");
    check(HEAD "endpoint: {http: {url: 'https://a.example/', auth: {aws: {service: Lambda}}}}\n",
          "f.yaml:2:68: error: service: must be a service's name as in signatures, such as execute-api\n");
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

static void a_function_is_a_name_or_an_arn(void **state)
{
    (void)state;
    static const char *const GOOD[] = {
        "orders",
        "orders:live",
        "orders:$LATEST",
        "function:orders",
        "123456789012:function:orders",
        "eu-central-1:123456789012:function:orders",
        "arn:aws:lambda:eu-central-1:123456789012:function:orders",
        "arn:aws:lambda:eu-central-1:123456789012:function:orders:7",
        "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:orders",
    };
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        CLEANUP(memory_free_pointer)
        char *text = memory_format(HEAD "endpoint: {lambda: {function: '%s'}}\n", GOOD[i]);
        check(text, "");
    }
    static const char *const BAD[] = {
        "arn:aws:sqs:eu-central-1:123456789012:orders",
        "arn:aws:lambda:eu-central-1:12345:function:orders",
        "arn:aws:lambda:eu-central-1:123456789012:orders",
        "arn:aws:lambda::123456789012:function:orders",
        "arn:aws:lambda:eu-central-1:123456789012:function:",
        "arn:aws:lambda:eu-central-1:123456789012:function:orders:live:7",
        "orders:",
        ":live",
        "https://a.lambda-url.eu-central-1.on.aws/",
    };
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        CLEANUP(memory_free_pointer)
        char *text = memory_format(HEAD "endpoint: {lambda: {function: '%s'}}\n", BAD[i]);
        check(text, "f.yaml:2:31: error: function: must be a function's name, name:alias, an ARN "
                    "(arn:aws:lambda:REGION:ACCOUNT:function:NAME) or a partial one "
                    "(ACCOUNT:function:NAME); an account has 12 digits\n");
    }
}

static void an_arn_of_another_region_is_refused(void **state)
{
    (void)state;
#define OF_REGION(arn, region) HEAD "endpoint: {lambda: {region: " region ", function: '" arn "'}}\n"
    check(OF_REGION("arn:aws:lambda:eu-west-1:123456789012:function:a", "eu-west-1"), "");
    check(OF_REGION("arn:aws:lambda:eu-west-1:123456789012:function:a", "us-east-1"),
          "f.yaml:2:29: error: region: the ARN in function is of eu-west-1; leave region out\n");
    check(OF_REGION("eu-west-1:123456789012:function:a", "us-east-1"),
          "f.yaml:2:29: error: region: the ARN in function is of eu-west-1; leave region out\n");
    check(OF_REGION("123456789012:function:a", "us-east-1"), "");
}

static void what_can_not_work_is_refused(void **state)
{
    (void)state;
    check(HEAD "endpoint: {lambda: {function: a, invocation: event}}\nreply: {topic: b}\n",
          "f.yaml:3:8: error: reply: a call with invocation: event has no result that could be a reply; "
          "leave one of them out\n");
    check(HEAD "endpoint: {lambda: {function: a, tls: {ca: /etc/passwd}}}\n",
          "f.yaml:2:44: error: ca: there is no certificate in it (PEM, -----BEGIN CERTIFICATE-----)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(mistakes_have_their_place),
        cmocka_unit_test(a_function_is_a_name_or_an_arn),
        cmocka_unit_test(an_arn_of_another_region_is_refused),
        cmocka_unit_test(what_can_not_work_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
