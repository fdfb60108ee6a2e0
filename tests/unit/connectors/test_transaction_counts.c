// connectors/transaction_counts: each event has its place, and a transaction's counts hold nothing of
// another.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/transaction_counts.h"

static struct table orders = {.schema = (char *)"public", .name = (char *)"orders"};
static struct table orders_again = {.schema = (char *)"public", .name = (char *)"orders"};  // altered
static struct table lines = {.schema = (char *)"public", .name = (char *)"lines"};

static void begin(struct transaction_counts *t, uint32_t xid)
{
    struct change change = {.kind = CHANGE_BEGIN, .transaction_id = xid, .commit_lsn = 258};
    transaction_counts_see(t, &change);
}

static struct change_order see(struct transaction_counts *t, struct table *table, enum change_op op,
                               uint32_t xid)
{
    struct change change = {.kind = CHANGE_ROW, .op = op, .table = table, .transaction_id = xid};
    transaction_counts_see(t, &change);
    return change.order;
}

static void assert_count(const struct transaction_counts *t, size_t at, const char *name, uint64_t count)
{
    size_t all;
    const struct event_count *tables = transaction_counts_tables(t, &all);
    assert_true(at < all);
    assert_string_equal(tables[at].collection, name);
    assert_int_equal(tables[at].count, count);
}

static void events_are_numbered_in_their_transaction_and_their_table(void **state)
{
    (void)state;
    struct transaction_counts *t = transaction_counts_new();
    size_t count;
    begin(t, 4294967295U);
    assert_int_equal(transaction_counts_total(t), 0);
    struct change_order order = see(t, &orders, CHANGE_CREATE, 7);
    assert_true(slice_equal(order.id, slice_of("4294967295:258")));
    assert_int_equal(order.total, 1);
    assert_int_equal(order.of_table, 1);
    (void)see(t, &lines, CHANGE_DELETE, 7);
    order = see(t, &orders_again, CHANGE_UPDATE, 7);
    assert_int_equal(order.total, 3);
    assert_int_equal(order.of_table, 2);
    (void)see(t, &lines, CHANGE_TRUNCATE, 7);
    (void)see(t, &lines, CHANGE_MESSAGE, 7);
    assert_int_equal(transaction_counts_total(t), 5);
    (void)transaction_counts_tables(t, &count);
    assert_int_equal(count, 3);
    assert_count(t, 0, "public.orders", 2);
    assert_count(t, 1, "public.lines", 2);
    assert_count(t, 2, "LOGICAL_DECODING_MESSAGE", 1);
    begin(t, 8);
    order = see(t, &lines, CHANGE_CREATE, 8);
    assert_int_equal(order.total, 1);
    assert_int_equal(order.of_table, 1);
    (void)transaction_counts_tables(t, &count);
    assert_int_equal(count, 1);
    assert_count(t, 0, "public.lines", 1);
    transaction_counts_free(t);
}

static void what_is_in_no_transaction_has_no_place(void **state)
{
    (void)state;
    struct transaction_counts *t = transaction_counts_new();
    begin(t, 7);
    assert_null(see(t, &orders, CHANGE_READ, 7).id.data);
    assert_null(see(t, &orders, CHANGE_MESSAGE, 0).id.data);
    assert_int_equal(transaction_counts_total(t), 0);
    transaction_counts_free(t);
}

static void without_numbers_nothing_is_counted(void **state)
{
    (void)state;
    begin(NULL, 7);
    assert_null(see(NULL, &orders, CHANGE_CREATE, 7).id.data);
    assert_int_equal(transaction_counts_total(NULL), 0);
    transaction_counts_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_numbered_in_their_transaction_and_their_table),
        cmocka_unit_test(what_is_in_no_transaction_has_no_place),
        cmocka_unit_test(without_numbers_nothing_is_counted),
    };
    return cmocka_run_group_tests_name("connectors/transaction_counts", tests, NULL, NULL);
}
