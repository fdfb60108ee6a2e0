// Batches, partial failures and bisecting with the embedded broker and a stub function.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "tests/component/bridge/bridge_case.h"

/** Responses in turn, the last one for all further calls. */
struct script {
    const struct stub_answer *answers;
    size_t count;
};

static struct stub_answer in_turn(void *self, const struct stub_call *call, size_t number)
{
    (void)call;
    const struct script *s = self;
    return s->answers[number < s->count ? number : s->count - 1];
}

/** How often the text occurs. */
static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

static size_t events_of(const struct stub_call *call)
{
    return count_of(call->body, "\"specversion\"");
}

static bool has_event(const struct stub_call *call, int64_t offset)
{
    CLEANUP(memory_free_pointer)
    char *id = memory_format("\"id\":\"" CASE_TOPIC "-0-%lld\"", (long long)offset);
    return strstr(call->body, id) != NULL;
}

/** A function with batches of `events`, one call at a time. */
static struct function_config *batch_config(const struct bridge_case *c, int64_t events)
{
    struct function_config *config = case_config(c, "fn");
    config->payload = FUNCTION_PAYLOAD_CLOUDEVENTS_BATCH;
    config->delivery.concurrency = 1;
    config->delivery.batch.events = events;
    config->delivery.batch.window_us = 60 * CLOCK_US_PER_S;
    return config;
}

#define ITEM(id) "{\"itemIdentifier\":" id "}"
#define FAILED(list) "{\"batchItemFailures\":[" list "]}"

static void only_the_events_that_the_response_names_are_sent_again(void **state)
{
    (void)state;
    static const struct stub_answer ANSWERS[] = {
        {.status = 200,
         .body = FAILED(
             ITEM("\"" CASE_TOPIC "-0-1\"") "," ITEM("{\"partition\":\"" CASE_TOPIC "-0\",\"offset\":3}"))},
        {.status = 202, .body = FAILED(ITEM("\"" CASE_TOPIC "-0-3\""))},
        {.status = 204},
    };
    struct script script = {ANSWERS, COUNT_OF(ANSWERS)};
    struct bridge_case c;
    case_start(&c, in_turn, &script);
    struct function_config *config = batch_config(&c, 4);
    config->delivery.batch.partial_failures = true;
    case_apply(&c, config);
    case_distinct_changes(&c, 4, 1);
    case_run_until(&c, case_has_settled, 4);
    assert_int_equal(stub_function_count(c.stub), 3);
    assert_int_equal(events_of(stub_function_call(c.stub, 0)), 4);
    assert_int_equal(events_of(stub_function_call(c.stub, 1)), 2);
    assert_true(has_event(stub_function_call(c.stub, 1), 1) && has_event(stub_function_call(c.stub, 1), 3));
    assert_int_equal(events_of(stub_function_call(c.stub, 2)), 1);
    assert_true(has_event(stub_function_call(c.stub, 2), 3));
    assert_int_equal(case_metric(&c, "millrace_function_events_total{function=\"fn\",outcome=\"delivered\"}"),
                     4);
    assert_int_equal(case_metric(&c, "millrace_function_retries_total{function=\"fn\","
                                     "reason=\"item_failure\"}"),
                     2);
    case_drain(&c);
    assert_int_equal(case_committed(&c, "fn"), 4);
    case_stop(&c);
}

/** Reported events use up their own attempts, and their dead letters say what happened. */
static void a_named_event_uses_up_its_own_attempts(void **state)
{
    (void)state;
    static const struct stub_answer ANSWERS[] = {
        {.status = 200, .body = FAILED(ITEM("\"" CASE_TOPIC "-0-2\""))},
    };
    struct script script = {ANSWERS, COUNT_OF(ANSWERS)};
    struct bridge_case c;
    case_start(&c, in_turn, &script);
    struct function_config *config = batch_config(&c, 3);
    config->delivery.batch.partial_failures = true;
    config->delivery.retry.attempts = 3;
    case_apply(&c, config);
    case_distinct_changes(&c, 3, 1);
    case_run_until(&c, case_has_settled, 3);
    assert_int_equal(stub_function_count(c.stub), 3);
    CLEANUP(memory_free_pointer) char *dead = case_read_topic(&c, "millrace.dlq.fn", 1);
    assert_non_null(strstr(dead, "millrace.dlq.offset=2;"));
    assert_non_null(strstr(dead, "millrace.dlq.attempts=3;"));
    assert_non_null(strstr(dead, "named the event in batchItemFailures"));
    case_drain(&c);
    case_stop(&c);
}

/** A function that stops at the first failure. */
static struct stub_answer stops_at_offset_0(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)number;
    const char *body = has_event(call, 0) ? FAILED(ITEM("\"" CASE_TOPIC "-0-0\"") "," ITEM(
                                                "\"" CASE_TOPIC "-0-1\"") "," ITEM("\"" CASE_TOPIC "-0-2\""))
                                          : "{}";
    return (struct stub_answer){.status = 200, .body = body};
}

static void the_events_behind_a_named_one_use_up_no_attempt(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, stops_at_offset_0, NULL);
    struct function_config *config = batch_config(&c, 3);
    config->delivery.batch.partial_failures = true;
    config->delivery.batch.window_us = 0;
    config->delivery.retry.attempts = 2;
    case_numbered_changes(&c, 3, 1);
    case_apply(&c, config);
    case_run_until(&c, case_has_settled, 3);
    CLEANUP(memory_free_pointer) char *dead = case_read_topic(&c, "millrace.dlq.fn", 1);
    assert_non_null(strstr(dead, "millrace.dlq.offset=0;"));
    assert_non_null(strstr(dead, "millrace.dlq.attempts=2;"));
    assert_int_equal(case_metric(&c, "millrace_function_events_total{function=\"fn\",outcome=\"delivered\"}"),
                     2);
    case_drain(&c);
    case_stop(&c);
}

static void an_invalid_body_fails_the_whole_batch(void **state)
{
    (void)state;
    static const struct stub_answer ANSWERS[] = {
        {.status = 200, .body = "<html>ok</html>"},
        {.status = 200, .body = FAILED(ITEM("\"" CASE_TOPIC "-0-1\"") "," ITEM("\"nobody\""))},
        {.status = 200, .body = FAILED("{\"itemId\":\"" CASE_TOPIC "-0-1\"}")},
        {.status = 200, .garbage_bytes = 1 << 20},
        {.status = 200, .garbage_bytes = 8 << 20},  // is not read to its end
        {.status = 200, .body = "{}"},
    };
    struct script script = {ANSWERS, COUNT_OF(ANSWERS)};
    struct bridge_case c;
    case_start(&c, in_turn, &script);
    struct function_config *config = batch_config(&c, 3);
    config->delivery.batch.partial_failures = true;
    config->delivery.on_failure.bisect = false;
    case_apply(&c, config);
    case_distinct_changes(&c, 3, 1);
    case_run_until(&c, case_has_settled, 3);
    assert_int_equal(stub_function_count(c.stub), COUNT_OF(ANSWERS));
    for (size_t i = 0; i < COUNT_OF(ANSWERS); i++) {
        assert_int_equal(events_of(stub_function_call(c.stub, i)), 3);
    }
    assert_int_equal(case_metric(&c, "millrace_function_invalid_responses_total{function=\"fn\"}"), 5);
    assert_int_equal(case_metric(&c, "millrace_function_cut_responses_total{function=\"fn\"}"), 1);
    case_drain(&c);
    case_stop(&c);
}

static void a_body_is_ignored_while_partial_failures_are_off(void **state)
{
    (void)state;
    static const struct stub_answer ANSWERS[] = {
        {.status = 200, .body = FAILED(ITEM("\"" CASE_TOPIC "-0-1\""))},
        {.status = 200, .garbage_bytes = 8 << 20},  // is not read to its end
    };
    struct script script = {ANSWERS, COUNT_OF(ANSWERS)};
    struct bridge_case c;
    case_start(&c, in_turn, &script);
    case_apply(&c, batch_config(&c, 2));
    case_distinct_changes(&c, 4, 1);
    case_run_until(&c, case_has_settled, 4);
    assert_int_equal(stub_function_count(c.stub), 2);
    assert_int_equal(case_metric(&c, "millrace_function_cut_responses_total{function=\"fn\"}"), 1);
    case_drain(&c);
    case_stop(&c);
}

static struct stub_answer fails_for_offset_5(void *self, const struct stub_call *call, size_t number)
{
    (void)number;
    return (struct stub_answer){.status = has_event(call, 5) ? *(int *)self : 200};
}

/** The calls that carried the event with offset 5, and how many events each of them had. */
static size_t calls_with_5(const struct bridge_case *c, size_t *events, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < stub_function_count(c->stub); i++) {
        const struct stub_call *call = stub_function_call(c->stub, i);
        if (has_event(call, 5)) {
            assert_true(count < max);
            events[count++] = events_of(call);
        }
    }
    return count;
}

static void a_batch_that_fails_is_halved_until_the_event_is_alone(void **state)
{
    (void)state;
    static const size_t SIZES[] = {8, 4, 2, 1, 1};  // splits use up no attempt: two are left for the event
    int status = 500;
    struct bridge_case c;
    case_start(&c, fails_for_offset_5, &status);
    struct function_config *config = batch_config(&c, 8);
    config->delivery.retry.attempts = 2;
    case_apply(&c, config);
    case_distinct_changes(&c, 8, 1);
    case_run_until(&c, case_has_settled, 8);
    size_t events[COUNT_OF(SIZES)];
    assert_int_equal(calls_with_5(&c, events, COUNT_OF(SIZES)), COUNT_OF(SIZES));
    for (size_t i = 0; i < COUNT_OF(SIZES); i++) {
        assert_int_equal(events[i], SIZES[i]);
    }
    assert_int_equal(case_metric(&c, "millrace_function_bisected_batches_total{function=\"fn\"}"), 3);
    CLEANUP(memory_free_pointer) char *dead = case_read_topic(&c, "millrace.dlq.fn", 1);
    assert_non_null(strstr(dead, "millrace.dlq.offset=5;"));
    assert_non_null(strstr(dead, "millrace.dlq.reason=attempts_exhausted;"));
    assert_non_null(strstr(dead, "millrace.dlq.attempts=2;"));
    case_drain(&c);
    case_stop(&c);
}

static void without_bisect_a_batch_fails_as_a_whole(void **state)
{
    (void)state;
    static const struct {
        int status;
        size_t calls;
        const char *reason;
    } CASES[] = {{422, 1, "millrace.dlq.reason=rejected;"},
                 {500, 2, "millrace.dlq.reason=attempts_exhausted;"}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        int status = CASES[i].status;
        struct bridge_case c;
        case_start(&c, fails_for_offset_5, &status);
        struct function_config *config = batch_config(&c, 8);
        config->delivery.retry.attempts = 2;
        config->delivery.on_failure.bisect = false;
        case_apply(&c, config);
        case_distinct_changes(&c, 8, 1);
        case_run_until(&c, case_has_settled, 8);
        assert_int_equal(stub_function_count(c.stub), CASES[i].calls);
        CLEANUP(memory_free_pointer) char *dead = case_read_topic(&c, "millrace.dlq.fn", 8);
        assert_int_equal(count_of(dead, CASES[i].reason), 8);
        case_drain(&c);
        case_stop(&c);
    }
}

static void a_batch_by_key_holds_one_key(void **state)
{
    (void)state;
    static const struct stub_answer ANSWERS[] = {{.status = 200}};
    struct script script = {ANSWERS, COUNT_OF(ANSWERS)};
    struct bridge_case c;
    case_start(&c, in_turn, &script);
    struct function_config *config = batch_config(&c, 3);
    config->delivery.batch.by_key = true;
    for (int64_t i = 0; i < 6; i++) {
        case_change(&c, 1 + i % 2, 'c', "x");
    }
    case_apply(&c, config);
    case_run_until(&c, case_has_settled, 6);
    assert_int_equal(stub_function_count(c.stub), 2);
    for (size_t i = 0; i < 2; i++) {
        const struct stub_call *call = stub_function_call(c.stub, i);
        assert_int_equal(events_of(call), 3);
        assert_int_equal(count_of(call->body, "\"after\":{\"id\":1,") % 3, 0);
    }
    case_drain(&c);
    case_stop(&c);
}

/** The call ends before the event that can't be sent: those of the key behind it wait for its dead letter. */
static void no_event_overtakes_one_whose_dead_letter_is_being_stored(void **state)
{
    (void)state;
    static const struct stub_answer ANSWERS[] = {{.status = 200}};
    struct script script = {ANSWERS, COUNT_OF(ANSWERS)};
    struct bridge_case c;
    case_start(&c, in_turn, &script);
    case_keyed_change(&c, slice_of("k"), 1, 'c', "x");
    case_raw(&c, slice_of("k"), slice_of("not Avro"));
    case_keyed_change(&c, slice_of("k"), 1, 'u', "y");
    case_apply(&c, batch_config(&c, 3));
    case_run_until(&c, case_has_calls, 1);
    const struct stub_call *call = stub_function_call(c.stub, 0);
    assert_int_equal(events_of(call), 1);
    assert_true(has_event(call, 0));
    case_distinct_changes(&c, 2, 2);
    case_run_until(&c, case_has_settled, 5);
    assert_int_equal(stub_function_count(c.stub), 2);
    assert_true(has_event(stub_function_call(c.stub, 1), 2));
    CLEANUP(memory_free_pointer) char *dead = case_read_topic(&c, "millrace.dlq.fn", 1);
    assert_int_equal(count_of(dead, "millrace.dlq.offset=1;"), 1);
    case_drain(&c);
    case_stop(&c);
}

static bool has_error(struct bridge_case *c, int64_t n)
{
    CLEANUP(bytes_clear) struct bytes status = {0};
    bridge_status(c->bridge, &status);
    bool is_error = strstr(bytes_text(&status), "\"last_error\":\"the function answered 422\"") != NULL;
    return is_error == (n != 0);
}

/** No later call has to succeed for that. */
static void the_error_ends_when_nothing_that_failed_is_left(void **state)
{
    (void)state;
    static const struct stub_answer ANSWERS[] = {{.status = 422}, {.status = 422, .is_held = true}};
    struct script script = {ANSWERS, COUNT_OF(ANSWERS)};
    struct bridge_case c;
    case_start(&c, in_turn, &script);
    case_apply(&c, case_config(&c, "fn"));
    case_distinct_changes(&c, 2, 1);
    case_run_until(&c, case_has_settled, 1);
    case_run_until(&c, has_error, 1);  // another call runs
    stub_function_release(c.stub);
    case_run_until(&c, case_has_settled, 2);
    assert_true(has_error(&c, 0));
    case_drain(&c);
    case_stop(&c);
}

static void the_file_says_what_a_status_means(void **state)
{
    (void)state;
    static const struct stub_answer ANSWERS[] = {{.status = 202}, {.status = 418}, {.status = 409}};
    struct script script = {ANSWERS, COUNT_OF(ANSWERS)};
    struct bridge_case c;
    case_start(&c, in_turn, &script);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.retry.attempts = 2;
    status_table_set(&config->delivery.retry.statuses, (struct status_range){202, 202}, STATUS_RETRY);
    status_table_set(&config->delivery.retry.statuses, (struct status_range){418, 418}, STATUS_THROTTLE);
    status_table_set(&config->delivery.retry.statuses, (struct status_range){409, 409}, STATUS_DONE);
    case_apply(&c, config);
    case_change(&c, 1, 'c', "x");
    case_run_until(&c, case_has_settled, 1);
    assert_int_equal(stub_function_count(c.stub), 3);
    assert_int_equal(case_metric(&c, "millrace_function_events_total{function=\"fn\",outcome=\"delivered\"}"),
                     1);
    case_drain(&c);
    case_stop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_events_that_the_response_names_are_sent_again),
        cmocka_unit_test(a_named_event_uses_up_its_own_attempts),
        cmocka_unit_test(the_events_behind_a_named_one_use_up_no_attempt),
        cmocka_unit_test(an_invalid_body_fails_the_whole_batch),
        cmocka_unit_test(a_body_is_ignored_while_partial_failures_are_off),
        cmocka_unit_test(a_batch_that_fails_is_halved_until_the_event_is_alone),
        cmocka_unit_test(without_bisect_a_batch_fails_as_a_whole),
        cmocka_unit_test(a_batch_by_key_holds_one_key),
        cmocka_unit_test(no_event_overtakes_one_whose_dead_letter_is_being_stored),
        cmocka_unit_test(the_error_ends_when_nothing_that_failed_is_left),
        cmocka_unit_test(the_file_says_what_a_status_means),
    };
    return case_run_part(tests, COUNT_OF(tests));
}
