#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "cli/try/try_function_config.h"

static const char *const TOPICS[] = {"try.public.orders", "try.public.customers", NULL};

static void a_function_is_read_from_its_members_with_few_attempts(void **state)
{
    (void)state;
    struct fault f;
    struct function_config *c =
        try_function_config_make("try-1", TOPICS, "endpoint: {http: {url: \"http://127.0.0.1:1/shop\"}}", &f);
    assert_non_null(c);
    assert_string_equal(c->name, "try-1");
    assert_int_equal(c->source.topics.count, 2);
    assert_string_equal(c->source.topics.items[1], "try.public.customers");
    assert_int_equal(c->source.start, FUNCTION_START_EARLIEST);
    assert_int_equal(c->payload, FUNCTION_PAYLOAD_CLOUDEVENTS);
    assert_int_equal(c->delivery.retry.attempts, 2);
    assert_int_equal(c->delivery.breaker.failures, 0);
    assert_string_equal(c->delivery.on_failure.dead_letter, "millrace.dlq.try-1");
    try_function_config_free(c);
}

static void a_handler_gets_what_lambda_sends(void **state)
{
    (void)state;
    struct fault f;
    const char *user = geteuid() == 0 ? ", user: nobody" : "";
    CLEANUP(memory_free_pointer)
    char *members =
        memory_format("endpoint: {process: {command: [/bin/sh, run], directory: \"/tmp\"%s}}", user);
    struct function_config *c = try_function_config_make("try-1", TOPICS, members, &f);
    assert_non_null(c);
    assert_int_equal(c->endpoint, FUNCTION_ENDPOINT_PROCESS);
    assert_int_equal(c->payload, FUNCTION_PAYLOAD_LAMBDA_KAFKA);
    assert_string_equal(c->process.command.items[1], "run");
    assert_int_equal(c->delivery.concurrency, 1);
    try_function_config_free(c);
}

static void a_mistake_is_told_without_the_place_in_a_file_that_nobody_wrote(void **state)
{
    (void)state;
    struct fault f;
    assert_null(try_function_config_make(
        "try-1", TOPICS, "payload: \"rwo\", endpoint: {http: {url: \"http://127.0.0.1:1/\"}}", &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_int_equal(strncmp(f.text, "payload: \"rwo\" is not one of cloudevents, ", 41), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_is_read_from_its_members_with_few_attempts),
        cmocka_unit_test(a_handler_gets_what_lambda_sends),
        cmocka_unit_test(a_mistake_is_told_without_the_place_in_a_file_that_nobody_wrote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
