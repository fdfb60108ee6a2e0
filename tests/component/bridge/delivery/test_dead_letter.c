// Dead-letter records that the embedded broker refuses: they wait in order and are sent again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// The mock cluster needs the client first.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "bridge/delivery/dead_letter.h"
#include "bridge/intake/partition.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/kafka/kafka_client.h"

enum { EVENTS = 3, PRODUCE = 0, INIT_PRODUCER_ID = 22 };
#define TOPIC "millrace.dlq.fn"
#define OTHER "millrace.dlq.other"

/** The dead-letter records of one function, and their broker. */
struct letters {
    uv_loop_t loop;
    rd_kafka_t *owner;
    rd_kafka_mock_cluster_t *mock;
    struct settings settings;
    struct topic_writer *dead_letters;
    struct partition partition;
    struct work_item items[EVENTS];
    struct record records[EVENTS];
    size_t stored[EVENTS];  // numbers of the events, in the order in which they were stored
    size_t stored_count;
    size_t given_up[EVENTS];
    size_t given_up_count;
    uv_timer_t timer;
};

static void start(struct letters *c)
{
    char why[256];
    *c = (struct letters){.partition = {.topic = (char *)"a.b.c"}};
    log_start(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
    (void)uv_loop_init(&c->loop);
    (void)uv_timer_init(&c->loop, &c->timer);
    c->owner = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof(why));
    c->mock = rd_kafka_mock_cluster_new(c->owner, 1);
    assert_int_equal(rd_kafka_mock_topic_create(c->mock, TOPIC, 1, 1), 0);
    assert_int_equal(rd_kafka_mock_topic_create(c->mock, OTHER, 1, 1), 0);
    text_pairs_set(&c->settings.kafka, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(c->mock));
    text_pairs_set(&c->settings.kafka, "linger.ms", "200");  // records put together share a batch
    c->dead_letters = topic_writer_new(&c->loop, &c->settings);
}

static void stop(struct letters *c)
{
    topic_writer_free(c->dead_letters);
    uv_close((uv_handle_t *)&c->timer, NULL);
    (void)uv_run(&c->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&c->loop), 0);
    text_pairs_clear(&c->settings.kafka);
    rd_kafka_mock_cluster_destroy(c->mock);
    rd_kafka_destroy(c->owner);
}

static void on_stored(void *self, struct work_item *item)
{
    struct letters *c = self;
    c->stored[c->stored_count++] = (size_t)item->record->offset;
}

static void put(struct letters *c, size_t number, const char *topic, struct slice value)
{
    c->records[number] = (struct record){
        .topic = c->partition.topic,
        .partition = c->partition.number,
        .offset = (int64_t)number,
        .id = slice_of("id"),
        .value = value,
    };
    c->items[number] = (struct work_item){.partition = &c->partition, .record = &c->records[number]};
    struct dead_letter_cause cause = {
        .function = "fn", .topic = topic, .reason = "rejected", .message = "no"};
    dead_letter_write(c->dead_letters, &c->items[number], &cause, on_stored, c);
}

static void on_time(uv_timer_t *timer)
{
    (void)timer;
}

static void run_until_stored(struct letters *c, size_t count)
{
    int64_t deadline_us = clock_now_us() + 60 * CLOCK_US_PER_S;
    (void)uv_timer_start(&c->timer, on_time, 5, 5);
    while (c->stored_count < count) {
        assert_true(clock_now_us() < deadline_us);
        (void)uv_run(&c->loop, UV_RUN_ONCE);
    }
    (void)uv_timer_stop(&c->timer);
}

static void expect_all_in_order(struct letters *c)
{
    run_until_stored(c, EVENTS);
    assert_int_equal(c->stored_count, EVENTS);
    for (size_t i = 0; i < EVENTS; i++) {
        assert_int_equal(c->stored[i], i);
    }
}

/** One record of a dead-letter topic. */
struct stored_record {
    char reason[32];
    bool has_value;
};

static void read_topic(struct letters *c, const char *topic, struct stored_record *ret, size_t count)
{
    struct fault f;
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk = NULL;
    const char *extra[] = {"group.id", "reader", NULL};
    assert_true(kafka_client_conf(&c->settings, KAFKA_CONSUMER, extra, &conf, &f));
    assert_true(kafka_client_open(conf, KAFKA_CONSUMER, &rk, &f));
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    assert_int_equal(rd_kafka_assign(rk, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
    for (size_t i = 0; i < count;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 20000);
        assert_non_null(message);
        rd_kafka_headers_t *headers;
        const void *value;
        size_t size;
        if (message->err == 0) {
            assert_int_equal(rd_kafka_message_headers(message, &headers), 0);
            assert_int_equal(rd_kafka_header_get_last(headers, "millrace.dlq.reason", &value, &size), 0);
            ret[i] = (struct stored_record){.has_value = message->payload != NULL};
            memcpy(ret[i++].reason, value, size);
        }
        rd_kafka_message_destroy(message);
    }
    (void)rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
}

static void refuse_all(struct letters *c)
{
    for (int i = 0; i < 100; i++) {
        rd_kafka_mock_push_request_errors(c->mock, PRODUCE, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    }
}

/** Runs until the broker has refused records of ours. */
static void run_until_refused(struct letters *c)
{
    (void)uv_timer_start(&c->timer, on_time, 5, 5);
    while (topic_writer_trouble(c->dead_letters, c) == NULL) {
        (void)uv_run(&c->loop, UV_RUN_ONCE);
    }
    (void)uv_timer_stop(&c->timer);
}

/** During a pause the clock stands still. A record that is put later, for another topic, is stored then. */
static void a_refused_letter_is_tried_again_after_a_pause(void **state)
{
    (void)state;
    struct letters c;
    start(&c);
    rd_kafka_mock_push_request_errors(c.mock, PRODUCE, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
    clock_fake(clock_now_us(), clock_wall_us());
    put(&c, 0, TOPIC, slice_of("x"));
    run_until_refused(&c);
    put(&c, 1, OTHER, slice_of("x"));
    run_until_stored(&c, 1);
    assert_int_equal(c.stored[0], 1);
    clock_fake(-1, 0);
    run_until_stored(&c, 2);
    assert_null(topic_writer_trouble(c.dead_letters, &c));
    stop(&c);
}

static void letters_that_fail_together_keep_their_order(void **state)
{
    (void)state;
    struct letters c;
    start(&c);
    rd_kafka_mock_push_request_errors(c.mock, PRODUCE, 2, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    for (size_t i = 0; i < EVENTS; i++) {
        put(&c, i, TOPIC, slice_of("x"));
    }
    expect_all_in_order(&c);
    stop(&c);
}

static void a_letter_larger_than_the_usual_queue_is_stored(void **state)
{
    (void)state;
    struct letters c;
    start(&c);
    size_t size = 6 << 20;
    char *large = memory_zeroed(size, 1);
    put(&c, 0, TOPIC, slice_make(large, size));
    put(&c, 1, TOPIC, slice_of("x"));
    run_until_stored(&c, 2);
    free(large);
    stop(&c);
}

static void a_producer_that_never_came_to_be_is_replaced(void **state)
{
    (void)state;
    struct letters c;
    start(&c);
    rd_kafka_mock_push_request_errors(c.mock, INIT_PRODUCER_ID, 1,
                                      RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
    for (size_t i = 0; i < EVENTS; i++) {
        put(&c, i, TOPIC, slice_of("x"));
    }
    expect_all_in_order(&c);
    stop(&c);
}

static void a_producer_that_broke_with_letters_on_their_way_is_replaced(void **state)
{
    (void)state;
    struct letters c;
    start(&c);
    // The broker has lost the producer's state: a retry might duplicate records.
    rd_kafka_mock_push_request_errors(c.mock, PRODUCE, 1, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    for (size_t i = 0; i < EVENTS; i++) {
        put(&c, i, TOPIC, slice_of("x"));
    }
    expect_all_in_order(&c);
    stop(&c);
}

/** A record that is too large is sent alone once, then without its value: at most three times. */
static void a_record_that_is_too_large_is_stored_without_its_value(void **state)
{
    (void)state;
    struct letters c;
    start(&c);
    rd_kafka_mock_push_request_errors(c.mock, PRODUCE, 2, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    for (size_t i = 0; i < EVENTS; i++) {
        put(&c, i, TOPIC, slice_of("x"));
    }
    expect_all_in_order(&c);
    struct stored_record stored[EVENTS];
    read_topic(&c, TOPIC, stored, EVENTS);
    assert_string_equal(stored[0].reason, "oversize");
    assert_false(stored[0].has_value);
    for (size_t i = 1; i < EVENTS; i++) {  // which were in its batch
        assert_string_equal(stored[i].reason, "rejected");
        assert_true(stored[i].has_value);
    }
    stop(&c);
}

static void what_is_refused_goes_to_a_corrected_topic(void **state)
{
    (void)state;
    struct letters c;
    start(&c);
    refuse_all(&c);
    put(&c, 0, TOPIC, slice_of("x"));
    put(&c, 1, TOPIC, slice_of("x"));
    run_until_refused(&c);
    assert_int_equal(c.stored_count, 0);
    rd_kafka_mock_clear_request_errors(c.mock, PRODUCE);
    dead_letter_redirect(c.dead_letters, &c, OTHER);
    run_until_stored(&c, 2);
    struct stored_record stored[2];
    read_topic(&c, OTHER, stored, 2);
    stop(&c);
}

static void on_given_up(void *self, struct work_item *item)
{
    struct letters *c = self;
    c->given_up[c->given_up_count++] = (size_t)item->record->offset;
}

static void a_partition_that_goes_waits_for_no_refused_record(void **state)
{
    (void)state;
    struct letters c;
    start(&c);
    refuse_all(&c);
    put(&c, 0, TOPIC, slice_of("x"));
    run_until_refused(&c);
    dead_letter_give_up(c.dead_letters, &c, 0, on_given_up);
    assert_int_equal(c.given_up_count, 0);  // still ours
    c.partition.state = PARTITION_REVOKED;
    dead_letter_give_up(c.dead_letters, &c, 60 * CLOCK_US_PER_S, on_given_up);
    assert_int_equal(c.given_up_count, 0);  // not for so long
    dead_letter_give_up(c.dead_letters, &c, 0, on_given_up);
    assert_int_equal(c.given_up_count, 1);
    rd_kafka_mock_clear_request_errors(c.mock, PRODUCE);
    put(&c, 1, TOPIC, slice_of("x"));
    run_until_stored(&c, 1);
    assert_int_equal(c.stored[0], 1);
    stop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_letter_is_tried_again_after_a_pause),
        cmocka_unit_test(a_letter_larger_than_the_usual_queue_is_stored),
        cmocka_unit_test(a_record_that_is_too_large_is_stored_without_its_value),
        cmocka_unit_test(what_is_refused_goes_to_a_corrected_topic),
        cmocka_unit_test(a_partition_that_goes_waits_for_no_refused_record),
        cmocka_unit_test(letters_that_fail_together_keep_their_order),
        cmocka_unit_test(a_producer_that_never_came_to_be_is_replaced),
        cmocka_unit_test(a_producer_that_broke_with_letters_on_their_way_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
