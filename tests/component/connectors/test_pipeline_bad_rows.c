// connectors/pipeline: rows that are too large or have no Avro form, and the snapshot markers they leave.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "connectors/event_topics.h"
#include "schemas/avro/event_encode.h"
#include "tests/component/connectors/pipeline_seen.h"

enum { LARGE = 30000 };  // bytes, more than message.max.bytes

// Stops the connector once all changes are read and all records acknowledged.
static void drain_when_published(struct pipeline_case *x)
{
    if (x->script.at == x->script.count && pipeline_case_number("\"in_flight\":") == 0 &&
        pipeline_case_number("\"held\":") == 0) {
        assert_false(pipeline_is_ready(x->pipeline));
        struct bytes status = {0};
        pipeline_status(x->pipeline, &status);
        assert_non_null(strstr(bytes_text(&status), "public.items"));
        assert_non_null(strstr(bytes_text(&status), "on_bad_row: dead_letter"));
        bytes_clear(&status);
        x->on_watch = NULL;
        (void)uv_timer_stop(&x->watch);
        pipeline_drain(x->pipeline);
    }
}

static void a_row_over_the_limit_stops_its_table_and_no_other(void **state)
{
    struct pipeline_case *x = *state;
    size_t size = 0;
    uint8_t *row = pipeline_case_large_row(&size);
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    pipeline_case_add_transaction(x, 0x200, CHANGE_CREATE);
    x->script.changes[4].after = slice_make(row, size);
    pipeline_case_add_transaction(x, 0x300, CHANGE_UPDATE);
    pipeline_case_add_transaction(x, 0x400, CHANGE_CREATE);
    x->script.changes[10].table = &x->other;
    pipeline_case_add(x, CHANGE_IDLE, 0)->position = 0x500;
    x->on_watch = drain_when_published;
    pipeline_case_run(x);
    assert_int_equal(x->end.kind, FAULT_NONE);
    assert_int_equal(x->script.confirmed, 0x108);
    struct pipeline_seen seen = {0};
    pipeline_seen_read(x, "t.public.items", &seen);
    assert_int_equal(seen.count, 1);
    bytes_clear(&seen.last_value);
    seen = (struct pipeline_seen){0};
    pipeline_seen_read(x, "t.public.others", &seen);
    assert_int_equal(seen.count, 1);
    bytes_clear(&seen.last_value);
    free(row);
}

static void a_first_snapshot_stops_at_a_row_over_the_limit(void **state)
{
    struct pipeline_case *x = *state;
    size_t size = 0;
    uint8_t *row = pipeline_case_large_row(&size);
    pipeline_case_add_transaction(x, 0x100, CHANGE_READ);
    x->script.changes[1].after = slice_make(row, size);
    x->script.is_first_snapshot = true;
    pipeline_case_run(x);
    assert_int_equal(x->end.kind, FAULT_CONFIG);
    assert_non_null(strstr(x->end.text, "public.items"));
    assert_non_null(strstr(x->end.text, "message.max.bytes"));
    assert_int_equal(x->script.confirmed, 0);
    free(row);
}

static void a_table_that_was_added_waits_at_a_row_over_the_limit_and_no_other(void **state)
{
    struct pipeline_case *x = *state;
    size_t size = 0;
    uint8_t *row = pipeline_case_large_row(&size);
    x->script.unread = 77;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    pipeline_case_add_transaction(x, 0x200, CHANGE_READ);
    x->script.changes[4].after = slice_make(row, size);
    pipeline_case_add_transaction(x, 0x400, CHANGE_CREATE);
    x->script.changes[7].table = &x->other;
    pipeline_case_add(x, CHANGE_IDLE, 0)->position = 0x500;
    x->on_watch = drain_when_published;
    pipeline_case_run(x);
    assert_int_equal(x->end.kind, FAULT_NONE);
    assert_int_equal(x->script.confirmed, 0x108);
    struct pipeline_seen seen = {0};
    pipeline_seen_read(x, "t.public.others", &seen);
    assert_int_equal(seen.count, 1);
    bytes_clear(&seen.last_value);
    free(row);
}

// Records of each size around the limit: each is published or goes to the dead-letter topic.
static void a_row_just_under_the_limit_never_stops_the_connector(void **state)
{
    enum { ROWS = 400 };
    struct pipeline_case *x = *state;
    x->config.on_bad_row = CONNECTOR_BAD_ROW_DEAD_LETTER;
    uint8_t *rows[ROWS];
    (void)pipeline_case_add(x, CHANGE_BEGIN, 0x100);
    for (uint32_t i = 0; i < ROWS; i++) {
        size_t size = 0;
        rows[i] = pipeline_case_row_of_note(20000 - ROWS + i, &size);
        pipeline_case_add_row(x, 0x100, i, CHANGE_CREATE);
        x->script.changes[x->script.count - 1].after = slice_make(rows[i], size);
    }
    (void)pipeline_case_add(x, CHANGE_COMMIT, 0x100);
    x->script.stop_at = 0x108;
    pipeline_case_run(x);
    assert_int_equal(x->end.kind, FAULT_NONE);
    struct pipeline_seen published = {0};
    struct pipeline_seen aside = {0};
    pipeline_seen_read(x, "t.public.items", &published);
    pipeline_seen_read(x, "millrace.dlq.connector.shop", &aside);
    assert_int_equal(published.count + aside.count, ROWS);
    assert_true(published.count > 0 && aside.count > 0);
    bytes_clear(&published.last_value);
    bytes_clear(&aside.last_value);
    for (int i = 0; i < ROWS; i++) {
        free(rows[i]);
    }
}

static void a_row_over_the_limit_goes_to_the_dead_letters_without_its_large_columns(void **state)
{
    struct pipeline_case *x = *state;
    x->config.on_bad_row = CONNECTOR_BAD_ROW_DEAD_LETTER;
    size_t size = 0;
    uint8_t *row = pipeline_case_large_row(&size);
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    x->script.changes[1].after = slice_make(row, size);
    pipeline_case_add_transaction(x, 0x200, CHANGE_CREATE);
    x->script.stop_at = 0x208;
    pipeline_case_run(x);
    struct pipeline_seen seen = {0};
    pipeline_seen_read(x, "millrace.dlq.connector.shop", &seen);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.reason, "oversize");
    assert_non_null(memmem(seen.last_value.data, seen.last_value.size, "__debezium_unavailable_value", 28));
    bytes_clear(&seen.last_value);
    seen = (struct pipeline_seen){0};
    pipeline_seen_read(x, "t.public.items", &seen);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.positions[0], "0000000000000200-00000000");
    bytes_clear(&seen.last_value);
    free(row);
}

static void a_row_that_has_no_avro_form_goes_to_the_dead_letters_as_text(void **state)
{
    struct pipeline_case *x = *state;
    x->config.on_bad_row = CONNECTOR_BAD_ROW_DEAD_LETTER;
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    x->script.changes[1].after = (struct slice){NULL, 0};
    x->script.changes[1].bad_json = slice_of("{\"id\":\"1\",\"note\":\"NaN\"}");
    x->script.changes[1].bad_reason = "column \"note\": NaN has no decimal form";
    x->script.stop_at = 0x108;
    pipeline_case_run(x);
    struct pipeline_seen seen = {0};
    pipeline_seen_read(x, "millrace.dlq.connector.shop", &seen);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.reason, "undecodable");
    assert_true(slice_equal(bytes_slice(&seen.last_value), slice_of("{\"id\":\"1\",\"note\":\"NaN\"}")));
    bytes_clear(&seen.last_value);
}

static struct change *add_read(struct pipeline_case *x, uint64_t index, const char *marker, bool is_bad)
{
    pipeline_case_add_row(x, 0x100, index, CHANGE_READ);
    struct change *c = &x->script.changes[x->script.count - 1];
    c->snapshot = marker;
    if (is_bad) {
        c->after = (struct slice){NULL, 0};
        c->bad_json = slice_of("{\"id\":\"1\",\"note\":\"NaN\"}");
        c->bad_reason = "column \"note\": NaN has no decimal form";
    }
    return c;
}

static void expect_markers(struct pipeline_case *x, const char *topic, const char *const *expected,
                           size_t count)
{
    struct pipeline_seen *seen = memory_zeroed(1, sizeof(*seen));
    pipeline_seen_read(x, topic, seen);
    assert_int_equal(seen->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(seen->markers[i], expected[i]);
    }
    bytes_clear(&seen->last_value);
    free(seen);
}

static void the_markers_of_a_snapshot_stand_on_rows_that_are_published(void **state)
{
    struct pipeline_case *x = *state;
    size_t size;
    uint8_t *row = pipeline_case_large_row(&size);
    x->config.on_bad_row = CONNECTOR_BAD_ROW_DEAD_LETTER;
    (void)pipeline_case_add(x, CHANGE_BEGIN, 0x100);
    (void)add_read(x, 0, "first", true);
    (void)add_read(x, 1, "true", false);
    (void)add_read(x, 2, "true", false);
    (void)add_read(x, 3, "true", true);
    (void)add_read(x, 4, "last_in_data_collection", true);
    (void)pipeline_case_add(x, CHANGE_COMMIT, 0x100);
    (void)pipeline_case_add(x, CHANGE_BEGIN, 0x100);
    add_read(x, 5, "first_in_data_collection", true)->table = &x->other;
    add_read(x, 6, "true", false)->table = &x->other;
    add_read(x, 7, "true", false)->table = &x->other;
    add_read(x, 8, "true", false)->table = &x->other;
    struct change *last = add_read(x, 9, "last", false);
    last->table = &x->other;
    last->after = slice_make(row, size);
    (void)pipeline_case_add(x, CHANGE_COMMIT, 0x200);
    x->script.stop_at = 0x208;
    pipeline_case_run(x);
    free(row);
    static const char *const items[] = {"first", "last_in_data_collection"};
    static const char *const others[] = {"first_in_data_collection", "true", "last"};
    expect_markers(x, "t.public.items", items, 2);
    expect_markers(x, "t.public.others", others, 3);
    struct pipeline_seen *dead = memory_zeroed(1, sizeof(*dead));
    pipeline_seen_read(x, "millrace.dlq.connector.shop", dead);
    assert_int_equal(dead->count, 5);
    bytes_clear(&dead->last_value);
    free(dead);
}

static void a_table_of_one_row_is_published_at_its_end(void **state)
{
    struct pipeline_case *x = *state;
    x->config.on_bad_row = CONNECTOR_BAD_ROW_DEAD_LETTER;
    (void)pipeline_case_add(x, CHANGE_BEGIN, 0x100);
    (void)add_read(x, 0, "first", false);
    (void)pipeline_case_add(x, CHANGE_COMMIT, 0x100);
    (void)pipeline_case_add(x, CHANGE_BEGIN, 0x100);
    add_read(x, 1, "first_in_data_collection", false)->table = &x->other;
    add_read(x, 2, "last", true)->table = &x->other;
    (void)pipeline_case_add(x, CHANGE_COMMIT, 0x200);
    x->script.stop_at = 0x208;
    pipeline_case_run(x);
    static const char *const items[] = {"first"};
    static const char *const others[] = {"last"};
    expect_markers(x, "t.public.items", items, 1);
    expect_markers(x, "t.public.others", others, 1);
}

// Rows of t.public.items are events; the first one has a blank route.
static uint8_t *add_bad_event(struct pipeline_case *x)
{
    size_t size = 0;
    uint8_t *row = pipeline_case_row_of_note(0, &size);
    x->config.outbox.table = memory_string("public.items");
    x->config.outbox.id = memory_string("id");
    x->config.outbox.key = memory_string("id");
    x->config.outbox.route_by = memory_string("note");
    x->config.outbox.payload = memory_string("note");
    x->config.outbox.topic = memory_string("t.events");
    (void)rd_kafka_mock_topic_create(x->cluster, "t.events", 1, 1);
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    x->script.changes[1].after = slice_make(row, size);
    x->script.changes[1].lsn = 0x1234;
    pipeline_case_add_transaction(x, 0x200, CHANGE_CREATE);
    pipeline_case_add_transaction(x, 0x300, CHANGE_CREATE);
    x->script.changes[7].table = &x->other;
    return row;
}

static void free_outbox(struct pipeline_case *x)
{
    char *texts[] = {x->config.outbox.table,    x->config.outbox.id,      x->config.outbox.key,
                     x->config.outbox.route_by, x->config.outbox.payload, x->config.outbox.topic};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        free(texts[i]);
    }
}

static void drain_when_the_outbox_is_stopped(struct pipeline_case *x)
{
    if (!x->is_told && pipeline_case_has_status(x, "LSN 0/1234, event 0000000000000100-00000000")) {
        x->is_told = true;
        assert_true(pipeline_case_has_status(x, "a row of public.items has no note"));
    }
    if (x->is_told && x->script.at == x->script.count && pipeline_case_number("\"in_flight\":") == 0 &&
        pipeline_case_number("\"held\":") == 0) {
        pipeline_drain(x->pipeline);
    }
}

static void a_bad_row_of_the_outbox_stops_it_alone(void **state)
{
    struct pipeline_case *x = *state;
    uint8_t *row = add_bad_event(x);
    x->on_watch = drain_when_the_outbox_is_stopped;
    pipeline_case_run(x);
    assert_true(x->is_told);
    assert_int_equal(x->end.kind, FAULT_NONE);
    assert_int_equal(x->script.confirmed, 0);
    struct pipeline_seen seen = {0};
    pipeline_seen_read(x, "t.public.others", &seen);
    assert_int_equal(seen.count, 1);
    bytes_clear(&seen.last_value);
    free_outbox(x);
    free(row);
}

static void a_bad_row_of_the_outbox_is_a_dead_letter(void **state)
{
    struct pipeline_case *x = *state;
    uint8_t *row = add_bad_event(x);
    x->config.on_bad_row = CONNECTOR_BAD_ROW_DEAD_LETTER;
    x->script.stop_at = 0x308;
    pipeline_case_run(x);
    assert_int_equal(x->end.kind, FAULT_NONE);
    struct pipeline_seen dead = {0};
    struct pipeline_seen events = {0};
    pipeline_seen_read(x, "millrace.dlq.connector.shop", &dead);
    assert_int_equal(dead.count, 1);
    assert_string_equal(dead.reason, "undecodable");
    assert_memory_equal(dead.last_value.data, "{\"id\":1,\"note\":\"\"}", dead.last_value.size);
    pipeline_seen_read(x, "t.events", &events);
    assert_int_equal(events.count, 1);
    bytes_clear(&dead.last_value);
    bytes_clear(&events.last_value);
    free_outbox(x);
    free(row);
}

// A logical message with a content that is too large for a record, then a row of a table.
static struct table *add_large_message(struct pipeline_case *x, uint8_t *content, struct bytes *key)
{
    const struct connector_config config = {.topic_prefix = (char *)"t"};
    struct table *messages = event_topics_messages(&config);
    memset(content, 'x', LARGE);
    (void)rd_kafka_mock_topic_create(x->cluster, "t.message", 1, 1);
    pipeline_case_add_transaction(x, 0x100, CHANGE_CREATE);
    struct change *message = &x->script.changes[1];
    event_encode_message_key(key, slice_of("audit"));
    message->op = CHANGE_MESSAGE;
    message->table = messages;
    message->key = bytes_slice(key);
    message->after = (struct slice){NULL, 0};
    message->message_prefix = slice_of("audit");
    message->message_content = slice_make(content, LARGE);
    pipeline_case_add_transaction(x, 0x200, CHANGE_CREATE);
    x->script.changes[4].table = &x->other;
    return messages;
}

static void drain_when_the_message_is_refused(struct pipeline_case *x)
{
    if (x->script.at == x->script.count && pipeline_case_number("\"in_flight\":") == 0 &&
        pipeline_case_number("\"held\":") == 0 &&
        pipeline_case_has_status(x, "message for topic t.message")) {
        x->is_told = true;
        assert_true(pipeline_case_has_status(x, "over message.max.bytes"));
        pipeline_drain(x->pipeline);
    }
}

static void a_message_over_the_limit_stops_messages_alone(void **state)
{
    struct pipeline_case *x = *state;
    CLEANUP(bytes_clear) struct bytes key = {0};
    uint8_t content[LARGE];
    struct table *messages = add_large_message(x, content, &key);
    x->on_watch = drain_when_the_message_is_refused;
    pipeline_case_run(x);
    assert_true(x->is_told);
    assert_int_equal(x->end.kind, FAULT_NONE);
    assert_int_equal(x->script.confirmed, 0);
    struct pipeline_seen seen = {0};
    pipeline_seen_read(x, "t.public.others", &seen);
    assert_int_equal(seen.count, 1);
    bytes_clear(&seen.last_value);
    messages->free_route = NULL;  // the pipeline has freed it
    table_free(messages);
}

static void a_message_over_the_limit_is_a_dead_letter(void **state)
{
    struct pipeline_case *x = *state;
    CLEANUP(bytes_clear) struct bytes key = {0};
    uint8_t content[LARGE];
    struct table *messages = add_large_message(x, content, &key);
    x->config.on_bad_row = CONNECTOR_BAD_ROW_DEAD_LETTER;
    x->script.stop_at = 0x208;
    pipeline_case_run(x);
    assert_int_equal(x->end.kind, FAULT_NONE);
    struct pipeline_seen dead = {0};
    pipeline_seen_read(x, "millrace.dlq.connector.shop", &dead);
    assert_int_equal(dead.count, 1);
    assert_string_equal(dead.reason, "oversize");
    bytes_clear(&dead.last_value);
    messages->free_route = NULL;  // the pipeline has freed it
    table_free(messages);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown((name), pipeline_case_set_up, pipeline_case_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_row_over_the_limit_stops_its_table_and_no_other),
        CASE(a_first_snapshot_stops_at_a_row_over_the_limit),
        CASE(a_table_that_was_added_waits_at_a_row_over_the_limit_and_no_other),
        CASE(a_row_just_under_the_limit_never_stops_the_connector),
        CASE(a_row_over_the_limit_goes_to_the_dead_letters_without_its_large_columns),
        CASE(a_row_that_has_no_avro_form_goes_to_the_dead_letters_as_text),
        CASE(the_markers_of_a_snapshot_stand_on_rows_that_are_published),
        CASE(a_table_of_one_row_is_published_at_its_end),
        CASE(a_bad_row_of_the_outbox_stops_it_alone),
        CASE(a_bad_row_of_the_outbox_is_a_dead_letter),
        CASE(a_message_over_the_limit_stops_messages_alone),
        CASE(a_message_over_the_limit_is_a_dead_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
