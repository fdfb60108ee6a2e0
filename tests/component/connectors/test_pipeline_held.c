// connectors/pipeline: a table whose schemas are not ready is held back; the others go on.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/watermark.h"
#include "tests/component/connectors/pipeline_seen.h"

enum { ID = 77, OPEN_MAX = 64 };

// A registry that answers for one subject as the test says, and for all others at once.
static struct {
    const char *subject;
    bool is_open;  // answers
    bool refuses;  // answers that it can't be asked now, or with `code`
    int code;      // an error of Confluent's registry
    registry_on_id on_id;
    void *self;
    uv_timer_t *timer;
    uv_loop_t *loop;
    int asked;
} gate;

void __real_registry_register(struct registry *r, const char *subject, const char *text, registry_on_id on_id,
                              void *self);
void __wrap_registry_register(struct registry *r, const char *subject, const char *text, registry_on_id on_id,
                              void *self);

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle);
}

static void answer(uv_timer_t *timer)
{
    struct fault f;
    registry_on_id on_id = gate.on_id;
    if (on_id == NULL || (!gate.is_open && !gate.refuses)) {
        return;
    }
    (void)timer;
    gate.on_id = NULL;
    if (gate.code != 0) {
        (void)fault_from(&f, FAULT_CONFIG, "registry", gate.code, "the registry says %d", gate.code);
    } else {
        (void)fault_set(&f, FAULT_RETRY, "the registry is closed today");
    }
    on_id(gate.self, gate.is_open ? ID : 0, gate.is_open ? NULL : &f);
}

void __wrap_registry_register(struct registry *r, const char *subject, const char *text, registry_on_id on_id,
                              void *self)
{
    if (strcmp(subject, gate.subject) != 0) {
        __real_registry_register(r, subject, text, on_id, self);
        return;
    }
    gate.asked++;
    gate.on_id = on_id;
    gate.self = self;
    (void)uv_timer_start(gate.timer, answer, 1, 5);
}

// Few transactions may be open at once, in place of 16384.
void __real_watermark_init(struct watermark *w, uint64_t safe, size_t open_max);
void __wrap_watermark_init(struct watermark *w, uint64_t safe, size_t open_max);

void __wrap_watermark_init(struct watermark *w, uint64_t safe, size_t open_max)
{
    (void)open_max;
    __real_watermark_init(w, safe, OPEN_MAX);
}

static int set_up(void **state)
{
    int failed = pipeline_case_set_up(state);
    struct pipeline_case *x = *state;
    memset(&gate, 0, sizeof(gate));
    gate.subject = "t.public.items-value";
    gate.loop = &x->loop;
    gate.timer = memory_zeroed(1, sizeof(*gate.timer));
    (void)uv_timer_init(gate.loop, gate.timer);
    return failed;
}

static int tear_down(void **state)
{
    uv_close((uv_handle_t *)gate.timer, on_timer_closed);
    return pipeline_case_tear_down(state);
}

static void add_other(struct pipeline_case *x, uint64_t lsn)
{
    size_t row = x->script.count + 1;
    pipeline_case_add_transaction(x, lsn, CHANGE_CREATE);
    x->script.changes[row].table = &x->other;
}

static void read_topic(struct pipeline_case *x, const char *topic, struct pipeline_seen *seen)
{
    *seen = (struct pipeline_seen){0};
    pipeline_seen_read(x, topic, seen);
    bytes_clear(&seen->last_value);
}

static bool is_only_held(const struct pipeline_case *x, uint32_t records)
{
    return x->script.at == x->script.count && pipeline_case_number("\"in_flight\":") == 0 &&
           pipeline_case_number("\"held\":") == records;
}

static void open_when_the_others_are_through(struct pipeline_case *x)
{
    if (!x->is_told && is_only_held(x, 4)) {
        x->is_told = true;
        assert_int_equal(x->script.confirmed, 0);
        gate.is_open = true;
    }
}

static void one_table_waits_and_the_others_go_on(void **state)
{
    struct pipeline_case *x = *state;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    add_other(x, 0x200);
    pipeline_case_add_transaction(x, 0x300, CHANGE_DELETE);
    add_other(x, 0x400);
    pipeline_case_add_transaction(x, 0x500, CHANGE_CREATE);
    x->on_watch = open_when_the_others_are_through;
    x->script.stop_at = 0x508;
    pipeline_case_run(x);
    assert_true(x->is_told);
    assert_int_equal(x->end.kind, FAULT_NONE);
    struct pipeline_seen seen = {0};
    pipeline_seen_read(x, "t.public.items", &seen);
    assert_int_equal(seen.count, 4);
    assert_int_equal(seen.tombstones, 1);
    assert_string_equal(seen.positions[0], "0000000000000100-00000000");
    assert_string_equal(seen.positions[1], "0000000000000300-00000000");
    assert_string_equal(seen.positions[2], "0000000000000300-00000000");
    assert_string_equal(seen.positions[3], "0000000000000500-00000000");
    assert_memory_equal(seen.last_value.data, "\0\0\0\0\x4d", 5);  // the id came after the record was held
    bytes_clear(&seen.last_value);
    read_topic(x, "t.public.others", &seen);
    assert_int_equal(seen.count, 2);
}

static void open_when_three_are_held(struct pipeline_case *x)
{
    if (!x->is_told && is_only_held(x, 3)) {
        x->is_told = true;
        gate.is_open = true;
    }
}

// The held transaction is not taken for one that Kafka does not acknowledge, however old it is: 3 s pass at
// once, and records are acknowledged after that.
static void check_age(struct pipeline_case *x)
{
    if (x->in_flight_seen == 0 && pipeline_case_number("\"held\":") == 1 && x->script.at > 1000) {
        clock_fake(clock_now_us() + 3 * CLOCK_US_PER_S, clock_wall_us());
        x->in_flight_seen = x->script.at;
    } else if (x->in_flight_seen != 0 && !x->is_told && x->script.at > x->in_flight_seen + 5000) {
        assert_int_equal(pipeline_case_number("\"oldest_in_flight_seconds\":"), 0);
    }
}

static void open_when_all_others_are_through(struct pipeline_case *x)
{
    check_age(x);
    if (!x->is_told && is_only_held(x, 1)) {
        x->is_told = true;
        gate.is_open = true;
    }
}

static void the_others_go_on_for_more_transactions_than_may_be_open(void **state)
{
    enum { OTHERS = 20000 };  // more than OPEN_MAX
    struct pipeline_case *x = *state;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    for (uint64_t i = 0; i < OTHERS; i++) {
        add_other(x, 0x200 + 0x10 * i);
    }
    x->on_watch = open_when_all_others_are_through;
    x->script.stop_at = 0x200 + 0x10 * (OTHERS - 1) + 8;
    clock_fake(clock_now_us(), clock_wall_us());
    pipeline_case_run(x);
    clock_fake(-1, 0);
    assert_true(x->is_told);
    assert_int_equal(x->end.kind, FAULT_NONE);
    struct pipeline_seen seen = {0};
    read_topic(x, "t.public.others", &seen);
    assert_int_equal(seen.count, OTHERS);
    read_topic(x, "t.public.items", &seen);
    assert_int_equal(seen.count, 1);
}

static void drain_when_held(struct pipeline_case *x)
{
    if (is_only_held(x, 1) && x->script.confirmed != 0) {
        x->on_watch = NULL;
        (void)uv_timer_stop(&x->watch);
        pipeline_drain(x->pipeline);
    }
}

static void a_drain_does_not_wait_for_what_is_held_and_confirms_nothing_of_it(void **state)
{
    struct pipeline_case *x = *state;
    add_other(x, 0x100);
    pipeline_case_add_transaction(x, 0x200, CHANGE_CREATE);
    add_other(x, 0x300);
    (void)pipeline_case_add(x, CHANGE_IDLE, 0x400);
    x->on_watch = drain_when_held;
    pipeline_case_run(x);
    assert_int_equal(x->end.kind, FAULT_NONE);
    assert_int_equal(x->script.confirmed, 0x108);
    struct pipeline_seen seen = {0};
    read_topic(x, "t.public.others", &seen);
    assert_int_equal(seen.count, 2);
    read_topic(x, "t.public.items", &seen);
    assert_int_equal(seen.count, 0);
}

// The database is lost while changes are held; the next session gives them again.
static void open_in_the_second_session(struct pipeline_case *x)
{
    gate.is_open = x->script.opened == 2;
}

static void the_end_of_a_session_drops_what_is_held(void **state)
{
    struct pipeline_case *x = *state;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    pipeline_case_add_transaction(x, 0x200, CHANGE_UPDATE);
    x->script.lose_at = 6;
    x->script.losses = 1;
    x->on_watch = open_in_the_second_session;
    x->script.stop_at = 0x208;
    pipeline_case_run(x);
    assert_int_equal(x->script.opened, 2);
    struct pipeline_seen seen = {0};
    read_topic(x, "t.public.items", &seen);
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.positions[0], "0000000000000100-00000000");
}

// 256 rows of 18 kB are more than may be held of a table.
static void open_when_the_stream_is_paused(struct pipeline_case *x)
{
    if (!x->is_told && pipeline_case_has_status(x, "the registry is closed today") &&
        pipeline_case_has_status(x, "\"state\":\"backing_off\"")) {
        x->is_told = true;
        assert_in_range(x->script.at, 200, 255);
        assert_false(pipeline_is_ready(x->pipeline));
        gate.is_open = true;
    }
}

static void the_stream_pauses_when_too_much_is_held_and_says_why(void **state)
{
    enum { ROWS = 256 };
    struct pipeline_case *x = *state;
    size_t size = 0;
    uint8_t *row = pipeline_case_row_of_note(18000, &size);
    gate.refuses = true;
    (void)pipeline_case_add(x, CHANGE_BEGIN, 0x100);
    for (uint32_t i = 0; i < ROWS; i++) {
        pipeline_case_add_row(x, 0x100, i, CHANGE_CREATE);
        x->script.changes[x->script.count - 1].after = slice_make(row, size);
    }
    (void)pipeline_case_add(x, CHANGE_COMMIT, 0x100);
    add_other(x, 0x200);
    x->on_watch = open_when_the_stream_is_paused;
    x->script.stop_at = 0x208;
    pipeline_case_run(x);
    assert_true(x->is_told);
    struct pipeline_seen seen = {0};
    read_topic(x, "t.public.items", &seen);
    assert_int_equal(seen.count, ROWS);
    assert_string_equal(seen.positions[ROWS - 1], "0000000000000100-000000ff");
    free(row);
}

static void open_after_a_refusal(struct pipeline_case *x)
{
    if (!x->is_told && is_only_held(x, 1) && gate.asked > 1) {
        x->is_told = true;
        assert_int_equal(x->script.confirmed, 0);
        gate.is_open = true;
    }
}

static void check_that_it_waits_alone(struct pipeline_case *x, int code)
{
    gate.refuses = true;
    gate.code = code;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    add_other(x, 0x200);
    x->on_watch = open_after_a_refusal;
    x->script.stop_at = 0x208;
    pipeline_case_run(x);
    assert_true(x->is_told);
    assert_int_equal(x->end.kind, FAULT_NONE);
    struct pipeline_seen seen = {0};
    read_topic(x, "t.public.items", &seen);
    assert_int_equal(seen.count, 1);
}

static void a_table_whose_schema_the_registry_does_not_have_waits_until_it_has_it(void **state)
{
    check_that_it_waits_alone(*state, 40403);
}

static void a_table_whose_subject_may_not_be_written_waits_until_it_may(void **state)
{
    check_that_it_waits_alone(*state, 40301);
}

static void a_table_waits_until_the_registry_takes_the_credentials(void **state)
{
    check_that_it_waits_alone(*state, 401);
}

static void a_table_waits_while_its_subject_is_read_only(void **state)
{
    check_that_it_waits_alone(*state, 42205);
}

// Both rows of the table go to the dead letters, behind its ids: one with its key, one as a record.
static void a_dead_letter_of_a_table_without_ids_waits_and_the_others_go_on(void **state)
{
    struct pipeline_case *x = *state;
    size_t size = 0;
    uint8_t *row = pipeline_case_large_row(&size);
    x->config.on_bad_row = CONNECTOR_BAD_ROW_DEAD_LETTER;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    x->script.changes[1].after = (struct slice){NULL, 0};
    x->script.changes[1].bad_json = slice_of("{\"id\":\"1\"}");
    x->script.changes[1].bad_reason = "column \"note\": NaN has no decimal form";
    pipeline_case_add_transaction(x, 0x200, CHANGE_CREATE);
    x->script.changes[4].after = slice_make(row, size);
    add_other(x, 0x300);
    pipeline_case_add_transaction(x, 0x400, CHANGE_CREATE);
    x->on_watch = open_when_three_are_held;
    x->script.stop_at = 0x408;
    pipeline_case_run(x);
    assert_true(x->is_told);
    assert_int_equal(x->end.kind, FAULT_NONE);
    struct pipeline_seen seen = {0};
    pipeline_seen_read(x, "millrace.dlq.connector.shop", &seen);
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.positions[0], "0000000000000100-00000000");
    assert_string_equal(seen.first_value, "{\"id\":\"1\"}");
    assert_memory_equal(seen.last_value.data, "\0\0\0\0\x4d", 5);
    bytes_clear(&seen.last_value);
    read_topic(x, "t.public.items", &seen);
    assert_int_equal(seen.count, 1);
    free(row);
}

static bool has_metric(const struct pipeline_case *x, const char *line)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    metrics_write(x->metrics, &text);
    return strstr(bytes_text(&text), line) != NULL;
}

static void drain_when_transactions_are_refused(struct pipeline_case *x)
{
    if (!x->is_told && is_only_held(x, 0) &&
        has_metric(x, "waiting_tables{connector=\"shop\",reason=\"stopped\"} 1")) {
        x->is_told = true;
        assert_true(pipeline_case_has_status(x, "the registry says 42201"));
        pipeline_drain(x->pipeline);
    }
}

static void rows_go_on_when_the_schema_of_transactions_is_refused(void **state)
{
    struct pipeline_case *x = *state;
    gate.subject = "t.transaction-value";
    gate.refuses = true;
    gate.code = 42201;
    x->config.transactions.topic = true;
    (void)rd_kafka_mock_topic_create(x->cluster, "t.transaction", 1, 1);
    add_other(x, 0x100);
    add_other(x, 0x200);
    x->on_watch = drain_when_transactions_are_refused;
    pipeline_case_run(x);
    assert_true(x->is_told);
    assert_int_equal(x->end.kind, FAULT_NONE);
    assert_int_equal(x->script.confirmed, 0);
    struct pipeline_seen seen = {0};
    read_topic(x, "t.public.others", &seen);
    assert_int_equal(seen.count, 2);
}

static void drain_when_a_beat_is_skipped(struct pipeline_case *x)
{
    if (has_metric(x, "skipped_records_total{connector=\"shop\",kind=\"heartbeat\"} 1")) {
        x->is_told = true;
        pipeline_drain(x->pipeline);
    }
}

static void a_heartbeat_that_is_refused_is_counted_and_ends_nothing(void **state)
{
    struct pipeline_case *x = *state;
    gate.subject = "__debezium-heartbeat.t-value";
    gate.refuses = true;
    gate.code = 42201;
    x->config.heartbeat.interval_us = CLOCK_US_PER_S;
    (void)rd_kafka_mock_topic_create(x->cluster, "__debezium-heartbeat.t", 1, 1);
    add_other(x, 0x100);
    x->on_watch = drain_when_a_beat_is_skipped;
    pipeline_case_run(x);
    assert_true(x->is_told);
    assert_int_equal(x->end.kind, FAULT_NONE);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown((name), set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(one_table_waits_and_the_others_go_on),
        CASE(the_others_go_on_for_more_transactions_than_may_be_open),
        CASE(a_drain_does_not_wait_for_what_is_held_and_confirms_nothing_of_it),
        CASE(the_end_of_a_session_drops_what_is_held),
        CASE(the_stream_pauses_when_too_much_is_held_and_says_why),
        CASE(a_table_whose_schema_the_registry_does_not_have_waits_until_it_has_it),
        CASE(a_table_whose_subject_may_not_be_written_waits_until_it_may),
        CASE(a_table_waits_until_the_registry_takes_the_credentials),
        CASE(a_table_waits_while_its_subject_is_read_only),
        CASE(a_dead_letter_of_a_table_without_ids_waits_and_the_others_go_on),
        CASE(rows_go_on_when_the_schema_of_transactions_is_refused),
        CASE(a_heartbeat_that_is_refused_is_counted_and_ends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
