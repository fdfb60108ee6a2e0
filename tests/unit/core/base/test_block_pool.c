// core/base/block_pool: blocks that are taken again.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/block_pool.h"
#include "core/base/memory.h"

/** False under AddressSanitizer, where every block is malloc's. */
static bool is_pooled(void)
{
    block_pool_clear();
    block_free(block_new(1), 1);
    bool ret = block_pool_kept() > 0;
    block_pool_clear();
    return ret;
}

static void a_freed_block_is_taken_again_for_any_size_of_its_class(void **state)
{
    (void)state;
    if (!is_pooled()) {
        skip();
    }
    void *first = block_new(65);
    void *second = block_new(128);
    assert_int_equal(block_pool_kept(), 0);
    block_free(first, 65);
    block_free(second, 128);
    assert_int_equal(block_pool_kept(), 256);
    void *other = block_new(64);  // of a smaller class
    assert_ptr_not_equal(other, first);
    assert_ptr_not_equal(other, second);
    assert_ptr_equal(block_new(100), second);
    assert_ptr_equal(block_new(70), first);
    assert_int_equal(block_pool_kept(), 0);
    free(first);
    free(second);
    free(other);
}

/** Each size has as many bytes as it asked for: AddressSanitizer and the neighbours' contents tell. */
static void a_block_has_the_bytes_that_were_asked_for(void **state)
{
    (void)state;
    static uint8_t *blocks[2 * BLOCK_POOL_LARGEST];
    for (size_t round = 0; round < 2; round++) {
        for (size_t size = 0; size < COUNT_OF(blocks); size++) {
            blocks[size] = block_new(size);
            memset(blocks[size], (int)(size % 251), size);
        }
        for (size_t size = 0; size < COUNT_OF(blocks); size++) {
            for (size_t i = 0; i < size; i += size < 200 ? 1 : 97) {
                assert_int_equal(blocks[size][i], size % 251);
            }
            block_free(blocks[size], size);
        }
    }
    block_pool_clear();
}

static void large_blocks_and_those_beyond_the_limit_are_not_kept(void **state)
{
    (void)state;
    enum { COUNT = BLOCK_POOL_KEPT_MAX / BLOCK_POOL_LARGEST + 10 };
    static void *blocks[COUNT];
    if (!is_pooled()) {
        skip();
    }
    block_free(block_new(BLOCK_POOL_LARGEST + 1), BLOCK_POOL_LARGEST + 1);
    assert_int_equal(block_pool_kept(), 0);
    for (size_t i = 0; i < COUNT; i++) {
        blocks[i] = block_new(BLOCK_POOL_LARGEST);
    }
    for (size_t i = 0; i < COUNT; i++) {
        block_free(blocks[i], BLOCK_POOL_LARGEST);
    }
    assert_int_equal(block_pool_kept(), BLOCK_POOL_KEPT_MAX);
    block_free(NULL, 1);
    block_pool_clear();
    assert_int_equal(block_pool_kept(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_freed_block_is_taken_again_for_any_size_of_its_class),
        cmocka_unit_test(a_block_has_the_bytes_that_were_asked_for),
        cmocka_unit_test(large_blocks_and_those_beyond_the_limit_are_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
