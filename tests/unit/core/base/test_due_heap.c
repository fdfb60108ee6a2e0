// core/base/due_heap
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/due_heap.h"

enum { COUNT = 1000 };

static void entries_come_in_the_order_of_their_times(void **state)
{
    (void)state;
    struct due_heap h = {0};
    static struct due_entry entries[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        due_heap_add(&h, &entries[i], (int64_t)(i * 7919 % 100));
    }
    for (size_t i = 0; i < COUNT; i += 3) {
        due_heap_remove(&h, &entries[i]);
        due_heap_remove(&h, &entries[i]);
    }
    const struct due_entry *last = NULL;
    size_t count = 0;
    for (struct due_entry *e; (e = due_heap_first(&h)) != NULL; count++) {
        assert_true((size_t)(e - entries) % 3 != 0);
        assert_true(last == NULL || last->due_us < e->due_us || (last->due_us == e->due_us && last < e));
        due_heap_remove(&h, e);
        last = e;
    }
    assert_int_equal(count, COUNT - (COUNT + 2) / 3);
    due_heap_clear(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_in_the_order_of_their_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
