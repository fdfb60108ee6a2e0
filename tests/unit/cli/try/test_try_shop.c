#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/try/try_shop.h"

struct seen {
    int64_t count;
    char ops[64];
};

static void on_change(void *self, const struct try_shop_change *change)
{
    struct seen *s = self;
    if (s->count < (int64_t)sizeof s->ops - 1) {
        s->ops[s->count] = change->op;
    }
    s->count++;
}

static void any_number_of_changes_is_made_to_the_row(void **state)
{
    (void)state;
    for (int64_t wanted = 1; wanted <= 40; wanted++) {
        struct seen s = {0};
        struct bytes sql = {0};
        int64_t made = 0;
        while (made < wanted) {
            made += try_shop_transaction(made, wanted, "public", &sql, on_change, &s);
        }
        assert_int_equal(made, wanted);
        assert_int_equal(s.count, wanted);
        bytes_clear(&sql);
    }
}

static void twenty_changes_are_inserts_updates_and_deletes(void **state)
{
    (void)state;
    struct seen s = {0};
    struct bytes sql = {0};
    for (int64_t made = 0; made < 20;) {
        made += try_shop_transaction(made, 20, "public", &sql, on_change, &s);
    }
    assert_string_equal(s.ops, "ccccuuduudccccuuduud");
    bytes_clear(&sql);
}

static void an_order_and_its_lines_are_one_transaction(void **state)
{
    (void)state;
    struct seen s = {0};
    struct bytes sql = {0};
    assert_int_equal(try_shop_transaction(1, 20, "s1", &sql, on_change, &s), 3);
    assert_string_equal(
        bytes_text(&sql),
        "INSERT INTO s1.orders (id, customer_id, status, total) VALUES (2, 2, 'new', 24.80);"
        "INSERT INTO s1.order_lines (id, order_id, product, quantity, price) VALUES (3, 2, 'teapot', 1, "
        "19.90);"
        "INSERT INTO s1.order_lines (id, order_id, product, quantity, price) VALUES (4, 2, 'cup', 1, 4.90);");
    bytes_clear(&sql);
}

static void the_first_rows_are_told_as_reads(void **state)
{
    (void)state;
    struct seen s = {0};
    struct bytes sql = {0};
    try_shop_tables("public", &sql, on_change, &s);
    assert_string_equal(s.ops, "rrrr");
    bytes_clear(&sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_changes_is_made_to_the_row),
        cmocka_unit_test(twenty_changes_are_inserts_updates_and_deletes),
        cmocka_unit_test(an_order_and_its_lines_are_one_transaction),
        cmocka_unit_test(the_first_rows_are_told_as_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
