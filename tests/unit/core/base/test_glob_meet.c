// core/base/glob_meet: whether two globs can match the same text.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/bytes.h"
#include "core/base/glob_meet.h"

static void check(const char *a, const char *b, bool expected)
{
    assert_int_equal(glob_meet(a, b), expected);
    assert_int_equal(glob_meet(b, a), expected);
}

static void globs_meet_where_a_text_matches_both(void **state)
{
    (void)state;
    check("shop.public.orders", "shop.public.orders", true);
    check("shop.public.orders", "shop.public.order", false);
    check("shop.*.*", "shop.public.orders", true);
    check("shop.*.*", "shop.orders", false);
    check("shop.*.*", "shop.*", true);
    check("shop.*.*", "shop.transaction", false);
    check("outbox.event.*", "outbox.*.order", true);
    check("outbox.event.*", "outbox.events", false);
    check("*", "", true);
    check("*", "anything", true);
    check("**a", "b*", true);
    check("", "", true);
    check("", "a", false);
    check("a?c", "a[bx]c", true);
    check("a?c", "ac", false);
    check("*_x", "y_*", true);
    check("*_x", "y_*y", false);
    check("[ab", "[ab", true);  // not closed: itself
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(globs_meet_where_a_text_matches_both)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
