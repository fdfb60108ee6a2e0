// connectors/pipeline: what reaches Kafka, and when it is confirmed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "tests/component/case_part.h"
#include "tests/component/connectors/pipeline_seen.h"

static void every_row_is_published_with_its_position_and_then_confirmed(void **state)
{
    struct pipeline_case *x = *state;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    (void)pipeline_case_add(x, CHANGE_BEGIN, 0x200);
    pipeline_case_add_row(x, 0x200, UINT64_C(0x123456789), CHANGE_UPDATE);  // of a transaction of many rows
    (void)pipeline_case_add(x, CHANGE_COMMIT, 0x200);
    x->script.stop_at = 0x208;
    pipeline_case_run(x);
    assert_int_equal(x->end.kind, FAULT_NONE);
    struct pipeline_seen seen = {0};
    pipeline_seen_read(x, "t.public.items", &seen);
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.positions[0], "0000000000000100-00000000");
    assert_string_equal(seen.positions[1], "0000000000000200-123456789");
    bytes_clear(&seen.last_value);
}

static void a_delete_is_followed_by_its_tombstone_with_the_same_position(void **state)
{
    struct pipeline_case *x = *state;
    pipeline_case_add_transaction(x, 0x100, CHANGE_DELETE);
    x->script.stop_at = 0x108;
    pipeline_case_run(x);
    struct pipeline_seen seen = {0};
    pipeline_seen_read(x, "t.public.items", &seen);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.tombstones, 1);
    assert_int_equal(seen.last_value.size, 0);
    assert_string_equal(seen.positions[0], seen.positions[1]);
    bytes_clear(&seen.last_value);
}

static void a_row_without_key_has_no_tombstone(void **state)
{
    struct pipeline_case *x = *state;
    x->table.key_count = 0;
    x->table.key_schema = NULL;
    pipeline_case_add_transaction(x, 0x100, CHANGE_DELETE);
    x->script.changes[1].key = (struct slice){NULL, 0};
    x->script.stop_at = 0x108;
    pipeline_case_run(x);
    struct pipeline_seen seen = {0};
    pipeline_seen_read(x, "t.public.items", &seen);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.tombstones, 0);
    bytes_clear(&seen.last_value);
}

static bool has_text(const struct bytes *value, const char *text)
{
    return memmem(value->data, value->size, text, strlen(text)) != NULL;
}

static void a_row_says_where_it_comes_from(void **state)
{
    struct pipeline_case *x = *state;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    x->script.changes[1].last_commit_lsn = 0x77;
    x->script.changes[1].origin = "upstream";
    x->script.stop_at = 0x108;
    pipeline_case_run(x);
    struct pipeline_seen seen = {0};
    pipeline_seen_read(x, "t.public.items", &seen);
    assert_true(has_text(&seen.last_value, "[\"119\",\"256\"]"));
    assert_true(has_text(&seen.last_value, "upstream"));
    bytes_clear(&seen.last_value);
}

static void a_row_carries_the_trace_of_its_transaction(void **state)
{
    static const char TRACE[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01/vendor=1";
    struct pipeline_case *x = *state;
    struct trace_headers trace = {slice_make(TRACE, TRACE_PARENT_CHARS), slice_of("vendor=1")};
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    x->script.changes[1].trace = trace;
    x->script.stop_at = 0x108;
    pipeline_case_run(x);
    struct pipeline_seen seen = {0};
    pipeline_seen_read(x, "t.public.items", &seen);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.trace, TRACE);
    bytes_clear(&seen.last_value);
}

// The number of times that the database was lost, as /metrics shows it.
static bool has_reconnects(const struct pipeline_case *x, int count)
{
    CLEANUP(bytes_clear) struct bytes shown = {0};
    char line[100];
    (void)snprintf(line, sizeof(line), "reconnects_total{connector=\"shop\",peer=\"postgres\"} %d\n", count);
    metrics_write(x->metrics, &shown);
    return strstr(bytes_text(&shown), line) != NULL;
}

static void a_lost_database_is_read_again_from_the_confirmed_position(void **state)
{
    struct pipeline_case *x = *state;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    (void)pipeline_case_add(x, CHANGE_BEGIN, 0x200);
    pipeline_case_add_row(x, 0x200, 0, CHANGE_CREATE);
    (void)pipeline_case_add(x, CHANGE_COMMIT, 0x200);
    x->script.lose_at = 5;  // in the middle of the second transaction
    x->script.losses = 1;
    x->script.stop_at = 0x208;
    pipeline_case_run(x);
    assert_int_equal(x->script.opened, 2);
    assert_true(x->script.known.is_known);
    assert_string_equal(x->script.known.slot, "millrace_test");
    struct pipeline_seen seen = {0};
    pipeline_seen_read(x, "t.public.items", &seen);
    assert_true(seen.count >=
                2);  // records that waited when the database was lost were dropped, or are on Kafka
    assert_string_equal(seen.positions[0], "0000000000000100-00000000");
    assert_string_equal(seen.positions[seen.count - 1], "0000000000000200-00000000");
    bytes_clear(&seen.last_value);
    assert_true(has_reconnects(x, 1));
}

static void a_source_that_wants_a_new_session_has_not_lost_the_database(void **state)
{
    struct pipeline_case *x = *state;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    pipeline_case_add_transaction(x, 0x200, CHANGE_CREATE);
    x->script.lose_at = 4;
    x->script.losses = 1;
    x->script.restarts = true;
    x->script.stop_at = 0x208;
    pipeline_case_run(x);
    assert_int_equal(x->end.kind, FAULT_NONE);
    assert_int_equal(x->script.opened, 2);
    assert_true(has_reconnects(x, 0));
}

// script_confirm checks each position.
static void no_position_is_confirmed_that_the_source_has_not_made_durable(void **state)
{
    struct pipeline_case *x = *state;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    pipeline_case_add_transaction(x, 0x200, CHANGE_UPDATE);
    x->script.full = 2;
    x->script.stop_at = 0x208;
    pipeline_case_run(x);
    assert_int_equal(x->end.kind, FAULT_NONE);
    assert_int_equal(x->script.opened, 3);
    assert_int_equal(x->script.full, 0);
}

static void a_session_begins_only_when_the_sink_of_the_last_one_is_closed(void **state)
{
    struct pipeline_case *x = *state;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    x->script.lose_at = 2;
    x->script.losses = 1;
    x->script.stop_at = 0x108;
    x->holds_close = true;
    pipeline_case_run(x);
    assert_int_equal(x->script.opened, 2);
    assert_non_null(x->push);
}

static void what_fails_at_the_same_change_is_tried_less_and_less_often(void **state)
{
    struct pipeline_case *x = *state;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    x->script.lose_at = 1;
    x->script.losses = 3;
    x->script.stop_at = 0x108;
    pipeline_case_run(x);
    assert_int_equal(x->script.opened, 4);
    assert_int_equal(x->script.failures, 3);
}

static void a_keepalive_confirms_only_when_nothing_is_open(void **state)
{
    struct pipeline_case *x = *state;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    pipeline_case_add(x, CHANGE_IDLE, 0)->position = 0x500;  // still unacknowledged: must not count
    x->script.stop_at = 0x108;
    pipeline_case_run(x);
    assert_int_equal(x->script.confirmed, 0x108);
}

static void an_idle_database_is_confirmed_by_its_keepalives(void **state)
{
    struct pipeline_case *x = *state;
    pipeline_case_add(x, CHANGE_IDLE, 0)->position = 0x500;
    x->script.stop_at = 0x500;
    pipeline_case_run(x);
    assert_int_equal(x->script.confirmed, 0x500);
}

static void a_state_record_on_its_way_goes_with_its_session(void **state)
{
    struct pipeline_case *x = *state;
    // The write is refused for a while; reading is not.
    rd_kafka_mock_push_request_errors(x->cluster, 0 /* Produce */, 4, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
    pipeline_case_add(x, CHANGE_IDLE, 0)->position = 0x500;
    x->script.is_lost_after_state = true;
    x->script.stop_at = 0x500;
    pipeline_case_run(x);
    assert_int_equal(x->script.opened, 2);
}

static void a_server_that_went_back_is_followed(void **state)
{
    struct pipeline_case *x = *state;
    pipeline_case_add_transaction(x, 0x400, CHANGE_CREATE);
    (void)pipeline_case_add(x, CHANGE_BEGIN, 0x500);
    pipeline_case_add_row(x, 0x500, 0, CHANGE_CREATE);
    x->script.lose_at = 5;
    x->script.losses = 1;
    (void)pipeline_case_add(x, CHANGE_COMMIT, 0x500);
    x->script.positions[0] = 0x10000;
    x->script.positions[1] = 0x300;
    x->script.stop_at = 0x508;
    pipeline_case_run(x);
    assert_int_equal(x->script.opened, 2);
    assert_int_equal(x->script.confirmed, 0x508);
}

static void what_is_to_be_read_is_recorded_also_while_a_table_waits(void **state)
{
    struct pipeline_case *x = *state;
    size_t size = 0;
    uint8_t *row = pipeline_case_large_row(&size);
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    x->script.changes[1].after = slice_make(row, size);
    x->script.save_at = 3;
    x->script.later = 77;
    x->on_watch = pipeline_case_drain_when_saved;
    pipeline_case_run(x);
    assert_int_equal(x->script.confirmed, 0);
    struct bytes record = {0};
    pipeline_seen_record(x, &record);
    assert_non_null(strstr(bytes_text(&record), "\"unread\":[77]"));
    bytes_clear(&record);
    free(row);
}

// The table's rows can't go out; the transaction before them is confirmed meanwhile.
static void let_out_when_confirmed(struct pipeline_case *x)
{
    struct pipeline_script *s = &x->script;
    if (s->wait_at == 3 && s->confirmed == 0x108) {
        assert_int_equal(rd_kafka_mock_partition_set_leader(x->cluster, "t.public.items", 0, -1), 0);
        s->wait_at = 0;
        s->listener.on_ready(s->listener.self);
    } else if (s->confirmed == 0x208) {
        struct bytes record = {0};
        pipeline_seen_record(x, &record);
        assert_non_null(strstr(bytes_text(&record), "\"unread\":[77]"));
        bytes_clear(&record);
        assert_false(s->is_saved);
        x->on_watch = pipeline_case_drain_when_saved;
        assert_int_equal(rd_kafka_mock_partition_set_leader(x->cluster, "t.public.items", 0, 1), 0);
    }
}

static void that_rows_were_read_is_recorded_only_when_kafka_has_them(void **state)
{
    struct pipeline_case *x = *state;
    x->script.unread = 77;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    pipeline_case_add_transaction(x, 0x200, CHANGE_CREATE);
    x->script.changes[4].table = &x->other;
    pipeline_case_add_transaction(x, 0x200, CHANGE_READ);
    x->script.wait_at = 3;
    x->script.save_at = 9;
    x->on_watch = let_out_when_confirmed;
    pipeline_case_run(x);
    struct bytes record = {0};
    pipeline_seen_record(x, &record);
    assert_null(strstr(bytes_text(&record), "unread"));
    bytes_clear(&record);
    struct pipeline_seen seen = {0};
    pipeline_seen_read(x, "t.public.items", &seen);
    assert_int_equal(seen.count, 2);
    bytes_clear(&seen.last_value);
}

// The state topic has no leader at first; it gets one when only the state record is outstanding.
static void hold_the_record(struct pipeline_case *x)
{
    if (!x->is_held || x->script.at < x->script.count || pipeline_case_number("\"in_flight\":") != 1) {
        return;
    }
    assert_int_equal(x->script.confirmed, 0);
    x->in_flight_seen = 1;
    x->is_held = false;
    assert_int_equal(rd_kafka_mock_partition_set_leader(x->cluster, "millrace.state", 0, 1), 0);
}

static void a_position_is_confirmed_only_when_the_state_record_has_it(void **state)
{
    struct pipeline_case *x = *state;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    x->script.stop_at = 0x108;
    x->script.is_record_held = true;
    x->on_watch = hold_the_record;
    pipeline_case_run(x);
    assert_int_equal(x->in_flight_seen, 1);
    assert_int_equal(x->script.confirmed, 0x108);
}

// The second transaction's row can't go out. The third's is on Kafka, and so is a state record behind it.
static void hold_one_row(struct pipeline_case *x)
{
    struct pipeline_script *s = &x->script;
    if (s->wait_at == 3 && s->confirmed == 0x108) {
        assert_int_equal(rd_kafka_mock_partition_set_leader(x->cluster, "t.public.items", 0, -1), 0);
        s->wait_at = 0;
        s->listener.on_ready(s->listener.self);
    } else if (s->is_saved && pipeline_case_number("\"in_flight\":") == 1) {
        struct bytes record = {0};
        pipeline_seen_record(x, &record);
        assert_non_null(strstr(bytes_text(&record), "\"position\":\"0/108\",\"unread\":[77]"));
        bytes_clear(&record);
        assert_int_equal(s->confirmed, 0x108);
        x->on_watch = NULL;
        (void)uv_timer_stop(&x->watch);
        s->stop_at = 0x308;
        assert_int_equal(rd_kafka_mock_partition_set_leader(x->cluster, "t.public.items", 0, 1), 0);
    }
}

static void a_row_without_acknowledgement_holds_all_positions_after_it(void **state)
{
    struct pipeline_case *x = *state;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    pipeline_case_add_transaction(x, 0x200, CHANGE_CREATE);
    pipeline_case_add_transaction(x, 0x300, CHANGE_CREATE);
    x->script.changes[7].table = &x->other;
    x->script.wait_at = 3;
    x->script.save_at = 9;
    x->script.later = 77;
    x->on_watch = hold_one_row;
    pipeline_case_run(x);
    assert_int_equal(x->script.confirmed, 0x308);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown((name), pipeline_case_set_up, pipeline_case_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(every_row_is_published_with_its_position_and_then_confirmed),
        CASE(a_delete_is_followed_by_its_tombstone_with_the_same_position),
        CASE(a_row_without_key_has_no_tombstone),
        CASE(a_row_says_where_it_comes_from),
        CASE(a_row_carries_the_trace_of_its_transaction),
        CASE(a_lost_database_is_read_again_from_the_confirmed_position),
        CASE(no_position_is_confirmed_that_the_source_has_not_made_durable),
        CASE(a_source_that_wants_a_new_session_has_not_lost_the_database),
        CASE(a_session_begins_only_when_the_sink_of_the_last_one_is_closed),
        CASE(what_fails_at_the_same_change_is_tried_less_and_less_often),
        CASE(a_keepalive_confirms_only_when_nothing_is_open),
        CASE(an_idle_database_is_confirmed_by_its_keepalives),
        CASE(a_state_record_on_its_way_goes_with_its_session),
        CASE(a_server_that_went_back_is_followed),
        CASE(what_is_to_be_read_is_recorded_also_while_a_table_waits),
        CASE(that_rows_were_read_is_recorded_only_when_kafka_has_them),
        CASE(a_position_is_confirmed_only_when_the_state_record_has_it),
        CASE(a_row_without_acknowledgement_holds_all_positions_after_it),
    };
    return case_run_part(tests, COUNT_OF(tests));
}
