// What an observer of the bridge is told of each call.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/component/bridge/bridge_case.h"

static struct {
    struct call_observer observer;
    int count;
    struct bytes text;  // a line for each event
} t;

bool __real_bridge_start(const struct bridge_params *params, struct bridge **ret, struct fault *f);
bool __wrap_bridge_start(const struct bridge_params *params, struct bridge **ret, struct fault *f);

bool __wrap_bridge_start(const struct bridge_params *params, struct bridge **ret, struct fault *f)
{
    struct bridge_params observed = *params;
    observed.observer = &t.observer;
    return __real_bridge_start(&observed, ret, f);
}

static void on_event(void *self, const struct observed_event *e)
{
    static const char *const ends[] = {"delivered", "retried", "failed"};
    (void)self;
    t.count++;
    bytes_format(&t.text, "%c %.*s %s[%d]@%lld %s %u %d <%.*s>%s %s\n", e->op, (int)e->key.size,
                 (const char *)e->key.data, e->topic, (int)e->partition, (long long)e->offset, ends[e->end],
                 e->attempts, e->status, e->result.size > 20 ? 20 : (int)e->result.size,
                 (const char *)e->result.data, e->is_cut ? "…" : "", e->error == NULL ? "-" : e->error);
    assert_true(e->commit_time_us > 0 && e->id.size > 0);
}

static bool has_seen(struct bridge_case *c, int64_t n)
{
    (void)c;
    return t.count >= n;
}

static struct bridge_case *start(struct bridge_case *c, stub_script script)
{
    t.observer = (struct call_observer){on_event, NULL};
    t.count = 0;
    bytes_reset(&t.text);
    case_start(c, script, NULL);
    return c;
}

static struct stub_answer fails_once(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    return (struct stub_answer){.status = number == 0 ? 500 : 200, .body = number == 0 ? "no" : "yes"};
}

static void an_observer_sees_each_call_of_an_event_and_its_result(void **state)
{
    (void)state;
    struct bridge_case c;
    start(&c, fails_once);
    struct function_config *config = case_config(&c, "fn");
    case_change(&c, 7, 'c', "x");
    case_apply(&c, config);
    case_run_until(&c, has_seen, 2);
    assert_string_equal(bytes_text(&t.text),
                        "c {\"id\":7} " CASE_TOPIC "[0]@0 retried 1 500 <no> the function answered 500\n"
                        "c {\"id\":7} " CASE_TOPIC "[0]@0 delivered 2 200 <yes> -\n");
    case_stop(&c);
}

static struct stub_answer rejects(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    return (struct stub_answer){.status = number == 0 ? 400 : 0};
}

static void a_dead_letter_is_the_last_that_it_sees_of_an_event(void **state)
{
    (void)state;
    struct bridge_case c;
    start(&c, rejects);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.retry.attempts = 1;
    case_change(&c, 1, 'c', "x");
    case_change(&c, 1, 'd', "x");
    case_apply(&c, config);
    case_run_until(&c, case_has_settled, 2);
    assert_int_equal(t.count, 2);
    assert_non_null(strstr(bytes_text(&t.text), "@0 failed 1 400 <> the function answered 400\n"));
    assert_non_null(strstr(bytes_text(&t.text), "d {\"id\":1} " CASE_TOPIC "[0]@1 failed 1 0 <> "));
    case_stop(&c);
}

static struct stub_answer says_much(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    return (struct stub_answer){.status = 200,
                                .garbage_bytes = CALL_OBSERVER_RESULT_MAX + (number == 0 ? 0 : 1)};
}

static void a_result_that_is_longer_than_shown_is_marked(void **state)
{
    (void)state;
    struct bridge_case c;
    start(&c, says_much);
    struct function_config *config = case_config(&c, "fn");
    case_change(&c, 1, 'c', "x");
    case_change(&c, 1, 'u', "x");
    case_apply(&c, config);
    case_run_until(&c, has_seen, 2);
    const char *second = strstr(bytes_text(&t.text), "\nu ");
    const char *mark = strstr(bytes_text(&t.text), ">…");
    assert_non_null(second);
    assert_true(mark > second);
    case_stop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_observer_sees_each_call_of_an_event_and_its_result),
        cmocka_unit_test(a_dead_letter_is_the_last_that_it_sees_of_an_event),
        cmocka_unit_test(a_result_that_is_longer_than_shown_is_marked),
    };
    int code = cmocka_run_group_tests(tests, NULL, NULL);
    bytes_clear(&t.text);
    return code;
}
