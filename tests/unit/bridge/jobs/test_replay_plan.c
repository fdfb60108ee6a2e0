// bridge/jobs/replay_plan: the record of a replay, by which an interrupted one goes on.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/jobs/replay_plan.h"

static const struct replay_range RANGE = {.from = "16/B374D848", .to = "500", .key = "7", .topic = "a.*"};

static json_t *make_record(const struct replay_range *range)
{
    rd_kafka_topic_partition_list_t *ends = rd_kafka_topic_partition_list_new(3);
    rd_kafka_topic_partition_list_add(ends, "a.one", 0)->offset = 12;
    rd_kafka_topic_partition_list_add(ends, "a.one", 11)->offset = INT64_C(9007199254740993);
    rd_kafka_topic_partition_list_add(ends, "a.two", 0)->offset = 0;
    json_t *record = replay_plan_record(range, ends);
    rd_kafka_topic_partition_list_destroy(ends);
    return record;
}

static void the_ends_are_kept_for_each_partition(void **state)
{
    (void)state;
    struct fault f;
    rd_kafka_topic_partition_list_t *ends = NULL;
    json_t *record = make_record(&RANGE);
    assert_true(replay_plan_read(record, &RANGE, &ends, &f));
    assert_int_equal(ends->cnt, 3);
    assert_int_equal(rd_kafka_topic_partition_list_find(ends, "a.one", 0)->offset, 12);
    assert_int_equal(rd_kafka_topic_partition_list_find(ends, "a.one", 11)->offset,
                     INT64_C(9007199254740993));
    assert_int_equal(rd_kafka_topic_partition_list_find(ends, "a.two", 0)->offset, 0);
    rd_kafka_topic_partition_list_destroy(ends);
    json_decref(record);
}

static void what_is_not_told_is_kept_as_such(void **state)
{
    (void)state;
    struct fault f;
    const struct replay_range all = {.from = "earliest"};
    rd_kafka_topic_partition_list_t *ends = NULL;
    json_t *record = make_record(&all);
    assert_true(replay_plan_read(record, &all, &ends, &f));
    rd_kafka_topic_partition_list_destroy(ends);
    assert_false(replay_plan_read(record, &(struct replay_range){.from = "earliest", .key = "7"}, &ends, &f));
    json_decref(record);
}

/** Going on with it would deliver something else than the command line says. */
static void a_replay_with_other_limits_does_not_go_on(void **state)
{
    (void)state;
    struct replay_range others[4] = {RANGE, RANGE, RANGE, RANGE};
    others[0].from = "earliest";
    others[1].to = NULL;
    others[2].key = "8";
    others[3].topic = "a.one";
    json_t *record = make_record(&RANGE);
    for (size_t i = 0; i < 4; i++) {
        struct fault f;
        rd_kafka_topic_partition_list_t *ends = NULL;
        assert_false(replay_plan_read(record, &others[i], &ends, &f));
        assert_int_equal(f.kind, FAULT_CONFIG);
        assert_non_null(strstr(f.text, "--from 16/B374D848 --to 500"));
        assert_null(ends);
    }
    json_decref(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ends_are_kept_for_each_partition),
        cmocka_unit_test(what_is_not_told_is_kept_as_such),
        cmocka_unit_test(a_replay_with_other_limits_does_not_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
