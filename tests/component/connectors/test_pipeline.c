// connectors/pipeline with a scripted source and the mock broker: what reaches Kafka, and when it is
// confirmed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>

#include "connectors/kafka/kafka_push.h"
#include "connectors/pipeline.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "schemas/avro/avro_encode.h"
#include "tests/component/case_part.h"

enum { SCRIPT_MAX = 512, HOLD_MS = 300 };  // the first wait before a new session is at most 200 ms

// A source that returns a list of changes, then NOTHING.
struct script {
    struct change changes[SCRIPT_MAX];
    size_t count;
    size_t at;
    size_t lose_at;  // the connection is lost before this change; 0: never
    int losses;      // how often it is lost
    uint64_t confirmed;
    uint64_t stop_at;  // the test ends when this position is confirmed
    int opened;
    uint32_t failures;          // consecutive failures before the last open
    uint64_t positions[4];      // start position of each open
    struct source_state known;  // the state passed to the last open
    bool is_lost_after_state;   // once: the peer goes away with the first record on its way
    struct source_listener listener;
    uv_timer_t timer;
    bool is_open;  // on_open was called: next gives changes
    bool is_paused;
    bool is_record_held;     // the state topic loses its leader when the stream begins
    bool is_first_snapshot;  // the record of the first open says that it still runs
    uint32_t unread;         // the record of the first open names this table; 0: none
    size_t wait_at;          // no change from this one on is given yet; 0: all are
    size_t save_at;          // after this change a record is to be saved that names `later`; 0: never
    uint32_t later;          // 0: no table
    bool is_saved;           // and it was
};

struct fixture {
    uv_loop_t loop;
    rd_kafka_t *host;
    rd_kafka_mock_cluster_t *cluster;
    struct settings settings;
    struct connector_config config;
    struct registry *registry;
    struct metrics *metrics;
    struct pipeline *pipeline;
    struct script script;
    struct table table;
    struct table other;  // with a topic of its own
    struct column columns[2];
    struct fault end;
    bool is_ended;
    bool is_timed_out;
    uv_timer_t limit;
    uv_timer_t watch;                     // calls on_watch every 10 ms
    void (*on_watch)(struct fixture *x);  // NULL: nothing
    size_t in_flight_seen;
    bool is_held;
    bool is_told;
    bool holds_close;         // once: the sink that is closed next stays open for HOLD_MS
    struct kafka_push *push;  // of that sink
    void (*on_push_stopped)(void *self);
    void *sink;
    uv_timer_t hold;
};

static char text_id[] = "id";
static char text_note[] = "note";
static char text_prefix[] = "t";
static char text_schema[] = "public";
static char text_name[] = "items";
static char text_topic[] = "t.public.items";
static char text_other_name[] = "others";
static char text_other_topic[] = "t.public.others";
static char text_key_schema[] =
    "{\"type\":\"record\",\"name\":\"Key\",\"fields\":[{\"name\":\"id\",\"type\":\"int\"}]}";
static char text_value_schema[] = "{\"type\":\"record\",\"name\":\"Envelope\",\"fields\":[]}";
static size_t key_columns[] = {0};

static struct fixture *playing;  // source_type.make has no parameter for the test's pointer

// The linker puts this around the function, which is the last step but one when a sink is closed.
void __real_kafka_push_stop(struct kafka_push *p, void (*on_stopped)(void *self), void *self);
void __wrap_kafka_push_stop(struct kafka_push *p, void (*on_stopped)(void *self), void *self);

static void fixture_on_hold_end(uv_timer_t *timer)
{
    struct fixture *x = CONTAINER_OF(timer, struct fixture, hold);
    assert_int_equal(x->script.opened, 1);
    __real_kafka_push_stop(x->push, x->on_push_stopped, x->sink);
}

void __wrap_kafka_push_stop(struct kafka_push *p, void (*on_stopped)(void *self), void *self)
{
    struct fixture *x = playing;
    if (!x->holds_close) {
        __real_kafka_push_stop(p, on_stopped, self);
        return;
    }
    x->holds_close = false;
    x->push = p;
    x->on_push_stopped = on_stopped;
    x->sink = self;
    (void)uv_timer_start(&x->hold, fixture_on_hold_end, HOLD_MS, 0);
}

static bool script_make(const struct connector_config *config, uv_loop_t *loop,
                        const struct source_listener *listener, struct source **ret, struct fault *f)
{
    (void)config;
    (void)f;
    playing->script.listener = *listener;
    (void)uv_timer_init(loop, &playing->script.timer);
    *ret = (struct source *)(void *)&playing->script;
    return true;
}

static void script_tell_open(struct script *s)
{
    if (s->is_record_held) {
        playing->is_held = true;
        assert_int_equal(rd_kafka_mock_partition_set_leader(playing->cluster, "millrace.state", 0, -1), 0);
    }
    s->is_open = true;
    s->listener.on_phase(s->listener.self, "streaming", NULL);
    s->listener.on_open(s->listener.self, s->positions[s->opened - 1]);
}

static void script_save(struct script *s, uint32_t unread)
{
    struct source_state state = {.is_snapshot_done = !s->is_first_snapshot,
                                 .timeline = 1,
                                 .unread_count = unread != 0,
                                 .unread = {unread}};
    (void)snprintf(state.slot, sizeof(state.slot), "millrace_test");
    (void)snprintf(state.system_identifier, sizeof(state.system_identifier), "7000");
    s->listener.on_state(s->listener.self, &state);
}

static void script_state_loaded(struct source *source, const struct source_state *known)
{
    struct script *s = (struct script *)(void *)source;
    s->known = *known;
    if (s->known.is_known) {
        script_tell_open(s);
        return;
    }
    script_save(s, s->unread);
    if (s->is_lost_after_state) {
        s->is_lost_after_state = false;
        struct fault f;
        (void)fault_set(&f, FAULT_RETRY, "lost by the test");
        s->listener.on_fault(s->listener.self, &f);
    }
}

// A number of the pipeline's status.
static uint32_t number_in_status(const char *member)
{
    struct bytes status = {0};
    if (playing->pipeline == NULL) {
        return 0;
    }
    pipeline_status(playing->pipeline, &status);
    const char *at = strstr(bytes_text(&status), member);
    assert_non_null(at);
    uint32_t number = (uint32_t)strtoul(at + strlen(member), NULL, 10);
    bytes_clear(&status);
    return number;
}

static void script_on_open(uv_timer_t *timer)
{
    struct script *s = CONTAINER_OF(timer, struct script, timer);
    s->failures = number_in_status("\"failures\":");
    s->listener.on_load_state(s->listener.self);
}

static void script_open(struct source *source)
{
    struct script *s = (struct script *)(void *)source;
    s->opened++;
    s->confirmed = 0;
    (void)uv_timer_start(&s->timer, script_on_open, 0, 0);
}

static void script_state_saved(struct source *source)
{
    struct script *s = (struct script *)(void *)source;
    if (s->save_at != 0 && s->at >= s->save_at) {
        s->is_saved = true;
    } else {
        script_tell_open(s);
    }
}

static enum source_step script_next(struct source *source, struct change *ret_change, struct fault *f)
{
    struct script *s = (struct script *)(void *)source;
    if (!s->is_open) {
        return SOURCE_NOTHING;  // topics may get ready before the session does
    }
    if (s->losses > 0 && s->at == s->lose_at) {
        s->losses--;
        s->at = 0;
        (void)fault_set(f, FAULT_RETRY, "connection reset by the test");
        return SOURCE_FAULT;
    }
    if (s->is_paused || s->at == s->count || (s->wait_at != 0 && s->at >= s->wait_at)) {
        return SOURCE_NOTHING;
    }
    *ret_change = s->changes[s->at++];
    if (s->at == s->save_at) {
        script_save(s, s->later);
    }
    return SOURCE_CHANGE;
}

static void script_confirm(struct source *source, uint64_t safe_position)
{
    struct script *s = (struct script *)(void *)source;
    assert_true(safe_position >= s->confirmed);
    s->confirmed = safe_position;
    if (s->stop_at != 0 && s->confirmed >= s->stop_at) {
        s->stop_at = 0;
        pipeline_drain(playing->pipeline);
    }
}

static void script_pause(struct source *source)
{
    ((struct script *)(void *)source)->is_paused = true;
}

static void script_resume(struct source *source)
{
    ((struct script *)(void *)source)->is_paused = false;
}

static void script_lag(const struct source *source, struct source_lag *ret)
{
    (void)source;
    *ret = (struct source_lag){0};
}

static void script_close(struct source *source)
{
    struct script *s = (struct script *)(void *)source;
    s->is_paused = s->is_open = false;
    (void)uv_timer_stop(&s->timer);
}

static void script_free(struct source *source)
{
    uv_close((uv_handle_t *)&((struct script *)(void *)source)->timer, NULL);
}

static const struct source_type script_type = {.kind = "postgresql",
                                               .summary = "a list of changes",
                                               .make = script_make,
                                               .open = script_open,
                                               .state_loaded = script_state_loaded,
                                               .state_saved = script_state_saved,
                                               .next = script_next,
                                               .confirm = script_confirm,
                                               .pause = script_pause,
                                               .resume = script_resume,
                                               .lag = script_lag,
                                               .close = script_close,
                                               .free = script_free};

static void fixture_on_end(void *self, const struct fault *f)
{
    struct fixture *x = self;
    x->is_ended = true;
    x->end = f == NULL ? (struct fault){0} : *f;
    uv_stop(&x->loop);
}

static void fixture_on_limit(uv_timer_t *timer)
{
    struct fixture *x = CONTAINER_OF(timer, struct fixture, limit);
    x->is_timed_out = true;
    uv_stop(&x->loop);
}

static int fixture_set_up(void **state)
{
    struct fixture *x = memory_zeroed(1, sizeof(*x));
    playing = x;
    log_start(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "client.id", "MOCK", NULL, 0);
    x->host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    x->cluster = rd_kafka_mock_cluster_new(x->host, 1);
    (void)rd_kafka_mock_topic_create(x->cluster, "t.public.items", 1, 1);
    (void)rd_kafka_mock_topic_create(x->cluster, "millrace.dlq.connector.shop", 1, 1);
    text_pairs_set(&x->settings.kafka, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(x->cluster));
    text_pairs_set(&x->settings.kafka, "message.max.bytes", "20000");
    x->config.name = memory_string("shop");
    x->config.topic_prefix = memory_string("t");
    x->columns[0] = (struct column){.name = text_id, .type = COLUMN_INT32, .is_key = true};
    x->columns[1] = (struct column){.name = text_note, .type = COLUMN_STRING, .is_nullable = true};
    x->table = (struct table){.prefix = text_prefix,
                              .schema = text_schema,
                              .name = text_name,
                              .topic = text_topic,
                              .columns = x->columns,
                              .column_count = 2,
                              .key_columns = key_columns,
                              .key_count = 1,
                              .key_schema = text_key_schema,
                              .value_schema = text_value_schema};
    x->other = x->table;
    x->other.name = text_other_name;
    x->other.topic = text_other_topic;
    (void)rd_kafka_mock_topic_create(x->cluster, text_other_topic, 1, 1);
    (void)uv_loop_init(&x->loop);
    (void)uv_timer_init(&x->loop, &x->limit);
    (void)uv_timer_init(&x->loop, &x->watch);
    (void)uv_timer_init(&x->loop, &x->hold);
    struct fault f = {0};
    assert_true(registry_open(&x->loop, &x->settings, &x->registry, &f));
    x->metrics = metrics_new();
    *state = x;
    return 0;
}

static void fixture_on_watch(uv_timer_t *timer)
{
    struct fixture *x = CONTAINER_OF(timer, struct fixture, watch);
    x->on_watch(x);
}

static void fixture_run(struct fixture *x)
{
    struct pipeline_params params = {.loop = &x->loop,
                                     .settings = &x->settings,
                                     .config = &x->config,
                                     .registry = x->registry,
                                     .metrics = x->metrics,
                                     .source_type = &script_type,
                                     .on_end = fixture_on_end,
                                     .self = x};
    struct fault f = {0};
    assert_true(pipeline_start(&params, &x->pipeline, &f));
    (void)uv_timer_start(&x->limit, fixture_on_limit, 60000, 0);
    if (x->on_watch != NULL) {
        (void)uv_timer_start(&x->watch, fixture_on_watch, 10, 10);
    }
    (void)uv_run(&x->loop, UV_RUN_DEFAULT);
    assert_false(x->is_timed_out);
    (void)uv_timer_stop(&x->limit);
    (void)uv_timer_stop(&x->watch);
    pipeline_free(x->pipeline);
    x->pipeline = NULL;
}

static int fixture_tear_down(void **state)
{
    struct fixture *x = *state;
    registry_close(x->registry);
    uv_close((uv_handle_t *)&x->limit, NULL);
    uv_close((uv_handle_t *)&x->watch, NULL);
    uv_close((uv_handle_t *)&x->hold, NULL);
    (void)uv_run(&x->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&x->loop), 0);
    metrics_free(x->metrics);
    rd_kafka_mock_cluster_destroy(x->cluster);
    rd_kafka_destroy(x->host);
    text_pairs_clear(&x->settings.kafka);
    free(x->config.name);
    free(x->config.topic_prefix);
    free(x);
    return 0;
}

static struct change *script_add(struct fixture *x, enum change_kind kind, uint64_t lsn)
{
    struct script *s = &x->script;
    assert_true(s->count < SCRIPT_MAX);
    struct change *c = &s->changes[s->count++];
    *c = (struct change){.kind = kind,
                         .position = lsn + 8,
                         .commit_lsn = lsn,
                         .commit_time_us = 1700000000000000,
                         .transaction_id = 7,
                         .database = "db",
                         .snapshot = "false",
                         .op = CHANGE_CREATE,
                         .lsn = lsn,
                         .table = &x->table};
    return c;
}

static const uint8_t key_1[] = {2};             // id 1
static const uint8_t row_1[] = {2, 2, 2, 'a'};  // id 1, note "a"

static void script_add_row(struct fixture *x, uint64_t lsn, uint64_t index, enum change_op op)
{
    struct change *c = script_add(x, CHANGE_ROW, lsn);
    c->index = index;
    c->op = op;
    c->key = slice_make(key_1, sizeof(key_1));
    if (op == CHANGE_DELETE) {
        c->before = slice_make(row_1, sizeof(row_1));
    } else {
        c->after = slice_make(row_1, sizeof(row_1));
    }
}

static void script_add_transaction(struct fixture *x, uint64_t lsn, enum change_op op)
{
    (void)script_add(x, CHANGE_BEGIN, lsn);
    script_add_row(x, lsn, 0, op);
    (void)script_add(x, CHANGE_COMMIT, lsn);
}

struct seen {
    size_t count;
    size_t tombstones;
    char positions[SCRIPT_MAX][40];
    struct bytes last_value;
    char reason[32];
    char markers[SCRIPT_MAX][32];  // source.snapshot; "" for a record without
};

// The marker's place in the envelope is after others of variable size: finds the string with its length.
static const char *marker_in(const rd_kafka_message_t *message)
{
    static const char *const all[] = {
        "last_in_data_collection", "first_in_data_collection", "first", "last", "true", "false"};
    for (size_t i = 0; message->payload != NULL && i < COUNT_OF(all); i++) {
        struct bytes text = {0};
        avro_encode_string(&text, slice_of(all[i]));
        bool has = memmem(message->payload, message->len, text.data, text.size) != NULL;
        bytes_clear(&text);
        if (has) {
            return all[i];
        }
    }
    return "";
}

static void seen_note(struct seen *seen, const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    const void *value = NULL;
    size_t size = 0;
    assert_int_equal(rd_kafka_message_headers(message, &headers), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_header_get_last(headers, "millrace.position", &value, &size), 0);
    (void)snprintf(seen->positions[seen->count], sizeof(seen->positions[0]), "%.*s", (int)size,
                   (const char *)value);
    if (rd_kafka_header_get_last(headers, "millrace.dlq.reason", &value, &size) == 0) {
        (void)snprintf(seen->reason, sizeof(seen->reason), "%.*s", (int)size, (const char *)value);
    }
    (void)snprintf(seen->markers[seen->count], sizeof(seen->markers[0]), "%s", marker_in(message));
    seen->tombstones += message->payload == NULL ? 1 : 0;
    bytes_reset(&seen->last_value);
    bytes_append(&seen->last_value, message->payload, message->len);
    seen->count++;
}

// Calls back with each record of the topic.
static void read_all(struct fixture *x, const char *topic,
                     void (*on_record)(void *self, const rd_kafka_message_t *m), void *self)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(x->cluster), NULL, 0);
    (void)rd_kafka_conf_set(conf, "group.id", "test", NULL, 0);
    (void)rd_kafka_conf_set(conf, "enable.partition.eof", "true", NULL, 0);
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    assert_int_equal(rd_kafka_assign(consumer, list), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    bool is_end = false;
    while (!is_end) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 30000);
        assert_non_null(message);
        is_end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            on_record(self, message);
        }
        rd_kafka_message_destroy(message);
    }
    (void)rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
}

static void note_seen(void *self, const rd_kafka_message_t *message)
{
    seen_note(self, message);
}

static void read_topic(struct fixture *x, const char *topic, struct seen *seen)
{
    read_all(x, topic, note_seen, seen);
}

static void note_last(void *self, const rd_kafka_message_t *message)
{
    bytes_reset(self);
    bytes_append(self, message->payload, message->len);
}

// The newest state record.
static void read_record(struct fixture *x, struct bytes *ret)
{
    read_all(x, "millrace.state", note_last, ret);
}

static void every_row_is_published_with_its_position_and_then_confirmed(void **state)
{
    struct fixture *x = *state;
    script_add_transaction(x, 0x100, CHANGE_CREATE);
    (void)script_add(x, CHANGE_BEGIN, 0x200);
    script_add_row(x, 0x200, UINT64_C(0x123456789), CHANGE_UPDATE);  // of a transaction of many rows
    (void)script_add(x, CHANGE_COMMIT, 0x200);
    x->script.stop_at = 0x208;
    fixture_run(x);
    assert_int_equal(x->end.kind, FAULT_NONE);
    struct seen seen = {0};
    read_topic(x, "t.public.items", &seen);
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.positions[0], "0000000000000100-00000000");
    assert_string_equal(seen.positions[1], "0000000000000200-123456789");
    bytes_clear(&seen.last_value);
}

static void a_delete_is_followed_by_its_tombstone_with_the_same_position(void **state)
{
    struct fixture *x = *state;
    script_add_transaction(x, 0x100, CHANGE_DELETE);
    x->script.stop_at = 0x108;
    fixture_run(x);
    struct seen seen = {0};
    read_topic(x, "t.public.items", &seen);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.tombstones, 1);
    assert_int_equal(seen.last_value.size, 0);
    assert_string_equal(seen.positions[0], seen.positions[1]);
    bytes_clear(&seen.last_value);
}

static void a_row_without_key_has_no_tombstone(void **state)
{
    struct fixture *x = *state;
    x->table.key_count = 0;
    x->table.key_schema = NULL;
    script_add_transaction(x, 0x100, CHANGE_DELETE);
    x->script.changes[1].key = (struct slice){NULL, 0};
    x->script.stop_at = 0x108;
    fixture_run(x);
    struct seen seen = {0};
    read_topic(x, "t.public.items", &seen);
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
    struct fixture *x = *state;
    script_add_transaction(x, 0x100, CHANGE_CREATE);
    x->script.changes[1].last_commit_lsn = 0x77;
    x->script.changes[1].origin = "upstream";
    x->script.stop_at = 0x108;
    fixture_run(x);
    struct seen seen = {0};
    read_topic(x, "t.public.items", &seen);
    assert_true(has_text(&seen.last_value, "[\"119\",\"256\"]"));
    assert_true(has_text(&seen.last_value, "upstream"));
    bytes_clear(&seen.last_value);
}

static void a_lost_database_is_read_again_from_the_confirmed_position(void **state)
{
    struct fixture *x = *state;
    script_add_transaction(x, 0x100, CHANGE_CREATE);
    (void)script_add(x, CHANGE_BEGIN, 0x200);
    script_add_row(x, 0x200, 0, CHANGE_CREATE);
    (void)script_add(x, CHANGE_COMMIT, 0x200);
    x->script.lose_at = 5;  // in the middle of the second transaction
    x->script.losses = 1;
    x->script.stop_at = 0x208;
    fixture_run(x);
    assert_int_equal(x->script.opened, 2);
    assert_true(x->script.known.is_known);
    assert_string_equal(x->script.known.slot, "millrace_test");
    struct seen seen = {0};
    read_topic(x, "t.public.items", &seen);
    assert_true(seen.count >=
                2);  // records that waited when the database was lost were dropped, or are on Kafka
    assert_string_equal(seen.positions[0], "0000000000000100-00000000");
    assert_string_equal(seen.positions[seen.count - 1], "0000000000000200-00000000");
    bytes_clear(&seen.last_value);
}

static void a_session_begins_only_when_the_sink_of_the_last_one_is_closed(void **state)
{
    struct fixture *x = *state;
    script_add_transaction(x, 0x100, CHANGE_CREATE);
    x->script.lose_at = 2;
    x->script.losses = 1;
    x->script.stop_at = 0x108;
    x->holds_close = true;
    fixture_run(x);
    assert_int_equal(x->script.opened, 2);
    assert_non_null(x->push);
}

static void what_fails_at_the_same_change_is_tried_less_and_less_often(void **state)
{
    struct fixture *x = *state;
    script_add_transaction(x, 0x100, CHANGE_CREATE);
    x->script.lose_at = 1;
    x->script.losses = 3;
    x->script.stop_at = 0x108;
    fixture_run(x);
    assert_int_equal(x->script.opened, 4);
    assert_int_equal(x->script.failures, 3);
}

static void a_keepalive_confirms_only_when_nothing_is_open(void **state)
{
    struct fixture *x = *state;
    script_add_transaction(x, 0x100, CHANGE_CREATE);
    script_add(x, CHANGE_IDLE, 0)->position = 0x500;  // still unacknowledged: must not count
    x->script.stop_at = 0x108;
    fixture_run(x);
    assert_int_equal(x->script.confirmed, 0x108);
}

static void an_idle_database_is_confirmed_by_its_keepalives(void **state)
{
    struct fixture *x = *state;
    script_add(x, CHANGE_IDLE, 0)->position = 0x500;
    x->script.stop_at = 0x500;
    fixture_run(x);
    assert_int_equal(x->script.confirmed, 0x500);
}

static void a_state_record_on_its_way_goes_with_its_session(void **state)
{
    struct fixture *x = *state;
    // The write is refused for a while; reading is not.
    rd_kafka_mock_push_request_errors(x->cluster, 0 /* Produce */, 4, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
    script_add(x, CHANGE_IDLE, 0)->position = 0x500;
    x->script.is_lost_after_state = true;
    x->script.stop_at = 0x500;
    fixture_run(x);
    assert_int_equal(x->script.opened, 2);
}

static void a_server_that_went_back_is_followed(void **state)
{
    struct fixture *x = *state;
    script_add_transaction(x, 0x400, CHANGE_CREATE);
    (void)script_add(x, CHANGE_BEGIN, 0x500);
    script_add_row(x, 0x500, 0, CHANGE_CREATE);
    x->script.lose_at = 5;
    x->script.losses = 1;
    (void)script_add(x, CHANGE_COMMIT, 0x500);
    x->script.positions[0] = 0x10000;
    x->script.positions[1] = 0x300;
    x->script.stop_at = 0x508;
    fixture_run(x);
    assert_int_equal(x->script.opened, 2);
    assert_int_equal(x->script.confirmed, 0x508);
}

static uint8_t *row_of_note(size_t note_size, size_t *ret_size)
{
    struct bytes row = {0};
    avro_encode_long(&row, 1);
    avro_encode_long(&row, 1);
    avro_encode_long(&row, (int64_t)note_size);
    memset(bytes_reserve(&row, note_size), 'x', note_size);
    row.size += note_size;
    *ret_size = row.size;
    return row.data;
}

static uint8_t *large_row(size_t *ret_size)
{
    return row_of_note(30000, ret_size);
}

// Stops the connector once all changes are read and all records acknowledged.
static void drain_when_published(struct fixture *x)
{
    if (x->script.at == x->script.count && number_in_status("\"in_flight\":") == 0) {
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
    struct fixture *x = *state;
    size_t size = 0;
    uint8_t *row = large_row(&size);
    script_add_transaction(x, 0x100, CHANGE_CREATE);
    script_add_transaction(x, 0x200, CHANGE_CREATE);
    x->script.changes[4].after = slice_make(row, size);
    script_add_transaction(x, 0x300, CHANGE_UPDATE);
    script_add_transaction(x, 0x400, CHANGE_CREATE);
    x->script.changes[10].table = &x->other;
    script_add(x, CHANGE_IDLE, 0)->position = 0x500;
    x->on_watch = drain_when_published;
    fixture_run(x);
    assert_int_equal(x->end.kind, FAULT_NONE);
    assert_int_equal(x->script.confirmed, 0x108);
    struct seen seen = {0};
    read_topic(x, "t.public.items", &seen);
    assert_int_equal(seen.count, 1);
    bytes_clear(&seen.last_value);
    seen = (struct seen){0};
    read_topic(x, "t.public.others", &seen);
    assert_int_equal(seen.count, 1);
    bytes_clear(&seen.last_value);
    free(row);
}

static void a_first_snapshot_stops_at_a_row_over_the_limit(void **state)
{
    struct fixture *x = *state;
    size_t size = 0;
    uint8_t *row = large_row(&size);
    script_add_transaction(x, 0x100, CHANGE_READ);
    x->script.changes[1].after = slice_make(row, size);
    x->script.is_first_snapshot = true;
    fixture_run(x);
    assert_int_equal(x->end.kind, FAULT_CONFIG);
    assert_non_null(strstr(x->end.text, "public.items"));
    assert_non_null(strstr(x->end.text, "message.max.bytes"));
    assert_int_equal(x->script.confirmed, 0);
    free(row);
}

static void a_table_that_was_added_waits_at_a_row_over_the_limit_and_no_other(void **state)
{
    struct fixture *x = *state;
    size_t size = 0;
    uint8_t *row = large_row(&size);
    x->script.unread = 77;
    script_add_transaction(x, 0x100, CHANGE_CREATE);
    script_add_transaction(x, 0x200, CHANGE_READ);
    x->script.changes[4].after = slice_make(row, size);
    script_add_transaction(x, 0x400, CHANGE_CREATE);
    x->script.changes[7].table = &x->other;
    script_add(x, CHANGE_IDLE, 0)->position = 0x500;
    x->on_watch = drain_when_published;
    fixture_run(x);
    assert_int_equal(x->end.kind, FAULT_NONE);
    assert_int_equal(x->script.confirmed, 0x108);
    struct seen seen = {0};
    read_topic(x, "t.public.others", &seen);
    assert_int_equal(seen.count, 1);
    bytes_clear(&seen.last_value);
    free(row);
}

static void drain_when_saved(struct fixture *x)
{
    if (x->script.is_saved) {
        x->on_watch = NULL;
        (void)uv_timer_stop(&x->watch);
        pipeline_drain(x->pipeline);
    }
}

static void what_is_to_be_read_is_recorded_also_while_a_table_waits(void **state)
{
    struct fixture *x = *state;
    size_t size = 0;
    uint8_t *row = large_row(&size);
    script_add_transaction(x, 0x100, CHANGE_CREATE);
    x->script.changes[1].after = slice_make(row, size);
    x->script.save_at = 3;
    x->script.later = 77;
    x->on_watch = drain_when_saved;
    fixture_run(x);
    assert_int_equal(x->script.confirmed, 0);
    struct bytes record = {0};
    read_record(x, &record);
    assert_non_null(strstr(bytes_text(&record), "\"unread\":[77]"));
    bytes_clear(&record);
    free(row);
}

// The table's rows can't go out; the transaction before them is confirmed meanwhile.
static void let_out_when_confirmed(struct fixture *x)
{
    struct script *s = &x->script;
    if (s->wait_at == 3 && s->confirmed == 0x108) {
        assert_int_equal(rd_kafka_mock_partition_set_leader(x->cluster, "t.public.items", 0, -1), 0);
        s->wait_at = 0;
        s->listener.on_ready(s->listener.self);
    } else if (s->confirmed == 0x208) {
        struct bytes record = {0};
        read_record(x, &record);
        assert_non_null(strstr(bytes_text(&record), "\"unread\":[77]"));
        bytes_clear(&record);
        assert_false(s->is_saved);
        x->on_watch = drain_when_saved;
        assert_int_equal(rd_kafka_mock_partition_set_leader(x->cluster, "t.public.items", 0, 1), 0);
    }
}

static void that_rows_were_read_is_recorded_only_when_kafka_has_them(void **state)
{
    struct fixture *x = *state;
    x->script.unread = 77;
    script_add_transaction(x, 0x100, CHANGE_CREATE);
    script_add_transaction(x, 0x200, CHANGE_CREATE);
    x->script.changes[4].table = &x->other;
    script_add_transaction(x, 0x200, CHANGE_READ);
    x->script.wait_at = 3;
    x->script.save_at = 9;
    x->on_watch = let_out_when_confirmed;
    fixture_run(x);
    struct bytes record = {0};
    read_record(x, &record);
    assert_null(strstr(bytes_text(&record), "unread"));
    bytes_clear(&record);
    struct seen seen = {0};
    read_topic(x, "t.public.items", &seen);
    assert_int_equal(seen.count, 2);
    bytes_clear(&seen.last_value);
}

// Records of each size around the limit: each is published or goes to the dead-letter topic.
static void a_row_just_under_the_limit_never_stops_the_connector(void **state)
{
    enum { ROWS = 400 };
    struct fixture *x = *state;
    x->config.on_bad_row = CONNECTOR_BAD_ROW_DEAD_LETTER;
    uint8_t *rows[ROWS];
    (void)script_add(x, CHANGE_BEGIN, 0x100);
    for (uint32_t i = 0; i < ROWS; i++) {
        size_t size = 0;
        rows[i] = row_of_note(20000 - ROWS + i, &size);
        script_add_row(x, 0x100, i, CHANGE_CREATE);
        x->script.changes[x->script.count - 1].after = slice_make(rows[i], size);
    }
    (void)script_add(x, CHANGE_COMMIT, 0x100);
    x->script.stop_at = 0x108;
    fixture_run(x);
    assert_int_equal(x->end.kind, FAULT_NONE);
    struct seen published = {0};
    struct seen aside = {0};
    read_topic(x, "t.public.items", &published);
    read_topic(x, "millrace.dlq.connector.shop", &aside);
    assert_int_equal(published.count + aside.count, ROWS);
    assert_true(published.count > 0 && aside.count > 0);
    bytes_clear(&published.last_value);
    bytes_clear(&aside.last_value);
    for (int i = 0; i < ROWS; i++) {
        free(rows[i]);
    }
}

// The state topic has no leader at first; it gets one when only the state record is outstanding.
static void hold_the_record(struct fixture *x)
{
    if (!x->is_held || x->script.at < x->script.count || number_in_status("\"in_flight\":") != 1) {
        return;
    }
    assert_int_equal(x->script.confirmed, 0);
    x->in_flight_seen = 1;
    x->is_held = false;
    assert_int_equal(rd_kafka_mock_partition_set_leader(x->cluster, "millrace.state", 0, 1), 0);
}

static void a_position_is_confirmed_only_when_the_state_record_has_it(void **state)
{
    struct fixture *x = *state;
    script_add_transaction(x, 0x100, CHANGE_CREATE);
    x->script.stop_at = 0x108;
    x->script.is_record_held = true;
    x->on_watch = hold_the_record;
    fixture_run(x);
    assert_int_equal(x->in_flight_seen, 1);
    assert_int_equal(x->script.confirmed, 0x108);
}

// The second transaction's row can't go out. The third's is on Kafka, and so is a state record behind it.
static void hold_one_row(struct fixture *x)
{
    struct script *s = &x->script;
    if (s->wait_at == 3 && s->confirmed == 0x108) {
        assert_int_equal(rd_kafka_mock_partition_set_leader(x->cluster, "t.public.items", 0, -1), 0);
        s->wait_at = 0;
        s->listener.on_ready(s->listener.self);
    } else if (s->is_saved && number_in_status("\"in_flight\":") == 1) {
        struct bytes record = {0};
        read_record(x, &record);
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
    struct fixture *x = *state;
    script_add_transaction(x, 0x100, CHANGE_CREATE);
    script_add_transaction(x, 0x200, CHANGE_CREATE);
    script_add_transaction(x, 0x300, CHANGE_CREATE);
    x->script.changes[7].table = &x->other;
    x->script.wait_at = 3;
    x->script.save_at = 9;
    x->script.later = 77;
    x->on_watch = hold_one_row;
    fixture_run(x);
    assert_int_equal(x->script.confirmed, 0x308);
}

static void a_row_over_the_limit_goes_to_the_dead_letters_without_its_large_columns(void **state)
{
    struct fixture *x = *state;
    x->config.on_bad_row = CONNECTOR_BAD_ROW_DEAD_LETTER;
    size_t size = 0;
    uint8_t *row = large_row(&size);
    script_add_transaction(x, 0x100, CHANGE_CREATE);
    x->script.changes[1].after = slice_make(row, size);
    script_add_transaction(x, 0x200, CHANGE_CREATE);
    x->script.stop_at = 0x208;
    fixture_run(x);
    struct seen seen = {0};
    read_topic(x, "millrace.dlq.connector.shop", &seen);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.reason, "oversize");
    assert_non_null(memmem(seen.last_value.data, seen.last_value.size, "__debezium_unavailable_value", 28));
    bytes_clear(&seen.last_value);
    seen = (struct seen){0};
    read_topic(x, "t.public.items", &seen);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.positions[0], "0000000000000200-00000000");
    bytes_clear(&seen.last_value);
    free(row);
}

static void a_row_that_has_no_avro_form_goes_to_the_dead_letters_as_text(void **state)
{
    struct fixture *x = *state;
    x->config.on_bad_row = CONNECTOR_BAD_ROW_DEAD_LETTER;
    script_add_transaction(x, 0x100, CHANGE_CREATE);
    x->script.changes[1].after = (struct slice){NULL, 0};
    x->script.changes[1].bad_json = slice_of("{\"id\":\"1\",\"note\":\"NaN\"}");
    x->script.changes[1].bad_reason = "column \"note\": NaN has no decimal form";
    x->script.stop_at = 0x108;
    fixture_run(x);
    struct seen seen = {0};
    read_topic(x, "millrace.dlq.connector.shop", &seen);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.reason, "undecodable");
    assert_true(slice_equal(bytes_slice(&seen.last_value), slice_of("{\"id\":\"1\",\"note\":\"NaN\"}")));
    bytes_clear(&seen.last_value);
}

static struct change *script_add_read(struct fixture *x, uint64_t index, const char *marker, bool is_bad)
{
    script_add_row(x, 0x100, index, CHANGE_READ);
    struct change *c = &x->script.changes[x->script.count - 1];
    c->snapshot = marker;
    if (is_bad) {
        c->after = (struct slice){NULL, 0};
        c->bad_json = slice_of("{\"id\":\"1\",\"note\":\"NaN\"}");
        c->bad_reason = "column \"note\": NaN has no decimal form";
    }
    return c;
}

static void expect_markers(struct fixture *x, const char *topic, const char *const *expected, size_t count)
{
    struct seen *seen = memory_zeroed(1, sizeof(*seen));
    read_topic(x, topic, seen);
    assert_int_equal(seen->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(seen->markers[i], expected[i]);
    }
    bytes_clear(&seen->last_value);
    free(seen);
}

static void the_markers_of_a_snapshot_stand_on_rows_that_are_published(void **state)
{
    struct fixture *x = *state;
    size_t size;
    uint8_t *row = large_row(&size);
    x->config.on_bad_row = CONNECTOR_BAD_ROW_DEAD_LETTER;
    (void)script_add(x, CHANGE_BEGIN, 0x100);
    (void)script_add_read(x, 0, "first", true);
    (void)script_add_read(x, 1, "true", false);
    (void)script_add_read(x, 2, "true", false);
    (void)script_add_read(x, 3, "true", true);
    (void)script_add_read(x, 4, "last_in_data_collection", true);
    (void)script_add(x, CHANGE_COMMIT, 0x100);
    (void)script_add(x, CHANGE_BEGIN, 0x100);
    script_add_read(x, 5, "first_in_data_collection", true)->table = &x->other;
    script_add_read(x, 6, "true", false)->table = &x->other;
    script_add_read(x, 7, "true", false)->table = &x->other;
    script_add_read(x, 8, "true", false)->table = &x->other;
    struct change *last = script_add_read(x, 9, "last", false);
    last->table = &x->other;
    last->after = slice_make(row, size);
    (void)script_add(x, CHANGE_COMMIT, 0x200);
    x->script.stop_at = 0x208;
    fixture_run(x);
    free(row);
    static const char *const items[] = {"first", "last_in_data_collection"};
    static const char *const others[] = {"first_in_data_collection", "true", "last"};
    expect_markers(x, "t.public.items", items, 2);
    expect_markers(x, text_other_topic, others, 3);
    struct seen *dead = memory_zeroed(1, sizeof(*dead));
    read_topic(x, "millrace.dlq.connector.shop", dead);
    assert_int_equal(dead->count, 5);
    bytes_clear(&dead->last_value);
    free(dead);
}

static void a_table_of_one_row_is_published_at_its_end(void **state)
{
    struct fixture *x = *state;
    x->config.on_bad_row = CONNECTOR_BAD_ROW_DEAD_LETTER;
    (void)script_add(x, CHANGE_BEGIN, 0x100);
    (void)script_add_read(x, 0, "first", false);
    (void)script_add(x, CHANGE_COMMIT, 0x100);
    (void)script_add(x, CHANGE_BEGIN, 0x100);
    script_add_read(x, 1, "first_in_data_collection", false)->table = &x->other;
    script_add_read(x, 2, "last", true)->table = &x->other;
    (void)script_add(x, CHANGE_COMMIT, 0x200);
    x->script.stop_at = 0x208;
    fixture_run(x);
    static const char *const items[] = {"first"};
    static const char *const others[] = {"last"};
    expect_markers(x, "t.public.items", items, 1);
    expect_markers(x, text_other_topic, others, 1);
}

static void refusals_of_the_broker_delay_the_confirmation_and_lose_nothing(void **state)
{
    struct fixture *x = *state;
    rd_kafka_mock_push_request_errors(x->cluster, 0 /* Produce */, 3, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    for (uint64_t lsn = 0x100; lsn <= 0x500; lsn += 0x100) {
        script_add_transaction(x, lsn, CHANGE_CREATE);
    }
    x->script.stop_at = 0x508;
    fixture_run(x);
    struct seen seen = {0};
    read_topic(x, "t.public.items", &seen);
    assert_true(seen.count >= 5);
    assert_string_equal(seen.positions[seen.count - 1], "0000000000000500-00000000");
    bytes_clear(&seen.last_value);
}

enum { REFUSALS = 4000 };

static bool has_in_status(const struct fixture *x, const char *text)
{
    struct bytes status = {0};
    pipeline_status(x->pipeline, &status);
    bool has = strstr(bytes_text(&status), text) != NULL;
    bytes_clear(&status);
    return has;
}

// The broker refuses all records once the first transaction is confirmed, until the status says so.
static void refuse_until_it_is_told(struct fixture *x)
{
    static rd_kafka_resp_err_t errors[REFUSALS];
    struct script *s = &x->script;
    if (s->wait_at != 0 && s->confirmed != 0) {
        for (size_t i = 0; i < REFUSALS; i++) {
            errors[i] = RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS;
        }
        rd_kafka_mock_push_request_errors_array(x->cluster, 0 /* Produce */, REFUSALS, errors);
        s->wait_at = 0;
        s->listener.on_ready(s->listener.self);
    } else if (!x->is_told && has_in_status(x, "NOT_ENOUGH_REPLICAS")) {
        x->is_told = true;
        assert_true(has_in_status(x, "\"state\":\"backing_off\""));
        assert_true(has_in_status(x, "t.public.items"));
        assert_false(has_in_status(x, "\"since\":null"));
        assert_false(pipeline_is_ready(x->pipeline));
        rd_kafka_mock_clear_request_errors(x->cluster, 0 /* Produce */);
    } else if (x->is_told && s->confirmed >= 0x208 && pipeline_is_ready(x->pipeline)) {
        assert_true(has_in_status(x, "\"last_error\":null"));
        x->on_watch = NULL;
        (void)uv_timer_stop(&x->watch);
        pipeline_drain(x->pipeline);
    }
}

static void a_refusal_that_lasts_is_told_with_the_reason_of_the_broker(void **state)
{
    struct fixture *x = *state;
    script_add_transaction(x, 0x100, CHANGE_CREATE);
    script_add_transaction(x, 0x200, CHANGE_CREATE);
    x->script.wait_at = 3;
    x->on_watch = refuse_until_it_is_told;
    fixture_run(x);
    assert_true(x->is_told);
    assert_int_equal(x->end.kind, FAULT_NONE);
    assert_int_equal(x->script.opened, 1);
}

// The topic has no leader until the status says so.
static void hide_leader_until_it_is_told(struct fixture *x)
{
    if (!x->is_told && has_in_status(x, "LEADER_NOT_AVAILABLE")) {
        x->is_told = true;
        assert_true(has_in_status(x, "topic t.public.items"));
        assert_false(pipeline_is_ready(x->pipeline));
        rd_kafka_mock_topic_set_error(x->cluster, "t.public.items", RD_KAFKA_RESP_ERR_NO_ERROR);
    }
}

static void a_topic_without_a_leader_is_told_although_nothing_is_refused(void **state)
{
    struct fixture *x = *state;
    rd_kafka_mock_topic_set_error(x->cluster, "t.public.items", RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
    script_add_transaction(x, 0x100, CHANGE_CREATE);
    x->on_watch = hide_leader_until_it_is_told;
    x->script.stop_at = 0x108;
    fixture_run(x);
    assert_true(x->is_told);
    assert_int_equal(x->end.kind, FAULT_NONE);
}

static void drain_when_the_registry_is_told(struct fixture *x)
{
    if (has_in_status(x, "topic t.public.items is not ready: ")) {
        assert_true(has_in_status(x, "\"state\":\"backing_off\""));
        assert_false(pipeline_is_ready(x->pipeline));
        x->is_told = true;
        x->on_watch = NULL;
        (void)uv_timer_stop(&x->watch);
        pipeline_drain(x->pipeline);
    }
}

static void a_change_that_waits_for_the_registry_is_told(void **state)
{
    struct fixture *x = *state;
    struct fault f = {0};
    registry_close(x->registry);
    x->settings.registry.url = memory_string("http://127.0.0.1:1");  // nothing listens there
    assert_true(registry_open(&x->loop, &x->settings, &x->registry, &f));
    script_add_transaction(x, 0x100, CHANGE_CREATE);
    x->on_watch = drain_when_the_registry_is_told;
    fixture_run(x);
    free(x->settings.registry.url);
    assert_true(x->is_told);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown((name), fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(every_row_is_published_with_its_position_and_then_confirmed),
        CASE(a_delete_is_followed_by_its_tombstone_with_the_same_position),
        CASE(a_row_without_key_has_no_tombstone),
        CASE(a_row_says_where_it_comes_from),
        CASE(a_lost_database_is_read_again_from_the_confirmed_position),
        CASE(a_session_begins_only_when_the_sink_of_the_last_one_is_closed),
        CASE(what_fails_at_the_same_change_is_tried_less_and_less_often),
        CASE(a_keepalive_confirms_only_when_nothing_is_open),
        CASE(an_idle_database_is_confirmed_by_its_keepalives),
        CASE(a_state_record_on_its_way_goes_with_its_session),
        CASE(a_server_that_went_back_is_followed),
        CASE(a_row_over_the_limit_stops_its_table_and_no_other),
        CASE(a_first_snapshot_stops_at_a_row_over_the_limit),
        CASE(a_table_that_was_added_waits_at_a_row_over_the_limit_and_no_other),
        CASE(what_is_to_be_read_is_recorded_also_while_a_table_waits),
        CASE(that_rows_were_read_is_recorded_only_when_kafka_has_them),
        CASE(a_row_just_under_the_limit_never_stops_the_connector),
        CASE(a_position_is_confirmed_only_when_the_state_record_has_it),
        CASE(a_row_without_acknowledgement_holds_all_positions_after_it),
        CASE(a_row_over_the_limit_goes_to_the_dead_letters_without_its_large_columns),
        CASE(a_row_that_has_no_avro_form_goes_to_the_dead_letters_as_text),
        CASE(the_markers_of_a_snapshot_stand_on_rows_that_are_published),
        CASE(a_table_of_one_row_is_published_at_its_end),
        CASE(refusals_of_the_broker_delay_the_confirmation_and_lose_nothing),
        CASE(a_refusal_that_lasts_is_told_with_the_reason_of_the_broker),
        CASE(a_topic_without_a_leader_is_told_although_nothing_is_refused),
        CASE(a_change_that_waits_for_the_registry_is_told),
    };
    return case_run_part(tests, COUNT_OF(tests));
}
