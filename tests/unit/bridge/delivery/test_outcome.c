// bridge/delivery/outcome: the status table, line by line.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/delivery/outcome.h"

#define SECOND INT64_C(1000000)

static const struct outcome_policy policy = {
    .attempts_max = 10, .max_age_us = 86400 * SECOND, .can_bisect = true};

static struct outcome judge_response(const struct response *r, uint32_t attempts)
{
    const struct retry_state retry = {.attempts = attempts};
    return outcome_of_event(outcome_judge(&policy, r, NULL, 1, NULL), &retry, SECOND, &policy);
}

static struct outcome judge(int status, int64_t retry_after_us, uint32_t attempts)
{
    struct response r = {.status = status, .retry_after_us = retry_after_us};
    return judge_response(&r, attempts);
}

static struct outcome judge_transport(bool is_sent, bool is_timeout, uint32_t attempts)
{
    struct response r = {.transport = {.kind = FAULT_RETRY}, .is_sent = is_sent, .is_timeout = is_timeout};
    return judge_response(&r, attempts);
}

static void any_2xx_is_done(void **state)
{
    (void)state;
    for (int status = 200; status <= 299; status++) {
        assert_int_equal(judge(status, -1, 9).kind, OUTCOME_DONE);
        assert_int_equal(judge(status, 5 * SECOND, 0).kind, OUTCOME_DONE);  // Retry-After is ignored
    }
}

static void every_other_status_is_as_the_table_says(void **state)
{
    (void)state;
    for (int status = 100; status <= 999; status++) {
        if (status >= 200 && status <= 299) {
            continue;
        }
        struct outcome o = judge(status, -1, 0);
        bool is_retried = status >= 500 || status == 401 || status == 403 || status == 404 || status == 408 ||
                          status == 409 || status == 425;
        enum outcome_kind kind = status == 429 ? OUTCOME_THROTTLE : is_retried ? OUTCOME_RETRY : OUTCOME_DEAD;
        assert_int_equal(o.kind, kind);
        assert_int_equal(o.is_attempt, kind != OUTCOME_THROTTLE);
        if (kind == OUTCOME_DEAD) {
            assert_string_equal(o.reason, status >= 300 && status <= 399 ? "redirect" : "rejected");
        }
    }
}

static void a_throttle_consumes_no_attempt_however_many_there_were(void **state)
{
    (void)state;
    assert_int_equal(judge(429, -1, 9).kind, OUTCOME_THROTTLE);
    assert_false(judge(429, -1, 9).is_attempt);
    assert_int_equal(judge(503, 7 * SECOND, 9).kind, OUTCOME_THROTTLE);
    assert_int_equal(judge(503, 7 * SECOND, 9).wait_us, 7 * SECOND);
    assert_int_equal(judge(503, -1, 0).kind, OUTCOME_RETRY);
    assert_true(judge(503, -1, 0).is_attempt);
}

static void retry_after_is_capped_and_zero_counts_as_absent(void **state)
{
    (void)state;
    assert_int_equal(judge(429, 365 * 86400 * SECOND, 0).wait_us, 300 * SECOND);
    assert_int_equal(judge(429, 0, 0).wait_us, 0);
    assert_int_equal(judge(429, -1, 0).wait_us, 0);
    assert_int_equal(judge(503, 0, 0).kind, OUTCOME_RETRY);
}

static void what_was_never_sent_consumes_no_attempt(void **state)
{
    (void)state;
    assert_int_equal(judge_transport(false, false, 9).kind, OUTCOME_UNREACHABLE);
    assert_false(judge_transport(false, false, 9).is_attempt);
    assert_string_equal(judge_transport(false, true, 0).reason, "unreachable");
    assert_int_equal(judge_transport(true, false, 0).kind, OUTCOME_RETRY);
    assert_true(judge_transport(true, false, 0).is_attempt);
    assert_string_equal(judge_transport(true, true, 0).reason, "timeout");
}

static void the_last_attempt_is_the_end(void **state)
{
    (void)state;
    assert_int_equal(judge(500, -1, 8).kind, OUTCOME_RETRY);
    assert_int_equal(judge(500, -1, 9).kind, OUTCOME_DEAD);
    assert_string_equal(judge(500, -1, 9).reason, "attempts_exhausted");
    assert_string_equal(judge_transport(true, true, 9).reason, "attempts_exhausted");
}

static void an_old_event_expires_whatever_kept_it(void **state)
{
    (void)state;
    const struct retry_state retry = {.first_attempt_us = SECOND};
    const int64_t end_us = SECOND + policy.max_age_us;
    struct response throttled = {.status = 429};
    struct response refused = {.transport = {.kind = FAULT_RETRY}};
    struct response failed = {.status = 500};
    const struct response *all[] = {&throttled, &refused, &failed};
    for (size_t i = 0; i < 3; i++) {
        struct outcome o = outcome_judge(&policy, all[i], NULL, 1, NULL);
        assert_string_equal(outcome_of_event(o, &retry, end_us, &policy).reason, "expired");
        assert_int_equal(outcome_of_event(o, &retry, end_us, &policy).is_attempt, i == 2);
        assert_int_equal(outcome_of_event(o, &retry, end_us - 1, &policy).kind, o.kind);
    }
}

/** A call of several events: each has its own attempts. */
static void the_events_of_a_call_are_judged_one_by_one(void **state)
{
    (void)state;
    struct response r = {.status = 500};
    struct outcome call = outcome_judge(&policy, &r, NULL, 2, NULL);
    const struct retry_state fresh = {.attempts = 0};
    const struct retry_state tried = {.attempts = 9};
    assert_int_equal(outcome_of_event(call, &fresh, SECOND, &policy).kind, OUTCOME_RETRY);
    assert_string_equal(outcome_of_event(call, &tried, SECOND, &policy).reason, "attempts_exhausted");
}

/** Every status with every verdict, for a call of one event and of two, with and without bisecting. */
static void the_file_beats_the_table(void **state)
{
    (void)state;
    static const enum status_verdict VERDICTS[] = {STATUS_DONE, STATUS_RETRY, STATUS_THROTTLE, STATUS_DEAD};
    static const enum outcome_kind KINDS[] = {OUTCOME_DONE, OUTCOME_RETRY, OUTCOME_THROTTLE, OUTCOME_DEAD};
    for (int status = 100; status <= 599; status++) {
        for (size_t i = 0; i < COUNT_OF(VERDICTS) * 4; i++) {
            size_t count = 1 + i / 4 % 2;
            struct status_table statuses = {{0}};
            struct outcome_policy p = policy;
            p.can_bisect = i / 8 != 0;
            struct response r = {.status = status, .retry_after_us = -1};
            struct outcome without = outcome_judge(&p, &r, NULL, count, NULL);
            p.statuses = &statuses;
            assert_int_equal(outcome_judge(&p, &r, NULL, count, NULL).kind, without.kind);
            if (status < STATUS_FIRST) {
                continue;
            }
            status_table_set(&statuses, (struct status_range){status, status}, VERDICTS[i % 4]);
            struct outcome o = outcome_judge(&p, &r, NULL, count, NULL);
            bool is_redirect = status >= 300 && status <= 399;
            bool is_split = VERDICTS[i % 4] == STATUS_DEAD && count == 2 && p.can_bisect && !is_redirect;
            assert_int_equal(o.kind, is_split ? OUTCOME_BISECT : KINDS[i % 4]);
            assert_int_equal(o.is_attempt, !is_split && o.kind != OUTCOME_THROTTLE);
            assert_int_equal(outcome_may_bisect(&p, &o, count),
                             o.kind == OUTCOME_RETRY && count == 2 && p.can_bisect);
        }
    }
}

static void the_file_beats_the_kind_and_the_kind_the_table(void **state)
{
    (void)state;
    struct status_table kind = {{0}};
    struct status_table file = {{0}};
    struct outcome_policy p = policy;
    p.kind_statuses = &kind;
    p.statuses = &file;
    struct response r = {.status = 404, .retry_after_us = -1};
    assert_int_equal(outcome_judge(&p, &r, NULL, 1, NULL).kind, OUTCOME_RETRY);
    status_table_set(&kind, (struct status_range){404, 404}, STATUS_PAUSE);
    struct outcome o = outcome_judge(&p, &r, NULL, 1, NULL);
    assert_int_equal(o.kind, OUTCOME_UNREACHABLE);
    assert_false(o.is_attempt);
    assert_string_equal(o.reason, "404");
    status_table_set(&file, (struct status_range){404, 404}, STATUS_DONE);
    assert_int_equal(outcome_judge(&p, &r, NULL, 1, NULL).kind, OUTCOME_DONE);
}

/** Whatever on_failure.bisect says: the halves are smaller. */
static void what_a_kind_calls_too_large_is_halved_and_alone_oversize(void **state)
{
    (void)state;
    struct status_table kind = {{0}};
    status_table_set(&kind, (struct status_range){413, 413}, STATUS_SPLIT);
    struct outcome_policy p = policy;
    p.kind_statuses = &kind;
    p.can_bisect = false;
    const struct response r = {.status = 413, .retry_after_us = -1};
    struct outcome o = outcome_judge(&p, &r, NULL, 2, NULL);
    assert_int_equal(o.kind, OUTCOME_BISECT);
    assert_false(o.is_attempt);
    o = outcome_judge(&p, &r, NULL, 1, NULL);
    assert_int_equal(o.kind, OUTCOME_DEAD);
    assert_string_equal(o.reason, "oversize");
}

/** Not even a status that the file calls done is a success then. */
static void a_named_failure_is_a_failed_attempt_whatever_the_status(void **state)
{
    (void)state;
    struct status_table file = {{0}};
    status_table_set(&file, (struct status_range){200, 599}, STATUS_DONE);
    struct outcome_policy p = policy;
    p.statuses = &file;
    struct response r = {.status = 200, .failure = "function_error"};
    struct outcome o = outcome_judge(&p, &r, NULL, 1, NULL);
    assert_int_equal(o.kind, OUTCOME_RETRY);
    assert_true(o.is_attempt);
    assert_string_equal(o.reason, "function_error");
    const struct retry_state tried = {.attempts = 9};
    assert_string_equal(outcome_of_event(o, &tried, SECOND, &p).reason, "attempts_exhausted");
}

/** What would be retried is dead, what is done stays done, and what was not answered is not aborted. */
static void an_endpoint_may_stop_the_retries(void **state)
{
    (void)state;
    for (int status = 100; status <= 599; status++) {
        struct response r = {.status = status, .retry_after_us = 7 * SECOND};
        struct outcome without = outcome_judge(&policy, &r, NULL, 1, NULL);
        bool is_stopped = without.kind == OUTCOME_RETRY || without.kind == OUTCOME_THROTTLE;
        r.is_abort = true;
        struct outcome o = outcome_judge(&policy, &r, NULL, 1, NULL);
        assert_int_equal(o.kind, is_stopped ? OUTCOME_DEAD : without.kind);
        assert_int_equal(o.is_aborted, is_stopped);
        if (is_stopped) {
            assert_string_equal(o.reason, "rejected");
            assert_int_equal(outcome_judge(&policy, &r, NULL, 2, NULL).kind, OUTCOME_BISECT);
        }
    }
    struct status_table statuses = {{0}};
    status_table_set(&statuses, (struct status_range){202, 202}, STATUS_RETRY);
    struct outcome_policy p = policy;
    p.statuses = &statuses;
    struct response r = {.status = 202, .is_abort = true};
    assert_int_equal(outcome_judge(&p, &r, NULL, 1, NULL).kind, OUTCOME_DEAD);
    struct response lost = {.transport = {.kind = FAULT_RETRY}, .is_sent = true, .is_abort = true};
    assert_int_equal(outcome_judge(&policy, &lost, NULL, 1, NULL).kind, OUTCOME_RETRY);
}

static void what_uses_up_no_attempt_is_never_bisected(void **state)
{
    (void)state;
    struct response refused = {.transport = {.kind = FAULT_RETRY}};
    struct response timeout = {.transport = {.kind = FAULT_RETRY}, .is_sent = true, .is_timeout = true};
    struct response throttle = {.status = 429, .retry_after_us = -1};
    struct outcome o = outcome_judge(&policy, &refused, NULL, 2, NULL);
    assert_false(outcome_may_bisect(&policy, &o, 2));
    o = outcome_judge(&policy, &throttle, NULL, 2, NULL);
    assert_false(outcome_may_bisect(&policy, &o, 2));
    o = outcome_judge(&policy, &timeout, NULL, 2, NULL);
    assert_true(outcome_may_bisect(&policy, &o, 2));
}

static void a_rejected_batch_is_halved_down_to_the_event(void **state)
{
    (void)state;
    static const int STATUSES[] = {400, 413, 422};
    for (size_t i = 0; i < 3; i++) {
        struct response r = {.status = STATUSES[i], .retry_after_us = -1};
        struct outcome o = outcome_judge(&policy, &r, NULL, 2, NULL);
        assert_int_equal(o.kind, OUTCOME_BISECT);
        assert_false(o.is_attempt);
        const struct retry_state tried = {.attempts = 9};
        assert_int_equal(outcome_of_event(o, &tried, SECOND, &policy).kind, OUTCOME_BISECT);
        assert_int_equal(outcome_judge(&policy, &r, NULL, 1, NULL).kind, OUTCOME_DEAD);
    }
}

/** The metric says which of them it is. */
static void without_credentials_a_call_consumes_no_attempt(void **state)
{
    (void)state;
    struct response r = {.transport = {.kind = FAULT_RETRY}, .is_timeout = true, .failure = "credentials"};
    struct fault f;
    struct outcome o = outcome_judge(&policy, &r, NULL, 1, &f);
    assert_int_equal(o.kind, OUTCOME_UNREACHABLE);
    assert_false(o.is_attempt);
    assert_string_equal(o.reason, "credentials");
    r.failure = NULL;
    assert_string_equal(outcome_judge(&policy, &r, NULL, 1, &f).reason, "unreachable");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rejected_batch_is_halved_down_to_the_event),
        cmocka_unit_test(the_file_beats_the_table),
        cmocka_unit_test(the_file_beats_the_kind_and_the_kind_the_table),
        cmocka_unit_test(what_a_kind_calls_too_large_is_halved_and_alone_oversize),
        cmocka_unit_test(a_named_failure_is_a_failed_attempt_whatever_the_status),
        cmocka_unit_test(an_endpoint_may_stop_the_retries),
        cmocka_unit_test(what_uses_up_no_attempt_is_never_bisected),
        cmocka_unit_test(any_2xx_is_done),
        cmocka_unit_test(every_other_status_is_as_the_table_says),
        cmocka_unit_test(a_throttle_consumes_no_attempt_however_many_there_were),
        cmocka_unit_test(retry_after_is_capped_and_zero_counts_as_absent),
        cmocka_unit_test(what_was_never_sent_consumes_no_attempt),
        cmocka_unit_test(the_last_attempt_is_the_end),
        cmocka_unit_test(an_old_event_expires_whatever_kept_it),
        cmocka_unit_test(the_events_of_a_call_are_judged_one_by_one),
        cmocka_unit_test(without_credentials_a_call_consumes_no_attempt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
