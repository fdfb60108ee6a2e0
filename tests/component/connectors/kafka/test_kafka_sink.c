// connectors/kafka/kafka_sink with the mock broker: every accepted record is settled once, and each topic
// keeps its order, whatever has to wait.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>

#include "connectors/kafka/kafka_push.h"
#include "connectors/kafka/kafka_sink.h"
#include "connectors/kafka/record_headers.h"
#include "core/base/clock.h"
#include "core/base/log.h"

// The linker puts these around the functions, to see what the sink does with its producer.
typedef void (*push_done)(void *self);
struct kafka_push *__real_kafka_push_start(uv_loop_t *loop, rd_kafka_t *rk, push_done on_done, void *self);
void __real_kafka_push_now(struct kafka_push *p);
struct kafka_push *__wrap_kafka_push_start(uv_loop_t *loop, rd_kafka_t *rk, push_done on_done, void *self);
void __wrap_kafka_push_now(struct kafka_push *p);

static rd_kafka_t *pushed;  // NULL: nothing is pushed
static int pushes;

struct kafka_push *__wrap_kafka_push_start(uv_loop_t *loop, rd_kafka_t *rk, push_done on_done, void *self)
{
    pushed = rk;
    return __real_kafka_push_start(loop, rk, on_done, self);
}

void __wrap_kafka_push_now(struct kafka_push *p)
{
    pushes++;
    __real_kafka_push_now(p);
}

enum { MESSAGE_MAX = 1000, LARGE = 600 };
enum { TOPICS = 200, ROUNDS = 30, RECORDS = TOPICS * ROUNDS };

struct fixture {
    uv_loop_t loop;
    rd_kafka_t *host;
    rd_kafka_mock_cluster_t *cluster;
    struct settings settings;
    struct kafka_sink *sink;
    struct kafka_sink_topic *topics[TOPICS];
    int published;
    int settled;
    int waits;  // how often SINK_FULL was returned
    bool is_failed;
    uv_timer_t limit;
};

static void on_settled(void *self, uint64_t ticket, uint32_t count)
{
    struct fixture *x = self;
    assert_true(ticket < ROUNDS);
    x->settled += (int)count;
    if (x->settled == RECORDS) {
        uv_stop(&x->loop);
    }
}

static void on_fault(void *self, const struct fault *f)
{
    (void)f;
    ((struct fixture *)self)->is_failed = true;
}

// One record for each topic in turn; the value is its number among the topic's.
static enum sink_step publish_one(struct fixture *x, struct fault *f)
{
    char value[16];
    (void)snprintf(value, sizeof(value), "%d", x->published / TOPICS);
    struct kafka_sink_record record = {
        .topic = x->topics[x->published % TOPICS],
        .key = slice_of("key"),
        .value = slice_of(value),
        .position = slice_of("0000000000000100-00000000"),
        .partition = RD_KAFKA_PARTITION_UA,
        .ticket = (uint64_t)(x->published / TOPICS),
    };
    struct bytes headers = {0};
    if (x->published % 7 == 0) {  // these are so large that they do not wait
        char more[LARGE] = {0};
        record_headers_add(&headers, "more", slice_make(more, sizeof(more)));
        record.headers = bytes_slice(&headers);
    }
    enum sink_step step = kafka_sink_publish(x->sink, &record, f);
    bytes_clear(&headers);
    return step;
}

static void publish_all(void *self)
{
    struct fixture *x = self;
    struct fault f = {0};
    for (; x->published < RECORDS; x->published++) {
        enum sink_step step = publish_one(x, &f);
        if (step == SINK_FULL) {
            x->waits++;
            break;  // on_room will be called
        }
        assert_int_equal(step, SINK_TAKEN);
    }
    assert_int_not_equal(kafka_sink_flush(x->sink, &f), SINK_FAULT);
}

static void on_batch(void *self)
{
    (void)self;
}

static bool on_key_demanded(void *self, const char *topic)
{
    (void)self;
    (void)topic;
    return true;
}

static void on_reachable(void *self, const char *why)
{
    ((struct fixture *)self)->is_failed = why != NULL;
}

static void on_limit(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static int set_up(void **state)
{
    struct fixture *x = memory_zeroed(1, sizeof(*x));
    pushed = NULL;
    pushes = 0;
    log_start(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
    x->host = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), NULL, 0);
    x->cluster = rd_kafka_mock_cluster_new(x->host, 1);
    text_pairs_set(&x->settings.kafka, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(x->cluster));
    char max[16];
    (void)snprintf(max, sizeof(max), "%d", MESSAGE_MAX);
    text_pairs_set(&x->settings.kafka, "message.max.bytes", max);
    (void)uv_loop_init(&x->loop);
    (void)uv_timer_init(&x->loop, &x->limit);
    (void)uv_timer_start(&x->limit, on_limit, 60000, 0);
    *state = x;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *x = *state;
    kafka_sink_close(x->sink);
    uv_close((uv_handle_t *)&x->limit, NULL);
    (void)uv_run(&x->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&x->loop), 0);
    text_pairs_clear(&x->settings.kafka);
    rd_kafka_mock_cluster_destroy(x->cluster);
    rd_kafka_destroy(x->host);
    free(x);
    return 0;
}

static void open_sink(struct fixture *x)
{
    struct kafka_sink_listener listener = {.on_settled = on_settled,
                                           .on_room = publish_all,
                                           .on_batch = on_batch,
                                           .on_fault = on_fault,
                                           .on_key_demanded = on_key_demanded,
                                           .on_reachable = on_reachable,
                                           .self = x};
    struct fault f;
    assert_true(kafka_sink_open(&x->loop, &x->settings, &listener, &x->sink, &f));
    for (int i = 0; i < TOPICS; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "topic-%d", i);
        (void)rd_kafka_mock_topic_create(x->cluster, name, 1, 1);
        x->topics[i] = kafka_sink_topic(x->sink, name);
    }
}

// The topic's values are 0, 1, 2 …
static void expect_order(struct fixture *x, const char *topic)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const char *servers = rd_kafka_mock_cluster_bootstraps(x->cluster);
    assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", servers, NULL, 0), RD_KAFKA_CONF_OK);
    rd_kafka_t *reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
    rd_kafka_topic_t *handle = rd_kafka_topic_new(reader, topic, NULL);
    assert_int_equal(rd_kafka_consume_start(handle, 0, 0), 0);
    for (int i = 0; i < ROUNDS; i++) {
        rd_kafka_message_t *message = rd_kafka_consume(handle, 0, 30000);
        assert_non_null(message);
        assert_int_equal(message->err, 0);
        char wanted[16];
        (void)snprintf(wanted, sizeof(wanted), "%d", i);
        assert_true(slice_equal(slice_make(message->payload, message->len), slice_of(wanted)));
        rd_kafka_message_destroy(message);
    }
    (void)rd_kafka_consume_stop(handle, 0);
    rd_kafka_topic_destroy(handle);
    rd_kafka_destroy(reader);
}

static void run(struct fixture *x)
{
    open_sink(x);
    publish_all(x);
    (void)uv_run(&x->loop, UV_RUN_DEFAULT);
    assert_false(x->is_failed);
    assert_int_equal(x->settled, RECORDS);
    assert_int_equal(kafka_sink_in_flight(x->sink), 0);
    expect_order(x, "topic-0");
    expect_order(x, "topic-199");
}

static void records_of_many_topics_are_settled_once_and_in_order(void **state)
{
    struct fixture *x = *state;
    run(x);
    assert_int_equal(x->waits, 0);
}

static void a_full_queue_makes_them_wait_and_loses_none(void **state)
{
    struct fixture *x = *state;
    text_pairs_set(&x->settings.kafka, "queue.buffering.max.messages", "50");
    run(x);
    assert_true(x->waits > 0);
}

static void a_process_that_stood_still_hands_nothing_over(void **state)
{
    struct fixture *x = *state;
    struct fault f = {0};
    open_sink(x);
    struct kafka_sink_record record = {
        .topic = x->topics[0], .value = slice_of("v"), .position = slice_of("0000000000000100-00000000")};
    assert_int_equal(kafka_sink_publish(x->sink, &record, &f), SINK_TAKEN);
    assert_int_equal(kafka_sink_flush(x->sink, &f), SINK_TAKEN);
    clock_fake(clock_boot_us() + 10 * CLOCK_US_PER_S, clock_wall_us());
    assert_int_equal(kafka_sink_publish(x->sink, &record, &f), SINK_TAKEN);
    assert_int_equal(kafka_sink_flush(x->sink, &f), SINK_FAULT);
    assert_int_equal(f.kind, FAULT_RETRY);
    assert_non_null(strstr(f.text, "stood still"));
    clock_fake(-1, 0);
}

static void publish_and_flush(struct fixture *x, int count)
{
    struct fault f = {0};
    struct kafka_sink_record record = {
        .topic = x->topics[0], .value = slice_of("v"), .position = slice_of("0000000000000100-00000000")};
    for (int i = 0; i < count; i++) {
        assert_int_equal(kafka_sink_publish(x->sink, &record, &f), SINK_TAKEN);
    }
    assert_int_equal(kafka_sink_flush(x->sink, &f), SINK_TAKEN);
}

static size_t queued(void)
{
    return (size_t)rd_kafka_outq_len(pushed);
}

static void settle_all(struct fixture *x)
{
    while (kafka_sink_in_flight(x->sink) > 0 && !x->is_failed) {
        (void)uv_run(&x->loop, UV_RUN_ONCE);
    }
    assert_false(x->is_failed);
}

// librdkafka polls without rest while it has records that are due and must wait for others' acknowledgement.
static void a_round_waits_until_the_one_before_is_acknowledged(void **state)
{
    struct fixture *x = *state;
    open_sink(x);
    publish_and_flush(x, 0);
    assert_int_equal(pushes, 0);
    publish_and_flush(x, 1);
    assert_int_equal(pushes, 1);
    publish_and_flush(x, 4);  // as many are sent before the first is acknowledged
    assert_int_equal(pushes, 2);
    assert_int_equal(queued(), 5);
    publish_and_flush(x, 300);
    assert_int_equal(pushes, 2);
    assert_int_equal(queued(), 5);
    assert_int_equal(kafka_sink_in_flight(x->sink), 305);
    settle_all(x);
    assert_int_equal(x->settled, 305);
}

static void records_linger_under_load_and_are_pushed_while_idle(void **state)
{
    struct fixture *x = *state;
    char linger[16];
    size_t size = sizeof(linger);
    int64_t now_us = clock_boot_us();
    clock_fake(now_us, clock_wall_us());
    open_sink(x);
    assert_non_null(pushed);
    assert_int_equal(rd_kafka_conf_get(rd_kafka_conf(pushed), "linger.ms", linger, &size), RD_KAFKA_CONF_OK);
    assert_string_equal(linger, "10");
    publish_and_flush(x, 300);
    assert_int_equal(pushes, 1);
    settle_all(x);
    clock_fake(now_us + 10 * CLOCK_US_PER_MS, clock_wall_us());
    publish_and_flush(x, 300);
    assert_int_equal(pushes, 1);
    settle_all(x);
    assert_int_equal(x->settled, 600);
    clock_fake(now_us + 1000 * CLOCK_US_PER_MS, clock_wall_us());
    publish_and_flush(x, 1);
    assert_int_equal(pushes, 2);
    settle_all(x);
    clock_fake(-1, 0);
}

static void a_linger_that_the_user_sets_is_kept(void **state)
{
    struct fixture *x = *state;
    text_pairs_set(&x->settings.kafka, "linger.ms", "600000");
    open_sink(x);
    assert_null(pushed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_of_many_topics_are_settled_once_and_in_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_process_that_stood_still_hands_nothing_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_round_waits_until_the_one_before_is_acknowledged, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(records_linger_under_load_and_are_pushed_while_idle, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_linger_that_the_user_sets_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_queue_makes_them_wait_and_loses_none, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
