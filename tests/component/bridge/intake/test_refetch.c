// Fetches records again from the embedded broker: existing ones are offered, the others are reported as gone.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// The mock cluster needs the client first.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "bridge/intake/refetch.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/kafka/kafka_client.h"

enum { RECORDS = 10, ROUNDS_MAX = 5 };
#define TOPIC "a.b.c"

/** A lane that wants the record at `wanted`, and the result. */
struct reader {
    uv_loop_t loop;
    rd_kafka_t *owner;
    rd_kafka_mock_cluster_t *mock;
    struct settings settings;
    struct refetch *refetch;
    struct partition partition;
    int64_t wanted;
    bool is_another;  // the record there is another key's
    bool is_loaded;
    bool is_gone;
    int rounds;
    int64_t next;  // wanted, too, once a record was offered; -1: none
    bool is_full;  // takes nothing
    bool has_refused;
    uv_timer_t timer;
};

static void produce(const struct reader *r)
{
    struct fault f;
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk;
    assert_true(kafka_client_conf(&r->settings, KAFKA_PRODUCER, NULL, &conf, &f));
    assert_true(kafka_client_open(conf, KAFKA_PRODUCER, &rk, &f));
    for (int i = 0; i < RECORDS; i++) {
        assert_int_equal(rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(TOPIC), RD_KAFKA_V_PARTITION(0),
                                           RD_KAFKA_V_KEY("k", 1), RD_KAFKA_V_VALUE((void *)"v", 1),
                                           RD_KAFKA_V_END),
                         0);
    }
    assert_int_equal(rd_kafka_flush(rk, 10000), 0);
    rd_kafka_destroy(rk);
}

static bool on_record(void *self, struct partition *p, rd_kafka_message_t *message)
{
    struct reader *r = self;
    assert_ptr_equal(p, &r->partition);
    if (r->is_full) {
        r->has_refused = true;
        return false;
    }
    if (r->next >= 0) {
        r->wanted = r->next;
        r->next = -1;
        refetch_want(r->refetch, p, r->wanted);
    }
    r->is_loaded = r->is_loaded || (message->offset == r->wanted && !r->is_another);
    return true;
}

static void on_gone(void *self, struct partition *p, int64_t from, int64_t to)
{
    struct reader *r = self;
    assert_ptr_equal(p, &r->partition);
    r->is_gone = r->is_gone || (!r->is_loaded && r->wanted >= from && r->wanted < to);
}

static void on_swept(void *self, struct partition *p)
{
    struct reader *r = self;
    if (!r->is_loaded && !r->is_gone) {
        assert_true(++r->rounds < ROUNDS_MAX);
        refetch_want(r->refetch, p, r->wanted);
    }
}

static void on_turn_end(void *self)
{
    struct reader *r = self;
    refetch_run(r->refetch);
}

static void start(struct reader *r)
{
    static const struct refetch_listener listener = {on_record, on_gone, on_swept, on_turn_end, NULL};
    char why[256];
    *r = (struct reader){.partition = {.topic = (char *)TOPIC}, .next = -1};
    log_start(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
    (void)uv_loop_init(&r->loop);
    (void)uv_timer_init(&r->loop, &r->timer);
    r->owner = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof(why));
    r->mock = rd_kafka_mock_cluster_new(r->owner, 1);
    assert_int_equal(rd_kafka_mock_topic_create(r->mock, TOPIC, 1, 1), 0);
    text_pairs_set(&r->settings.kafka, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(r->mock));
    produce(r);
    struct refetch_listener mine = listener;
    mine.self = r;
    r->refetch = refetch_new(&r->loop, &r->settings, "test", &mine);
}

static void stop(struct reader *r)
{
    refetch_free(r->refetch);
    uv_close((uv_handle_t *)&r->timer, NULL);
    (void)uv_run(&r->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&r->loop), 0);
    text_pairs_clear(&r->settings.kafka);
    rd_kafka_mock_cluster_destroy(r->mock);
    rd_kafka_destroy(r->owner);
}

static void on_time(uv_timer_t *timer)
{
    (void)timer;
}

/** Runs until the record at the offset was loaded or is reported as gone. */
static void want(struct reader *r, int64_t offset, bool is_another)
{
    r->wanted = offset;
    r->is_another = is_another;
    r->is_loaded = r->is_gone = false;
    r->rounds = 0;
    refetch_want(r->refetch, &r->partition, offset);
    refetch_run(r->refetch);
    int64_t deadline_us = clock_now_us() + 80 * CLOCK_US_PER_S;
    (void)uv_timer_start(&r->timer, on_time, 5, 5);
    while (!r->is_loaded && !r->is_gone) {
        assert_true(clock_now_us() < deadline_us);
        (void)uv_run(&r->loop, UV_RUN_ONCE);
        if (r->has_refused) {
            r->is_full = r->has_refused = false;
            refetch_resume(r->refetch);
        }
    }
    (void)uv_timer_stop(&r->timer);
    assert_true(r->is_gone == is_another);
}

static void what_is_wanted_is_offered_whichever_way_it_lies(void **state)
{
    (void)state;
    struct reader r;
    start(&r);
    want(&r, 4, false);
    want(&r, 8, false);
    want(&r, 1, false);
    want(&r, RECORDS - 1, false);
    stop(&r);
}

/** The topic was recreated without notice: further fetches would find the same. */
static void a_record_of_another_log_in_its_place_means_that_it_is_gone(void **state)
{
    (void)state;
    struct reader r;
    start(&r);
    want(&r, 3, true);
    want(&r, 4, false);
    want(&r, 7, true);  // in a sweep that continues where the last one ended
    want(&r, 8, false);
    stop(&r);
}

static void of_several_that_are_wanted_one_sweep_offers_all(void **state)
{
    (void)state;
    struct reader r;
    start(&r);
    refetch_want(r.refetch, &r.partition, 8);
    want(&r, 2, false);
    assert_int_equal(r.rounds, 0);
    stop(&r);
}

static void what_is_wanted_during_a_sweep_prolongs_it(void **state)
{
    (void)state;
    struct reader r;
    start(&r);
    r.next = 8;
    want(&r, 2, false);
    assert_int_equal(r.wanted, 8);
    assert_int_equal(r.rounds, 0);
    stop(&r);
}

static void a_refused_record_is_offered_again(void **state)
{
    (void)state;
    struct reader r;
    start(&r);
    r.is_full = true;
    want(&r, 4, false);
    assert_false(r.is_full);
    stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wanted_is_offered_whichever_way_it_lies),
        cmocka_unit_test(of_several_that_are_wanted_one_sweep_offers_all),
        cmocka_unit_test(what_is_wanted_during_a_sweep_prolongs_it),
        cmocka_unit_test(a_refused_record_is_offered_again),
        cmocka_unit_test(a_record_of_another_log_in_its_place_means_that_it_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
