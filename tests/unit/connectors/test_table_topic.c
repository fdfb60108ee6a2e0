#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/table_topic.h"
#include "core/base/memory.h"

static void assert_topic(const char *name, const char *want)
{
    CLEANUP(memory_free_pointer) char *topic = table_topic_name("shop", "public", name);
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

static void the_first_route_that_matches_names_the_topic(void **state)
{
    (void)state;
    struct connector_route routes[] = {
        {.match = NULL, .topic = NULL},  // an entry with a complaint
        {.match = (char *)"public.log_*", .topic = (char *)"{prefix}.{schema}.logs"},
        {.match = (char *)"*.log_1", .topic = (char *)"never"},
        {.match = (char *)"audit.*", .topic = (char *)"all-{table}"},
    };
    struct connector_config config = {.topic_prefix = (char *)"shop",
                                      .routes = {.items = routes, .count = 4}};
    CLEANUP(memory_free_pointer) char *logs = table_topic_of(&config, "public", "log_1");
    assert_string_equal(logs, "shop.public.logs");
    CLEANUP(memory_free_pointer) char *audit = table_topic_of(&config, "audit", "a b");
    assert_string_equal(audit, "all-a_b");
    CLEANUP(memory_free_pointer) char *other = table_topic_of(&config, "public", "orders");
    assert_string_equal(other, "shop.public.orders");
}

static void a_route_refers_to_the_groups_of_its_match(void **state)
{
    (void)state;
    struct connector_route routes[] = {
        {.match = (char *)"/(?:shard_\\d+)\\.([a-z(]+)[()]?(_x)?/", .topic = (char *)"{prefix}.all.{1}{2}"},
        {.match = (char *)"/public\\.(.*)_(\\d+)/", .topic = (char *)"{2}-{1}"},
    };
    struct connector_config config = {.topic_prefix = (char *)"shop",
                                      .routes = {.items = routes, .count = 2}};
    CLEANUP(memory_free_pointer) char *shard = table_topic_of(&config, "shard_17", "orders");
    assert_string_equal(shard, "shop.all.orders");
    CLEANUP(memory_free_pointer) char *second = table_topic_of(&config, "Shard_1", "Orders_x");
    assert_string_equal(second, "shop.all.Orders_x");
    CLEANUP(memory_free_pointer) char *numbered = table_topic_of(&config, "public", "a_b_12");
    assert_string_equal(numbered, "12-a_b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_topic_has_an_underscore_for_each_of_javas_characters),
        cmocka_unit_test(the_first_route_that_matches_names_the_topic),
        cmocka_unit_test(a_route_refers_to_the_groups_of_its_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
