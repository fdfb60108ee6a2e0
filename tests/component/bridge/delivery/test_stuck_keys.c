// A key whose calls fail or are throttled does not delay other keys, however many events it has.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/intake/progress.h"
#include "core/base/clock.h"
#include "tests/component/bridge/bridge_case.h"

enum { STUCK = 1, OTHERS = 100, FIRST_OTHER = 1000 };

// The linker puts this in place of progress.c's: every log counts as one that another log was before, so that
// the tickets of events differ from their offsets.
enum { OFFSETS_BEFORE = 1 << 20 };
void __real_progress_init(struct progress *p, int64_t committed);
void __wrap_progress_init(struct progress *p, int64_t committed);

void __wrap_progress_init(struct progress *p, int64_t committed)
{
    __real_progress_init(p, committed);
    p->base += OFFSETS_BEFORE;
    p->next += OFFSETS_BEFORE;
}

/** How the function treats the stuck key, and what it has received. */
struct script {
    struct stub_answer stuck;  // the response to key STUCK; status 200 ends its failure
    bool is_called[OTHERS];
    int others_called;  // how many of them
    int other_calls;    // and how often
    int delivered;      // of the stuck key, in order
    bool is_out_of_order;
};

static int64_t id_of(const struct stub_call *call)
{
    const char *at = strstr(call->body, "\"after\":{\"id\":");
    return at == NULL ? -1 : strtoll(at + strlen("\"after\":{\"id\":"), NULL, 10);
}

static struct stub_answer answer(void *self, const struct stub_call *call, size_t number)
{
    (void)number;
    struct script *s = self;
    int64_t id = id_of(call);
    if (id >= FIRST_OTHER) {
        s->other_calls++;
        s->others_called += s->is_called[id - FIRST_OTHER] ? 0 : 1;
        s->is_called[id - FIRST_OTHER] = true;
        return (struct stub_answer){.status = 200};
    }
    CLEANUP(memory_free_pointer) char *next = memory_format("\"note\":\"n%d\"", s->delivered);
    s->is_out_of_order |= strstr(call->body, next) == NULL;
    s->delivered += s->stuck.status == 200 ? 1 : 0;
    return s->stuck;
}

static bool have_others_been_called(struct bridge_case *c, int64_t n)
{
    return stub_function_count(c->stub) > 0 && ((struct script *)c->script)->others_called >= n;
}

static bool has_delivered(struct bridge_case *c, int64_t n)
{
    return ((struct script *)c->script)->delivered >= n;
}

static void change_others(struct bridge_case *c)
{
    for (int i = 0; i < OTHERS; i++) {
        case_change(c, FIRST_OTHER + i, 'c', "x");
    }
}

static void others_are_called_while_one_fails(int stuck_events, int64_t concurrency, struct stub_answer stuck)
{
    struct bridge_case c;
    struct script s = {.stuck = stuck};
    case_start(&c, answer, &s);
    case_numbered_changes(&c, stuck_events, STUCK);
    change_others(&c);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.concurrency = concurrency;
    config->delivery.retry.attempts = 1000000;
    case_apply(&c, config);
    case_run_until(&c, have_others_been_called, OTHERS);
    assert_int_equal(s.delivered, 0);
    s.stuck = (struct stub_answer){.status = 200};
    case_run_until(&c, case_has_settled, stuck_events + OTHERS);
    assert_int_equal(s.delivered, stuck_events);
    assert_false(s.is_out_of_order);
    case_drain(&c);
    assert_int_equal(case_committed(&c, "fn"), stuck_events + OTHERS);
    case_stop(&c);
}

static void a_failing_key_with_much_behind_it_stops_no_other(void **state)
{
    (void)state;
    others_are_called_while_one_fails(3000, 16, (struct stub_answer){.status = 500});
    others_are_called_while_one_fails(3000, 1, (struct stub_answer){.status = 500});
}

/** The stuck key is due whenever the limiter reopens, but never takes the other keys' turn. */
static void a_key_that_is_always_throttled_stops_no_other(void **state)
{
    (void)state;
    struct stub_answer throttled = {.status = 429, .headers = "Retry-After: 1\r\n"};
    others_are_called_while_one_fails(50, 1, throttled);
    others_are_called_while_one_fails(50, 16, throttled);
    others_are_called_while_one_fails(50, 1, (struct stub_answer){.status = 429});
}

/** How many keys fail before the others are called. */
enum { FAILING_KEYS = 3000 };

/** Fails all keys but those of `change_others`. */
static struct stub_answer answer_others(void *self, const struct stub_call *call, size_t number)
{
    struct script *s = self;
    return id_of(call) < FIRST_OTHER + OTHERS ? answer(self, call, number) : s->stuck;
}

static bool has_status(struct bridge_case *c, const char *text)
{
    CLEANUP(bytes_clear) struct bytes status = {0};
    bridge_status(c->bridge, &status);
    return strstr(bytes_text(&status), text) != NULL;
}

static bool is_throttled(struct bridge_case *c, int64_t n)
{
    (void)n;
    return has_status(c, "\"state\":\"throttled\"");
}

/** More keys fail than records fit into memory. */
static void however_many_keys_fail_the_others_are_called(void **state)
{
    (void)state;
    struct bridge_case c;
    struct script s = {.stuck = {.status = 500}};
    case_start(&c, answer_others, &s);
    case_distinct_changes(&c, FAILING_KEYS, FIRST_OTHER + OTHERS);
    change_others(&c);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.retry.attempts = 1000000;
    case_apply(&c, config);
    case_run_until(&c, have_others_been_called, OTHERS);
    s.stuck = (struct stub_answer){.status = 200};
    case_run_until(&c, case_has_settled, FAILING_KEYS + OTHERS);
    assert_true(has_status(&c, "\"last_error\":null"));
    assert_true(has_status(&c, "\"failing_events\":0"));
    case_drain(&c);
    assert_int_equal(case_committed(&c, "fn"), FAILING_KEYS + OTHERS);
    case_stop(&c);
}

/** By default the breaker opens, and probes that fail come in ever shorter intervals. The retries of the keys
 * that are known to fail do not open it again. */
static void however_many_keys_fail_the_breaker_probes_the_others_soon(void **state)
{
    (void)state;
    enum { FAILING = 300, BREAKER = 100, RETRIES = 150 };
    struct bridge_case c;
    struct script s = {.stuck = {.status = 500}};
    case_start(&c, answer_others, &s);
    case_distinct_changes(&c, FAILING, FIRST_OTHER + OTHERS);
    change_others(&c);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.retry.attempts = 1000000;
    config->delivery.retry.backoff.initial_us = 30 * CLOCK_US_PER_S;
    config->delivery.retry.backoff.max_us = 60 * CLOCK_US_PER_S;
    config->delivery.breaker.failures = BREAKER;
    case_apply(&c, config);
    case_run_until(&c, is_throttled, 0);
    assert_true(has_status(&c, "\"breaker\":\"failing\""));
    case_run_until(&c, have_others_been_called, OTHERS);
    assert_true(stub_function_count(c.stub) <= FAILING + OTHERS + RETRIES);
    assert_true(has_status(&c, "\"breaker\":\"closed\""));
    case_stop(&c);
}

/** All of them are due again before the others are read, and fill the memory. */
static void retries_that_are_due_leave_room_for_untried_events(void **state)
{
    (void)state;
    enum { FAILING = 1400, FEW = 900, BREAKER = 100 };
    struct bridge_case c;
    struct script s = {.stuck = {.status = 500}};
    case_start(&c, answer_others, &s);
    case_distinct_changes(&c, FAILING, FIRST_OTHER + OTHERS);
    change_others(&c);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.retry.attempts = 1000000;
    config->delivery.retry.backoff.initial_us = config->delivery.retry.backoff.max_us = 2 * CLOCK_US_PER_S;
    config->delivery.breaker.failures = BREAKER;
    case_apply(&c, config);
    case_run_until(&c, case_has_calls, FEW);
    case_run_until(&c, have_others_been_called, OTHERS);
    case_stop(&c);
}

/** Throttles key STUCK. */
static struct stub_answer throttle_stuck(void *self, const struct stub_call *call, size_t number)
{
    return id_of(call) == STUCK ? ((struct script *)self)->stuck : answer(self, call, number);
}

static void without_order_the_throttled_events_of_one_key_stop_no_other(void **state)
{
    (void)state;
    enum { EVENTS = 50 };
    struct bridge_case c;
    struct script s = {.stuck = {.status = 429, .headers = "Retry-After: 5\r\n"}};
    case_start(&c, throttle_stuck, &s);
    case_numbered_changes(&c, EVENTS, STUCK);
    change_others(&c);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.order = FUNCTION_ORDER_NONE;
    config->delivery.concurrency = 1;
    case_apply(&c, config);
    case_run_until(&c, have_others_been_called, OTHERS);
    assert_int_equal(s.other_calls, OTHERS);
    assert_true(
        case_metric(&c, "millrace_function_throttled_seconds_total{function=\"fn\",reason=\"endpoint\"} ") ==
        0);
    case_stop(&c);
}

/** The function goes and comes back, with a new member of its group, while all but one event wait as tickets:
 * the other keys' events, which are settled behind them, are not delivered again. */
static void a_restart_in_between_changes_nothing(void **state)
{
    (void)state;
    enum { EVENTS = 3000 };
    struct bridge_case c;
    struct script s = {.stuck = {.status = 500}};
    case_start(&c, answer, &s);
    case_numbered_changes(&c, EVENTS, STUCK);
    change_others(&c);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.retry.attempts = 1000000;
    case_apply(&c, config);
    case_run_until(&c, have_others_been_called, OTHERS);
    bridge_apply(c.bridge, NULL, 0);
    config = case_config(&c, "fn");
    config->delivery.retry.attempts = 1000000;
    case_apply(&c, config);
    size_t calls = stub_function_count(c.stub);
    case_run_until(&c, case_has_calls, (int64_t)calls + 1);
    assert_int_equal(s.delivered, 0);
    s.stuck = (struct stub_answer){.status = 200};
    case_run_until(&c, has_delivered, EVENTS);
    assert_false(s.is_out_of_order);
    case_drain(&c);
    assert_int_equal(s.other_calls, OTHERS);
    assert_int_equal(case_committed(&c, "fn"), EVENTS + OTHERS);
    case_stop(&c);
}

/** Keys 0 and 1 are throttled and all other calls held, until it is open. */
static struct stub_answer throttles_two_and_holds_others(void *self, const struct stub_call *call,
                                                         size_t number)
{
    (void)number;
    if (*(bool *)self) {
        return (struct stub_answer){.status = 200, .delay_ms = 100};
    }
    return id_of(call) < 2 ? (struct stub_answer){.status = 429, .headers = "Retry-After: 1\r\n"}
                           : (struct stub_answer){.status = 200, .is_held = true};
}

static void answers_to_calls_from_before_a_throttle_let_no_more_calls_through(void **state)
{
    (void)state;
    struct bridge_case c;
    bool is_open = false;
    case_start(&c, throttles_two_and_holds_others, &is_open);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.concurrency = 8;
    case_apply(&c, config);
    for (int64_t key = 2; key < 8; key++) {
        case_change(&c, key, 'c', "x");
    }
    case_run_until(&c, case_has_calls, 6);
    case_change(&c, 0, 'c', "x");
    case_change(&c, 1, 'c', "x");
    case_run_until(&c, is_throttled, 0);
    size_t before = stub_function_count(c.stub);
    for (int64_t key = 8; key < 16; key++) {
        case_change(&c, key, 'c', "x");
    }
    is_open = true;
    stub_function_release(c.stub);
    case_run_until(&c, case_has_settled, 16);
    const struct stub_call *probe = stub_function_call(c.stub, before);
    assert_true(stub_function_call(c.stub, before + 1)->at_us >= probe->answered_us);
    case_stop(&c);
}

/** The attempts that an event has used up are used up for the next member, too. */
static void attempts_survive_a_restart(void **state)
{
    (void)state;
    enum { ATTEMPTS = 7, BEFORE = 3 };
    struct bridge_case c;
    struct script s = {.stuck = {.status = 500}};
    case_start(&c, answer, &s);
    case_numbered_changes(&c, 1, STUCK);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.retry.attempts = ATTEMPTS;
    case_apply(&c, config);
    case_run_until(&c, case_has_calls, BEFORE);
    bridge_apply(c.bridge, NULL, 0);
    config = case_config(&c, "fn");
    config->delivery.retry.attempts = ATTEMPTS;
    case_apply(&c, config);
    case_run_until(&c, case_has_settled, 1);
    assert_int_equal(stub_function_count(c.stub), ATTEMPTS);
    CLEANUP(memory_free_pointer) char *dead = case_read_topic(&c, "millrace.dlq.fn", 1);
    assert_non_null(strstr(dead, "millrace.dlq.reason=attempts_exhausted;"));
    assert_non_null(strstr(dead, "millrace.dlq.attempts=7;"));
    case_stop(&c);
}

/** Its dead letter was pending, or the limit was lowered. */
static void used_up_attempts_are_no_call_more_after_a_restart(void **state)
{
    (void)state;
    enum { BEFORE = 3 };
    struct bridge_case c;
    struct script s = {.stuck = {.status = 500}};
    case_start(&c, answer, &s);
    case_numbered_changes(&c, 1, STUCK);
    case_apply(&c, case_config(&c, "fn"));
    case_run_until(&c, case_has_calls, BEFORE);
    bridge_apply(c.bridge, NULL, 0);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.retry.attempts = BEFORE;
    case_apply(&c, config);
    case_run_until(&c, case_has_settled, 1);
    assert_int_equal(stub_function_count(c.stub), BEFORE);
    CLEANUP(memory_free_pointer) char *dead = case_read_topic(&c, "millrace.dlq.fn", 1);
    assert_non_null(strstr(dead, "millrace.dlq.reason=attempts_exhausted;"));
    assert_non_null(strstr(dead, "millrace.dlq.attempts=3;"));
    assert_non_null(strstr(dead, "used up before a restart"));
    case_stop(&c);
}

enum { ALTERNATING = 4000 };

/** Fails every second key; counts calls by key. */
static struct stub_answer fails_every_second(void *self, const struct stub_call *call, size_t number)
{
    (void)number;
    int *calls = self;
    int64_t id = id_of(call);
    calls[id]++;
    return (struct stub_answer){.status = id % 2 == 0 ? 200 : 500};
}

static struct function_config *config_of_alternating(const struct bridge_case *c)
{
    struct function_config *config = case_config(c, "fn");
    config->delivery.retry.attempts = 3;
    // Six years and full jitter: none is due again.
    config->delivery.retry.backoff.initial_us = config->delivery.retry.backoff.max_us =
        INT64_C(200000000) * CLOCK_US_PER_S;
    return config;
}

static bool has_failing(struct bridge_case *c, int64_t n)
{
    CLEANUP(memory_free_pointer) char *text = memory_format("\"failing_events\":%d,", (int)n);
    return has_status(c, text);
}

/** What is known beyond the offset fits into no metadata: it is spilled, and a restart repeats nothing and
 * gives no event its attempts again. */
static void what_outgrows_the_metadata_survives_a_restart(void **state)
{
    (void)state;
    static int calls[ALTERNATING + 2];
    memset(calls, 0, sizeof(calls));
    struct bridge_case c;
    case_start(&c, fails_every_second, calls);
    case_distinct_changes(&c, ALTERNATING, 1);
    case_apply(&c, config_of_alternating(&c));
    case_run_until(&c, has_failing, ALTERNATING / 2);
    case_run_until(&c, case_has_settled, ALTERNATING / 2);
    bridge_apply(c.bridge, NULL, 0);
    case_apply(&c, config_of_alternating(&c));
    case_run_until(&c, has_failing, 0);
    case_run_until(&c, has_failing, ALTERNATING / 2);
    for (int id = 1; id <= ALTERNATING; id++) {
        if (calls[id] != 1) {
            print_message("key %d: %d calls\n", id, calls[id]);
        }
        assert_int_equal(calls[id], 1);
    }
    case_stop(&c);
}

enum { FIRST = 1, NEXT = 2, USED_UP = 3 };

/** Fails key FIRST, holds its last attempt, and then fails key NEXT. */
static struct stub_answer holds_the_last_attempt(void *self, const struct stub_call *call, size_t number)
{
    (void)number;
    int64_t *first_calls = self;
    if (id_of(call) == FIRST && ++*first_calls > USED_UP) {
        return (struct stub_answer){.status = 200, .is_held = true};
    }
    return (struct stub_answer){.status = 500};
}

static bool holds_events(struct bridge_case *c, int64_t n)
{
    CLEANUP(memory_free_pointer) char *text = memory_format("\"held_events\":%d,", (int)n);
    return has_status(c, text);
}

static bool has_dead_lettered(struct bridge_case *c, int64_t n)
{
    return case_metric(c, "millrace_function_events_total{function=\"fn\",outcome=\"dead_lettered\"}") >= n;
}

/** The last attempt succeeds while the partition is given back: the next event has all of its own. */
static void attempts_of_a_settled_event_are_never_those_of_the_next(void **state)
{
    (void)state;
    struct bridge_case c;
    int64_t first_calls = 0;
    case_start(&c, holds_the_last_attempt, &first_calls);
    case_change(&c, FIRST, 'c', "x");
    struct function_config *config = case_config(&c, "fn");
    config->delivery.retry.attempts = USED_UP + 1;
    config->delivery.concurrency = 1;
    case_apply(&c, config);
    case_run_until(&c, case_has_calls, USED_UP + 1);
    case_change(&c, NEXT, 'c', "x");
    case_run_until(&c, holds_events, 2);
    bridge_apply(c.bridge, NULL, 0);
    case_run_until(&c, holds_events, 1);  // of the revoked partition only the event whose call runs is left
    stub_function_release(c.stub);
    config = case_config(&c, "fn");
    config->delivery.retry.attempts = USED_UP + 1;
    case_apply(&c, config);
    case_run_until(&c, has_dead_lettered, 1);
    assert_int_equal(first_calls, USED_UP + 1);
    assert_int_equal(stub_function_count(c.stub), 2 * (USED_UP + 1));
    case_stop(&c);
}

/** Throttles key FIRST for a minute, once it is released. */
static struct stub_answer throttles_late(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)number;
    return id_of(call) == FIRST
               ? (struct stub_answer){.status = 429, .headers = "Retry-After: 60\r\n", .is_held = true}
               : (struct stub_answer){.status = 200};
}

/** The endpoint asks for it while the partition is given back; the next owner obeys. */
static void a_revoked_event_waits_as_long_as_it_was_asked_to(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, throttles_late, NULL);
    case_apply(&c, case_config(&c, "fn"));
    case_change(&c, FIRST, 'c', "x");
    case_run_until(&c, case_has_calls, 1);
    case_change(&c, FIRST, 'c', "x");
    case_run_until(&c, holds_events, 2);
    bridge_apply(c.bridge, NULL, 0);
    case_run_until(&c, holds_events, 1);
    stub_function_release(c.stub);
    case_change(&c, NEXT, 'c', "x");
    case_apply(&c, case_config(&c, "fn"));
    case_run_until(&c, case_has_calls, 2);
    assert_int_equal(id_of(stub_function_call(c.stub, 1)), NEXT);
    case_stop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failing_key_with_much_behind_it_stops_no_other),
        cmocka_unit_test(a_key_that_is_always_throttled_stops_no_other),
        cmocka_unit_test(answers_to_calls_from_before_a_throttle_let_no_more_calls_through),
        cmocka_unit_test(however_many_keys_fail_the_breaker_probes_the_others_soon),
        cmocka_unit_test(retries_that_are_due_leave_room_for_untried_events),
        cmocka_unit_test(without_order_the_throttled_events_of_one_key_stop_no_other),
        cmocka_unit_test(however_many_keys_fail_the_others_are_called),
        cmocka_unit_test(a_restart_in_between_changes_nothing),
        cmocka_unit_test(attempts_survive_a_restart),
        cmocka_unit_test(used_up_attempts_are_no_call_more_after_a_restart),
        cmocka_unit_test(what_outgrows_the_metadata_survives_a_restart),
        cmocka_unit_test(attempts_of_a_settled_event_are_never_those_of_the_next),
        cmocka_unit_test(a_revoked_event_waits_as_long_as_it_was_asked_to),
    };
    return case_run_part(tests, COUNT_OF(tests));
}
