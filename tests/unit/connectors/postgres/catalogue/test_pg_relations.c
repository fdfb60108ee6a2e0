#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/postgres/catalogue/pg_relations.h"
#include "connectors/postgres/catalogue/table_filter.h"
#include "core/base/text.h"

static void assert_topic(const char *name, const char *want)
{
    CLEANUP(memory_free_pointer) char *topic = pg_relations_topic("shop", "public", name);
    assert_string_equal(topic, want);
}

static void a_topic_has_an_underscore_for_each_of_javas_characters(void **state)
{
    (void)state;
    assert_topic("orders_2026-01.old", "shop.public.orders_2026-01.old");
    assert_topic("a b\"c", "shop.public.a_b_c");
    assert_topic("größe", "shop.public.gr__e");
    assert_topic("テーブル", "shop.public.____");
    assert_topic("a€z", "shop.public.a_z");
    assert_topic("x😀y", "shop.public.x__y");  // two UTF-16 units
}

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

static void a_partition_is_wanted_with_what_it_is_a_part_of(void **state)
{
    (void)state;
    struct connector_config config = {0};
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
        cmocka_unit_test(a_partition_is_wanted_with_what_it_is_a_part_of),
        cmocka_unit_test(a_topic_has_an_underscore_for_each_of_javas_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
