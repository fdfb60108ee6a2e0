// A consumer whose records are gone while the group is being rebalanced.
#include <utlist.h>

#include "bridge/intake/consumer.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/kafka/kafka_client.h"
#include "tests/component/mock_kafka.h"

enum { FETCH = 1, TICK_MS = 50 };
#define TOPIC "a.b.c"

/** One consumer of both partitions, and a rival in its group that is to get one of them. */
static struct {
    struct mock_kafka kafka;
    uv_timer_t tick;
    struct function_config config;
    struct fetcher *fetcher;
    struct consumer *consumer;
    rd_kafka_t *rival;
    struct partition *revoked;
    int reset_count;
    bool holds_records;  // takes none: the function is full
    bool holds_commits;  // the mock broker refuses them while a member joins, and librdkafka would leave
    bool is_closed;
} t;

static int distrust_count;

void __wrap_fetcher_distrust(struct fetcher *f, const char *topic, int32_t number);

void __wrap_fetcher_distrust(struct fetcher *f, const char *topic, int32_t number)
{
    assert_ptr_equal(f, t.fetcher);
    assert_string_equal(topic, TOPIC);
    assert_true(number == 0 || number == 1);
    distrust_count++;
}

static void on_nothing(void *self)
{
    (void)self;
}

static void on_revoked(void *self, struct partition *p)
{
    (void)self;
    t.revoked = p;
}

static enum consumer_step on_record(void *self, struct partition *p, struct record *r)
{
    (void)self;
    (void)p;
    (void)r;
    return CONSUMER_TAKEN;
}

static void on_offset_reset(void *self, struct partition *p)
{
    (void)self;
    (void)p;
    t.reset_count++;
}

static void on_kafka_error(void *self, const char *why)
{
    (void)self;
    (void)why;
}

static void on_fault(void *self, const struct fault *f)
{
    (void)self;
    (void)f;
    fail();
}

static void on_closed(void *self)
{
    (void)self;
    t.is_closed = true;
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
    rd_kafka_message_t *message = t.rival == NULL ? NULL : rd_kafka_consumer_poll(t.rival, 0);
    if (message != NULL) {
        rd_kafka_message_destroy(message);
    }
    if (!t.is_closed) {
        if (!t.holds_commits) {
            consumer_tick(t.consumer);
        }
        (void)consumer_take(t.consumer, t.holds_records ? 0 : 100);
    }
}

static void run_until(bool (*is_true)(void))
{
    while (!is_true()) {
        (void)uv_run(&t.kafka.loop, UV_RUN_ONCE);
    }
}

static size_t count_partitions(void)
{
    struct partition *p;
    size_t count = 0;
    LL_COUNT(consumer_partitions(t.consumer), p, count);
    return count;
}

static bool has_both(void)
{
    return count_partitions() == 2;
}

static bool is_error(struct partition *p)
{
    const struct feed_item *item = partition_peek(p);
    if (item != NULL && item->record == NULL && item->message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        partition_pop(p);
        return false;
    }
    return item != NULL;
}

/** Both partitions' errors have been read from librdkafka and wait for room. */
static bool have_errors(void)
{
    struct partition *first = consumer_partitions(t.consumer);
    return is_error(first) && is_error(first->next);
}

static bool is_revoking(void)
{
    return t.revoked != NULL;
}

/** The partition that stays. */
static struct partition *kept(void)
{
    struct partition *p = consumer_partitions(t.consumer);
    return p == t.revoked ? p->next : p;
}

static int rivals_count(void)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    assert_int_equal(rd_kafka_assignment(t.rival, &list), 0);
    int count = list->cnt;
    rd_kafka_topic_partition_list_destroy(list);
    return count;
}

static bool has_rival_its_partition(void)
{
    return rivals_count() == 1;
}

static bool has_reset(void)
{
    return t.reset_count > 0;
}

static bool is_closed(void)
{
    return t.is_closed;
}

static rd_kafka_t *open_rival(void)
{
    struct fault f;
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk = NULL;
    const char *extra[] = {"group.id", "millrace.fn", NULL};
    assert_true(kafka_client_conf(&t.kafka.settings, KAFKA_CONSUMER, extra, &conf, &f));
    assert_true(kafka_client_open(conf, KAFKA_CONSUMER, &rk, &f));
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, TOPIC, RD_KAFKA_PARTITION_UA);
    assert_int_equal(rd_kafka_subscribe(rk, topics), 0);
    rd_kafka_topic_partition_list_destroy(topics);
    (void)rd_kafka_poll_set_consumer(rk);
    return rk;
}

static int start(void **state)
{
    (void)state;
    struct fault f;
    log_start(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
    mock_kafka_start(&t.kafka);
    (void)uv_timer_init(&t.kafka.loop, &t.tick);
    (void)uv_timer_start(&t.tick, on_tick, TICK_MS, TICK_MS);
    assert_int_equal(rd_kafka_mock_topic_create(t.kafka.cluster, TOPIC, 2, 1), 0);
    t.config.name = memory_string("fn");
    text_list_add(&t.config.source.topics, TOPIC);
    t.fetcher = fetcher_new(&t.kafka.loop, &t.kafka.settings);
    const struct consumer_params params = {
        .loop = &t.kafka.loop,
        .settings = &t.kafka.settings,
        .config = &t.config,
        .fetcher = t.fetcher,
        .listener = {.on_ready = on_nothing,
                     .on_assigned = on_nothing,
                     .on_revoked = on_revoked,
                     .on_record = on_record,
                     .on_offset_reset = on_offset_reset,
                     .on_resumed = on_nothing,
                     .on_kafka_error = on_kafka_error,
                     .on_fault = on_fault},
    };
    return consumer_open(&params, &t.consumer, &f) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    t.is_closed = false;
    consumer_close(t.consumer, on_closed, NULL);
    run_until(is_closed);
    (void)rd_kafka_consumer_close(t.rival);
    rd_kafka_destroy(t.rival);
    fetcher_free(t.fetcher);
    uv_close((uv_handle_t *)&t.tick, NULL);
    function_config_clear(&t.config);
    mock_kafka_stop(&t.kafka);
    return 0;
}

/** The one partition starts anew, and the other is not given away while its calls run. */
static void a_partition_starts_anew_while_another_is_revoked(void **state)
{
    (void)state;
    run_until(has_both);
    assert_int_equal(distrust_count, 2);  // neither has a committed offset
    struct partition *p;
    LL_FOREACH (consumer_partitions(t.consumer), p) {
        p->item_count = 1;  // a call runs
    }
    t.holds_records = true;
    for (int i = 0; i < 4; i++) {
        rd_kafka_mock_push_request_errors(t.kafka.cluster, FETCH, 1, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
    }
    run_until(have_errors);
    rd_kafka_mock_clear_request_errors(t.kafka.cluster, FETCH);
    t.holds_commits = true;
    t.rival = open_rival();
    run_until(is_revoking);
    t.holds_records = false;
    run_until(has_reset);
    int early_rivals_count = rivals_count();
    kept()->item_count = 0;
    p = TAKE(t.revoked);
    p->item_count = 0;
    consumer_partition_idle(t.consumer, p);
    run_until(has_rival_its_partition);
    t.holds_commits = false;
    assert_int_equal(early_rivals_count, 0);
    assert_int_equal(t.reset_count, 1);
    assert_int_equal(count_partitions(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_partition_starts_anew_while_another_is_revoked, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
