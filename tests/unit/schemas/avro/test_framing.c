#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "schemas/avro/framing.h"

static void what_is_put_is_split_again(void **state)
{
    (void)state;
    struct bytes out CLEANUP(bytes_clear) = {0};
    framing_put(&out, 0x01020304);
    assert_memory_equal(out.data, "\0\x01\x02\x03\x04", FRAMING_SIZE);
    bytes_append_string(&out, "avro");
    int32_t id = 0;
    struct slice avro = {0};
    struct fault f;
    assert_true(framing_split(bytes_slice(&out), &id, &avro, &f));
    assert_int_equal(id, 0x01020304);
    assert_true(slice_equal(avro, slice_of("avro")));
}

static void what_is_not_in_the_wire_format_is_refused(void **state)
{
    (void)state;
    static const struct slice BAD[] = {
        {NULL, 0},
        {(const uint8_t *)"\0\0\0\0", 4},
        {(const uint8_t *)"\x01\0\0\0\1", 5},
        {(const uint8_t *)"{\"a\":1}", 7},
        {(const uint8_t *)"\0\xff\xff\xff\xff", 5},
    };
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        int32_t id = 7;
        struct slice avro = {0};
        struct fault f = {0};
        assert_false(framing_split(BAD[i], &id, &avro, &f));
        assert_int_equal(f.kind, FAULT_REJECT);
        assert_int_equal(id, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_split_again),
        cmocka_unit_test(what_is_not_in_the_wire_format_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
