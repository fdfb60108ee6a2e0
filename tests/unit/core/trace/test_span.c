// core/trace/span: the bytes of a span. OpenTelemetry's own package decodes them in
// tests/system/test_tracing.py.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "core/trace/span.h"

#define WIRE(text) slice_make((text), sizeof(text) - 1)

static struct span span_of(const char *name)
{
    return (struct span){
        .context = {.trace_id = "0123456789abcdef", .span_id = "ABCDEFGH"},
        .name = name,
        .kind = SPAN_CLIENT,
        .start_ns = 1,
        .end_ns = 2,
    };
}

#define IDS                                                                                                  \
    "\x0a\x10"                                                                                               \
    "0123456789abcdef"                                                                                       \
    "\x12\x08"                                                                                               \
    "ABCDEFGH"
#define START "\x39\x01\0\0\0\0\0\0\0"
#define END "\x41\x02\0\0\0\0\0\0\0"

static void a_span_is_written_with_its_end_last(void **state)
{
    (void)state;
    struct span_writer w = {0};
    struct bytes spans = {0};
    struct span s = span_of("a");
    span_begin(&w, &s);
    span_end(&w, &spans);
    assert_true(slice_equal(bytes_slice(&spans), WIRE("\x12\x33" IDS "\x2a\x01"
                                                      "a"
                                                      "\x30\x03" START END)));
    bytes_clear(&spans);
    span_writer_clear(&w);
}

static void it_has_parent_state_attributes_links_and_status(void **state)
{
    (void)state;
    struct span_writer w = {0};
    struct bytes spans = {0};
    struct span s = span_of("a");
    s.parent_span_id = (const uint8_t *)"abcdefgh";
    s.tracestate = slice_of("v=1");
    s.name_object = "b";
    s.error = "no";
    span_begin(&w, &s);
    span_text(&w, "k", slice_of("v"));
    span_text(&w, "k", slice_of("\xff"));  // not UTF-8
    span_number(&w, "n", 300);
    span_link(&w, &s.context, slice_of("w"));
    span_dropped_links(&w, 5);
    span_end(&w, &spans);
    assert_true(slice_equal(bytes_slice(&spans), WIRE("\x12\x83\x01" IDS "\x1a\x03"
                                                      "v=1"
                                                      "\x22\x08"
                                                      "abcdefgh"
                                                      "\x2a\x03"
                                                      "a b"
                                                      "\x30\x03" START "\x7a\x06\x12\x02"
                                                      "no"
                                                      "\x18\x02"
                                                      "\x4a\x08\x0a\x01k\x12\x03\x0a\x01v"
                                                      "\x4a\x08\x0a\x01n\x12\x03\x18\xac\x02"
                                                      "\x6a\x1f" IDS "\x1a\x01w"
                                                      "\x70\x05" END)));
    bytes_clear(&spans);
    span_writer_clear(&w);
}

static bool has_text(const char *value)
{
    struct span_writer w = {0};
    struct span s = span_of("a");
    span_begin(&w, &s);
    size_t before = w.body.size;
    span_text(&w, "k", slice_of(value));
    bool has = w.body.size > before;
    span_writer_clear(&w);
    return has;
}

static void only_utf_8_is_written_as_text(void **state)
{
    (void)state;
    static const char *const GOOD[] = {
        "", "a", "\xc3\xa9", "\xe2\x98\x83", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"};
    static const char *const BAD[] = {"\x80",
                                      "\xc3",
                                      "\xc0\xaf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xe2\x98",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80",
                                      "\xe2\x28\xa1",
                                      "\xff"};
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        assert_true(has_text(GOOD[i]));
    }
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        assert_false(has_text(BAD[i]));
    }
}

static void an_end_can_be_set_later(void **state)
{
    (void)state;
    struct span_writer w = {0};
    struct bytes spans = {0};
    struct bytes wanted = {0};
    char name[200];  // so that the size of a span has two bytes
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    struct span open = span_of(name);
    struct span closed = span_of("c");
    for (int i = 0; i < 3; i++) {
        struct span *s = i == 1 ? &closed : &open;
        s->end_ns = i == 1 ? 7 : 0;
        span_begin(&w, s);
        span_end(&w, &spans);
        s->end_ns = i == 1 ? 7 : 0x1234;
        span_begin(&w, s);
        span_end(&w, &wanted);
    }
    spans_set_end(&spans, 0x1234);
    assert_true(slice_equal(bytes_slice(&spans), bytes_slice(&wanted)));
    bytes_clear(&spans);
    bytes_clear(&wanted);
    span_writer_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_is_written_with_its_end_last),
        cmocka_unit_test(it_has_parent_state_attributes_links_and_status),
        cmocka_unit_test(only_utf_8_is_written_as_text),
        cmocka_unit_test(an_end_can_be_set_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
