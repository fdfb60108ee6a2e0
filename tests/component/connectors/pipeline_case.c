#include "tests/component/connectors/pipeline_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>

#include "connectors/postgres/values/pg_number.h"
#include "connectors/postgres/values/pg_string.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "schemas/avro/avro_encode.h"

enum { HOLD_MS = 300 };  // the first wait before a new session is at most 200 ms

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

static struct pipeline_case *playing;  // source_type.make has no parameter for the test's pointer

// The linker puts this around the function, which is the last step but one when a sink is closed.
void __real_kafka_push_stop(struct kafka_push *p, void (*on_stopped)(void *self), void *self);
void __wrap_kafka_push_stop(struct kafka_push *p, void (*on_stopped)(void *self), void *self);
static void fixture_on_hold_end(uv_timer_t *timer)
{
    struct pipeline_case *x = CONTAINER_OF(timer, struct pipeline_case, hold);
    assert_int_equal(x->script.opened, 1);
    __real_kafka_push_stop(x->push, x->on_push_stopped, x->sink);
}

void __wrap_kafka_push_stop(struct kafka_push *p, void (*on_stopped)(void *self), void *self)
{
    struct pipeline_case *x = playing;
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

static bool script_make(const struct connector_config *config, const char *state_directory, uv_loop_t *loop,
                        const struct source_listener *listener, struct source **ret, struct fault *f)
{
    (void)state_directory;
    (void)config;
    (void)f;
    playing->script.listener = *listener;
    (void)uv_timer_init(loop, &playing->script.timer);
    *ret = (struct source *)(void *)&playing->script;
    return true;
}

static void script_tell_open(struct pipeline_script *s)
{
    if (s->is_record_held) {
        playing->is_held = true;
        assert_int_equal(rd_kafka_mock_partition_set_leader(playing->cluster, "millrace.state", 0, -1), 0);
    }
    s->is_open = true;
    s->listener.on_phase(s->listener.self, "streaming", NULL);
    s->listener.on_open(s->listener.self, s->positions[s->opened - 1]);
}

static void script_save(struct pipeline_script *s, uint32_t unread)
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
    struct pipeline_script *s = (struct pipeline_script *)(void *)source;
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

uint32_t pipeline_case_number(const char *member)
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
    struct pipeline_script *s = CONTAINER_OF(timer, struct pipeline_script, timer);
    s->failures = pipeline_case_number("\"failures\":");
    s->listener.on_load_state(s->listener.self);
}

static void script_open(struct source *source)
{
    struct pipeline_script *s = (struct pipeline_script *)(void *)source;
    s->opened++;
    s->confirmed = 0;
    (void)uv_timer_start(&s->timer, script_on_open, 0, 0);
}

static void script_state_saved(struct source *source)
{
    struct pipeline_script *s = (struct pipeline_script *)(void *)source;
    if (s->save_at != 0 && s->at >= s->save_at) {
        s->is_saved = true;
    } else {
        script_tell_open(s);
    }
}

static enum source_step script_next(struct source *source, struct change *ret_change, struct fault *f)
{
    struct pipeline_script *s = (struct pipeline_script *)(void *)source;
    if (!s->is_open) {
        return SOURCE_NOTHING;  // topics may get ready before the session does
    }
    if (s->losses > 0 && s->at == s->lose_at) {
        s->losses--;
        s->at = 0;
        (void)fault_set(f, FAULT_RETRY, "connection reset by the test");
        return s->restarts ? SOURCE_RESTART : SOURCE_FAULT;
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

static bool script_persist(struct source *source, struct fault *f)
{
    struct pipeline_script *s = (struct pipeline_script *)(void *)source;
    if (s->at > 0 && s->full > 0) {
        s->full--;
        s->at = 0;
        return fault_set(f, FAULT_RETRY, "the test's disk is full");
    }
    for (size_t i = 0; i < s->at; i++) {
        s->durable = s->changes[i].position > s->durable ? s->changes[i].position : s->durable;
    }
    return true;
}

static void script_confirm(struct source *source, uint64_t safe_position)
{
    struct pipeline_script *s = (struct pipeline_script *)(void *)source;
    assert_true(safe_position >= s->confirmed);
    assert_true(safe_position <= s->durable);
    s->confirmed = safe_position;
    if (s->stop_at != 0 && s->confirmed >= s->stop_at) {
        s->stop_at = 0;
        pipeline_drain(playing->pipeline);
    }
}

static void script_pause(struct source *source)
{
    ((struct pipeline_script *)(void *)source)->is_paused = true;
}

static void script_resume(struct source *source)
{
    ((struct pipeline_script *)(void *)source)->is_paused = false;
}

static void script_lag(const struct source *source, struct source_lag *ret)
{
    (void)source;
    *ret = (struct source_lag){0};
}

static void script_close(struct source *source)
{
    struct pipeline_script *s = (struct pipeline_script *)(void *)source;
    s->is_paused = s->is_open = false;
    (void)uv_timer_stop(&s->timer);
}

static void script_free(struct source *source)
{
    uv_close((uv_handle_t *)&((struct pipeline_script *)(void *)source)->timer, NULL);
}

static const struct source_type script_type = {.kind = "postgresql",
                                               .summary = "a list of changes",
                                               .make = script_make,
                                               .open = script_open,
                                               .state_loaded = script_state_loaded,
                                               .state_saved = script_state_saved,
                                               .next = script_next,
                                               .persist = script_persist,
                                               .confirm = script_confirm,
                                               .pause = script_pause,
                                               .resume = script_resume,
                                               .lag = script_lag,
                                               .close = script_close,
                                               .free = script_free};

static void fixture_on_end(void *self, const struct fault *f)
{
    struct pipeline_case *x = self;
    x->is_ended = true;
    x->end = f == NULL ? (struct fault){0} : *f;
    uv_stop(&x->loop);
}

static void fixture_on_limit(uv_timer_t *timer)
{
    struct pipeline_case *x = CONTAINER_OF(timer, struct pipeline_case, limit);
    x->is_timed_out = true;
    uv_stop(&x->loop);
}

int pipeline_case_set_up(void **state)
{
    struct pipeline_case *x = memory_zeroed(1, sizeof(*x));
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
    x->config.tombstones = true;
    x->columns[0] = (struct column){.name = text_id, .type = {.ops = &PG_NUMBER_INT32}, .is_key = true};
    x->columns[1] = (struct column){.name = text_note, .type = {.ops = &PG_STRING_TEXT}, .is_nullable = true};
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
    struct pipeline_case *x = CONTAINER_OF(timer, struct pipeline_case, watch);
    x->on_watch(x);
}

void pipeline_case_run(struct pipeline_case *x)
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

int pipeline_case_tear_down(void **state)
{
    struct pipeline_case *x = *state;
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

struct change *pipeline_case_add(struct pipeline_case *x, enum change_kind kind, uint64_t lsn)
{
    struct pipeline_script *s = &x->script;
    assert_true(s->count < PIPELINE_CASE_CHANGES_MAX);
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

void pipeline_case_add_row(struct pipeline_case *x, uint64_t lsn, uint64_t index, enum change_op op)
{
    struct change *c = pipeline_case_add(x, CHANGE_ROW, lsn);
    c->index = index;
    c->op = op;
    c->key = slice_make(key_1, sizeof(key_1));
    if (op == CHANGE_DELETE) {
        c->before = slice_make(row_1, sizeof(row_1));
    } else {
        c->after = slice_make(row_1, sizeof(row_1));
    }
}

void pipeline_case_add_transaction(struct pipeline_case *x, uint64_t lsn, enum change_op op)
{
    (void)pipeline_case_add(x, CHANGE_BEGIN, lsn);
    pipeline_case_add_row(x, lsn, 0, op);
    (void)pipeline_case_add(x, CHANGE_COMMIT, lsn);
}
uint8_t *pipeline_case_row_of_note(size_t note_size, size_t *ret_size)
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

uint8_t *pipeline_case_large_row(size_t *ret_size)
{
    return pipeline_case_row_of_note(30000, ret_size);
}

bool pipeline_case_has_status(const struct pipeline_case *x, const char *text)
{
    struct bytes status = {0};
    pipeline_status(x->pipeline, &status);
    bool has = strstr(bytes_text(&status), text) != NULL;
    bytes_clear(&status);
    return has;
}

void pipeline_case_drain_when_saved(struct pipeline_case *x)
{
    if (x->script.is_saved) {
        x->on_watch = NULL;
        (void)uv_timer_stop(&x->watch);
        pipeline_drain(x->pipeline);
    }
}
