// A bridge that drains: what it waits for, and how it ends when it gives up.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

// The mock cluster needs the client first.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "tests/component/bridge/bridge_case.h"

static struct stub_answer hold(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 200, .is_held = true};
}

static bool is_over(struct bridge_case *c, int64_t n)
{
    (void)n;
    return bridge_is_over(c->bridge);
}

/** Kafka takes longer to let the function go than the drain waits: the functions stop after the end. */
static void a_drain_that_gives_up_ends_once(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start_limited(&c, hold, NULL, 1, 1);
    case_change(&c, 1, 'c', "x");
    case_apply(&c, case_config(&c, "fn"));
    case_run_until(&c, case_has_calls, 1);
    rd_kafka_mock_broker_set_rtt(rd_kafka_handle_mock_cluster(c.broker), 1, 3000);
    case_drain(&c);
    assert_false(c.is_over_at_end);  // the drain gave up
    bridge_drain(c.bridge);
    case_run_until(&c, is_over, 0);
    assert_int_equal(c.end_count, 1);
    rd_kafka_mock_broker_set_rtt(rd_kafka_handle_mock_cluster(c.broker), 1, 0);
    assert_int_equal(case_committed(&c, "fn"), 0);  // the call was given up: its event is delivered again
    case_stop(&c);
}

enum { OFFSET_COMMIT = 8 };

static bool is_stopped(struct bridge_case *c, int64_t n)
{
    (void)n;
    CLEANUP(bytes_clear) struct bytes status = {0};
    bridge_status(c->bridge, &status);
    return strcmp(bytes_text(&status), "[]") == 0;
}

static bool holds_events(struct bridge_case *c, int64_t n)
{
    CLEANUP(bytes_clear) struct bytes status = {0};
    CLEANUP(memory_free_pointer) char *text = memory_format("\"held_events\":%d,", (int)n);
    bridge_status(c->bridge, &status);
    return strstr(bytes_text(&status), text) != NULL;
}

/** The broker takes fewer characters of metadata than the last commit has: the offset is committed alone. */
static void the_last_offset_is_committed_without_a_text_that_is_refused(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, hold, NULL);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.concurrency = 1;
    case_apply(&c, config);
    case_change(&c, 1, 'c', "x");
    case_run_until(&c, case_has_calls, 1);
    case_change(&c, 2, 'c', "x");
    case_run_until(&c, holds_events, 2);
    bridge_apply(c.bridge, NULL, 0);
    case_run_until(&c, holds_events, 1);  // the partition is revoked
    rd_kafka_mock_push_request_errors(rd_kafka_handle_mock_cluster(c.broker), OFFSET_COMMIT, 1,
                                      RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE);
    stub_function_release(c.stub);
    case_run_until(&c, is_stopped, 0);
    assert_int_equal(case_committed(&c, "fn"), 1);
    case_stop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_drain_that_gives_up_ends_once),
        cmocka_unit_test(the_last_offset_is_committed_without_a_text_that_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
