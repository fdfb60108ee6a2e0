// connectors/postgres/catalogue/pg_unmatched: entries of the selection that match nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/postgres/catalogue/pg_unmatched.h"
#include "core/base/memory.h"

static void see(struct pg_unmatched *u, const char *table, const char *above, const char *column)
{
    struct text_list ancestors = {0};
    struct pgoutput_relation *message = memory_zeroed(1, sizeof(*message));
    message->column_count = 2;
    message->columns[0].name = slice_of("id");
    message->columns[1].name = slice_of(column);
    if (above != NULL) {
        text_list_add(&ancestors, above);
    }
    pg_unmatched_see(u, table, &ancestors, message);
    text_list_clear(&ancestors);
    free(message);
}

static void entries_are_matched_by_tables_columns_and_ancestors(void **state)
{
    (void)state;
    struct connector_config config = {0};
    struct connector_key key = {.table = memory_string("public.visits")};
    struct connector_key by = {.table = memory_string("public.baskets")};
    struct connector_route routes[] = {{.match = memory_string("public.log_*")}, {NULL, NULL}};
    text_pairs_set(&config.columns.mask, "public.people.phone", "*");
    text_pairs_set(&config.columns.mask, "public.people.phnoe", "*");
    text_pairs_set(&config.columns.truncate, "/.*\\.NOTE/", "4");
    text_list_add(&config.columns.hash.columns, "sales.all.email");
    text_list_add(&config.columns.exclude, "*.*.card");
    text_pairs_set(&config.rows, "public.orders", "true");
    config.keys.items = &key;
    config.keys.count = 1;
    config.partition_by.items = &by;
    config.partition_by.count = 1;
    config.routes.items = routes;
    config.routes.count = 2;
    struct pg_unmatched *u = pg_unmatched_new(&config, "t");
    see(u, "public.people", NULL, "phone");
    assert_int_equal(pg_unmatched_count(u), 0);
    pg_unmatched_report(u);
    assert_int_equal(pg_unmatched_count(u), 8);
    see(u, "public.orders", NULL, "note");
    assert_int_equal(pg_unmatched_count(u), 6);
    see(u, "public.log_1", NULL, "card");
    assert_int_equal(pg_unmatched_count(u), 4);
    see(u, "sales.eu", "sales.all", "email");
    see(u, "public.visits", NULL, "x");
    assert_int_equal(pg_unmatched_count(u), 2);
    see(u, "public.baskets", NULL, "x");
    assert_int_equal(pg_unmatched_count(u), 1);
    pg_unmatched_report(u);
    pg_unmatched_free(u);
    pg_unmatched_free(NULL);
    text_pairs_clear(&config.columns.mask);
    text_pairs_clear(&config.columns.truncate);
    text_list_clear(&config.columns.hash.columns);
    text_list_clear(&config.columns.exclude);
    text_pairs_clear(&config.rows);
    free(key.table);
    free(by.table);
    free(routes[0].match);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(entries_are_matched_by_tables_columns_and_ancestors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
