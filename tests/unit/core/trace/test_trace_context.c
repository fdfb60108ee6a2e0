// core/trace/trace_context: which headers are valid, and what they say.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "core/trace/trace_context.h"

#define IDS "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"

static void a_traceparent_is_read_and_written(void **state)
{
    (void)state;
    static const uint8_t SPAN[] = {0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7};
    struct trace_context c;
    char text[TRACE_PARENT_CHARS];
    assert_true(trace_context_read(slice_of("00-" IDS "-01"), &c));
    assert_int_equal(c.trace_id[0], 0x4b);
    assert_int_equal(c.trace_id[15], 0x36);
    assert_memory_equal(c.span_id, SPAN, sizeof(SPAN));
    assert_int_equal(c.flags, TRACE_FLAG_SAMPLED);
    trace_context_write(&c, text);
    assert_memory_equal(text, "00-" IDS "-01", sizeof(text));
    assert_true(trace_context_read(slice_of("cc-" IDS "-ff-of.a later version"), &c));
    assert_int_equal(c.flags, 0xff);
    assert_true(trace_context_read(slice_of("01-" IDS "-00"), NULL));
}

static void others_are_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "00-" IDS "-0",
        "00-" IDS "-01-",
        "00-" IDS "-01 ",
        "01-" IDS "-01x",
        "01-" IDS "-01-\n",
        "ff-" IDS "-01",
        "0x-" IDS "-01",
        "00_" IDS "-01",
        "00-" IDS "_01",
        "00-" IDS "-0G",
        "00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
    };
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        assert_false(trace_context_read(slice_of(BAD[i]), NULL));
    }
    char longest[TRACE_PARENT_MAX + 2] = "01-" IDS "-01-";
    memset(longest + strlen(longest), 'x', TRACE_PARENT_MAX + 1 - strlen(longest));
    assert_true(trace_context_read(slice_make(longest, TRACE_PARENT_MAX), NULL));
    assert_false(trace_context_read(slice_make(longest, TRACE_PARENT_MAX + 1), NULL));
}

static void a_tracestate_is_printable_text_of_limited_size(void **state)
{
    (void)state;
    char longest[TRACE_STATE_MAX + 1];
    memset(longest, 'x', sizeof(longest));
    assert_true(trace_state_is_valid(slice_of("vendor=1,other=a b~")));
    assert_true(trace_state_is_valid(slice_make(longest, TRACE_STATE_MAX)));
    assert_false(trace_state_is_valid(slice_make(longest, TRACE_STATE_MAX + 1)));
    assert_false(trace_state_is_valid(slice_of("")));
    assert_false(trace_state_is_valid(slice_of("a=1\r\nx: y")));
    assert_false(trace_state_is_valid(slice_of("a=\x7f")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_traceparent_is_read_and_written),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(a_tracestate_is_printable_text_of_limited_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
