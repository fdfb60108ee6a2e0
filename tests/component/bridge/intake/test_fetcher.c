// The fetcher on the embedded broker: who shares a feed with whom, and that each reader gets every record
// once.
#include "bridge/intake/fetcher.h"

#include "bridge/intake/feed.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/kafka/kafka_client.h"
#include "tests/component/mock_kafka.h"

enum { FETCH = 1, READERS = 3, PARTITIONS = 41, BEYOND_WINDOW = FEED_WINDOW + 1000 };
#define TOPIC "a.b.c"

struct case_reader {
    struct feed_reader reader;
    bool is_stopped;  // takes nothing
    int64_t next;     // the offset that it must get next
    int end_count;
    int error_count;
    int reset_count;
    const struct record *last;  // for comparison only
};

static struct {
    struct mock_kafka kafka;
    uv_timer_t tick;
    struct fetcher *fetcher;
    struct case_reader readers[READERS];
    int64_t produced;
} t;

static void take(struct case_reader *r)
{
    const struct feed_item *item;
    while (!r->is_stopped && r->reader.feed != NULL && (item = fetcher_peek(&r->reader)) != NULL) {
        if (item->record != NULL) {
            assert_int_equal(item->record->offset, r->next);
            r->next++;
            r->last = item->record;
        } else if (item->message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            r->end_count++;
        } else if (item->message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
            r->reset_count++;
            r->is_stopped = true;
            return;
        } else {
            r->error_count++;
        }
        fetcher_pop(&r->reader);
    }
}

static void on_ready(void *self)
{
    (void)self;  // the tick takes, as a function's idle handle does
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
    for (int i = 0; i < READERS; i++) {
        take(&t.readers[i]);
    }
}

static void attach(struct case_reader *r, int64_t offset)
{
    r->next = offset < 0 ? 0 : offset;
    r->end_count = 0;
    assert_true(fetcher_attach(t.fetcher, &r->reader, TOPIC, 0, offset, on_ready, r));
}

static void produce_sized(int64_t count, size_t size)
{
    struct fault f;
    CLEANUP(memory_free_pointer) uint8_t *value = memory_zeroed(size, 1);
    uint32_t random = 1;
    for (size_t i = 0; i < size; i++) {
        value[i] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);  // can't be compressed
    }
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk;
    assert_true(kafka_client_conf(&t.kafka.settings, KAFKA_PRODUCER, NULL, &conf, &f));
    assert_true(kafka_client_open(conf, KAFKA_PRODUCER, &rk, &f));
    for (int64_t i = 0; i < count; i++) {
        while (rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(TOPIC), RD_KAFKA_V_PARTITION(0),
                                 RD_KAFKA_V_VALUE(value, size), RD_KAFKA_V_END) != 0) {
            (void)rd_kafka_poll(rk, 10);
        }
    }
    assert_int_equal(rd_kafka_flush(rk, 20000), 0);
    rd_kafka_destroy(rk);
    t.produced += count;
}

static void produce(int64_t count)
{
    produce_sized(count, 1);
}

static void run_until(bool (*is_true)(void))
{
    while (!is_true()) {
        (void)uv_run(&t.kafka.loop, UV_RUN_ONCE);
    }
}

static bool have_all_read(void)
{
    for (int i = 0; i < READERS; i++) {
        const struct case_reader *r = &t.readers[i];
        if (r->reader.feed != NULL && !r->is_stopped && (r->next < t.produced || r->end_count == 0)) {
            return false;
        }
    }
    return true;
}

static bool share_all(void)
{
    return have_all_read() && fetcher_feed_count(t.fetcher) == 1;
}

static bool are_two_feeds(void)
{
    return fetcher_feed_count(t.fetcher) == 2;
}

static bool has_error(void)
{
    return t.readers[0].error_count > 0;
}

static bool has_something(void)
{
    return fetcher_peek(&t.readers[0].reader) != NULL;
}

static bool has_lost(void)
{
    return t.readers[1].reset_count == 1;
}

static bool have_all_lost(void)
{
    return t.readers[0].reset_count == 1 && t.readers[1].reset_count == 1;
}

static int start(void **state)
{
    (void)state;
    log_start(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
    memset(&t, 0, sizeof(t));
    mock_kafka_start(&t.kafka);
    assert_int_equal(rd_kafka_mock_topic_create(t.kafka.cluster, TOPIC, PARTITIONS, 1), 0);
    t.fetcher = fetcher_new(&t.kafka.loop, &t.kafka.settings);
    (void)uv_timer_init(&t.kafka.loop, &t.tick);
    (void)uv_timer_start(&t.tick, on_tick, 1, 1);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    for (int i = 0; i < READERS; i++) {
        fetcher_detach(&t.readers[i].reader);
    }
    assert_int_equal(fetcher_feed_count(t.fetcher), 0);
    fetcher_free(t.fetcher);
    uv_close((uv_handle_t *)&t.tick, NULL);
    mock_kafka_stop(&t.kafka);
    return 0;
}

static void readers_at_one_place_get_the_same_record(void **state)
{
    (void)state;
    produce(10);
    for (int i = 0; i < READERS; i++) {
        attach(&t.readers[i], 0);
    }
    run_until(have_all_read);
    assert_int_equal(fetcher_feed_count(t.fetcher), 1);
    assert_ptr_equal(t.readers[0].last, t.readers[1].last);
    assert_ptr_equal(t.readers[0].last, t.readers[2].last);
}

/** One that comes when all is read finds the last records in the feed, and the end of the log, too. */
static void a_reader_that_comes_later_joins_the_feed_that_has_its_place(void **state)
{
    (void)state;
    produce(10);
    attach(&t.readers[0], 0);
    run_until(have_all_read);
    attach(&t.readers[1], 7);
    attach(&t.readers[2], 10);
    run_until(have_all_read);
    assert_int_equal(fetcher_feed_count(t.fetcher), 1);
    produce(10);
    run_until(have_all_read);
}

static void a_reader_that_holds_up_the_others_reads_alone_until_the_end(void **state)
{
    (void)state;
    attach(&t.readers[0], 0);
    attach(&t.readers[1], 0);
    attach(&t.readers[2], 0);
    run_until(have_all_read);
    t.readers[1].is_stopped = true;
    produce(BEYOND_WINDOW);
    run_until(are_two_feeds);
    run_until(have_all_read);
    assert_int_equal(t.readers[1].next, 0);
    t.readers[1].is_stopped = false;
    run_until(share_all);
    produce(10);
    run_until(have_all_read);
    assert_int_equal(fetcher_feed_count(t.fetcher), 1);
    assert_ptr_equal(t.readers[0].last, t.readers[1].last);
}

static void a_reader_far_behind_reads_alone_until_the_end(void **state)
{
    (void)state;
    produce(BEYOND_WINDOW);
    attach(&t.readers[0], BEYOND_WINDOW);
    run_until(have_all_read);
    attach(&t.readers[1], RD_KAFKA_OFFSET_BEGINNING);
    attach(&t.readers[2], 5);
    assert_int_equal(fetcher_feed_count(t.fetcher), 3);
    run_until(share_all);
}

/** What all readers have taken is dropped, and then the feed has it no more. */
static void a_reader_of_dropped_records_gets_them_from_kafka(void **state)
{
    (void)state;
    attach(&t.readers[0], 0);
    produce(BEYOND_WINDOW);
    run_until(have_all_read);
    attach(&t.readers[1], 0);
    assert_int_equal(fetcher_feed_count(t.fetcher), 2);
    run_until(share_all);
}

/** The slowest one leaves while others wait for it. */
static void a_reader_that_leaves_holds_up_nobody(void **state)
{
    (void)state;
    attach(&t.readers[0], 0);
    attach(&t.readers[1], 0);
    run_until(have_all_read);
    t.readers[1].is_stopped = true;
    produce(BEYOND_WINDOW);
    while (t.readers[0].next < FEED_WINDOW) {
        (void)uv_run(&t.kafka.loop, UV_RUN_ONCE);
    }
    fetcher_detach(&t.readers[1].reader);
    run_until(have_all_read);
    assert_int_equal(fetcher_feed_count(t.fetcher), 1);
}

static void all_readers_of_a_lost_place_learn_it_and_share_the_new_one(void **state)
{
    (void)state;
    produce(10);
    rd_kafka_mock_push_request_errors(t.kafka.cluster, FETCH, 1, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
    attach(&t.readers[0], 0);
    attach(&t.readers[1], 0);
    run_until(have_all_lost);
    attach(&t.readers[2], 0);  // the log is there again, and the feed that lost it, too
    for (int i = 0; i < 2; i++) {
        fetcher_detach(&t.readers[i].reader);
        t.readers[i].is_stopped = false;
        attach(&t.readers[i], RD_KAFKA_OFFSET_BEGINNING);
    }
    run_until(share_all);
    assert_int_equal(t.readers[0].next, 10);
    assert_int_equal(t.readers[1].next, 10);
    assert_int_equal(t.readers[2].next, 10);
}

/** Kafka's errors stand between the records of a feed, and one that comes later gets those before them, too.
 */
static void an_error_hides_no_record_from_a_reader_that_comes_later(void **state)
{
    (void)state;
    produce(5);
    attach(&t.readers[0], 0);
    run_until(have_all_read);
    rd_kafka_mock_push_request_errors(t.kafka.cluster, FETCH, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    run_until(has_error);
    attach(&t.readers[1], 2);
    produce(5);
    run_until(have_all_read);
    attach(&t.readers[2], 1);
    run_until(have_all_read);
    assert_int_equal(fetcher_feed_count(t.fetcher), 1);
}

/** A feed from the beginning of a log knows nothing of what was deleted before. */
static void a_reader_learns_that_its_place_was_deleted_though_another_reads_from_the_beginning(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) {
        produce_sized(2, 100000);  // the mock broker keeps 5 MiB
    }
    attach(&t.readers[0], RD_KAFKA_OFFSET_BEGINNING);
    t.readers[0].is_stopped = true;
    run_until(has_something);
    attach(&t.readers[1], 2);
    attach(&t.readers[2], RD_KAFKA_OFFSET_BEGINNING);
    t.readers[2].is_stopped = true;
    assert_int_equal(fetcher_feed_count(t.fetcher), 2);
    run_until(has_lost);
    assert_int_equal(t.readers[1].next, 2);
}

/** Kafka forgets the offsets of a deleted topic, so a function begins anew; another still has the old feed.
 */
static void a_reader_of_a_topic_that_was_made_again_gets_nothing_of_the_old_one(void **state)
{
    (void)state;
    produce(5);
    attach(&t.readers[0], RD_KAFKA_OFFSET_BEGINNING);
    run_until(have_all_read);
    fetcher_distrust(t.fetcher, TOPIC, 0);
    attach(&t.readers[1], 0);
    assert_int_equal(fetcher_feed_count(t.fetcher), 1);  // the feed is new, too
    assert_ptr_not_equal(fetcher_peek(&t.readers[1].reader), NULL);
    clock_fake(clock_now_us() + 11 * CLOCK_US_PER_S, clock_wall_us());
    fetcher_distrust(t.fetcher, TOPIC, 1);
    fetcher_distrust(t.fetcher, TOPIC, 0);
    clock_fake(-1, 0);
    attach(&t.readers[2], 0);
    assert_int_equal(fetcher_feed_count(t.fetcher), 2);
    assert_null(fetcher_peek(&t.readers[2].reader));
    run_until(share_all);
    produce(5);
    run_until(have_all_read);
}

/** Read-ahead: 8 partitions with 1 MiB, 32 with 256 KiB, the others with 64 KiB. */
static void the_read_ahead_of_many_partitions_is_bounded(void **state)
{
    (void)state;
    struct feed_reader *readers = memory_zeroed(PARTITIONS, sizeof(*readers));
    size_t bytes = 0;
    for (int32_t i = 0; i < PARTITIONS; i++) {
        assert_true(fetcher_attach(t.fetcher, &readers[i], TOPIC, i, 0, on_ready, NULL));
        bytes += fetcher_read_ahead(&readers[i]);
    }
    assert_int_equal(bytes, (8 << 20) + (32 * 256 << 10) + (64 << 10));
    for (int32_t i = 0; i < PARTITIONS; i++) {
        fetcher_detach(&readers[i]);
    }
    free(readers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(readers_at_one_place_get_the_same_record, start, stop),
        cmocka_unit_test_setup_teardown(a_reader_that_comes_later_joins_the_feed_that_has_its_place, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_reader_that_holds_up_the_others_reads_alone_until_the_end, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_reader_far_behind_reads_alone_until_the_end, start, stop),
        cmocka_unit_test_setup_teardown(a_reader_of_dropped_records_gets_them_from_kafka, start, stop),
        cmocka_unit_test_setup_teardown(a_reader_that_leaves_holds_up_nobody, start, stop),
        cmocka_unit_test_setup_teardown(all_readers_of_a_lost_place_learn_it_and_share_the_new_one, start,
                                        stop),
        cmocka_unit_test_setup_teardown(an_error_hides_no_record_from_a_reader_that_comes_later, start, stop),
        cmocka_unit_test_setup_teardown(
            a_reader_learns_that_its_place_was_deleted_though_another_reads_from_the_beginning, start, stop),
        cmocka_unit_test_setup_teardown(a_reader_of_a_topic_that_was_made_again_gets_nothing_of_the_old_one,
                                        start, stop),
        cmocka_unit_test_setup_teardown(the_read_ahead_of_many_partitions_is_bounded, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
