// connectors/pipeline: records of the schema-change topic, and what is kept of them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "core/base/memory.h"
#include "tests/component/connectors/pipeline_seen.h"

static struct table_shape *new_shape(const char *expression)
{
    struct table_shape *s = table_shape_new(16400, 'd', 2);
    for (size_t i = 0; i < s->count; i++) {
        s->columns[i].type = memory_string("t");
        s->columns[i].expression = memory_string(expression);
        s->columns[i].length = s->columns[i].scale = COLUMN_SHAPE_NONE;
    }
    return s;
}

static int set_up(void **state)
{
    int failed = pipeline_case_set_up(state);
    struct pipeline_case *x = *state;
    x->config.schema_changes.topic = true;
    x->table.shape = new_shape("int4");
    (void)rd_kafka_mock_topic_create(x->cluster, "t", 1, 1);
    return failed;
}

static int tear_down(void **state)
{
    struct pipeline_case *x = *state;
    table_shape_free(x->table.shape);
    return pipeline_case_tear_down(state);
}

static void expect(struct pipeline_case *x, size_t count, const char *const *positions)
{
    struct pipeline_seen seen = {0};
    pipeline_seen_read(x, "t", &seen);
    assert_int_equal(seen.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(seen.positions[i], positions[i]);
    }
    bytes_clear(&seen.last_value);
}

static void run_again(struct pipeline_case *x, uint64_t lsn)
{
    (void)uv_run(&x->loop, UV_RUN_NOWAIT);  // closes the script's timer
    x->is_ended = false;
    x->script.at = x->script.count = 0;
    x->table.recorded = 0;
    x->table.route = NULL;
    pipeline_case_add_transaction(x, lsn, CHANGE_CREATE);
    x->script.stop_at = lsn + 8;
    x->script.opened = 0;
    pipeline_case_run(x);
}

static void redefine(struct pipeline_case *x, const char *expression)
{
    table_shape_free(x->table.shape);
    x->table.shape = new_shape(expression);
}

static void a_definition_is_recorded_once_and_not_again_by_the_next_run(void **state)
{
    struct pipeline_case *x = *state;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    pipeline_case_add_transaction(x, 0x200, CHANGE_CREATE);
    x->script.stop_at = 0x208;
    pipeline_case_run(x);
    assert_int_equal(x->end.kind, FAULT_NONE);
    const char *const all[] = {"0000000000000100-s00000000", "0000000000000400-s00000000"};
    expect(x, 1, all);
    run_again(x, 0x300);
    expect(x, 1, all);
    redefine(x, "int8");
    run_again(x, 0x400);
    expect(x, 2, all);
    struct pipeline_seen seen = {0};
    pipeline_seen_read(x, "t.public.items", &seen);
    assert_int_equal(seen.count, 4);
    bytes_clear(&seen.last_value);
}

// The definitions in the state topic are newer than the place where the server resumes.
static void what_comes_once_more_is_not_recorded_again(void **state)
{
    struct pipeline_case *x = *state;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    x->script.stop_at = 0x108;
    pipeline_case_run(x);
    redefine(x, "int8");
    run_again(x, 0x300);
    const char *const all[] = {"0000000000000100-s00000000", "0000000000000300-s00000000",
                               "0000000000000400-s00000000"};
    expect(x, 2, all);
    redefine(x, "int4");
    run_again(x, 0x200);
    redefine(x, "int8");
    run_again(x, 0x300);
    expect(x, 2, all);
    redefine(x, "int4");
    run_again(x, 0x400);
    expect(x, 3, all);
}

static void what_was_not_acknowledged_is_recorded_again_with_the_same_id(void **state)
{
    struct pipeline_case *x = *state;
    (void)pipeline_case_add(x, CHANGE_BEGIN, 0x100);
    pipeline_case_add_row(x, 0x100, 0, CHANGE_CREATE);
    (void)pipeline_case_add(x, CHANGE_COMMIT, 0x100);
    x->script.lose_at = 2;  // before the COMMIT
    x->script.losses = 1;
    x->script.stop_at = 0x108;
    pipeline_case_run(x);
    assert_int_equal(x->script.opened, 2);
    struct pipeline_seen seen = {0};
    pipeline_seen_read(x, "t", &seen);
    assert_in_range(seen.count, 1, 2);  // the first one may have been dropped with its sink
    for (size_t i = 0; i < seen.count; i++) {
        assert_string_equal(seen.positions[i], "0000000000000100-s00000000");
    }
    bytes_clear(&seen.last_value);
}

static void drain_when_published(struct pipeline_case *x)
{
    if (x->script.at == x->script.count && pipeline_case_number("\"in_flight\":") == 0 &&
        pipeline_case_number("\"held\":") == 0) {
        assert_true(pipeline_case_has_status(x, "the record of its definition for topic t is over"));
        x->on_watch = NULL;
        (void)uv_timer_stop(&x->watch);
        pipeline_drain(x->pipeline);
    }
}

static void a_table_whose_definition_is_too_large_waits_and_the_others_go_on(void **state)
{
    struct pipeline_case *x = *state;
    char expression[12000];
    memset(expression, 'x', sizeof(expression) - 1);
    expression[sizeof(expression) - 1] = '\0';
    table_shape_free(x->table.shape);
    x->table.shape = new_shape(expression);
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    pipeline_case_add_transaction(x, 0x200, CHANGE_CREATE);
    x->script.changes[4].table = &x->other;
    x->on_watch = drain_when_published;
    pipeline_case_run(x);
    assert_int_equal(x->end.kind, FAULT_NONE);
    assert_int_equal(x->script.confirmed, 0);
    expect(x, 0, NULL);
    struct pipeline_seen seen = {0};
    pipeline_seen_read(x, "t.public.items", &seen);
    assert_int_equal(seen.count, 0);
    bytes_clear(&seen.last_value);
    seen = (struct pipeline_seen){0};
    pipeline_seen_read(x, "t.public.others", &seen);
    assert_int_equal(seen.count, 1);
    bytes_clear(&seen.last_value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_definition_is_recorded_once_and_not_again_by_the_next_run, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_comes_once_more_is_not_recorded_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_not_acknowledged_is_recorded_again_with_the_same_id, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_table_whose_definition_is_too_large_waits_and_the_others_go_on,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
