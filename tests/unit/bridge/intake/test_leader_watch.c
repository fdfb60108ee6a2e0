#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/intake/leader_watch.h"

#define REFUSED "shop.public.a [3]: broker unavailable: fetch: Broker: Unknown topic or partition"

static void say(struct leader_watch *w, const char *facility, const char *text)
{
    struct kafka_log_reader *reader = leader_watch_reader(w);
    reader->on_line(reader->self, facility, text);
}

static void refused_fetches_are_counted_for_each_partition(void **state)
{
    (void)state;
    struct leader_watch *w = leader_watch_new();
    uint64_t key = leader_watch_key(slice_of("shop.public.a"), 3);
    assert_int_equal(leader_watch_count(w, key), 0);
    say(w, "BROKERUA", REFUSED);
    say(w, "BROKERUA", REFUSED);
    say(w, "BROKERUA", "shop.public.a [13]: broker unavailable: fetch: Broker: Not leader for partition");
    assert_int_equal(leader_watch_count(w, key), 2);
    assert_int_equal(leader_watch_count(w, leader_watch_key(slice_of("shop.public.a"), 13)), 1);
    assert_int_equal(leader_watch_count(w, leader_watch_key(slice_of("shop.public"), 3)), 0);
    leader_watch_free(w);
}

static void other_lines_count_nothing(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "shop.public.a [3]: broker unavailable: produce: Broker: Not leader for partition",
        "shop.public.a [3]: broker available",
        "shop.public.a [x]: broker unavailable: fetch: Broker: Not leader for partition",
        "shop.public.a",
        "",
    };
    struct leader_watch *w = leader_watch_new();
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        say(w, "BROKERUA", TEXTS[i]);
    }
    say(w, "TOPICUPD", REFUSED);
    assert_int_equal(leader_watch_count(w, leader_watch_key(slice_of("shop.public.a"), 3)), 0);
    leader_watch_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_fetches_are_counted_for_each_partition),
        cmocka_unit_test(other_lines_count_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
