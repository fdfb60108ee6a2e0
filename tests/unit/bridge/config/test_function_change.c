// bridge/config/function_change: what a new file means for a function that runs.
#include "tests/unit/config_case.h"

#include "bridge/config/function_change.h"

#define SOURCE "source: {topics: [a]}\n"
#define ENDPOINT "endpoint: {http: {url: http://x}}\n"

#define WEBHOOK_SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static void read_config(const char *text, struct function_config *ret)
{
    struct config_case c = {.file = {.is_private = true}};
    config_case_read(&c, &function_config_kind, slice_of(text), ret);
    assert_string_equal(bytes_text(&c.text), "");
    config_case_clear(&c);
}

static enum function_change change_between(const char *old_text, const char *new_text,
                                           bool *ret_is_same_endpoint)
{
    struct function_config old;
    struct function_config new;
    read_config(old_text, &old);
    read_config(new_text, &new);
    enum function_change change = function_change_between(&old, &new);
    *ret_is_same_endpoint = function_change_is_same_endpoint(&old, &new);
    function_config_clear(&old);
    function_config_clear(&new);
    return change;
}

/** What becomes of a function with the file SOURCE ENDPOINT when it gets this one. */
static enum function_change change_to(const char *text, bool *ret_is_same_endpoint)
{
    return change_between(SOURCE ENDPOINT, text, ret_is_same_endpoint);
}

static void the_same_file_changes_nothing(void **state)
{
    (void)state;
    bool is_same_endpoint = false;
    assert_int_equal(change_to(SOURCE ENDPOINT, &is_same_endpoint), FUNCTION_CHANGE_NONE);
    assert_true(is_same_endpoint);
}

static void another_address_token_or_header_is_another_endpoint(void **state)
{
    (void)state;
    static const char *const files[] = {
        SOURCE "endpoint: {http: {url: http://y}}\n",
        SOURCE "endpoint: {http: {url: http://x, auth: {bearer: new}}}\n",
        SOURCE "endpoint: {http: {url: http://x, auth: {api_key: {header: k, value: v}}}}\n",
        SOURCE "endpoint: {http: {url: http://x, headers: {accept: text/plain}}}\n",
        SOURCE "endpoint: {http: {url: http://x, auth: {standard_webhooks: {secret: " WEBHOOK_SECRET "}}}}\n",
    };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        bool is_same_endpoint = true;
        assert_int_equal(change_to(files[i], &is_same_endpoint), FUNCTION_CHANGE_IN_PLACE);
        assert_false(is_same_endpoint);
    }
}

static void how_it_is_called_changes_in_place(void **state)
{
    (void)state;
    static const char *const files[] = {
        "source: {topics: [a], start: earliest}\n" ENDPOINT,
        "source: {topics: [a], operations: [create]}\n" ENDPOINT,
        SOURCE ENDPOINT "filter: {op: [c]}\n",
        SOURCE ENDPOINT "payload: row\n",
        SOURCE ENDPOINT "payload: lambda-kafka\n",
        SOURCE ENDPOINT "payload: lambda-kafka\nlambda_kafka: {encoding: json}\n",
        SOURCE ENDPOINT "payload: dynamodb-stream\ndynamodb_stream: {view: KEYS_ONLY}\n",
        SOURCE ENDPOINT "payload: debezium\n",
        SOURCE ENDPOINT "int64: string\n",
        SOURCE ENDPOINT "delivery: {concurrency: 2}\n",
        SOURCE ENDPOINT "delivery: {timeout: 1s}\n",
        SOURCE ENDPOINT "delivery: {target_latency: 1s}\n",
        SOURCE ENDPOINT "delivery: {rate: 5/s}\n",
        SOURCE ENDPOINT "delivery: {coalesce: 5s}\n",
        SOURCE ENDPOINT "delivery: {limit: mail}\n",
        SOURCE ENDPOINT "delivery: {breaker: {failures: 0}}\n",
        SOURCE ENDPOINT "paused: true\n",
        SOURCE ENDPOINT "delivery: {batch: {bytes: 1KiB}}\n",
        SOURCE ENDPOINT "delivery: {batch: {partial_failures: true}}\n",
        SOURCE ENDPOINT "delivery: {on_failure: {bisect: false}}\n",
        SOURCE ENDPOINT "delivery: {retry: {statuses: {404: dead}}}\n",
        SOURCE ENDPOINT "delivery: {retry: {attempts: 2}}\n",
        SOURCE ENDPOINT "delivery: {retry: {max_age: 1h}}\n",
        SOURCE ENDPOINT "delivery: {retry: {backoff: {initial: 1s}}}\n",
        SOURCE ENDPOINT "delivery: {retry: {backoff: {max: 2m}}}\n",
        SOURCE ENDPOINT "delivery: {on_failure: {dead_letter: other}}\n",
        SOURCE ENDPOINT "reply: {topic: b}\n",
    };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        bool is_same_endpoint = false;
        assert_int_equal(change_to(files[i], &is_same_endpoint), FUNCTION_CHANGE_IN_PLACE);
        assert_true(is_same_endpoint);
    }
}

static void how_batches_are_filled_changes_in_place(void **state)
{
    (void)state;
    static const char *const files[] = {
        SOURCE ENDPOINT "payload: row\ndelivery: {batch: {events: 3}}\n",
        SOURCE ENDPOINT "payload: row\ndelivery: {batch: {events: 2, by_key: true}}\n",
        SOURCE ENDPOINT "payload: row\ndelivery: {batch: {events: 2, window: 1s}}\n",
    };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        bool is_same_endpoint = false;
        enum function_change change = change_between(
            SOURCE ENDPOINT "payload: row\ndelivery: {batch: {events: 2}}\n", files[i], &is_same_endpoint);
        assert_int_equal(change, FUNCTION_CHANGE_IN_PLACE);
        assert_true(is_same_endpoint);
    }
}

static void other_topics_and_another_order_need_a_restart(void **state)
{
    (void)state;
    static const char *const files[] = {
        "source: {topics: [b]}\n" ENDPOINT,
        "source: {topics: [a, b]}\n" ENDPOINT,
        SOURCE ENDPOINT "delivery: {order: none}\n",
    };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        bool is_same_endpoint = false;
        assert_int_equal(change_to(files[i], &is_same_endpoint), FUNCTION_CHANGE_RESTART);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_file_changes_nothing),
        cmocka_unit_test(another_address_token_or_header_is_another_endpoint),
        cmocka_unit_test(how_it_is_called_changes_in_place),
        cmocka_unit_test(how_batches_are_filled_changes_in_place),
        cmocka_unit_test(other_topics_and_another_order_need_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
