#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/postgres/catalogue/pg_relations.h"
#include "connectors/postgres/catalogue/table_filter.h"
#include "core/base/text.h"

static bool wants(const struct connector_config *config, const char *name, const char *above, const char *top)
{
    CLEANUP(text_list_clear) struct text_list ancestors = {0};
    if (above != NULL) {
        text_list_add(&ancestors, above);
    }
    if (top != NULL) {
        text_list_add(&ancestors, top);
    }
    return table_filter_wants(config, "public", name, &ancestors);
}

static void a_table_whose_topic_is_taken_is_not_wanted(void **state)
{
    (void)state;
    struct connector_route route = {.match = (char *)"public.*", .topic = (char *)"{prefix}.{table}"};
    struct connector_config config = {.topic_prefix = (char *)"shop",
                                      .transactions = {.topic = true},
                                      .outbox = {.table = (char *)"public.message"},
                                      .messages = {.include = {0}},
                                      .routes = {.items = &route, .count = 1}};
    text_list_add(&config.tables.include, "*");
    text_list_add(&config.messages.include, "*");
    assert_true(wants(&config, "orders", NULL, NULL));
    assert_false(wants(&config, "transaction", NULL, NULL));
    assert_true(wants(&config, "message", NULL, NULL));  // the outbox has no topic of its own
    route.topic = (char *)"{schema}.{table}";
    route.match = (char *)"*";
    assert_false(table_filter_wants(&config, "millrace", "schemas", &(struct text_list){0}));
    text_list_clear(&config.messages.include);
    text_list_clear(&config.tables.include);
}

static void a_partition_is_wanted_with_what_it_is_a_part_of(void **state)
{
    (void)state;
    struct connector_config config = {.topic_prefix = (char *)"shop"};
    text_list_add(&config.tables.include, "public.orders");
    text_list_add(&config.tables.include, "sales.eu");
    text_list_add(&config.tables.exclude, "public.orders_2025");
    text_list_add(&config.tables.exclude, "sales.secret");
    assert_true(wants(&config, "orders", NULL, NULL));
    assert_false(wants(&config, "orders_2026", NULL, NULL));
    assert_true(wants(&config, "orders_2026", "public.orders", NULL));
    assert_false(wants(&config, "orders_2025", "public.orders", NULL));
    assert_true(wants(&config, "anything", "public.orders_q1", "public.orders"));
    assert_false(wants(&config, "anything", "public.orders_2025", "public.orders"));
    assert_true(wants(&config, "eu_1", "sales.eu", "sales.all"));
    assert_false(wants(&config, "eu_1", "sales.eu", "sales.secret"));
    assert_false(wants(&config, "orders", "sales.secret", NULL));
    text_list_clear(&config.tables.include);
    text_list_clear(&config.tables.exclude);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_whose_topic_is_taken_is_not_wanted),
        cmocka_unit_test(a_partition_is_wanted_with_what_it_is_a_part_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
