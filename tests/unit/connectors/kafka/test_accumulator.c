// connectors/kafka/accumulator: records come out in order, when they are due.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "connectors/kafka/accumulator.h"
#include "connectors/kafka/record_headers.h"
#include "core/base/memory.h"

static const char position[] = "0000000000000100-00000000";

static struct accumulator_record record_of(uint64_t ticket, const char *key, const char *value)
{
    struct slice none = {NULL, 0};
    return (struct accumulator_record){.ticket = ticket,
                                       .key = key == NULL ? none : slice_of(key),
                                       .value = value == NULL ? none : slice_of(value),
                                       .position = slice_of(position)};
}

static void put(struct accumulator *a, struct accumulator_queue *q, uint64_t ticket, const char *key,
                const char *value)
{
    struct accumulator_record record = record_of(ticket, key, value);
    accumulator_put(a, q, &record);
}

static void expect(struct accumulator *a, struct accumulator_queue *q, uint64_t ticket, const char *key,
                   const char *value)
{
    struct accumulator_record wanted = record_of(ticket, key, value);
    struct accumulator_record got = accumulator_first(q);
    assert_int_equal(got.ticket, ticket);
    assert_true(slice_equal(got.key, wanted.key));
    assert_true(slice_equal(got.value, wanted.value));
    assert_int_equal(got.key.data == NULL, key == NULL);
    assert_int_equal(got.value.data == NULL, value == NULL);
    assert_true(slice_equal(got.position, slice_of(position)));
    accumulator_pop(a, q);
}

static void records_come_out_in_order_and_null_is_not_empty(void **state)
{
    (void)state;
    struct accumulator a = {0};
    struct accumulator_queue q = {0};
    put(&a, &q, 1, "k", "value");
    put(&a, &q, 2, "longer key", NULL);  // a tombstone
    put(&a, &q, 3, NULL, "no key");
    put(&a, &q, UINT64_MAX, "", "");
    assert_int_equal(a.records, 4);
    expect(&a, &q, 1, "k", "value");
    expect(&a, &q, 2, "longer key", NULL);
    put(&a, &q, 4, "late", "one");
    expect(&a, &q, 3, NULL, "no key");
    expect(&a, &q, UINT64_MAX, "", "");
    expect(&a, &q, 4, "late", "one");
    assert_int_equal(a.records, 0);
    assert_int_equal(a.bytes, 0);
    accumulator_clear_queue(&a, &q);
}

static void a_record_may_have_no_position(void **state)
{
    (void)state;
    struct accumulator a = {0};
    struct accumulator_queue q = {0};
    struct accumulator_record record = {.ticket = 1, .key = slice_of("k"), .value = slice_of("v")};
    record.partition = 7;
    record.timestamp_ms = 1767323045678;
    accumulator_put(&a, &q, &record);
    assert_int_equal(accumulator_first(&q).partition, 7);
    assert_int_equal(accumulator_first(&q).timestamp_ms, 1767323045678);
    assert_null(accumulator_first(&q).position.data);
    accumulator_clear_queue(&a, &q);
    assert_int_equal(a.records, 0);
    assert_int_equal(a.bytes, 0);
    assert_null(a.ready);
}

static void a_record_keeps_its_trace(void **state)
{
    (void)state;
    struct accumulator a = {0};
    struct accumulator_queue q = {0};
    struct accumulator_record record = record_of(1, "k", NULL);
    record.trace = (struct trace_headers){slice_of("parent"), slice_of("state")};
    accumulator_put(&a, &q, &record);
    record.trace.tracestate = (struct slice){NULL, 0};
    accumulator_put(&a, &q, &record);
    put(&a, &q, 2, "k", "v");
    assert_true(slice_equal(accumulator_first(&q).trace.traceparent, slice_of("parent")));
    assert_true(slice_equal(accumulator_first(&q).trace.tracestate, slice_of("state")));
    expect(&a, &q, 1, "k", NULL);
    assert_true(slice_equal(accumulator_first(&q).trace.traceparent, slice_of("parent")));
    assert_int_equal(accumulator_first(&q).trace.tracestate.size, 0);
    expect(&a, &q, 1, "k", NULL);
    assert_int_equal(accumulator_first(&q).trace.traceparent.size, 0);
    expect(&a, &q, 2, "k", "v");
    assert_int_equal(a.bytes, 0);
    accumulator_clear_queue(&a, &q);
}

static void a_record_keeps_its_headers_and_its_partition(void **state)
{
    (void)state;
    struct accumulator a = {0};
    struct accumulator_queue q = {0};
    struct bytes headers = {0};
    const char *name;
    struct slice value;
    record_headers_add(&headers, "first", slice_of("1"));
    record_headers_add(&headers, "empty", slice_of(""));
    record_headers_add(&headers, "null", (struct slice){NULL, 0});
    struct accumulator_record record = record_of(1, "k", "v");
    record.trace.traceparent = slice_of("parent");
    record.headers = bytes_slice(&headers);
    record.partition = 7;
    accumulator_put(&a, &q, &record);
    put(&a, &q, 2, "k", "v");
    struct accumulator_record got = accumulator_first(&q);
    assert_int_equal(got.partition, 7);
    assert_true(record_headers_next(&got.headers, &name, &value));
    assert_string_equal(name, "first");
    assert_true(slice_equal(value, slice_of("1")));
    assert_true(record_headers_next(&got.headers, &name, &value));
    assert_string_equal(name, "empty");
    assert_non_null(value.data);
    assert_true(record_headers_next(&got.headers, &name, &value));
    assert_string_equal(name, "null");
    assert_null(value.data);
    assert_false(record_headers_next(&got.headers, &name, &value));
    expect(&a, &q, 1, "k", "v");
    assert_int_equal(accumulator_first(&q).headers.size, 0);
    expect(&a, &q, 2, "k", "v");
    assert_int_equal(a.bytes, 0);
    accumulator_clear_queue(&a, &q);
    bytes_clear(&headers);
}

static size_t hand_on(struct accumulator *a, size_t under_way)
{
    struct accumulator_queue *q;
    size_t count = 0;
    accumulator_begin_round(a, under_way);
    while ((q = accumulator_next(a)) != NULL) {
        accumulator_sent(q);
        accumulator_pop(a, q);
        count++;
    }
    return count;
}

static void put_many(struct accumulator *a, struct accumulator_queue *q, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put(a, q, 1, "k", "v");
    }
}

static void a_round_waits_for_the_acknowledgement_of_the_last_one(void **state)
{
    (void)state;
    struct accumulator a = {0};
    struct accumulator_queue q = {0};
    struct accumulator_queue other = {0};
    for (size_t i = 0; i < 5; i++) {  // librdkafka sends so many before the first is acknowledged
        put(&a, &q, 1, "k", "v");
        assert_int_equal(hand_on(&a, i), 1);
    }
    put_many(&a, &q, 300);
    assert_int_equal(hand_on(&a, 5), 0);
    put(&a, &other, 1, "k", "v");  // nothing of its topic is in flight
    assert_int_equal(hand_on(&a, 5), 1);
    accumulator_acknowledged(&a, &q, 1);
    assert_int_equal(hand_on(&a, 5), 300);
    put(&a, &q, 1, "k", "v");
    accumulator_acknowledged(&a, &q, 299);
    assert_int_equal(hand_on(&a, 5), 0);
    accumulator_acknowledged(&a, &q, 5);
    assert_int_equal(hand_on(&a, 0), 1);
    accumulator_clear_queue(&a, &q);
    accumulator_clear_queue(&a, &other);
}

static void without_a_limit_nothing_waits_for_acknowledgements(void **state)
{
    (void)state;
    struct accumulator a = {.has_no_limit = true};
    struct accumulator_queue q = {0};
    put_many(&a, &q, 5000);
    assert_int_equal(hand_on(&a, 0), 5000);
    put(&a, &q, 1, "k", "v");
    assert_int_equal(hand_on(&a, 5000), 1);
    accumulator_clear_queue(&a, &q);
}

static void a_round_has_as_much_as_is_handed_over_in_time(void **state)
{
    (void)state;
    struct accumulator a = {0};
    struct accumulator_queue q = {0};
    put_many(&a, &q, 17000);
    assert_int_equal(hand_on(&a, 0), 16384);
    assert_int_equal(hand_on(&a, 16384), 0);
    accumulator_acknowledged(&a, &q, 16384);
    assert_int_equal(hand_on(&a, 0), 616);
    accumulator_clear_queue(&a, &q);
}

static void what_a_round_that_is_cut_off_leaves_goes_with_another(void **state)
{
    (void)state;
    struct accumulator a = {0};
    struct accumulator_queue q = {0};
    struct accumulator_queue other = {0};
    put_many(&a, &q, 10);
    put_many(&a, &other, 1);
    accumulator_begin_round(&a, 0);
    for (size_t i = 0; i < 6; i++) {
        assert_ptr_equal(accumulator_next(&a), &q);
        accumulator_sent(&q);
        accumulator_pop(&a, &q);
    }
    accumulator_end_round(&a);  // librdkafka's queue is full
    assert_null(accumulator_next(&a));
    assert_int_equal(hand_on(&a, 6), 1);  // of the other topic
    accumulator_acknowledged(&a, &q, 6);
    assert_int_equal(hand_on(&a, 1), 4);
    accumulator_clear_queue(&a, &q);
    accumulator_clear_queue(&a, &other);
}

static void many_topics_wait_longer_and_go_topic_by_topic(void **state)
{
    (void)state;
    enum { TOPICS = 100 };
    struct accumulator a = {0};
    struct accumulator_queue *queues = memory_zeroed(TOPICS, sizeof(*queues));
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < TOPICS; i++) {
            put(&a, &queues[i], (uint64_t)round, "k", "v");
        }
    }
    assert_int_equal(hand_on(&a, 100), 0);
    for (int i = 0; i < TOPICS; i++) {
        put(&a, &queues[i], 3, "k", "v");
    }
    accumulator_begin_round(&a, 100);
    for (int i = 0; i < TOPICS; i++) {
        for (uint64_t ticket = 0; ticket < 4; ticket++) {
            assert_ptr_equal(accumulator_next(&a), &queues[i]);
            expect(&a, &queues[i], ticket, "k", "v");
        }
    }
    assert_null(accumulator_next(&a));
    for (int i = 0; i < TOPICS; i++) {
        accumulator_clear_queue(&a, &queues[i]);
    }
    free(queues);
}

static void a_queue_that_never_runs_empty_stays_small(void **state)
{
    (void)state;
    struct accumulator a = {0};
    struct accumulator_queue q = {0};
    char *value = memory_zeroed(1, 10001);
    memset(value, 'x', 10000);
    put(&a, &q, 0, "k", value);
    for (uint64_t i = 1; i < 1000; i++) {
        put(&a, &q, i, "k", value);
        expect(&a, &q, i - 1, "k", value);
    }
    assert_true(q.older.capacity + q.newer.capacity < (2 << 20));
    accumulator_clear_queue(&a, &q);
    free(value);
}

static void records_keep_their_order_while_some_are_put_and_some_taken(void **state)
{
    (void)state;
    struct accumulator a = {0};
    struct accumulator_queue q = {0};
    uint64_t put_next = 0;
    uint64_t taken_next = 0;
    for (int turn = 1; turn <= 200; turn++) {
        for (int i = turn * 7 % 5; i >= 0; i--) {
            put(&a, &q, put_next++, "k", "value");
        }
        for (int i = turn * 3 % 7; i > 0 && taken_next < put_next; i--) {
            expect(&a, &q, taken_next++, "k", "value");
        }
        assert_int_equal(a.bytes > 0, put_next > taken_next);
    }
    assert_true(taken_next > 100);
    accumulator_clear_queue(&a, &q);
    assert_int_equal(a.bytes, 0);
    assert_int_equal(a.records, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_out_in_order_and_null_is_not_empty),
        cmocka_unit_test(a_record_may_have_no_position),
        cmocka_unit_test(a_record_keeps_its_trace),
        cmocka_unit_test(a_record_keeps_its_headers_and_its_partition),
        cmocka_unit_test(a_round_waits_for_the_acknowledgement_of_the_last_one),
        cmocka_unit_test(without_a_limit_nothing_waits_for_acknowledgements),
        cmocka_unit_test(a_round_has_as_much_as_is_handed_over_in_time),
        cmocka_unit_test(what_a_round_that_is_cut_off_leaves_goes_with_another),
        cmocka_unit_test(many_topics_wait_longer_and_go_topic_by_topic),
        cmocka_unit_test(a_queue_that_never_runs_empty_stays_small),
        cmocka_unit_test(records_keep_their_order_while_some_are_put_and_some_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
