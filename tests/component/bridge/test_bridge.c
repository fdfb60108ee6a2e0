// The bridge with the embedded broker and a stub function: order, retries, throttling, dead letters, offsets.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/http/webhook_signature.h"
#include "tests/component/bridge/bridge_case.h"

static struct stub_answer always_ok(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 200};
}

static bool is_about(const struct stub_call *call, int id)
{
    CLEANUP(memory_free_pointer) char *wanted = memory_format("\"id\":%d,", id);
    return strstr(call->body, wanted) != NULL;
}

static void a_change_becomes_one_cloudevent(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, always_ok, NULL);
    struct function_config *config = case_config(&c, "fn");
    text_pairs_set(&config->http.headers, "X-Team", "blue");
    config->http.auth.bearer = memory_string("s3cret");
    case_apply(&c, config);
    case_change(&c, 7, 'c', "hello");
    case_run_until(&c, case_has_settled, 1);
    const struct stub_call *call = stub_function_call(c.stub, 0);
    assert_non_null(strstr(call->head, "POST /fn HTTP/1.1\r\n"));
    static const char *const HEADERS[][2] = {
        {"ce-id", CASE_TOPIC "-0-0"},
        {"ce-source", "/millrace/shop"},
        {"ce-type", "millrace.change.create"},
        {"ce-subject", "public.orders"},
        {"ce-specversion", "1.0"},
        {"ce-partitionkey", "{%22id%22:7}"},
        {"content-type", "application/json"},
        {"x-team", "blue"},
        {"authorization", "Bearer s3cret"},
    };
    for (size_t i = 0; i < COUNT_OF(HEADERS); i++) {
        CLEANUP(memory_free_pointer) char *value = stub_call_header(call, HEADERS[i][0]);
        assert_non_null(value);
        assert_string_equal(value, HEADERS[i][1]);
    }
    assert_null(stub_call_header(call, "expect"));
    assert_non_null(
        strstr(call->body, "{\"op\":\"c\",\"before\":null,\"after\":{\"id\":7,\"note\":\"hello\"}"));
    case_drain(&c);
    assert_int_equal(case_committed(&c, "fn"), 1);
    case_stop(&c);
}

static struct stub_answer throttles_once(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    return number == 0 ? (struct stub_answer){.status = 503, .headers = "Retry-After: 1\r\n"}
                       : (struct stub_answer){.status = 200};
}

/** Checks the call's signatures with the keys; returns its timestamp. */
static int64_t check_signatures(const struct stub_call *call, const char *id, const char *const *secrets,
                                size_t count)
{
    struct fault f;
    CLEANUP(bytes_clear) struct bytes want = {0};
    CLEANUP(memory_free_pointer) char *sent_id = stub_call_header(call, "webhook-id");
    CLEANUP(memory_free_pointer) char *timestamp = stub_call_header(call, "webhook-timestamp");
    CLEANUP(memory_free_pointer) char *signatures = stub_call_header(call, "webhook-signature");
    assert_non_null(sent_id);
    assert_non_null(timestamp);
    assert_non_null(signatures);
    assert_string_equal(sent_id, id);
    const struct webhook_message m = {slice_of(sent_id), strtoll(timestamp, NULL, 10), slice_of(call->body)};
    for (size_t i = 0; i < count; i++) {
        struct webhook_key *key = NULL;
        assert_true(webhook_key_new(secrets[i], WEBHOOK_HMAC, &key, &f));
        bytes_append_string(&want, i == 0 ? "" : " ");
        webhook_signature_append(&want, key, &m);
        webhook_key_free(key);
    }
    assert_string_equal(signatures, bytes_text(&want));
    return m.timestamp_s;
}

static void each_attempt_is_signed_at_its_time_with_one_id(void **state)
{
    (void)state;
    static const char *const SECRETS[] = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                          "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    static const char ID[] = "shop%2Epublic%2Eorders-0-0";
    struct bridge_case c;
    case_start(&c, throttles_once, NULL);
    struct function_config *config = case_config(&c, "fn");
    config->http.auth.webhooks.secret = memory_string(SECRETS[0]);
    config->http.auth.webhooks.previous_secret = memory_string(SECRETS[1]);
    case_apply(&c, config);
    int64_t begin_s = clock_wall_us() / CLOCK_US_PER_S;
    case_change(&c, 7, 'c', "hello");
    case_run_until(&c, case_has_settled, 1);
    int64_t first_s = check_signatures(stub_function_call(c.stub, 0), ID, SECRETS, 2);
    int64_t second_s = check_signatures(stub_function_call(c.stub, 1), ID, SECRETS, 2);
    assert_true(first_s >= begin_s && second_s > first_s && second_s <= clock_wall_us() / CLOCK_US_PER_S);
    case_drain(&c);
    case_stop(&c);
}

static void a_batch_is_signed_with_an_id_of_its_body(void **state)
{
    (void)state;
    static const char *const SECRETS[] = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
    CLEANUP(bytes_clear) struct bytes id = {0};
    struct bridge_case c;
    case_start(&c, always_ok, NULL);
    struct function_config *config = case_config(&c, "fn");
    config->payload = FUNCTION_PAYLOAD_ROW;
    config->delivery.batch.events = 2;
    config->delivery.batch.window_us = 60 * CLOCK_US_PER_S;
    config->http.auth.webhooks.secret = memory_string(SECRETS[0]);
    case_apply(&c, config);
    case_change(&c, 7, 'c', "hello");
    case_change(&c, 8, 'c', "hello");
    case_run_until(&c, case_has_settled, 2);
    const struct stub_call *call = stub_function_call(c.stub, 0);
    webhook_id_append_digest(&id, slice_of(call->body));
    (void)check_signatures(call, bytes_text(&id), SECRETS, 1);
    case_drain(&c);
    case_stop(&c);
}

/** The script's `self` is a bool: whether calls about order 1 are held. */
static struct stub_answer holds_key_1(void *self, const struct stub_call *call, size_t number)
{
    (void)number;
    return (struct stub_answer){.status = 200, .is_held = *(bool *)self && is_about(call, 1)};
}

static bool has_answered(struct bridge_case *c, int64_t n)
{
    size_t answered = 0;
    for (size_t i = 0; i < stub_function_count(c->stub); i++) {
        answered += stub_function_call(c->stub, i)->answered_us != 0;
    }
    return answered >= (size_t)n;
}

/** The number of calls about the order; checks that they came in the order of its notes, each after the
 * response to the one before. */
static int calls_in_order(const struct bridge_case *c, int key)
{
    int seen = 0;
    int64_t previous_us = 0;
    for (size_t i = 0; i < stub_function_count(c->stub); i++) {
        const struct stub_call *call = stub_function_call(c->stub, i);
        if (!is_about(call, key)) {
            continue;
        }
        CLEANUP(memory_free_pointer) char *note = memory_format("\"n%d\"", seen++);
        assert_non_null(strstr(call->body, note));
        assert_true(call->at_us >= previous_us);
        previous_us = call->answered_us;
    }
    return seen;
}

static void a_slow_key_keeps_its_order_and_holds_up_no_other(void **state)
{
    (void)state;
    struct bridge_case c;
    bool is_held = true;
    case_start(&c, holds_key_1, &is_held);
    for (int i = 0; i < 3; i++) {
        CLEANUP(memory_free_pointer) char *note = memory_format("n%d", i);
        for (int key = 1; key < 12; key++) {
            case_change(&c, key, i == 0 ? 'c' : 'u', note);
        }
    }
    case_apply(&c, case_config(&c, "fn"));
    case_run_until(&c, case_has_settled, 30);
    for (int key = 1; key < 12; key++) {
        assert_int_equal(calls_in_order(&c, key), key == 1 ? 1 : 3);
    }
    is_held = false;
    stub_function_release(c.stub);
    case_run_until(&c, case_has_settled, 33);
    assert_int_equal(calls_in_order(&c, 1), 3);
    assert_true(stub_function_running_max(c.stub) <= 16);
    case_stop(&c);
}

static struct stub_answer fails_twice(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    static const struct stub_answer ANSWERS[] = {{.status = 500}, {.status = 0}, {.status = 200}};
    return ANSWERS[number < 2 ? number : 2];
}

static void errors_and_resets_are_retried_with_the_same_id(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, fails_twice, NULL);
    case_apply(&c, case_config(&c, "fn"));
    case_change(&c, 1, 'c', "x");
    case_run_until(&c, case_has_settled, 1);
    assert_int_equal(stub_function_count(c.stub), 3);
    for (size_t i = 0; i < 3; i++) {
        CLEANUP(memory_free_pointer) char *id = stub_call_header(stub_function_call(c.stub, i), "ce-id");
        assert_string_equal(id, CASE_TOPIC "-0-0");
    }
    assert_true(case_metric(&c, "retries_total{function=\"fn\",reason=\"5xx\"}") == 1);
    assert_true(case_metric(&c, "retries_total{function=\"fn\",reason=\"transport\"}") == 1);
    case_stop(&c);
}

static struct stub_answer throttles_first(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    return number < 2 ? (struct stub_answer){.status = 429, .headers = "Retry-After: 1\r\n"}
                      : (struct stub_answer){.status = 200, .garbage_bytes = 1 << 20};
}

static void a_throttle_waits_as_asked_and_costs_no_attempt(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, throttles_first, NULL);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.retry.attempts = 1;
    config->delivery.concurrency = 1;
    case_apply(&c, config);
    case_change(&c, 1, 'c', "x");
    case_change(&c, 2, 'c', "y");
    case_change(&c, 3, 'c', "z");
    case_run_until(&c, case_has_settled, 3);
    assert_int_equal(stub_function_count(c.stub), 5);
    // One throttled call delays only its key; the second one in succession delays all keys.
    for (size_t i = 2; i < 5; i++) {
        int64_t throttled_us = stub_function_call(c.stub, 1)->answered_us;
        assert_true(stub_function_call(c.stub, i)->at_us - throttled_us > 900000);
    }
    assert_true(is_about(stub_function_call(c.stub, 2), 3));  // the event that was not tried yet comes first
    assert_true(case_metric(&c, "events_total{function=\"fn\",outcome=\"delivered\"}") == 3);
    case_stop(&c);
}

static struct stub_answer refuses_key_1(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)number;
    return (struct stub_answer){.status = is_about(call, 1) ? 422 : 200};
}

static void what_can_not_be_delivered_goes_to_the_dead_letter_as_it_was(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, refuses_key_1, NULL);
    case_change(&c, 1, 'c', "x");
    case_raw(&c, slice_of("k1"), slice_of("not avro"));
    case_raw(&c, slice_of("k2"), slice_make("\0\0\0\0\x63zz", 7));
    case_change(&c, 2, 'c', "y");
    case_apply(&c, case_config(&c, "fn"));
    case_run_until(&c, case_has_settled, 4);
    case_drain(&c);
    assert_int_equal(case_committed(&c, "fn"), 4);
    CLEANUP(memory_free_pointer) char *dead = case_read_topic(&c, "millrace.dlq.fn", 3);
    assert_non_null(strstr(dead, "k1|not avro|"));
    assert_non_null(strstr(dead, "millrace.dlq.reason=undecodable;"));
    assert_non_null(strstr(dead, "millrace.dlq.reason=unknown_schema;"));
    assert_non_null(strstr(dead, "millrace.dlq.reason=rejected;"));
    assert_non_null(strstr(dead, "millrace.dlq.status=422;millrace.dlq.attempts=1;"));
    assert_non_null(
        strstr(dead, "millrace.dlq.topic=" CASE_TOPIC ";millrace.dlq.partition=0;millrace.dlq.offset=1;"));
    case_stop(&c);
}

static void a_key_that_only_looks_like_avro_is_a_string(void **state)
{
    (void)state;
    static const struct {
        uint8_t key[8];
        const char *partitionkey;
    } KEYS[] = {
        {{0, 0, 0, 0, 0, 0, 0, 'a'}, "%22\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000a%22"},  // schema 0
        {{0, 0, 0, 0, 'c', 'd', 'e', 'f'}, "%22\\u0000\\u0000\\u0000\\u0000cdef%22"},
        {{0, 0xc3, 0xa9, 'c', 'd', 'e', 'f', 'g'}, "%22\\u0000%C3%A9cdefg%22"},  // beyond any schema id
    };
    struct bridge_case c;
    case_start(&c, always_ok, NULL);
    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        case_keyed_change(&c, slice_make(KEYS[i].key, sizeof(KEYS[i].key)), (int64_t)i, 'c', "x");
    }
    struct function_config *config = case_config(&c, "fn");
    config->delivery.concurrency = 1;
    case_apply(&c, config);
    case_run_until(&c, case_has_settled, COUNT_OF(KEYS));
    assert_int_equal(stub_function_count(c.stub), COUNT_OF(KEYS));
    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        const struct stub_call *call = stub_function_call(c.stub, i);
        CLEANUP(memory_free_pointer) char *key = stub_call_header(call, "ce-partitionkey");
        assert_string_equal(key, KEYS[i].partitionkey);
    }
    case_stop(&c);
}

static bool has_committed(struct bridge_case *c, int64_t n)
{
    return case_committed(c, "fn") >= n;
}

static void an_offset_moves_only_behind_what_is_settled(void **state)
{
    (void)state;
    struct bridge_case c;
    bool is_held = true;
    case_start(&c, holds_key_1, &is_held);
    case_change(&c, 2, 'c', "x");
    case_change(&c, 1, 'c', "x");
    case_change(&c, 3, 'c', "x");
    case_change(&c, 4, 'c', "x");
    case_apply(&c, case_config(&c, "fn"));
    case_run_until(&c, has_answered, 3);
    case_run_until(&c, has_committed, 1);
    case_run_ms(&c, 1200);  // two more rounds of commits; the call stays held however long this takes
    assert_int_equal(case_committed(&c, "fn"), 1);
    stub_function_release(c.stub);
    case_run_until(&c, case_has_settled, 4);
    case_drain(&c);
    assert_int_equal(case_committed(&c, "fn"), 4);
    case_stop(&c);
}

static void tombstones_and_unwanted_operations_settle_without_a_call(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, always_ok, NULL);
    struct function_config *config = case_config(&c, "fn");
    config->source.operations = FUNCTION_DELETE;
    case_change(&c, 1, 'c', "x");
    case_change(&c, 1, 'd', "x");
    case_tombstone(&c, 1);
    case_apply(&c, config);
    case_run_until(&c, case_has_settled, 3);
    assert_int_equal(stub_function_count(c.stub), 1);
    case_drain(&c);
    assert_int_equal(case_committed(&c, "fn"), 3);
    case_stop(&c);
}

static void batches_fill_across_keys_up_to_their_count(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, always_ok, NULL);
    struct function_config *config = case_config(&c, "fn");
    config->payload = FUNCTION_PAYLOAD_ROW;
    config->delivery.batch.events = 4;
    config->delivery.batch.window_us = 200 * CLOCK_US_PER_MS;
    for (int i = 0; i < 10; i++) {
        case_change(&c, i, 'c', "x");
    }
    case_apply(&c, config);
    case_run_until(&c, case_has_settled, 10);
    assert_int_equal(stub_function_count(c.stub), 3);
    CLEANUP(bytes_clear) struct bytes expected = {0};
    for (int i = 0; i < 4; i++) {
        bytes_format(&expected,
                     "%s{\"op\":\"c\",\"table\":\"public.orders\",\"id\":\"" CASE_TOPIC "-0-%d\","
                     "\"row\":{\"id\":%d,\"note\":\"x\"}}",
                     i == 0 ? "[" : ",", i, i);
    }
    bytes_append_byte(&expected, ']');
    assert_string_equal(stub_function_call(c.stub, 0)->body, bytes_text(&expected));
    case_stop(&c);
}

static struct stub_answer refuses_what_holds_key_5(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)number;
    return (struct stub_answer){.status = is_about(call, 5) ? 422 : 200};
}

static void a_rejected_batch_loses_only_the_event_that_is_to_blame(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, refuses_what_holds_key_5, NULL);
    struct function_config *config = case_config(&c, "fn");
    config->payload = FUNCTION_PAYLOAD_CLOUDEVENTS_BATCH;
    config->delivery.batch.events = 16;
    config->delivery.batch.window_us = 200 * CLOCK_US_PER_MS;
    for (int i = 0; i < 16; i++) {
        case_change(&c, i, 'c', "x");
    }
    case_apply(&c, config);
    case_run_until(&c, case_has_settled, 16);
    assert_true(case_metric(&c, "events_total{function=\"fn\",outcome=\"delivered\"}") == 15);
    assert_true(stub_function_count(c.stub) <= 12);
    case_drain(&c);
    assert_int_equal(case_committed(&c, "fn"), 16);
    CLEANUP(memory_free_pointer) char *dead = case_read_topic(&c, "millrace.dlq.fn", 1);
    assert_non_null(strstr(dead, "millrace.dlq.reason=rejected;"));
    assert_non_null(strstr(dead, "millrace.dlq.offset=5;"));
    case_stop(&c);
}

static void a_restarted_function_goes_on_where_it_left_off(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, always_ok, NULL);
    case_change(&c, 1, 'c', "before");
    struct function_config *config = case_config(&c, "fn");
    config->source.start = FUNCTION_START_LATEST;
    case_apply(&c, config);
    case_run_until(&c, has_committed, 1);  // registered: it begins at the end of now
    case_change(&c, 2, 'c', "after");
    case_run_until(&c, case_has_settled, 1);
    assert_int_equal(stub_function_count(c.stub), 1);
    assert_true(is_about(stub_function_call(c.stub, 0), 2));
    bridge_apply(c.bridge, NULL, 0);
    case_change(&c, 3, 'c', "later");
    config = case_config(&c, "fn");
    config->source.start = FUNCTION_START_LATEST;
    case_apply(&c, config);
    case_run_until(&c, case_has_calls, 2);
    assert_true(is_about(stub_function_call(c.stub, 1), 3));
    case_stop(&c);
}

static void a_new_endpoint_takes_over_without_a_rebalance(void **state)
{
    (void)state;
    struct bridge_case c;
    bool is_held = true;
    case_start(&c, holds_key_1, &is_held);
    case_apply(&c, case_config(&c, "fn"));
    case_change(&c, 1, 'c', "x");
    case_run_until(&c, case_has_calls, 1);
    struct function_config *config = case_config(&c, "fn");
    text_pairs_set(&config->http.headers, "X-New", "yes");
    case_apply(&c, config);
    case_change(&c, 2, 'c', "y");
    case_run_until(&c, case_has_settled, 1);
    stub_function_release(c.stub);
    case_run_until(&c, case_has_settled, 2);
    CLEANUP(memory_free_pointer) char *is_new = stub_call_header(stub_function_call(c.stub, 1), "X-New");
    assert_non_null(is_new);
    case_stop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_becomes_one_cloudevent),
        cmocka_unit_test(each_attempt_is_signed_at_its_time_with_one_id),
        cmocka_unit_test(a_batch_is_signed_with_an_id_of_its_body),
        cmocka_unit_test(a_slow_key_keeps_its_order_and_holds_up_no_other),
        cmocka_unit_test(errors_and_resets_are_retried_with_the_same_id),
        cmocka_unit_test(a_throttle_waits_as_asked_and_costs_no_attempt),
        cmocka_unit_test(what_can_not_be_delivered_goes_to_the_dead_letter_as_it_was),
        cmocka_unit_test(a_key_that_only_looks_like_avro_is_a_string),
        cmocka_unit_test(an_offset_moves_only_behind_what_is_settled),
        cmocka_unit_test(tombstones_and_unwanted_operations_settle_without_a_call),
        cmocka_unit_test(batches_fill_across_keys_up_to_their_count),
        cmocka_unit_test(a_rejected_batch_loses_only_the_event_that_is_to_blame),
        cmocka_unit_test(a_restarted_function_goes_on_where_it_left_off),
        cmocka_unit_test(a_new_endpoint_takes_over_without_a_rebalance),
    };
    return case_run_part(tests, COUNT_OF(tests));
}
