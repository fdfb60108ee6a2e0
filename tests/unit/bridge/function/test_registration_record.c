#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bridge/function/registration_record.h"

static const struct registration_offsets NONE = {.has_any = false, .own = -1};
static const struct registration_offsets OTHERS = {.has_any = true, .own = -1};
static const struct registration_offsets OWN = {.has_any = true, .own = 0};

static json_t *read_json(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    return json;
}

static enum registration_step decide(const char *known, const struct registration_offsets *offsets,
                                     const char *topic, int32_t partition)
{
    json_t *record = known == NULL ? NULL : read_json(known);
    enum registration_step step =
        registration_decide(record, FUNCTION_START_LATEST, offsets, topic, partition);
    json_decref(record);
    return step;
}

#define KNOWN "{\"topics\":[\"a\",\"more.*\"],\"partitions\":{\"a\":[0,1]}}"

static void an_offset_that_the_group_has_is_kept_whatever_the_record_says(void **state)
{
    (void)state;
    assert_int_equal(decide(NULL, &OWN, "a", 0), REGISTRATION_KEEP);
    assert_int_equal(decide(KNOWN, &OWN, "a", 0), REGISTRATION_KEEP);
    assert_int_equal(decide(KNOWN, &OWN, "other", 0), REGISTRATION_KEEP);
}

static void a_first_start_begins_as_the_file_says(void **state)
{
    (void)state;
    assert_int_equal(decide(NULL, &NONE, "a", 0), REGISTRATION_START);
}

static void without_a_record_a_group_with_offsets_skips_nothing(void **state)
{
    (void)state;
    assert_int_equal(decide(NULL, &OTHERS, "a", 1), REGISTRATION_APPEARED);
}

static void what_appears_in_wanted_topics_begins_at_its_first_record(void **state)
{
    (void)state;
    assert_int_equal(decide(KNOWN, &OTHERS, "a", 2), REGISTRATION_APPEARED);
    assert_int_equal(decide(KNOWN, &OTHERS, "more.of.it", 0), REGISTRATION_APPEARED);
}

static void a_topic_that_the_file_names_later_begins_as_the_file_says(void **state)
{
    (void)state;
    assert_int_equal(decide(KNOWN, &OTHERS, "old", 0), REGISTRATION_START);
    json_t *known = read_json(KNOWN);
    assert_int_equal(registration_decide(known, FUNCTION_START_EARLIEST, &OTHERS, "old", 0),
                     REGISTRATION_APPEARED);
    json_decref(known);
}

static void a_record_of_an_older_version_begins_new_topics_at_their_first_record(void **state)
{
    (void)state;
    assert_int_equal(decide("{\"partitions\":{\"a\":[0]}}", &OTHERS, "b", 0), REGISTRATION_APPEARED);
}

static void a_registered_partition_without_an_offset_has_lost_it(void **state)
{
    (void)state;
    assert_int_equal(decide(KNOWN, &OTHERS, "a", 1), REGISTRATION_EXPIRED);
    assert_int_equal(decide(KNOWN, &NONE, "a", 1), REGISTRATION_EXPIRED);
}

static void an_offset_that_was_not_committed_is_still_to_be(void **state)
{
    (void)state;
    static const char PENDING[] =
        "{\"topics\":[\"a\"],\"partitions\":{\"a\":[0,1]},\"offsets\":{\"a\":{\"1\":7}}}";
    assert_int_equal(decide(PENDING, &NONE, "a", 1), REGISTRATION_START);
    assert_int_equal(decide(PENDING, &OTHERS, "a", 0), REGISTRATION_EXPIRED);
    assert_int_equal(decide(PENDING, &OWN, "a", 1), REGISTRATION_KEEP);
    json_t *record = read_json(PENDING);
    assert_int_equal(registration_record_offset(record, "a", 1), 7);
    assert_int_equal(registration_record_offset(record, "a", 0), -1);
    assert_int_equal(registration_record_offset(NULL, "a", 0), -1);
    registration_record_set_offset(record, "a", 0, 9);
    assert_int_equal(registration_record_offset(record, "a", 0), 9);
    registration_record_clear_offsets(record);
    assert_int_equal(registration_record_offset(record, "a", 0), -1);
    json_decref(record);
}

static void a_record_follows_the_file_and_grows_by_partitions(void **state)
{
    (void)state;
    struct function_config config = {0};
    text_list_add(&config.source.topics, "more.*");
    json_t *known = read_json("{\"start\":\"latest\",\"partitions\":{\"a\":[0],\"more.x\":[0]}}");
    json_t *record = registration_record_new(known, &config);
    assert_true(registration_record_add(record, "more.y", 3));
    assert_false(registration_record_add(record, "more.y", 3));
    assert_false(registration_record_add(record, "more.x", 0));
    json_t *expected = read_json("{\"start\":\"latest\",\"topics\":[\"more.*\"],"
                                 "\"partitions\":{\"more.x\":[0],\"more.y\":[3]}}");
    assert_true(json_equal(record, expected));
    json_decref(known);
    json_decref(record);
    json_decref(expected);
    text_list_clear(&config.source.topics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offset_that_the_group_has_is_kept_whatever_the_record_says),
        cmocka_unit_test(a_first_start_begins_as_the_file_says),
        cmocka_unit_test(without_a_record_a_group_with_offsets_skips_nothing),
        cmocka_unit_test(what_appears_in_wanted_topics_begins_at_its_first_record),
        cmocka_unit_test(a_topic_that_the_file_names_later_begins_as_the_file_says),
        cmocka_unit_test(a_record_of_an_older_version_begins_new_topics_at_their_first_record),
        cmocka_unit_test(a_registered_partition_without_an_offset_has_lost_it),
        cmocka_unit_test(an_offset_that_was_not_committed_is_still_to_be),
        cmocka_unit_test(a_record_follows_the_file_and_grows_by_partitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
