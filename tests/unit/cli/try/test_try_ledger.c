#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "cli/try/try_ledger.h"

static int whole_count;
static char whole_op;

static void on_whole(void *self, const struct try_ledger_event *event)
{
    (void)self;
    whole_count++;
    whole_op = event->op;
}

static struct try_ledger *new_ledger(void)
{
    whole_count = 0;
    return try_ledger_new(on_whole, NULL);
}

static void call(struct try_ledger *l, const char *id, char op, int64_t row_id, int64_t latency_us)
{
    try_ledger_called(l, &(struct try_ledger_call){
                             .id = id,
                             .op = op,
                             .table = "orders",
                             .row_id = row_id,
                             .status = 200,
                             .latency_us = latency_us,
                         });
}

static struct try_ledger_counts counts_of(const struct try_ledger *l)
{
    struct try_ledger_counts counts;
    try_ledger_count(l, &counts);
    return counts;
}

static void a_change_is_whole_when_it_was_both_seen_and_called_in_any_order(void **state)
{
    (void)state;
    struct try_ledger *l = new_ledger();
    try_ledger_expect(l, 'c', "orders", 1);
    try_ledger_expect(l, 'u', "orders", 1);
    try_ledger_published(l, "a", "try.public.orders", 0, 0);
    assert_int_equal(whole_count, 0);
    call(l, "a", 'c', 1, 1000);
    assert_int_equal(whole_count, 1);
    call(l, "b", 'u', 1, 3000);
    assert_false(try_ledger_is_complete(l));
    try_ledger_published(l, "b", "try.public.orders", 0, 1);
    assert_int_equal(whole_count, 2);
    assert_int_equal(whole_op, 'u');
    assert_true(try_ledger_is_complete(l));
    try_ledger_free(l);
}

static void a_repeated_call_counts_once(void **state)
{
    (void)state;
    struct try_ledger *l = new_ledger();
    try_ledger_expect(l, 'c', "orders", 1);
    call(l, "a", 'c', 1, 1000);
    call(l, "a", 'c', 1, 9000);
    struct try_ledger_counts counts = counts_of(l);
    assert_int_equal(counts.invoked, 1);
    assert_int_equal(counts.repeated, 1);
    assert_int_equal(counts.p99_us, 1000);
    try_ledger_free(l);
}

static void a_change_made_twice_must_arrive_twice(void **state)
{
    (void)state;
    struct try_ledger *l = new_ledger();
    try_ledger_expect(l, 'u', "orders", 1);
    try_ledger_expect(l, 'u', "orders", 1);
    try_ledger_published(l, "a", "t", 0, 0);
    try_ledger_published(l, "b", "t", 0, 1);
    call(l, "a", 'u', 1, 1000);
    assert_false(try_ledger_is_complete(l));
    call(l, "b", 'u', 1, 1000);
    assert_true(try_ledger_is_complete(l));
    call(l, "c", 'u', 1, 1000);
    assert_int_equal(counts_of(l).strange, 1);
    try_ledger_free(l);
}

static void rows_from_before_are_in_no_count_of_changes(void **state)
{
    (void)state;
    struct try_ledger *l = new_ledger();
    try_ledger_expect(l, 'r', "orders", 1);
    try_ledger_published(l, "a", "t", 0, 0);
    call(l, "a", 'r', 1, 1000000);
    try_ledger_expect(l, 'c', "orders", 2);
    try_ledger_published(l, "b", "t", 0, 1);
    struct try_ledger_counts counts = counts_of(l);
    assert_int_equal(counts.changes, 1);
    assert_int_equal(counts.published, 1);
    assert_int_equal(counts.invoked, 0);
    assert_int_equal(counts.failed, 1);
    assert_int_equal(counts.before, 1);
    assert_int_equal(counts.before_invoked, 1);
    assert_int_equal(counts.p99_us, 0);
    try_ledger_free(l);
}

static void an_answer_that_is_no_success_is_no_arrival(void **state)
{
    (void)state;
    struct try_ledger *l = new_ledger();
    try_ledger_expect(l, 'c', "orders", 1);
    try_ledger_called(
        l, &(struct try_ledger_call){.id = "a", .op = 'c', .table = "orders", .row_id = 1, .status = 400});
    assert_int_equal(counts_of(l).invoked, 0);
    try_ledger_free(l);
}

static void refuse(struct try_ledger *l, const char *id, char op, int64_t row_id)
{
    try_ledger_called(l, &(struct try_ledger_call){.id = id,
                                                   .op = op,
                                                   .table = "orders",
                                                   .row_id = row_id,
                                                   .is_failed = true,
                                                   .latency_us = 9000000,
                                                   .details = "no"});
}

static void a_change_that_the_function_failed_for_has_arrived_and_counts_as_failed(void **state)
{
    (void)state;
    struct try_ledger *l = new_ledger();
    try_ledger_expect(l, 'r', "orders", 1);
    try_ledger_expect(l, 'c', "orders", 2);
    try_ledger_expect(l, 'c', "orders", 3);
    refuse(l, "a", 'r', 1);
    try_ledger_published(l, "a", "t", 0, 0);
    assert_int_equal(whole_count, 1);
    refuse(l, "b", 'c', 2);
    try_ledger_published(l, "b", "t", 0, 1);
    try_ledger_published(l, "c", "t", 0, 2);
    assert_false(try_ledger_is_complete(l));
    struct try_ledger_counts counts = counts_of(l);
    assert_int_equal(counts.published, 2);
    assert_int_equal(counts.missing, 1);
    call(l, "c", 'c', 3, 1000);
    assert_true(try_ledger_is_complete(l));
    counts = counts_of(l);
    assert_int_equal(counts.published, 2);
    assert_int_equal(counts.invoked, 1);
    assert_int_equal(counts.failed, 1);
    assert_int_equal(counts.refused, 2);
    assert_int_equal(counts.missing, 0);
    assert_int_equal(counts.before_invoked, 0);
    assert_int_equal(counts.p99_us, 1000);
    try_ledger_free(l);
}

static void percentiles_are_nearest_rank(void **state)
{
    (void)state;
    struct try_ledger *l = new_ledger();
    for (int i = 1; i <= 100; i++) {
        char id[8];
        snprintf(id, sizeof id, "%d", i);
        try_ledger_expect(l, 'c', "orders", i);
        call(l, id, 'c', i, (101 - i) * 1000);
    }
    assert_int_equal(counts_of(l).p50_us, 50000);
    assert_int_equal(counts_of(l).p99_us, 99000);
    try_ledger_free(l);
}

static void count_missing(void *self, char op, const char *table, int64_t row_id)
{
    (void)op;
    (void)table;
    *(int64_t *)self = *(int64_t *)self * 10 + row_id;
}

static void what_is_missing_is_told_in_the_order_it_was_made(void **state)
{
    (void)state;
    struct try_ledger *l = new_ledger();
    for (int i = 1; i <= 4; i++) {
        try_ledger_expect(l, 'c', "orders", i);
    }
    call(l, "a", 'c', 3, 1000);
    int64_t missing = 0;
    try_ledger_missing(l, &missing, count_missing);
    assert_int_equal(missing, 124);
    try_ledger_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_whole_when_it_was_both_seen_and_called_in_any_order),
        cmocka_unit_test(a_repeated_call_counts_once),
        cmocka_unit_test(a_change_made_twice_must_arrive_twice),
        cmocka_unit_test(rows_from_before_are_in_no_count_of_changes),
        cmocka_unit_test(an_answer_that_is_no_success_is_no_arrival),
        cmocka_unit_test(a_change_that_the_function_failed_for_has_arrived_and_counts_as_failed),
        cmocka_unit_test(percentiles_are_nearest_rank),
        cmocka_unit_test(what_is_missing_is_told_in_the_order_it_was_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
