// bridge/delivery/lanes, work_item: once warm, an event takes no memory from malloc.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/bridge/delivery/lane_case.h"

enum { EVENTS = 500 };

static size_t allocations;

// The linker puts these in place of memory.c's.
void *__real_memory_new(size_t size);
void *__real_memory_zeroed(size_t count, size_t size);
void *__real_memory_resize(void *old, size_t size);
void *__wrap_memory_new(size_t size);
void *__wrap_memory_zeroed(size_t count, size_t size);
void *__wrap_memory_resize(void *old, size_t size);

void *__wrap_memory_new(size_t size)
{
    allocations++;
    return __real_memory_new(size);
}

void *__wrap_memory_zeroed(size_t count, size_t size)
{
    allocations++;
    return __real_memory_zeroed(count, size);
}

void *__wrap_memory_resize(void *old, size_t size)
{
    allocations++;
    return __real_memory_resize(old, size);
}

/** Events of keys of their own and of no key are queued, taken and settled. */
static void round_of_events(struct lanes *l, int64_t first_offset)
{
    for (int64_t i = 0; i < EVENTS; i++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "key-%03d", (int)(i % 400));
        struct work_item *item = make(&first, NULL, first_offset + i);
        item->record->has_key = i % 10 != 0;
        item->record->key = slice_of(key);
        lanes_put(l, item, 0);
    }
    struct work_item *item;
    while ((item = lanes_take(l)) != NULL) {
        finish(l, item);
    }
}

static void events_reuse_the_memory_of_those_before(void **state)
{
    (void)state;
    block_free(block_new(1), 1);
    if (block_pool_kept() == 0) {
        skip();  // under AddressSanitizer every block is malloc's
    }
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    round_of_events(&l, 0);
    assert_true(allocations > EVENTS);
    allocations = 0;
    for (int64_t round = 1; round <= 20; round++) {
        round_of_events(&l, round * EVENTS);
    }
    assert_int_equal(allocations, 0);
    lanes_clear(&l);
    block_pool_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_reuse_the_memory_of_those_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
