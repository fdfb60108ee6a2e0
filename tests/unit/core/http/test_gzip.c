// core/http/gzip: what zlib reads again, and always the same bytes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <zlib.h>

#include "core/base/memory.h"
#include "core/http/gzip.h"

static void expect_unpacked(struct slice packed, struct slice body)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)packed.data, .avail_in = (uInt)packed.size};
    CLEANUP(memory_free_pointer) uint8_t *out = memory_zeroed(body.size + 1, 1);
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    stream.next_out = out;
    stream.avail_out = (uInt)body.size + 1;
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, body.size);
    assert_memory_equal(out, body.data, body.size);
    assert_int_equal(inflateEnd(&stream), Z_OK);
}

static void a_body_is_compressed_always_to_the_same_bytes(void **state)
{
    (void)state;
    struct gzip *g = gzip_new();
    CLEANUP(bytes_clear) struct bytes body = {0};
    for (int i = 0; i < 5000; i++) {
        bytes_format(&body, "{\"id\":%d,\"name\":\"a name\"},", i);
    }
    CLEANUP(bytes_clear) struct bytes first = {0};
    CLEANUP(bytes_clear) struct bytes second = {0};
    bytes_append_string(&first, "before");
    assert_true(gzip_append(g, bytes_slice(&body), &first));
    assert_memory_equal(first.data, "before", 6);
    const struct slice packed = slice_make(first.data + 6, first.size - 6);
    assert_true(packed.size < body.size / 4);
    expect_unpacked(packed, bytes_slice(&body));
    assert_true(gzip_append(g, bytes_slice(&body), &second));
    assert_true(slice_equal(packed, bytes_slice(&second)));
    gzip_free(g);
}

static void what_would_grow_is_left_alone(void **state)
{
    (void)state;
    struct gzip *g = gzip_new();
    CLEANUP(bytes_clear) struct bytes out = {0};
    bytes_append_string(&out, "before");
    assert_false(gzip_append(g, slice_of("a"), &out));
    assert_false(gzip_append(g, slice_of(""), &out));
    assert_int_equal(out.size, 6);
    gzip_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_compressed_always_to_the_same_bytes),
        cmocka_unit_test(what_would_grow_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
