// The state topic is refused (it may not be read any more) while writes to it are in flight.
#include <unistd.h>

#include "core/kafka/compacted_topic.h"
#include "core/kafka/state_topic.h"
#include "tests/component/mock_kafka.h"

static struct mock_kafka kafka;

/** The topic's reading side, which the test plays. */
static struct compacted_topic_listener reading;

bool __wrap_compacted_topic_open(const struct compacted_topic_params *params, struct compacted_topic **ret,
                                 struct fault *f);
bool __wrap_compacted_topic_open(const struct compacted_topic_params *params, struct compacted_topic **ret,
                                 struct fault *f)
{
    (void)f;
    reading = params->listener;
    *ret = (struct compacted_topic *)(void *)&reading;  // never used
    return true;
}

bool __wrap_compacted_topic_prepare(struct compacted_topic *t);
bool __wrap_compacted_topic_prepare(struct compacted_topic *t)
{
    (void)t;
    return true;
}

void __wrap_compacted_topic_close(struct compacted_topic *t);
void __wrap_compacted_topic_close(struct compacted_topic *t)
{
    (void)t;
}

static void run_ms(uint64_t ms)
{
    for (uint64_t end_ms = uv_hrtime() / 1000000 + ms; uv_hrtime() / 1000000 < end_ms;) {
        (void)uv_run(&kafka.loop, UV_RUN_NOWAIT);
        (void)usleep(1000);
    }
}

struct answer {
    int calls;
    enum fault_kind fault;
};

static void on_written(void *self, const struct fault *f)
{
    struct answer *a = self;
    a->calls++;
    a->fault = f == NULL ? FAULT_NONE : f->kind;
}

static void write_value(struct state_topic *s, const char *value, struct answer *ret)
{
    *ret = (struct answer){0};
    state_topic_write(s, "connector/a", slice_of(value), on_written, ret);
}

static void set_round_trip_ms(int ms)
{
    assert_int_equal(rd_kafka_mock_broker_set_rtt(kafka.cluster, 1, ms), 0);
}

static void writes_in_flight_are_refused_once(void **state)
{
    (void)state;
    mock_kafka_start(&kafka);
    struct state_topic *s = NULL;
    struct fault f;
    struct answer first;
    struct answer second;
    assert_true(state_topic_open(&kafka.loop, &kafka.settings, &s, &f));
    write_value(s, "one", &first);
    while (first.calls == 0) {
        (void)uv_run(&kafka.loop, UV_RUN_ONCE);
    }
    set_round_trip_ms(1500);
    write_value(s, "two", &first);
    write_value(s, "three", &second);
    run_ms(200);
    set_round_trip_ms(0);
    (void)fault_set(&f, FAULT_CONFIG, "topic %s can't be read", STATE_TOPIC_NAME);
    reading.on_refused(reading.self, &f);
    run_ms(2000);  // the broker's response comes
    assert_int_equal(first.calls, 1);
    assert_int_equal(first.fault, FAULT_CONFIG);
    assert_int_equal(second.calls, 1);
    write_value(s, "four", &first);
    while (first.calls == 0) {
        (void)uv_run(&kafka.loop, UV_RUN_ONCE);
    }
    assert_int_equal(first.fault, FAULT_NONE);
    state_topic_close(s);
    mock_kafka_stop(&kafka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_in_flight_are_refused_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
