// A function's membership in its group: where it reads, what it commits, and how it recovers from failures.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// The mock cluster needs the client first.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "core/base/clock.h"
#include "tests/component/bridge/bridge_case.h"

static struct stub_answer always_ok(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 200};
}

static void a_log_made_anew_is_read_and_committed_from_its_beginning(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, always_ok, NULL);
    case_register(&c, "fn", 1000);  // of a longer log of that name
    case_change(&c, 1, 'c', "x");
    case_change(&c, 2, 'c', "y");
    case_apply(&c, case_config(&c, "fn"));
    case_run_until(&c, case_has_settled, 2);
    case_drain(&c);
    assert_int_equal(case_committed(&c, "fn"), 2);
    case_stop(&c);
}

static struct stub_answer never(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 200, .delay_ms = 600000};
}

static bool has_lag(struct bridge_case *c, int64_t n)
{
    return case_metric(c, "millrace_function_lag_records{function=\"fn\"}") == (double)n;
}

static void a_function_that_hangs_knows_how_far_it_is_behind(void **state)
{
    (void)state;
    struct bridge_case c;
    char note[1500];
    memset(note, 'x', sizeof(note) - 1);
    note[sizeof(note) - 1] = '\0';
    case_start(&c, never, NULL);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.timeout_us = 2 * CLOCK_US_PER_S;
    // More than the function takes and than is read ahead, so fetching has stopped.
    case_changes(&c, 2500, 1, note);
    case_apply(&c, config);
    case_run_until(&c, has_lag, 2500);
    case_run_ms(&c, 1000);
    case_changes(&c, 100, 1, note);
    case_run_until(&c, has_lag, 2600);
    assert_true(case_metric(&c, "millrace_function_lag_seconds{function=\"fn\"}") > 1);
    case_stop(&c);
}

enum { OFFSET_FETCH = 9 };

static void fail_offsets(const struct bridge_case *c, rd_kafka_resp_err_t code, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        rd_kafka_mock_push_request_errors(rd_kafka_handle_mock_cluster(c->broker), OFFSET_FETCH, 1, code);
    }
}

static void offsets_that_are_not_known_are_asked_for_with_pauses(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, always_ok, NULL);
    case_change(&c, 1, 'c', "x");
    fail_offsets(&c, RD_KAFKA_RESP_ERR_UNKNOWN, 300);  // without pauses they are used up in a second
    case_apply(&c, case_config(&c, "fn"));
    case_run_ms(&c, 6000);
    assert_false(case_has_calls(&c, 1));
    rd_kafka_mock_clear_request_errors(rd_kafka_handle_mock_cluster(c.broker), OFFSET_FETCH);
    case_run_until(&c, case_has_settled, 1);
    case_stop(&c);
}

static bool has_status(struct bridge_case *c, const char *text)
{
    CLEANUP(bytes_clear) struct bytes status = {0};
    bridge_status(c->bridge, &status);
    return strstr(bytes_text(&status), text) != NULL;
}

static bool has_failed(struct bridge_case *c, int64_t n)
{
    (void)n;
    return has_status(c, "\"state\":\"failed\"");
}

static void offsets_that_may_not_be_asked_for_are_the_operators(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, always_ok, NULL);
    fail_offsets(&c, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, 1);
    case_apply(&c, case_config(&c, "fn"));
    case_run_until(&c, has_failed, 0);
    assert_true(has_status(&c, "allow READ on the topics and on group millrace.*"));
    case_stop(&c);
}

static bool has_partitions(struct bridge_case *c, int64_t n)
{
    CLEANUP(memory_free_pointer) char *text = memory_format("\"partitions\":%d,", (int)n);
    return has_status(c, text);
}

static bool has_committed(struct bridge_case *c, int64_t n)
{
    return case_committed(c, "fn") == n;
}

static bool has_no_kafka(struct bridge_case *c, int64_t n)
{
    return bridge_is_ready(c->bridge) == (n == 0) && has_status(c, "\"last_error\":null") == (n == 0);
}

static void a_function_says_that_its_kafka_is_gone_and_when_it_is_back(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, always_ok, NULL);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_handle_mock_cluster(c.broker);
    case_apply(&c, case_config(&c, "fn"));
    case_change(&c, 1, 'c', "x");
    case_run_until(&c, has_committed, 1);
    case_run_until(&c, has_no_kafka, 0);
    assert_int_equal(rd_kafka_mock_broker_set_down(cluster, 1), 0);
    case_run_until(&c, has_no_kafka, 1);
    assert_true(has_status(&c, "\"since\":\"20"));
    assert_int_equal(rd_kafka_mock_broker_set_up(cluster, 1), 0);
    case_run_until(&c, has_no_kafka, 0);
    case_stop(&c);
}

static void topics_that_appear_later_are_read(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, always_ok, NULL);
    text_pairs_set(&c.settings.kafka, "topic.metadata.refresh.interval.ms", "200");
    struct function_config *config = case_config(&c, "fn");
    text_list_add(&config->source.topics, "shop.more.*");
    case_apply(&c, config);
    case_change(&c, 1, 'c', "x");
    case_run_until(&c, has_committed, 1);
    rd_kafka_mock_topic_create(rd_kafka_handle_mock_cluster(c.broker), "shop.more.parts", 40, 1);
    case_run_until(&c, has_partitions, 41);
    case_change(&c, 2, 'c', "x");
    case_run_until(&c, case_has_settled, 2);
    case_drain(&c);
    assert_int_equal(stub_function_count(c.stub), 2);
    assert_int_equal(case_committed(&c, "fn"), 2);
    case_stop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_made_anew_is_read_and_committed_from_its_beginning),
        cmocka_unit_test(a_function_that_hangs_knows_how_far_it_is_behind),
        cmocka_unit_test(offsets_that_are_not_known_are_asked_for_with_pauses),
        cmocka_unit_test(offsets_that_may_not_be_asked_for_are_the_operators),
        cmocka_unit_test(a_function_says_that_its_kafka_is_gone_and_when_it_is_back),
        cmocka_unit_test(topics_that_appear_later_are_read),
    };
    return case_run_part(tests, COUNT_OF(tests));
}
