// bridge/intake/consumer_conf and bridge/config/function_change: what a function's file means for its
// consumer.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/config/function_change.h"
#include "bridge/intake/consumer_conf.h"
#include "core/base/memory.h"

static void globs_become_anchored_regular_expressions(void **state)
{
    (void)state;
    static const char *const CASES[][2] = {
        {"shop.public.orders", "shop.public.orders"},
        {"shop.public.*", "^shop\\.public\\..*$"},
        {"shop.?", "^shop\\..$"},
        {"shop.[!a]x", "^shop\\.[^a]x$"},
        {"/^shop\\..*/", "^(^shop\\..*)$"},
        {"/shop\\.(a|b)_\\d/", "^(shop\\.(a|b)_[0-9])$"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        CLEANUP(memory_free_pointer) char *subscription = consumer_conf_subscription(CASES[i][0]);
        assert_string_equal(subscription, CASES[i][1]);
    }
}

static void expect_open(const char *message_max, const char *receive_max)
{
    struct settings settings = {0};
    struct function_config config = {.name = memory_string("fn")};
    struct join_watch join;
    rd_kafka_t *rk = NULL;
    struct fault f = {0};
    text_list_add(&config.source.topics, "a.b.c");
    text_pairs_set(&settings.kafka, "bootstrap.servers", "127.0.0.1:1");
    text_pairs_set(&settings.kafka, "message.max.bytes", message_max);
    if (receive_max != NULL) {
        text_pairs_set(&settings.kafka, "receive.message.max.bytes", receive_max);
    }
    bool is_open = consumer_conf_open(
        &settings, &(struct consumer_group){"millrace.fn", &config.source.topics}, &join, &rk, &f);
    assert_string_equal(f.text, "");
    assert_true(is_open);
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    text_pairs_clear(&settings.kafka);
    function_config_clear(&config);
}

static void a_raised_limit_of_records_raises_the_limits_of_reading(void **state)
{
    (void)state;
    expect_open("1000", NULL);
    expect_open("10485760", NULL);
    expect_open("10485760", "10485760");
    expect_open("1000000000", NULL);
}

static struct function_config make(void)
{
    struct function_config c = {.http = {.url = memory_string("http://x/")}, .delivery = {.concurrency = 16}};
    text_list_add(&c.source.topics, "a.b.c");
    text_pairs_set(&c.http.headers, "X", "1");
    return c;
}

static void only_topics_and_order_need_a_restart(void **state)
{
    (void)state;
    struct function_config old = make();
    struct function_config new = make();
    assert_int_equal(function_change_between(&old, &new), FUNCTION_CHANGE_NONE);
    new.delivery.concurrency = 3;
    assert_int_equal(function_change_between(&old, &new), FUNCTION_CHANGE_IN_PLACE);
    new.delivery.concurrency = 16;
    text_pairs_set(&new.http.headers, "X", "2");
    assert_int_equal(function_change_between(&old, &new), FUNCTION_CHANGE_IN_PLACE);
    new.delivery.order = FUNCTION_ORDER_NONE;
    assert_int_equal(function_change_between(&old, &new), FUNCTION_CHANGE_RESTART);
    new.delivery.order = old.delivery.order;
    text_list_add(&new.source.topics, "d.e.f");
    assert_int_equal(function_change_between(&old, &new), FUNCTION_CHANGE_RESTART);
    function_config_clear(&old);
    function_config_clear(&new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(globs_become_anchored_regular_expressions),
        cmocka_unit_test(a_raised_limit_of_records_raises_the_limits_of_reading),
        cmocka_unit_test(only_topics_and_order_need_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
