// A function leaves its group while its topic is doubted (topic_check.h): what it has settled is committed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// The mock cluster needs the client first.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <unistd.h>

#include "tests/component/bridge/bridge_case.h"

/** How long the calls take, in their order. */
static struct stub_answer after_delays(void *self, const struct stub_call *call, size_t number)
{
    (void)call;
    return (struct stub_answer){.status = 200, .delay_ms = ((const uint64_t *)self)[number]};
}

static bool has_committed(struct bridge_case *c, int64_t n)
{
    return case_committed(c, "fn") == n;
}

static void set_round_trip_ms(const struct bridge_case *c, int ms)
{
    assert_int_equal(rd_kafka_mock_broker_set_rtt(rd_kafka_handle_mock_cluster(c->broker), 1, ms), 0);
}

static void begin(struct bridge_case *c, const uint64_t *delays_ms, int64_t count)
{
    case_start(c, after_delays, (void *)(uintptr_t)delays_ms);
    case_apply(c, case_config(c, "fn"));
    case_change(c, 1, 'c', "x");
    case_run_until(c, has_committed, 1);
    for (int64_t id = 2; id <= count; id++) {
        case_change(c, id, 'c', "x");
    }
    case_run_until(c, case_has_calls, count);
}

static void a_slow_commit_does_not_keep_the_last_one_back(void **state)
{
    (void)state;
    static const uint64_t DELAYS_MS[] = {0, 600, 1100};
    struct bridge_case c;
    begin(&c, DELAYS_MS, 3);
    set_round_trip_ms(&c, 1200);
    case_run_until(&c, case_has_settled, 2);
    case_run_ms(&c, 50);
    case_drain(&c);  // the third event is settled while the commit of the second is in flight
    set_round_trip_ms(&c, 0);
    assert_int_equal(case_committed(&c, "fn"), 3);
    case_stop(&c);
}

static void
what_was_settled_after_a_standstill_is_committed_once_the_topic_is_known_to_be_the_same(void **state)
{
    (void)state;
    static const uint64_t DELAYS_MS[] = {0, 100};
    struct bridge_case c;
    begin(&c, DELAYS_MS, 2);
    (void)usleep(1200000);
    case_drain(&c);
    assert_int_equal(case_committed(&c, "fn"), 2);
    case_stop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_commit_does_not_keep_the_last_one_back),
        cmocka_unit_test(
            what_was_settled_after_a_standstill_is_committed_once_the_topic_is_known_to_be_the_same),
    };
    return case_run_part(tests, COUNT_OF(tests));
}
