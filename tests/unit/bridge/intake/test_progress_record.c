// bridge/intake/progress_record: what is committed beside an offset, and what a restart makes of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "bridge/intake/partition_spill.h"
#include "core/base/memory.h"

#define NOW_MS INT64_C(1795770000123)

static struct progress_record *new_record(void)
{
    return memory_zeroed(1, sizeof(struct progress_record));
}

static struct progress_attempt attempt(int64_t offset, uint32_t attempts, int64_t first_ms, int64_t due_ms)
{
    return (struct progress_attempt){
        .offset = offset, .attempts = attempts, .first_ms = first_ms, .due_ms = due_ms};
}

static struct progress_record *read_text(const char *text, int64_t offset)
{
    struct fault f;
    struct progress_record *r = new_record();
    assert_true(progress_record_read(slice_of(text), offset, NOW_MS, r, &f));
    return r;
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    CLEANUP(bytes_clear) struct bytes out = {0};
    CLEANUP(memory_free_pointer) struct progress_record *r = new_record();
    r->ranges[0] = (struct progress_range){1001, 1005};
    r->ranges[1] = (struct progress_range){1040, 5000000};
    r->range_count = 2;
    r->attempts[0] = attempt(1000, 3, NOW_MS - 61000, NOW_MS + 2500);
    r->attempts[1] = attempt(1039, 1, NOW_MS, 0);
    r->attempt_count = 2;
    progress_record_write(&out, 1000, r, NOW_MS);
    bytes_append_byte(&out, '\0');
    CLEANUP(memory_free_pointer) struct progress_record *again = read_text((const char *)out.data, 1000);
    assert_int_equal(again->range_count, 2);
    assert_memory_equal(again->ranges, r->ranges, 2 * sizeof(r->ranges[0]));
    assert_int_equal(again->attempt_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(again->attempts[i].offset, r->attempts[i].offset);
        assert_int_equal(again->attempts[i].attempts, r->attempts[i].attempts);
    }
    assert_in_range(again->attempts[0].first_ms, NOW_MS - 62000, NOW_MS - 60000);
    assert_in_range(again->attempts[0].due_ms, NOW_MS + 2500, NOW_MS + 2600);
    assert_true(again->attempts[1].due_ms <= NOW_MS);
}

/** The form is a promise: a later version reads what this one has committed. */
static void the_text_is_as_documented(void **state)
{
    (void)state;
    CLEANUP(bytes_clear) struct bytes out = {0};
    CLEANUP(memory_free_pointer) struct progress_record *r = new_record();
    r->ranges[0] = (struct progress_range){8, 72};  // 1 unsettled, 64 settled
    r->range_count = 1;
    r->attempts[0] = attempt(7, 2, 5000, 31900);
    r->attempt_count = 1;
    progress_record_write(&out, 7, r, 31000);
    bytes_append_byte(&out, '\0');
    assert_string_equal((const char *)out.data, "1"
                                                "C"
                                                "B"
                                                "gC"
                                                "B"
                                                "f"
                                                "A"
                                                "C"
                                                "a"
                                                "J");
}

/** With a letter or a spilled record: also a promise. */
static void the_text_of_version_2_is_as_documented(void **state)
{
    (void)state;
    CLEANUP(bytes_clear) struct bytes out = {0};
    CLEANUP(memory_free_pointer) struct progress_record *r = new_record();
    r->ranges[r->range_count++] = (struct progress_range){8, 72};
    r->attempts[r->attempt_count] = attempt(7, 2, 5000, 31900);
    r->attempts[r->attempt_count++].letter = (struct progress_letter){
        .is_stored = true, .topic = 6, .partition = 3, .offset = 9, .since_ms = 30000};
    r->attempts[r->attempt_count++] = attempt(72, 1, 31000, 31000);
    r->spill = (struct progress_spill){.log = 4, .sequence = 5};
    assert_true(progress_record_write(&out, 7, r, 31000));
    bytes_append_byte(&out, '\0');
    assert_string_equal((const char *)out.data, "2EF"
                                                "CBgC"
                                                "Cf"
                                                "ACaJ"
                                                "KDBG"
                                                "hCBAA"
                                                "A");
    CLEANUP(memory_free_pointer) struct progress_record *again = new_record();
    struct fault f;
    assert_true(progress_record_read(slice_of((const char *)out.data), 7, NOW_MS, again, &f));
    assert_int_equal(again->spill.log, 4);
    assert_int_equal(again->spill.sequence, 5);
    assert_int_equal(again->attempt_count, 2);
    assert_true(again->attempts[0].letter.is_stored);
    assert_int_equal(again->attempts[0].letter.offset, 9);
    assert_int_equal(again->attempts[0].letter.partition, 3);
    assert_int_equal(again->attempts[0].letter.since_ms, 30000);
    assert_int_equal(again->attempts[0].letter.topic, 6);
    assert_int_equal(progress_letter_topic("a"), UINT32_C(0xe40c292c));  // FNV's own example
    assert_false(again->attempts[1].letter.is_stored);
    assert_int_equal(progress_record_hash(again) == progress_record_hash(r), 1);
}

/** The spilled record was written before or after the text that names it, for an offset before or after. */
static void a_spilled_record_completes_the_text(void **state)
{
    (void)state;
    CLEANUP(memory_free_pointer) struct progress_record *r = new_record();
    CLEANUP(memory_free_pointer) struct progress_record *spilled = new_record();
    r->ranges[r->range_count++] = (struct progress_range){12, 20};
    r->ranges[r->range_count++] = (struct progress_range){30, 31};
    r->attempts[r->attempt_count++] = attempt(10, 3, 0, 0);
    r->attempts[r->attempt_count++] = attempt(11, 1, 0, 0);
    spilled->ranges[spilled->range_count++] = (struct progress_range){6, 9};
    spilled->ranges[spilled->range_count++] = (struct progress_range){19, 25};
    spilled->ranges[spilled->range_count++] = (struct progress_range){31, 40};
    spilled->attempts[spilled->attempt_count++] = attempt(5, 9, 0, 0);
    spilled->attempts[spilled->attempt_count++] = attempt(10, 2, 0, 0);
    spilled->attempts[spilled->attempt_count++] = attempt(11, 2, 0, 0);
    spilled->attempts[spilled->attempt_count++] = attempt(41, 1, 0, 0);
    progress_record_merge(r, 10, spilled, 5);
    const struct progress_range expected[] = {{12, 25}, {30, 40}};
    assert_int_equal(r->range_count, 2);
    assert_memory_equal(r->ranges, expected, sizeof(expected));
    assert_int_equal(r->attempt_count, 3);
    assert_int_equal(r->attempts[0].attempts, 3);
    assert_int_equal(r->attempts[1].attempts, 2);
    assert_int_equal(r->attempts[2].offset, 41);
    spilled->attempt_count = 0;
    progress_record_merge(r, 10, spilled, 12);
    assert_int_equal(r->range_count, 2);
    assert_int_equal(r->ranges[0].from, 10);
    assert_int_equal(r->ranges[0].to, 25);
}

static void a_spilled_value_begins_with_its_offset(void **state)
{
    (void)state;
    CLEANUP(memory_free_pointer) struct progress_record *r = new_record();
    struct fault f;
    int64_t offset = 0;
    assert_true(partition_spill_parse(slice_of("31 1CBBA"), NOW_MS, r, &offset, &f));
    assert_int_equal(offset, 31);
    assert_int_equal(r->range_count, 1);
    assert_int_equal(r->ranges[0].from, 32);
    static const char *const BAD[] = {"",     " 1CBBA", "31", "31 ", "x 1CBBA", "1234567890123456789 1CBBA",
                                      "31 1C"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        bool is_empty = strcmp(BAD[i], "31 ") == 0;  // nothing beyond the offset
        assert_int_equal(partition_spill_parse(slice_of(BAD[i]), NOW_MS, r, &offset, &f), is_empty);
    }
}

static void nothing_to_say_is_no_text(void **state)
{
    (void)state;
    struct bytes out = {0};
    CLEANUP(memory_free_pointer) struct progress_record *r = new_record();
    progress_record_write(&out, 7, r, NOW_MS);
    assert_int_equal(out.size, 0);
    CLEANUP(memory_free_pointer) struct progress_record *again = read_text("", 7);
    assert_int_equal(again->range_count + again->attempt_count, 0);
}

/** However much there is, the broker takes the text, and what it says is true. */
static void what_does_not_fit_is_left_out_from_the_end(void **state)
{
    (void)state;
    for (int64_t run = 1; run < INT64_C(1) << 40; run *= 7) {
        CLEANUP(bytes_clear) struct bytes out = {0};
        CLEANUP(memory_free_pointer) struct progress_record *r = new_record();
        for (int64_t i = 0; i < PROGRESS_RANGES_MAX; i++) {
            r->ranges[r->range_count++] = (struct progress_range){(2 * i + 1) * run, (2 * i + 2) * run};
        }
        for (int64_t i = 0; i < PROGRESS_ATTEMPTS_MAX; i++) {
            r->attempts[r->attempt_count++] = attempt(i * run, 7, NOW_MS - 1000, NOW_MS + 100000);
        }
        progress_record_write(&out, 0, r, NOW_MS);
        assert_true(out.size <= PROGRESS_TEXT_MAX);
        assert_true(out.size > PROGRESS_TEXT_MAX * 9 / 10 || run == 1);
        bytes_append_byte(&out, '\0');
        CLEANUP(memory_free_pointer) struct progress_record *again = read_text((const char *)out.data, 0);
        assert_true(again->range_count > 100 && again->attempt_count > 50);
        assert_memory_equal(again->ranges, r->ranges, again->range_count * sizeof(r->ranges[0]));
        for (size_t i = 0; i < again->attempt_count; i++) {
            assert_int_equal(again->attempts[i].offset, r->attempts[i].offset);
        }
    }
}

/** They would be read as those of later records. */
static void attempts_before_the_offset_are_left_out(void **state)
{
    (void)state;
    CLEANUP(bytes_clear) struct bytes out = {0};
    CLEANUP(memory_free_pointer) struct progress_record *r = new_record();
    for (int64_t i = 0; i < 4; i++) {
        r->attempts[r->attempt_count++] = attempt(998 + i, (uint32_t)i, NOW_MS, NOW_MS);
    }
    progress_record_write(&out, 1000, r, NOW_MS);
    bytes_append_byte(&out, '\0');
    CLEANUP(memory_free_pointer) struct progress_record *again = read_text((const char *)out.data, 1000);
    assert_int_equal(again->attempt_count, 2);
    assert_int_equal(again->attempts[0].offset, 1000);
    assert_int_equal(again->attempts[0].attempts, 2);
    assert_int_equal(again->attempts[1].offset, 1001);
    assert_int_equal(again->attempts[1].attempts, 3);
}

/** The clock was set back, or that of another machine is behind: the wait is no longer than it was. */
static void a_wait_does_not_grow_with_the_difference_of_clocks(void **state)
{
    (void)state;
    const int64_t ahead_ms = INT64_C(365) * 86400 * 1000;
    CLEANUP(bytes_clear) struct bytes out = {0};
    CLEANUP(memory_free_pointer) struct progress_record *r = new_record();
    r->attempts[r->attempt_count++] = attempt(10, 1, NOW_MS + ahead_ms - 5000, NOW_MS + ahead_ms + 2500);
    progress_record_write(&out, 10, r, NOW_MS + ahead_ms);
    bytes_append_byte(&out, '\0');
    CLEANUP(memory_free_pointer) struct progress_record *again = read_text((const char *)out.data, 10);
    assert_in_range(again->attempts[0].due_ms, NOW_MS + 2500, NOW_MS + 3600);
    assert_in_range(again->attempts[0].first_ms, NOW_MS - 6000, NOW_MS - 3000);
}

static void foreign_texts_are_refused(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "2AA",
        "1",
        "1A",
        "1AAA",
        "1BA",
        "1CAAA",
        "1CA",
        "1C!",
        "1________________A",
        "1AB",
        "1ABAAAA_",
        "hello",
        "1CBBB________BBAA",
        "bytes",
        "1EBBABAA",
    };
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        struct fault f;
        CLEANUP(memory_free_pointer) struct progress_record *r = new_record();
        bool is_read = progress_record_read(slice_of(TEXTS[i]), 10, NOW_MS, r, &f);
        if (is_read) {
            print_message("%s\n", TEXTS[i]);
        }
        assert_false(is_read);
        assert_int_equal(r->range_count + r->attempt_count, 0);
        assert_non_null(strstr(f.text, "offset 10"));
    }
}

/** Records are settled at random; then another process restores what was committed. None is lost or repeated.
 */
static void a_restart_repeats_and_loses_nothing(void **state)
{
    (void)state;
    enum { RECORDS = 20000, GAP = 3 };
    static bool is_settled[RECORDS * GAP];
    for (unsigned seed = 1; seed <= 10; seed++) {
        memset(is_settled, 0, sizeof(is_settled));
        unsigned random = seed;
        struct progress p;
        progress_init(&p, 0);
        for (int64_t i = 0; i < RECORDS; i++) {
            (void)progress_open(&p, i * GAP, -1);
        }
        for (int64_t i = 0; i < RECORDS; i++) {
            random = random * 1103515245 + 12345;
            // Long stretches of either kind, so that all of it fits into the text.
            bool is_dull = (i / 100 + seed) % 2 == 0;
            is_settled[i * GAP] = is_dull || (random >> 16) % 64 == 0;
            if (is_settled[i * GAP]) {
                progress_settle(&p, (uint64_t)(i * GAP));
            }
        }
        CLEANUP(memory_free_pointer) struct progress_record *r = new_record();
        r->range_count = progress_settled(&p, r->ranges, PROGRESS_RANGES_MAX);
        CLEANUP(bytes_clear) struct bytes out = {0};
        int64_t safe = progress_safe(&p);
        progress_record_write(&out, safe, r, NOW_MS);
        bytes_append_byte(&out, '\0');
        CLEANUP(memory_free_pointer) struct progress_record *again = read_text((const char *)out.data, safe);

        struct progress q;
        progress_init(&q, safe);
        progress_restore(&q, again->ranges, again->range_count);
        for (int64_t offset = 0; offset < safe; offset += GAP) {
            assert_true(offset % GAP != 0 || is_settled[offset]);
        }
        int64_t end = again->range_count == 0 ? safe : again->ranges[again->range_count - 1].to;
        for (int64_t i = (safe + GAP - 1) / GAP; i < RECORDS; i++) {
            int64_t offset = i * GAP;
            bool is_skipped = progress_skip(&q, offset);
            assert_int_equal(is_skipped, is_settled[offset] && offset < end);
            if (!is_skipped) {
                (void)progress_open(&q, offset, -1);
            }
            if (i % 1000 == 0 && offset + GAP < end) {
                // A second restart, half-way: it commits what is left of the first one's text, too.
                CLEANUP(memory_free_pointer) struct progress_record *s = new_record();
                s->range_count = progress_settled(&q, s->ranges, PROGRESS_RANGES_MAX);
                assert_true(s->range_count > 0);
                assert_int_equal(s->ranges[s->range_count - 1].to, end);
            }
        }
        assert_int_equal(progress_safe(&q), safe);
        progress_clear(&p);
        progress_clear(&q);
    }
}

static void without_unsettled_records_only_restored_ranges_are_beyond(void **state)
{
    (void)state;
    struct progress_range ranges[4];
    struct progress p;
    progress_init(&p, 10);
    assert_int_equal(progress_settled(&p, ranges, 4), 0);
    progress_restore(&p, &(struct progress_range){12, 20}, 1);
    assert_int_equal(progress_settled(&p, ranges, 4), 1);
    assert_int_equal(ranges[0].from, 12);
    uint64_t ten = progress_open(&p, 10, -1);
    uint64_t eleven = progress_open(&p, 11, -1);
    assert_true(progress_skip(&p, 12));
    assert_true(progress_skip(&p, 19));
    assert_false(progress_skip(&p, 20));
    progress_settle(&p, ten);
    assert_int_equal(progress_safe(&p), 11);
    progress_settle(&p, eleven);
    assert_int_equal(progress_safe(&p), 20);
    assert_int_equal(progress_settled(&p, ranges, 4), 0);
    progress_restore(&p, &(struct progress_range){30, 40}, 1);
    progress_restart(&p);
    assert_false(progress_skip(&p, 30));
    progress_clear(&p);
}

/** The log was truncated while no one read it: records that are written there later are new ones. */
static void nothing_is_restored_beyond_the_end_of_the_log(void **state)
{
    (void)state;
    const struct progress_range ranges[] = {{12, 20}, {25, 40}, {50, 60}};
    struct partition p = {.attempts = memory_zeroed(2, sizeof(*p.attempts)), .attempt_count = 2};
    p.attempts[0].offset = 22;
    p.attempts[1].offset = 45;
    progress_init(&p.progress, 10);
    progress_restore(&p.progress, ranges, COUNT_OF(ranges));
    (void)progress_open(&p.progress, 10, -1);
    assert_true(progress_skip(&p.progress, 12));
    assert_true(progress_skip(&p.progress, 29));
    partition_end(&p, 30);
    assert_false(progress_skip(&p.progress, 30));
    assert_false(progress_skip(&p.progress, 50));
    assert_non_null(partition_attempt(&p, 22));
    assert_null(partition_attempt(&p, 45));
    struct progress_range settled[4];
    assert_int_equal(progress_settled(&p.progress, settled, 4), 1);
    assert_int_equal(settled[0].from, 11);
    assert_int_equal(settled[0].to, 30);
    progress_clear(&p.progress);
    free(p.attempts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(the_text_is_as_documented),
        cmocka_unit_test(the_text_of_version_2_is_as_documented),
        cmocka_unit_test(a_spilled_record_completes_the_text),
        cmocka_unit_test(a_spilled_value_begins_with_its_offset),
        cmocka_unit_test(nothing_to_say_is_no_text),
        cmocka_unit_test(what_does_not_fit_is_left_out_from_the_end),
        cmocka_unit_test(attempts_before_the_offset_are_left_out),
        cmocka_unit_test(a_wait_does_not_grow_with_the_difference_of_clocks),
        cmocka_unit_test(foreign_texts_are_refused),
        cmocka_unit_test(a_restart_repeats_and_loses_nothing),
        cmocka_unit_test(without_unsettled_records_only_restored_ranges_are_beyond),
        cmocka_unit_test(nothing_is_restored_beyond_the_end_of_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
