// connectors/pipeline: what is told while Kafka or the registry takes nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "core/base/memory.h"
#include "tests/component/connectors/pipeline_seen.h"

enum { REFUSALS = 4000 };

static void refusals_of_the_broker_delay_the_confirmation_and_lose_nothing(void **state)
{
    struct pipeline_case *x = *state;
    rd_kafka_mock_push_request_errors(x->cluster, 0 /* Produce */, 3, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    for (uint64_t lsn = 0x100; lsn <= 0x500; lsn += 0x100) {
        pipeline_case_add_transaction(x, lsn, CHANGE_CREATE);
    }
    x->script.stop_at = 0x508;
    pipeline_case_run(x);
    struct pipeline_seen seen = {0};
    pipeline_seen_read(x, "t.public.items", &seen);
    assert_true(seen.count >= 5);
    assert_string_equal(seen.positions[seen.count - 1], "0000000000000500-00000000");
    bytes_clear(&seen.last_value);
}

// The broker refuses all records once the first transaction is confirmed, until the status says so.
static void refuse_until_it_is_told(struct pipeline_case *x)
{
    static rd_kafka_resp_err_t errors[REFUSALS];
    struct pipeline_script *s = &x->script;
    if (s->wait_at != 0 && s->confirmed != 0) {
        for (size_t i = 0; i < REFUSALS; i++) {
            errors[i] = RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS;
        }
        rd_kafka_mock_push_request_errors_array(x->cluster, 0 /* Produce */, REFUSALS, errors);
        s->wait_at = 0;
        s->listener.on_ready(s->listener.self);
    } else if (!x->is_told && pipeline_case_has_status(x, "NOT_ENOUGH_REPLICAS")) {
        x->is_told = true;
        assert_true(pipeline_case_has_status(x, "\"state\":\"backing_off\""));
        assert_true(pipeline_case_has_status(x, "t.public.items"));
        assert_false(pipeline_case_has_status(x, "\"since\":null"));
        assert_false(pipeline_is_ready(x->pipeline));
        rd_kafka_mock_clear_request_errors(x->cluster, 0 /* Produce */);
    } else if (x->is_told && s->confirmed >= 0x208 && pipeline_is_ready(x->pipeline)) {
        assert_true(pipeline_case_has_status(x, "\"last_error\":null"));
        x->on_watch = NULL;
        (void)uv_timer_stop(&x->watch);
        pipeline_drain(x->pipeline);
    }
}

static void a_refusal_that_lasts_is_told_with_the_reason_of_the_broker(void **state)
{
    struct pipeline_case *x = *state;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    pipeline_case_add_transaction(x, 0x200, CHANGE_CREATE);
    x->script.wait_at = 3;
    x->on_watch = refuse_until_it_is_told;
    pipeline_case_run(x);
    assert_true(x->is_told);
    assert_int_equal(x->end.kind, FAULT_NONE);
    assert_int_equal(x->script.opened, 1);
}

// The topic has no leader until the status says so.
static void hide_leader_until_it_is_told(struct pipeline_case *x)
{
    if (!x->is_told && pipeline_case_has_status(x, "LEADER_NOT_AVAILABLE")) {
        x->is_told = true;
        assert_true(pipeline_case_has_status(x, "topic t.public.items"));
        assert_false(pipeline_is_ready(x->pipeline));
        rd_kafka_mock_topic_set_error(x->cluster, "t.public.items", RD_KAFKA_RESP_ERR_NO_ERROR);
    }
}

static void a_topic_without_a_leader_is_told_although_nothing_is_refused(void **state)
{
    struct pipeline_case *x = *state;
    rd_kafka_mock_topic_set_error(x->cluster, "t.public.items", RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    x->on_watch = hide_leader_until_it_is_told;
    x->script.stop_at = 0x108;
    pipeline_case_run(x);
    assert_true(x->is_told);
    assert_int_equal(x->end.kind, FAULT_NONE);
}

static void drain_when_the_registry_is_told(struct pipeline_case *x)
{
    if (pipeline_case_has_status(x, "topic t.public.items is not ready: ")) {
        assert_true(pipeline_case_has_status(x, "1 table waits"));
        assert_true(pipeline_case_has_status(x, "\"state\":\"streaming\""));
        assert_false(pipeline_is_ready(x->pipeline));
        x->is_told = true;
        x->on_watch = NULL;
        (void)uv_timer_stop(&x->watch);
        pipeline_drain(x->pipeline);
    }
}

static void a_change_that_waits_for_the_registry_is_told(void **state)
{
    struct pipeline_case *x = *state;
    struct fault f = {0};
    registry_close(x->registry);
    x->settings.registry.url = memory_string("http://127.0.0.1:1");  // nothing listens there
    assert_true(registry_open(&x->loop, &x->settings, &x->registry, &f));
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    x->on_watch = drain_when_the_registry_is_told;
    pipeline_case_run(x);
    free(x->settings.registry.url);
    assert_true(x->is_told);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown((name), pipeline_case_set_up, pipeline_case_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(refusals_of_the_broker_delay_the_confirmation_and_lose_nothing),
        CASE(a_refusal_that_lasts_is_told_with_the_reason_of_the_broker),
        CASE(a_topic_without_a_leader_is_told_although_nothing_is_refused),
        CASE(a_change_that_waits_for_the_registry_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
