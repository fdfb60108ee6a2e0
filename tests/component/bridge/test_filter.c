// Which events a function gets: those that its filter and its operations refuse are settled before they take
// a lane.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schemas/avro/framing.h"
#include "tests/component/bridge/bridge_case.h"

static struct stub_answer hold(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 200, .is_held = true};
}

static struct stub_answer agree(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 200};
}

static struct stub_answer throttle(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 429, .headers = "Retry-After: 300\r\n"};
}

static struct function_config *filtered(const struct bridge_case *c, const char *json)
{
    static const struct text_places nowhere = {0};
    struct fault f = {0};
    struct function_config *config = case_config(c, "fn");
    config->filter.tree.json = memory_string(json);
    if (!pattern_compile_function(slice_of(json), &nowhere, &config->filter.pattern, &f)) {
        fail_msg("%s", f.text);
    }
    return config;
}

static bool has_filtered(struct bridge_case *c, int64_t n)
{
    return case_metric(c, "millrace_function_events_total{function=\"fn\",outcome=\"filtered\"}") >=
           (double)n;
}

/** They settle while the call before them, of the same key, has no response. */
static void what_is_refused_takes_no_lane(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, hold, NULL);
    case_change(&c, 1, 'c', "wanted");
    for (int i = 0; i < 20; i++) {
        case_change(&c, 1, 'u', "other");
    }
    case_change(&c, 1, 'd', "wanted");
    case_apply(&c, filtered(&c, "{\"after\":{\"note\":[{\"prefix\":\"want\"}]}}"));
    case_run_until(&c, has_filtered, 21);
    case_run_until(&c, case_has_calls, 1);
    assert_true(!case_has_settled(&c, 22));
    stub_function_release(c.stub);
    case_run_until(&c, case_has_settled, 22);
    assert_int_equal(stub_function_count(c.stub), 1);
    case_drain(&c);
    assert_int_equal(case_committed(&c, "fn"), 22);
    case_stop(&c);
}

static void operations_that_are_not_wanted_take_no_lane(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, hold, NULL);
    case_change(&c, 1, 'c', "x");
    case_change(&c, 1, 'u', "x");
    case_change(&c, 1, 'd', "x");
    struct function_config *config = case_config(&c, "fn");
    config->source.operations = FUNCTION_CREATE;
    case_apply(&c, config);
    case_run_until(&c, has_filtered, 2);
    case_run_until(&c, case_has_calls, 1);
    stub_function_release(c.stub);
    case_run_until(&c, case_has_settled, 3);
    case_stop(&c);
}

/** Nobody knows what a record says that can't be read: it goes where its bytes can be looked at. */
static void a_record_that_can_not_be_read_is_a_dead_letter_not_filtered(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, agree, NULL);
    CLEANUP(bytes_clear) struct bytes broken = {0};
    framing_put(&broken, c.value_schema);
    bytes_append_string(&broken, "\x07\x07");
    case_raw(&c, slice_of("k"), bytes_slice(&broken));
    case_raw(&c, slice_of("k"), slice_of("not avro"));
    case_apply(&c, filtered(&c, "{\"after\":{\"note\":[\"none\"]}}"));
    case_run_until(&c, case_has_settled, 2);
    CLEANUP(memory_free_pointer) char *dead = case_read_topic(&c, "millrace.dlq.fn", 2);
    assert_non_null(strstr(dead, "millrace.dlq.reason=undecodable;"));
    assert_int_equal(stub_function_count(c.stub), 0);
    case_stop(&c);
}

static bool has_called(struct bridge_case *c, int64_t n)
{
    return stub_function_count(c->stub) >= (size_t)n;
}

static bool has_error(struct bridge_case *c, int64_t is_wanted)
{
    CLEANUP(bytes_clear) struct bytes status = {0};
    bridge_status(c->bridge, &status);
    bool is_null = strstr(bytes_text(&status), "\"last_error\":null") != NULL;
    return is_null == (is_wanted == 0);
}

/** Events that wait for a retry are judged again: the new filter is about them, too. */
static void a_new_filter_is_applied_to_events_that_wait(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, throttle, NULL);
    struct function_config *config = filtered(&c, "{\"after\":{\"note\":[\"a\",\"b\"]}}");
    config->delivery.concurrency = 1;
    case_change(&c, 1, 'c', "a");
    case_change(&c, 1, 'u', "b");
    case_change(&c, 2, 'u', "b");
    case_apply(&c, config);
    case_run_until(&c, has_called, 1);
    case_run_until(&c, has_error, 1);
    config = filtered(&c, "{\"after\":{\"note\":[\"c\"]}}");
    text_pairs_set(&config->http.headers, "X-New", "yes");  // a new endpoint is called at once
    case_apply(&c, config);
    case_run_until(&c, has_filtered, 3);
    case_run_until(&c, has_error, 0);  // nothing waits to be sent again
    case_drain(&c);
    assert_int_equal(case_committed(&c, "fn"), 3);
    case_stop(&c);
}

/** A change without the row before it: nobody knows what changed, so it is delivered. */
static void updates_without_the_row_before_are_delivered(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, agree, NULL);
    case_change(&c, 1, 'u', "a");
    case_change(&c, 2, 'u', "b");
    case_apply(&c, filtered(&c, "{\"changed\":[\"note\"]}"));
    case_run_until(&c, case_has_settled, 2);
    assert_int_equal(stub_function_count(c.stub), 2);
    case_stop(&c);
}

/** Each event counts; the log has a line for the schema. */
static void a_field_that_the_schema_lacks_is_counted(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, agree, NULL);
    case_change(&c, 1, 'u', "a");
    case_change(&c, 2, 'u', "b");
    case_apply(&c, filtered(&c, "{\"after\":{\"gone\":[\"x\"]}}"));
    case_run_until(&c, has_filtered, 2);
    assert_int_equal((int)case_metric(&c, "millrace_function_filter_fields_missing_total{function=\"fn\"}"),
                     2);
    case_stop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_refused_takes_no_lane),
        cmocka_unit_test(operations_that_are_not_wanted_take_no_lane),
        cmocka_unit_test(a_record_that_can_not_be_read_is_a_dead_letter_not_filtered),
        cmocka_unit_test(a_new_filter_is_applied_to_events_that_wait),
        cmocka_unit_test(updates_without_the_row_before_are_delivered),
        cmocka_unit_test(a_field_that_the_schema_lacks_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
