// A job's records behind a stuck key: they wait without their bytes, and are read again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/component/bridge/bridge_case.h"

enum { KEY = 1, BEFORE = 2500, BEHIND = 10, EVENTS = BEFORE + BEHIND };

static struct {
    struct job job;
    struct text_list topics;
    rd_kafka_topic_partition_list_t *ends;
    int ended[JOB_SETTLED + 1];  // events by their end
    bool is_stuck;
} t;

bool __real_bridge_start(const struct bridge_params *params, struct bridge **ret, struct fault *f);
bool __wrap_bridge_start(const struct bridge_params *params, struct bridge **ret, struct fault *f);

bool __wrap_bridge_start(const struct bridge_params *params, struct bridge **ret, struct fault *f)
{
    struct bridge_params with_job = *params;
    with_job.job = &t.job;
    return __real_bridge_start(&with_job, ret, f);
}

static struct stub_answer answer(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = t.is_stuck ? 500 : 200};
}

static enum job_step select_all(void *self, struct record *r)
{
    (void)self;
    (void)r;
    return JOB_TAKE;
}

static void on_event(void *self, const struct job_event *event)
{
    (void)self;
    t.ended[event->end]++;
}

static bool holds_events(struct bridge_case *c, int64_t n)
{
    CLEANUP(bytes_clear) struct bytes status = {0};
    bridge_status(c->bridge, &status);
    const char *at = strstr(bytes_text(&status), "\"held_events\":");
    return at != NULL && strtoll(at + strlen("\"held_events\":"), NULL, 10) >= n;
}

static bool has_ended(struct bridge_case *c, int64_t n)
{
    (void)c;
    int64_t count = 0;
    for (size_t i = 0; i < COUNT_OF(t.ended); i++) {
        count += t.ended[i];
    }
    return count >= n;
}

/** Each delete has a tombstone behind it. */
static void a_tombstone_behind_a_stuck_key_is_no_event(void **state)
{
    (void)state;
    struct bridge_case c;
    t.ends = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(t.ends, CASE_TOPIC, 0)->offset = EVENTS + 1;
    text_list_add(&t.topics, CASE_TOPIC);
    t.job = (struct job){.group = "millrace.fn.replay",
                         .topics = &t.topics,
                         .ends = t.ends,
                         .select = select_all,
                         .on_event = on_event};
    t.is_stuck = true;
    case_start(&c, answer, NULL);
    case_numbered_changes(&c, BEFORE, KEY);
    case_tombstone(&c, KEY);
    case_numbered_changes(&c, BEHIND, KEY);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.retry.attempts = 1000000;
    case_apply(&c, config);
    case_run_until(&c, holds_events, EVENTS);
    t.is_stuck = false;
    case_run_until(&c, has_ended, EVENTS + 1);
    assert_int_equal(t.ended[JOB_DEAD_LETTERED], 0);
    assert_int_equal(t.ended[JOB_DELIVERED], EVENTS);
    assert_int_equal(t.ended[JOB_FILTERED], 1);
    case_stop(&c);
    text_list_clear(&t.topics);
    rd_kafka_topic_partition_list_destroy(t.ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tombstone_behind_a_stuck_key_is_no_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
