#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/jobs/letter_filter.h"
#include "core/base/text.h"

static bool is_key(const char *wanted, const char *key)
{
    return event_key_matches(wanted, slice_of(key));
}

static void a_key_is_given_as_json_or_as_the_text_of_its_only_column(void **state)
{
    (void)state;
    assert_true(is_key("{\"id\":7}", "{\"id\":7}"));
    assert_true(is_key("{ \"id\" : 7 }", "{\"id\":7}"));
    assert_true(is_key("{\"b\":\"x\",\"a\":1}", "{\"a\":1,\"b\":\"x\"}"));
    assert_true(is_key("7", "{\"id\":7}"));
    assert_true(is_key("7", "{\"id\":\"7\"}"));
    assert_true(is_key("{\"id\":7}", "{\"id\":\"7\"}"));
    assert_true(is_key("ab c", "{\"id\":\"ab c\"}"));
    assert_true(is_key("\"ab c\"", "{\"id\":\"ab c\"}"));
    assert_true(is_key("plain", "\"plain\""));
    assert_true(is_key("9007199254740993", "{\"id\":9007199254740993}"));
    assert_true(is_key("{\"id\":null}", "{\"id\":null}"));
}

static void another_key_is_not_matched(void **state)
{
    (void)state;
    assert_false(is_key("{\"id\":7}", "{\"id\":8}"));
    assert_false(is_key("{\"id\":7}", "{\"no\":7}"));
    assert_false(is_key("{\"id\":7}", "{\"id\":7,\"b\":1}"));
    assert_false(is_key("{\"id\":7,\"b\":1}", "{\"id\":7}"));
    assert_false(is_key("7", "{\"id\":7,\"b\":7}"));
    assert_false(is_key("7", "{\"id\":77}"));
    assert_false(is_key("9007199254740993", "{\"id\":9007199254740992}"));
    assert_false(is_key("7", ""));
    assert_false(is_key("", "{\"id\":7}"));
    assert_false(is_key("{\"id\":", "{\"id\":7}"));
}

static void malformed_keys_are_refused_with_their_place(void **state)
{
    (void)state;
    struct fault f;
    const char *const good[] = {"7", "", "ab c", "[1", "{\"id\":7}", " {\"id\":null}\n", "\"x\"", "-", "a{"};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(event_key_check(good[i], &f));
    }
    const struct {
        const char *key;
        const char *at;
    } bad[] = {{"{\"id\":", "character 6: "},      {"{id:7}", "character 3: "},
               {" {\"id\":7}}", "character 10: "}, {"\"a", "character 2: "},
               {"{\"a\":1,\"a\":1}", "dup"},       {"{'id':7}", "character 2: "}};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(event_key_check(bad[i].key, &f));
        assert_int_equal(f.kind, FAULT_REJECT);
        assert_non_null(strstr(f.text, bad[i].at));
        assert_non_null(strstr(f.text, "{\"id\":7}"));
    }
}

static const struct letter_info LETTER = {
    .reason = {(const uint8_t *)"rejected", 8},
    .topic = {(const uint8_t *)"shop.public.orders", 18},
    .event_id = {(const uint8_t *)"id-1", 4},
    .status = 422,
    .failed_at_ms = 5000,
};

static bool matches(struct letter_filter filter)
{
    const struct record r = {.partition = 2, .offset = 9};
    return letter_filter_matches(&filter, &r, &LETTER, slice_of("{\"id\":7}"));
}

#define FILTER(...)                                                                                          \
    (struct letter_filter)                                                                                   \
    {                                                                                                        \
        .status = -1, .since_ms = -1, .until_ms = -1, .partition = -1, __VA_ARGS__                           \
    }

static void every_condition_must_hold(void **state)
{
    (void)state;
    assert_true(matches(FILTER(.reason = NULL)));
    assert_true(matches(FILTER(.reason = "rejected", .key = "7", .topic = "shop.*", .event_id = "id-1")));
    assert_false(matches(FILTER(.reason = "reject")));
    assert_false(matches(FILTER(.reason = "rejected", .key = "8")));
    assert_false(matches(FILTER(.topic = "shop")));
    assert_false(matches(FILTER(.event_id = "id-12")));
    struct letter_filter f = FILTER(.reason = NULL);
    f.status = 422;
    assert_true(matches(f));
    f.status = 500;
    assert_false(matches(f));
}

static void times_are_from_and_before(void **state)
{
    (void)state;
    struct letter_filter f = FILTER(.reason = NULL);
    f.since_ms = 5000;
    assert_true(matches(f));
    f.since_ms = 5001;
    assert_false(matches(f));
    f.since_ms = -1;
    f.until_ms = 5001;
    assert_true(matches(f));
    f.until_ms = 5000;
    assert_false(matches(f));
}

static void a_place_is_one_letter(void **state)
{
    (void)state;
    struct letter_filter f = FILTER(.reason = NULL);
    f.partition = 2;
    f.offset = 9;
    assert_true(matches(f));
    f.offset = 8;
    assert_false(matches(f));
    f.partition = 1;
    f.offset = 9;
    assert_false(matches(f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_given_as_json_or_as_the_text_of_its_only_column),
        cmocka_unit_test(another_key_is_not_matched),
        cmocka_unit_test(malformed_keys_are_refused_with_their_place),
        cmocka_unit_test(every_condition_must_hold),
        cmocka_unit_test(times_are_from_and_before),
        cmocka_unit_test(a_place_is_one_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
