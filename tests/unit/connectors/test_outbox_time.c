// connectors/outbox_time: timestamps of events.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/outbox_time.h"
#include "schemas/avro/avro_encode.h"

static void check_long(enum avro_meaning meaning, int64_t value, int64_t ms)
{
    const struct avro_type type = {.kind = AVRO_KIND_LONG, .meaning = meaning};
    CLEANUP(bytes_clear) struct bytes avro = {0};
    avro_encode_long(&avro, value);
    assert_int_equal(outbox_time_ms(&type, bytes_slice(&avro)), ms);
}

static void check_text(const char *text, int64_t ms)
{
    const struct avro_type type = {.kind = AVRO_KIND_STRING};
    CLEANUP(bytes_clear) struct bytes avro = {0};
    avro_encode_string(&avro, slice_of(text));
    assert_int_equal(outbox_time_ms(&type, bytes_slice(&avro)), ms);
}

static void numbers_have_the_unit_of_their_type(void **state)
{
    (void)state;
    check_long(AVRO_MEANING_LOCAL_MS, 1767323045678, 1767323045678);
    check_long(AVRO_MEANING_INSTANT_MS, 0, 0);
    check_long(AVRO_MEANING_LOCAL_US, 1767323045678901, 1767323045678);
    check_long(AVRO_MEANING_INSTANT_US, 1767323045678901, 1767323045678);
    check_long(AVRO_MEANING_LOCAL_NS, 1767323045678901234, 1767323045678);
    check_long(AVRO_MEANING_LOCAL_US, -1, -1);
    check_long(AVRO_MEANING_NONE, 1767323045678, -1);
    check_long(AVRO_MEANING_DATE, 20000, -1);
}

static void texts_are_times_in_utc(void **state)
{
    (void)state;
    check_text("2026-01-02T03:04:05.678901Z", 1767323045678);
    check_text("2026-01-02T03:04:05.6Z", 1767323045600);
    check_text("2026-01-02T03:04:05Z", 1767323045000);
    check_text("1969-12-31T23:59:59.999Z", -1);
    check_text("infinity", -1);
    check_text("", -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_the_unit_of_their_type),
        cmocka_unit_test(texts_are_times_in_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
