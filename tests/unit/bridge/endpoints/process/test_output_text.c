// bridge/endpoints/process/output_text: what a line may not bring into the log.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/endpoints/process/output_text.h"
#include "core/base/memory.h"

#define REPLACED "\xef\xbf\xbd"

static void check_bytes(const char *raw, size_t size, const char *want)
{
    // An exact block, so that a sanitizer sees a read beyond it.
    uint8_t *copy = memory_new(size == 0 ? 1 : size);
    memcpy(copy, raw, size);
    CLEANUP(bytes_clear) struct bytes out = {0};
    output_text_append(&out, slice_make(copy, size));
    assert_string_equal(bytes_text(&out), want);
    free(copy);
}

#define CHECK(raw, want) check_bytes(raw, sizeof(raw) - 1, want)

static void text_stays(void **state)
{
    (void)state;
    CHECK("", "");
    CHECK("{\"level\": \"INFO\"} ~", "{\"level\": \"INFO\"} ~");
    CHECK("Grüße, 世界 😀", "Grüße, 世界 😀");
}

static void control_characters_go(void **state)
{
    (void)state;
    CHECK("a\tb", "a b");
    CHECK("a\r", "a");
    CHECK("ValueError\rTraceback\r  File\r", "ValueError Traceback   File");
    CHECK("a\0b\x01\x7f\x08", "ab");
    CHECK("a\xc2\x9b"
          "31mb\xc2\xa0",
          "a31mb\xc2\xa0");
}

static void control_sequences_go_as_a_whole(void **state)
{
    (void)state;
    CHECK("\x1b[31;1mred\x1b[0m", "red");
    CHECK("\x1b[2J\x1b]0;title", "]0;title");
    CHECK("end\x1b", "end");
    CHECK("end\x1b[", "end");
    CHECK("end\x1b[31", "end");
    CHECK("\x1b[31ü", "ü");
}

static void bytes_that_are_no_text_are_replaced(void **state)
{
    (void)state;
    CHECK("a\xff"
          "b",
          "a" REPLACED "b");
    CHECK("a\xe4\xb8", "a" REPLACED REPLACED);  // a character that was cut
    CHECK("\xc0\xaf", REPLACED REPLACED);
    CHECK("\xed\xa0\x80", REPLACED REPLACED REPLACED);
    CHECK("\xf0", REPLACED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_stays),
        cmocka_unit_test(control_characters_go),
        cmocka_unit_test(control_sequences_go_as_a_whole),
        cmocka_unit_test(bytes_that_are_no_text_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
