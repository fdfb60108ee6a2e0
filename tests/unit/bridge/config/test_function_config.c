// bridge/config/function_config: functions/NAME.yaml.
#include "tests/unit/config_case.h"

#include "bridge/config/function_config.h"

static const char golden[] =
    "source: {topics: [shop.public.orders, 'shop.*'], operations: [create, update], start: earliest}\n"
    "filter: {after: {status: [paid, {anything-but: [7]}]}, changed: [status]}\n"
    "payload: cloudevents-batch\n"
    "int64: string\n"
    "endpoint:\n"
    "  http:\n"
    "    url: https://fn.example/x\n"
    "    headers: {x-tenant: shop, x-number: 5, x-api-key: {env: MILLRACE_TEST_SECRET}}\n"
    "    auth:\n"
    "      bearer: {env: MILLRACE_TEST_SECRET}\n"
    "      standard_webhooks: {secret: {env: MILLRACE_TEST_WEBHOOK}, previous_secret: {env: "
    "MILLRACE_TEST_WEBHOOK}}\n"
    "delivery:\n"
    "  order: partition\n"
    "  concurrency: 4\n"
    "  batch: {events: 100, bytes: 1MiB, window: 200ms, by_key: true, partial_failures: true}\n"
    "  timeout: 10s\n"
    "  retry: {attempts: 3, max_age: 1h, statuses: {404: dead, 501: done, 500-503: throttle, 5xx: retry},\n"
    "    backoff: {initial: 1s, max: 5m}}\n"
    "  on_failure: {dead_letter: other.dlq, bisect: false}\n";

static void clear_config(void *config)
{
    function_config_clear(config);
}

static void check_complaints(const char *text, const char *expected)
{
    struct config_case c = {0};
    struct function_config config;
    config_case_read(&c, &function_config_kind, slice_of(text), &config);
    assert_string_equal(bytes_text(&c.text), expected);
    function_config_clear(&config);
    config_case_clear(&c);
}

static void every_key_is_read(void **state)
{
    (void)state;
    (void)setenv("MILLRACE_TEST_SECRET", "hunter2", 1);
    (void)setenv("MILLRACE_TEST_WEBHOOK", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 1);
    struct config_case c = {0};
    struct function_config config;
    config_case_read(&c, &function_config_kind, slice_of(golden), &config);
    assert_string_equal(bytes_text(&c.text), "");
    assert_string_equal(config.name, "order-email");
    assert_int_equal(config.source.topics.count, 2);
    assert_int_equal(config.source.operations, FUNCTION_CREATE | FUNCTION_UPDATE);
    assert_int_equal(config.source.start, FUNCTION_START_EARLIEST);
    assert_string_equal(
        config.filter.tree.json,
        "{\"after\":{\"status\":[\"paid\",{\"anything-but\":[7]}]},\"changed\":[\"status\"]}");
    assert_non_null(config.filter.pattern);
    assert_int_equal(config.payload, FUNCTION_PAYLOAD_CLOUDEVENTS_BATCH);
    assert_true(config.int64_as_string);
    assert_string_equal(config.http.url, "https://fn.example/x");
    assert_string_equal(text_pairs_get(&config.http.headers, "x-api-key"), "hunter2");
    assert_string_equal(text_pairs_get(&config.http.headers, "x-number"), "5");
    assert_string_equal(config.http.auth.bearer, "hunter2");
    assert_string_equal(config.http.auth.webhooks.secret, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_string_equal(config.http.auth.webhooks.previous_secret, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_int_equal(config.delivery.order, FUNCTION_ORDER_PARTITION);
    assert_int_equal(config.delivery.concurrency, 4);
    assert_int_equal(config.delivery.batch.events, 100);
    assert_int_equal(config.delivery.batch.bytes, 1048576);
    assert_int_equal(config.delivery.batch.window_us, 200000);
    assert_int_equal(config.delivery.timeout_us, 10000000);
    assert_int_equal(config.delivery.retry.attempts, 3);
    assert_int_equal(config.delivery.retry.max_age_us, INT64_C(3600000000));
    assert_int_equal(config.delivery.retry.backoff.initial_us, 1000000);
    assert_int_equal(config.delivery.retry.backoff.max_us, INT64_C(300000000));
    assert_string_equal(config.delivery.on_failure.dead_letter, "other.dlq");
    assert_true(config.delivery.batch.by_key && config.delivery.batch.partial_failures);
    assert_false(config.delivery.on_failure.bisect);
    static const struct {
        int status;
        enum status_verdict verdict;
    } STATUSES[] = {{199, STATUS_DEFAULT},  {200, STATUS_DEFAULT},  {404, STATUS_DEAD},
                    {405, STATUS_DEFAULT},  {500, STATUS_THROTTLE}, {501, STATUS_DONE},
                    {503, STATUS_THROTTLE}, {504, STATUS_RETRY},    {599, STATUS_RETRY},
                    {600, STATUS_DEFAULT}};
    for (size_t i = 0; i < COUNT_OF(STATUSES); i++) {
        assert_int_equal(status_table_get(&config.delivery.retry.statuses, STATUSES[i].status),
                         STATUSES[i].verdict);
    }
    struct bytes shown = {0};
    config_show(&function_config_kind, &config, &shown);
    assert_null(strstr(bytes_text(&shown), "hunter2"));
    assert_null(strstr(bytes_text(&shown), "whsec_"));
    bytes_clear(&shown);
    function_config_clear(&config);
    config_case_clear(&c);
}

/** The place is where the user wrote it, in any of YAML's spellings. */
static void a_bad_filter_is_refused_where_it_stands(void **state)
{
    (void)state;
    static const char file[] = "source: {topics: [a]}\n"
                               "endpoint: {http: {url: https://f.example}}\n"
                               "filter:\n";
    static const struct {
        const char *filter;
        const char *complaint;
    } cases[] = {
        {"  after:\n    status: [{prefx: p}]\n",
         "5:15: error: filter: unknown operator \"prefx\"; did you mean \"prefix\"?"},
        {"  after:\n    total:\n    - numeric: ['>', yes]\n",
         "6:22: error: filter: a comparison takes a number"},
        {"  \"after\": {\"status\": paid}\n",
         "4:23: error: filter: a field takes an array of what it may be, or an object of fields"},
        {"  aftr: {status: [paid]}\n",
         "4:3: error: filter: an event has no \"aftr\"; did you mean \"after\"?"},
        {"  status: [paid]\n",
         "4:3: error: filter: an event has no \"status\": columns stand below \"after\" or \"before\""},
        {"  changed: [after.status]\n",
         "4:13: error: filter: a column has no dot in its name: write it without \"before\" or \"after\""},
        {"  changed: status\n", "4:12: error: filter: \"changed\" takes an array of column names"},
        {"  changed_to: [status]\n",
         "4:15: error: filter: \"changed_to\" takes an object of columns and their patterns"},
        {"  before: {status: [open]}\n  changed_from:\n    status: [open]\n",
         "6:5: error: filter: the path \"before.status\" is there twice"},
        {"  $or:\n  - changed: [a]\n  - changed: [7]\n",
         "6:15: error: filter: \"changed\" takes column names: strings"},
        {"  op: [c, update]\n",
         "4:11: error: filter: an event's op is c (create), r (read), u (update) or d (delete)"},
        {"  [a]\n", "4:3: error: filter: a pattern is an object"},
        {"  {}\n", "4:3: error: filter: an empty object asks for nothing"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(memory_free_pointer) char *text = memory_format("%s%s", file, cases[i].filter);
        CLEANUP(memory_free_pointer) char *expected = memory_format("f.yaml:%s\n", cases[i].complaint);
        check_complaints(text, expected);
    }
}

static void defaults_are_the_documented_ones(void **state)
{
    (void)state;
    struct config_case c = {0};
    struct function_config config;
    config_case_read(&c, &function_config_kind,
                     slice_of("source: {topics: [a]}\nendpoint: {http: {url: http://x}}\ndelivery:\n"),
                     &config);
    assert_string_equal(bytes_text(&c.text), "");
    assert_int_equal(config.source.operations, 15);
    assert_int_equal(config.source.start, FUNCTION_START_LATEST);
    assert_int_equal(config.payload, FUNCTION_PAYLOAD_CLOUDEVENTS);
    assert_false(config.int64_as_string);
    assert_int_equal(config.delivery.order, FUNCTION_ORDER_KEY);
    assert_int_equal(config.delivery.concurrency, 16);
    assert_int_equal(config.delivery.batch.events, 1);
    assert_int_equal(config.delivery.batch.bytes, 6291456);
    assert_int_equal(config.delivery.batch.window_us, 0);
    assert_false(config.delivery.batch.by_key || config.delivery.batch.partial_failures);
    assert_true(config.delivery.on_failure.bisect);
    assert_int_equal(config.delivery.timeout_us, 30000000);
    assert_int_equal(config.delivery.retry.attempts, 10);
    assert_int_equal(config.delivery.retry.max_age_us, INT64_C(86400000000));
    assert_int_equal(config.delivery.retry.backoff.initial_us, 200000);
    assert_int_equal(config.delivery.retry.backoff.max_us, 60000000);
    assert_string_equal(config.delivery.on_failure.dead_letter, "millrace.dlq.order-email");
    function_config_clear(&config);
    config_case_clear(&c);
}

/** Services choose their own header names, and some take their key in the URL. */
static void what_may_be_a_key_is_not_shown(void **state)
{
    (void)state;
    struct config_case c = {0};
    struct function_config config;
    struct bytes shown = {0};
    config_case_read(&c, &function_config_kind,
                     slice_of("source: {topics: [a]}\nendpoint: {http: {url: 'https://x/f?code=hunter2', "
                              "headers: {x-tenant: hunter2, accept: text/plain}}}\n"),
                     &config);
    assert_string_equal(bytes_text(&c.text), "");
    config_show(&function_config_kind, &config, &shown);
    assert_null(strstr(bytes_text(&shown), "hunter2"));
    assert_non_null(strstr(bytes_text(&shown), "url: \"https://x/f?code=***\"\n"));
    assert_non_null(strstr(bytes_text(&shown), "x-tenant: \"***\"\n"));
    assert_non_null(strstr(bytes_text(&shown), "accept: text/plain\n"));
    bytes_clear(&shown);
    function_config_clear(&config);
    config_case_clear(&c);
}

#define GOOD "source: {topics: [a]}\nendpoint: {http: {url: http://x}}\n"

static void payloads_of_one_event_take_no_batch(void **state)
{
    (void)state;
    check_complaints(GOOD "delivery: {batch: {events: 2}}\n",
                     "f.yaml:3:28: error: events: payload cloudevents carries one event a call; choose "
                     "cloudevents-batch or row for more\n");
    check_complaints(
        GOOD "payload: cloudevents-structured\ndelivery: {batch: {events: 2}}\n",
        "f.yaml:4:28: error: events: payload cloudevents-structured carries one event a call; choose "
        "cloudevents-batch or row for more\n");
    check_complaints(GOOD "payload: row\ndelivery: {batch: {events: 2}}\n", "");
}

static void options_of_a_payload_belong_to_it(void **state)
{
    (void)state;
    struct config_case c = {0};
    struct function_config config;
    config_case_read(
        &c, &function_config_kind,
        slice_of(GOOD
                 "payload: lambda-kafka\nlambda_kafka: {format: source}\ndelivery: {batch: {events: 2}}\n"),
        &config);
    assert_string_equal(bytes_text(&c.text), "");
    assert_int_equal(config.payload, FUNCTION_PAYLOAD_LAMBDA_KAFKA);
    assert_int_equal(config.lambda_kafka.encoding, FUNCTION_KAFKA_BASE64);
    assert_int_equal(config.lambda_kafka.format, FUNCTION_KAFKA_SOURCE);
    function_config_clear(&config);
    config_case_clear(&c);
    check_complaints(
        GOOD "payload: dynamodb-stream\ndynamodb_stream: {view: NEW_IMAGE, region: eu_west}\n",
        "f.yaml:4:44: error: region: lower-case letters, digits and dashes, as in eu-central-1\n");
    check_complaints(
        GOOD "payload: row\ndynamodb_stream: {view: NEW_IMAGE}\n",
        "f.yaml:4:18: error: dynamodb_stream: has a meaning only with payload dynamodb-stream\n");
    check_complaints(GOOD "payload: row\nlambda_kafka: {encoding: json}\n",
                     "f.yaml:4:15: error: lambda_kafka: has a meaning only with payload lambda-kafka\n");
    check_complaints(GOOD "payload: debezium\ndelivery: {batch: {partial_failures: true}}\n", "");
    check_complaints(GOOD "payload: debezium\ndelivery: {batch: {events: 2, partial_failures: true}}\n",
                     "f.yaml:4:49: error: partial_failures: an event of payload debezium has no id that a "
                     "response could name; keep batch.events 1, or choose another payload\n");
    check_complaints(GOOD "payload: lambda-kafka\nlambda_kafka: {encoding: json, format: source}\n",
                     "f.yaml:4:40: error: format: source is binary; with encoding json leave format out\n");
}

static void rates_are_read_and_checked(void **state)
{
    (void)state;
    struct config_case c = {0};
    struct function_config config;
    config_case_read(&c, &function_config_kind, slice_of(GOOD "delivery: {rate: 90/m}\n"), &config);
    assert_string_equal(bytes_text(&c.text), "");
    assert_int_equal(config.delivery.rate.count, 90);
    assert_int_equal(config.delivery.rate.period_us, 60000000);
    assert_int_equal(config.delivery.burst, 1);
    assert_int_equal(config.delivery.breaker.failures, 20);
    assert_false(config.paused);
    function_config_clear(&config);
    config_case_clear(&c);
    check_complaints(
        GOOD "delivery: {rate: 90}\n",
        "f.yaml:3:18: error: rate: \"90\" is not a rate; write it as 100/s, 30/m or 5/h, at most "
        "1000000\n");
    check_complaints(
        GOOD "delivery: {rate: 0/s}\n",
        "f.yaml:3:18: error: rate: \"0/s\" is not a rate; write it as 100/s, 30/m or 5/h, at most "
        "1000000\n");
    check_complaints(
        GOOD "delivery: {coalesce: 5s, order: none}\n",
        "f.yaml:3:22: error: coalesce: needs order key: it sends the latest event of each key\n");
    check_complaints(GOOD "delivery: {burst: 5}\n",
                     "f.yaml:3:19: error: burst: has a meaning only with rate\n");
}

static void a_target_latency_is_less_than_the_timeout(void **state)
{
    (void)state;
    struct config_case c = {0};
    struct function_config config;
    config_case_read(&c, &function_config_kind, slice_of(GOOD "delivery: {target_latency: 250ms}\n"),
                     &config);
    assert_string_equal(bytes_text(&c.text), "");
    assert_int_equal(config.delivery.target_latency_us, 250000);
    function_config_clear(&config);
    config_case_clear(&c);
    check_complaints(GOOD "delivery: {timeout: 1s, target_latency: 1s}\n",
                     "f.yaml:3:41: error: target_latency: is not less than timeout, and calls never take "
                     "longer than that\n");
    check_complaints(GOOD "delivery: {target_latency: 0s}\n",
                     "f.yaml:3:28: error: target_latency: must be from 1ms to 1d, not 0s\n");
}

static void what_follows_from_a_wrong_value_is_not_complained_about(void **state)
{
    (void)state;
    check_complaints(
        GOOD "payload: rows\ndelivery: {batch: {events: 2}}\n",
        "f.yaml:3:10: error: payload: \"rows\" is not one of cloudevents, cloudevents-structured, "
        "cloudevents-batch, row, lambda-kafka, dynamodb-stream, debezium or template; did you mean "
        "\"row\"?\n");
    check_complaints("source: {topics: [a]}\nendpoint: http\n",
                     "f.yaml:2:11: error: endpoint: write a section with http, lambda, process\n");
}

static void statuses_are_checked_where_they_stand(void **state)
{
    (void)state;
    check_complaints(
        GOOD "delivery: {retry: {statuses: {\n"
             "  100: retry,\n  6xx: retry,\n  abc: retry,\n  4040: retry,\n  410-404: dead,\n  404: drop,\n"
             "  405: [dead]}}}\n",
        "f.yaml:4:3: error: statuses: \"100\" is not within 200 to 599, the statuses of final responses\n"
        "f.yaml:5:3: error: statuses: \"6xx\" is not within 200 to 599, the statuses of final responses\n"
        "f.yaml:6:3: error: statuses: \"abc\" is not a status (404), a class of them (4xx) or a range "
        "(400-409)\n"
        "f.yaml:7:3: error: statuses: \"4040\" is not a status (404), a class of them (4xx) or a range "
        "(400-409)\n"
        "f.yaml:8:3: error: statuses: \"410-404\" ends before it begins\n"
        "f.yaml:9:8: error: \"404\": must be done, retry, throttle, dead or pause\n"
        "f.yaml:10:8: error: \"405\": must be a single value\n");
    check_complaints(
        GOOD "delivery: {retry: {statuses: {500-510: retry, 505-515: dead}}}\n",
        "f.yaml:3:47: error: statuses: 505-515 overlaps 500-510, and neither is within the other\n");
    check_complaints(GOOD "delivery: {retry: {statuses: {5xx: retry, 500-599: dead}}}\n",
                     "f.yaml:3:43: error: statuses: 500-599 overlaps 5xx, and neither is within the other\n");
}

static void a_batch_by_key_needs_an_order(void **state)
{
    (void)state;
    check_complaints(
        GOOD "payload: row\ndelivery: {order: none, batch: {events: 2, by_key: true}}\n",
        "f.yaml:4:52: error: by_key: with order none no events wait together by key; choose order "
        "key or partition\n");
}

static void what_needs_a_batch_is_refused_without_one(void **state)
{
    (void)state;
    check_complaints(
        GOOD "delivery: {batch: {by_key: true}}\n",
        "f.yaml:3:28: error: by_key: has no effect while a call carries one event; set events, too\n");
    check_complaints(
        GOOD "delivery: {batch: {events: 1, window: 5s}}\n",
        "f.yaml:3:39: error: window: has no effect while a call carries one event; set events, too\n");
    check_complaints(GOOD "delivery: {batch: {by_key: false, window: 0ms, partial_failures: true}}\n", "");
    check_complaints(GOOD "delivery: {batch: {events: 0, window: 5s}}\n",
                     "f.yaml:3:28: error: events: must be from 1 to 10000, not 0\n");
}

static void a_dead_letter_never_goes_to_a_topic_of_millrace_itself(void **state)
{
    (void)state;
    check_complaints(GOOD "delivery: {on_failure: {dead_letter: millrace.state}}\n",
                     "f.yaml:3:38: error: dead_letter: millrace.state holds millrace's own records; choose a "
                     "topic for this function\n");
    check_complaints(GOOD "delivery: {on_failure: {dead_letter: millrace.schemas}}\n",
                     "f.yaml:3:38: error: dead_letter: millrace.schemas holds millrace's own records; choose "
                     "a topic for this function\n");
}

static void a_function_has_one_kind_of_endpoint(void **state)
{
    (void)state;
    check_complaints("source: {topics: [a]}\nendpoint: {}\n",
                     "f.yaml:2:11: error: endpoint: choose a kind of endpoint: http, lambda or process\n");
    check_complaints("source: {topics: [a]}\nendpoint: {http: }\n",
                     "f.yaml:2:11: error: endpoint: choose a kind of endpoint: http, lambda or process\n");
    check_complaints("source: {topics: [a]}\nendpoint: {http: {}}\n",
                     "f.yaml:2:18: error: required key \"url\" is missing\n");
}

static void headers_are_names_and_lines_that_http_allows(void **state)
{
    (void)state;
    check_complaints(
        "source: {topics: [a]}\n"
        "endpoint: {http: {url: http://x, headers: {\n"
        "  a b: c,\n"
        "  x: \"a\\r\\nb: c\",\n"
        "  Content-Type: x,\n"
        "  ce-id: x,\n"
        "  Authorization: Basic hunter2,\n"
        "  y: [a]}}}\n",
        "f.yaml:3:3: error: \"a b\" is not a valid header name\n"
        "f.yaml:4:6: error: \"x\": a header value must consist of printable ASCII characters, without line "
        "ends\n"
        "f.yaml:5:3: error: \"Content-Type\" can't be set: millrace sets it\n"
        "f.yaml:6:3: error: \"ce-id\" can't be set: millrace sets it\n"
        "f.yaml:7:18: error: \"Authorization\": a plain secret in a file that others may read: "
        "use {file: PATH} or {env: NAME}, or chmod 600\n"
        "f.yaml:8:6: error: \"y\": must be a single value\n");
}

static void rules_between_options_have_their_place(void **state)
{
    (void)state;
    (void)setenv("MILLRACE_TEST_WEBHOOK", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 1);
    (void)setenv("MILLRACE_TEST_SECRET", "hunter2", 1);
    check_complaints(GOOD "delivery: {retry: {backoff: {initial: 5m}}}\n",
                     "f.yaml:3:39: error: initial: is more than max\n");
    check_complaints("source: {topics: [a]}\nendpoint:\n  http:\n    url: http://x\n"
                     "    headers: {authorization: {env: MILLRACE_TEST_SECRET}}\n"
                     "    auth: {bearer: {env: MILLRACE_TEST_SECRET}}\n",
                     "f.yaml:6:20: error: bearer: the header authorization is set too; keep one of them\n");
    check_complaints(
        "source: {topics: [a]}\nendpoint:\n  http:\n    url: http://x\n"
        "    headers: {Webhook-Id: \"1\"}\n"
        "    auth: {standard_webhooks: {secret: {env: MILLRACE_TEST_WEBHOOK}}}\n",
        "f.yaml:6:31: error: standard_webhooks: the header webhook-id is set too; keep one of them\n");
    check_complaints(
        "source: {topics: [a]}\nendpoint:\n  http:\n    url: http://x\n    auth: {}\n",
        "f.yaml:5:11: error: auth: choose bearer, basic, api_key, oauth2, standard_webhooks or aws\n");
    check_complaints(
        "source: {topics: [a]}\nendpoint:\n  http:\n    url: http://x\n"
        "    auth: {standard_webhooks: {secret: {env: MILLRACE_TEST_SECRET}}}\n",
        "f.yaml:5:40: error: secret: a secret of Standard Webhooks is whsec_ and the base64 of 24 to 64 "
        "bytes, as printed by: echo whsec_$(openssl rand -base64 32)\n");
    check_complaints("source: {topics: ['*']}\nendpoint: {http: {url: http://x}}\n",
                     "f.yaml:1:18: error: topics: they match the function's own dead-letter topic "
                     "millrace.dlq.order-email, whose records would be delivered again\n");
}

static void lists_and_limits_are_checked(void **state)
{
    (void)state;
    check_complaints(
        "source: {topics: [], operations: create}\nendpoint: {http: {url: http://x}}\n"
        "delivery: {concurrency: 1001, timeout: 30, batch: {bytes: 1B}}\n",
        "f.yaml:1:18: error: topics: the list is empty\n"
        "f.yaml:1:34: error: operations: write a list, as in [a, b]\n"
        "f.yaml:3:25: error: concurrency: must be from 1 to 1000, not 1001\n"
        "f.yaml:3:40: error: timeout: \"30\" is not a duration; write it as 500ms, 30s, 5m, 1h or 7d\n"
        "f.yaml:3:59: error: bytes: must be from 1KiB to 1GiB, not 1B\n");
}

static void a_reply_needs_calls_of_one_event_and_a_topic_of_its_own(void **state)
{
    (void)state;
    check_complaints(
        GOOD "reply: {topic: b}\npayload: row\n"
             "delivery: {batch: {events: 2, partial_failures: true}}\n",
        "f.yaml:5:28: error: events: with reply a call carries one event: the response to several has "
        "no event that it replies to; leave one of them out\n"
        "f.yaml:5:49: error: partial_failures: with reply the response's body is the reply; leave one "
        "of them out\n");
    check_complaints(GOOD "reply: {topic: millrace.state, max_hops: 0, max_bytes: 17MiB}\n",
                     "f.yaml:3:16: error: topic: millrace.state holds millrace's own records; choose another "
                     "topic\n"
                     "f.yaml:3:42: error: max_hops: must be from 1 to 1000, not 0\n"
                     "f.yaml:3:56: error: max_bytes: must be from 1KiB to 16MiB, not 17MiB\n");
    check_complaints(
        GOOD "reply: {topic: b}\ndelivery: {on_failure: {dead_letter: b}}\n",
        "f.yaml:3:16: error: topic: b is the function's dead-letter topic; choose another topic\n");
    check_complaints(GOOD "reply: {}\n", "f.yaml:3:8: error: required key \"topic\" is missing\n");
}

static void every_truncation_is_read_or_refused(void **state)
{
    (void)state;
    struct function_config config;
    config_case_truncate(&function_config_kind, golden, &config, clear_config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(what_may_be_a_key_is_not_shown),
        cmocka_unit_test(a_bad_filter_is_refused_where_it_stands),
        cmocka_unit_test(defaults_are_the_documented_ones),
        cmocka_unit_test(payloads_of_one_event_take_no_batch),
        cmocka_unit_test(options_of_a_payload_belong_to_it),
        cmocka_unit_test(a_target_latency_is_less_than_the_timeout),
        cmocka_unit_test(rates_are_read_and_checked),
        cmocka_unit_test(what_follows_from_a_wrong_value_is_not_complained_about),
        cmocka_unit_test(statuses_are_checked_where_they_stand),
        cmocka_unit_test(a_batch_by_key_needs_an_order),
        cmocka_unit_test(what_needs_a_batch_is_refused_without_one),
        cmocka_unit_test(a_dead_letter_never_goes_to_a_topic_of_millrace_itself),
        cmocka_unit_test(a_function_has_one_kind_of_endpoint),
        cmocka_unit_test(headers_are_names_and_lines_that_http_allows),
        cmocka_unit_test(rules_between_options_have_their_place),
        cmocka_unit_test(lists_and_limits_are_checked),
        cmocka_unit_test(a_reply_needs_calls_of_one_event_and_a_topic_of_its_own),
        cmocka_unit_test(every_truncation_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
