// core/base/bytes: what a buffer with secrets leaves behind.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/bytes.h"

enum { SEEN_BYTES = 7 };

/** What was in a block of memory when it was given back. */
static struct {
    const void *block;
    uint8_t bytes[SEEN_BYTES];
    int count;
} freed;

void __wrap_free(void *block);
void __real_free(void *block);

void __wrap_free(void *block)
{
    if (block != NULL && block == freed.block) {
        memcpy(freed.bytes, block, SEEN_BYTES);
        freed.count++;
    }
    __real_free(block);
}

/** Fills a buffer, makes it give its memory back, and says whether the text is still in there. */
static bool is_left_behind(bool is_secret, bool is_outgrown)
{
    struct bytes b = {.is_secret = is_secret};
    bytes_append_string(&b, "hunter2");
    freed.block = b.data;
    freed.count = 0;
    if (is_outgrown) {
        (void)bytes_reserve(&b, b.capacity);
        assert_true(slice_equal(bytes_slice(&b), slice_of("hunter2")));
    } else {
        bytes_clear(&b);
    }
    bool ret = freed.count == 1 && memcmp(freed.bytes, "hunter2", SEEN_BYTES) == 0;
    assert_true(!is_secret || freed.count == 1);
    freed.block = NULL;
    bytes_clear(&b);
    assert_int_equal(b.is_secret, is_secret);
    return ret;
}

static void memory_with_a_secret_is_overwritten(void **state)
{
    (void)state;
    assert_false(is_left_behind(true, true));
    assert_false(is_left_behind(true, false));
    assert_true(is_left_behind(false, false));
}

static void an_erased_buffer_is_empty_and_keeps_its_memory(void **state)
{
    (void)state;
    struct bytes b = {0};
    bytes_append_string(&b, "hunter2");
    const uint8_t *data = b.data;
    bytes_erase(&b);
    assert_int_equal(b.size, 0);
    assert_ptr_equal(b.data, data);
    const uint8_t zeros[7] = {0};
    assert_memory_equal(b.data, zeros, sizeof(zeros));
    bytes_erase(&b);
    bytes_clear(&b);
    bytes_erase(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_with_a_secret_is_overwritten),
        cmocka_unit_test(an_erased_buffer_is_empty_and_keeps_its_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
