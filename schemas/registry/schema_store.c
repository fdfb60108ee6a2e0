// A text that is unknown after a round of the topic (compacted_topic) is written:
//
//   begin (fences other writers)  ->  read a round  ->  choose ids and versions  ->  commit  ->  read a round
//
// After a fault it begins again. No id is returned before its record was committed and read back.
#include "schemas/registry/schema_store.h"

#include "core/base/backoff.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/kafka/compacted_topic.h"
#include "schemas/registry/registry_api.h"
#include "schemas/registry/registry_kind.h"
#include "schemas/registry/schema_batch.h"
#include "schemas/registry/schema_identity.h"
#include "schemas/registry/schema_names.h"
#include "schemas/registry/schema_requests.h"
#include "schemas/registry/schema_writer.h"

enum {
    SCHEMA_STORE_BATCH_MAX = 200,
    SCHEMA_STORE_TICK_MS = 1000,
};
#define SCHEMA_STORE_WRITER_IDLE_US (10 * CLOCK_US_PER_S)  // an idle writer releases its producer after this
#define SCHEMA_STORE_READ_BACK_US (20 * CLOCK_US_PER_S)

enum schema_store_phase {
    SCHEMA_STORE_IDLE,
    SCHEMA_STORE_BEGINNING,
    SCHEMA_STORE_READING,
    SCHEMA_STORE_COMMITTING,
    SCHEMA_STORE_BACKING_OFF,
};

struct schema_store {
    struct registry registry;
    struct schema_index index;
    struct schema_requests *requests;
    struct compacted_topic *topic;
    struct schema_writer *writer;
    struct registry_api *api;  // NULL: not served
    uv_timer_t *tick;
    uv_timer_t *again;
    struct backoff backoff;
    enum schema_store_phase phase;
    uint64_t phase_round;  // READING: the round that must have ended
    int64_t written_us;
    // Of the last record of the transaction under way; 0: it was read back. A commit returns before the
    // transaction's end is in the topic, and until then a round ends before its records.
    uint64_t awaited;
    bool is_outage_logged;
    size_t batch_max;  // schemas in a transaction: halved after a failure, to isolate an invalid schema
    size_t batch_count;
};

static void write_next(struct schema_store *s);

static void on_tick(uv_timer_t *timer)
{
    struct schema_store *s = timer->data;
    bool is_idle = schema_requests_expire(s->requests) && s->phase == SCHEMA_STORE_IDLE;
    if (is_idle && clock_now_us() - s->written_us > SCHEMA_STORE_WRITER_IDLE_US) {
        (void)uv_timer_stop(s->tick);
        schema_writer_idle(s->writer);
    }
}

static void start_request(struct schema_store *s, struct schema_request *q)
{
    if (schema_requests_serve(s->requests, q)) {
        return;
    }
    schema_requests_wait(s->requests, q, compacted_topic_ask(s->topic));
    if (uv_is_active((const uv_handle_t *)s->tick) == 0) {
        (void)uv_timer_start(s->tick, on_tick, SCHEMA_STORE_TICK_MS, SCHEMA_STORE_TICK_MS);
    }
}

static void on_backoff_over(uv_timer_t *timer)
{
    struct schema_store *s = timer->data;
    s->phase = SCHEMA_STORE_IDLE;
    write_next(s);
}

static void write_failed(struct schema_store *s, const struct fault *f)
{
    if (f->kind == FAULT_CONFIG) {
        s->phase = SCHEMA_STORE_IDLE;
        schema_requests_refuse_writing(s->requests, f);
        return;
    }
    if (!s->is_outage_logged) {
        s->is_outage_logged = true;
        log_warn("registry", "registry_write_retried", NULL, "%s", f->text);
    }
    s->phase = SCHEMA_STORE_BACKING_OFF;
    uint64_t wait_ms = (uint64_t)(backoff_next_us(&s->backoff) / CLOCK_US_PER_MS);
    (void)uv_timer_start(s->again, on_backoff_over, wait_ms, 0);
}

// A schema that is too large fails its whole transaction. It is refused when it fails alone.
static void commit_failed(struct schema_store *s, const struct fault *f)
{
    if (s->batch_count == 1 && f->origin_code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        struct fault refused = *f;
        refused.kind = FAULT_CONFIG;
        schema_requests_refuse_planned(s->requests, &refused);
    }
    s->awaited = 0;
    schema_requests_unplan(s->requests);
    s->batch_max = s->batch_count > 1 ? s->batch_count / 2 : 1;
    write_failed(s, f);
}

static void on_committed(void *self, const struct fault *f)
{
    struct schema_store *s = self;
    s->written_us = clock_now_us();
    if (f != NULL) {
        commit_failed(s, f);
        return;
    }
    s->batch_max = SCHEMA_STORE_BATCH_MAX;
    backoff_reset(&s->backoff);
    if (s->is_outage_logged) {
        s->is_outage_logged = false;
        log_info("registry", "registry_write_recovered", NULL, "schemas can be written again");
    }
    // Read our own records back: the index is built from the topic only.
    s->phase = SCHEMA_STORE_READING;
    s->phase_round = compacted_topic_ask(s->topic);
}

static uint64_t identity_of(struct slice key, struct slice value)
{
    uint64_t identity = text_hash(key) * 31 + text_hash(value);
    return identity == 0 ? 1 : identity;
}

static void commit(struct schema_store *s)
{
    struct schema_batch batch = {0};
    s->batch_count = schema_requests_plan(s->requests, &batch, s->batch_max);
    if (batch.count == 0) {
        schema_batch_clear(&batch);
        return;
    }
    size_t count = batch.count;
    s->phase = SCHEMA_STORE_COMMITTING;
    struct schema_record *records = schema_batch_take(&batch);
    s->awaited = identity_of(bytes_slice(&records[count - 1].key), bytes_slice(&records[count - 1].value));
    schema_writer_commit(s->writer, records, count, on_committed, s);
}

static void on_begun(void *self, const struct fault *f)
{
    struct schema_store *s = self;
    s->written_us = clock_now_us();
    if (f != NULL) {
        write_failed(s, f);
        return;
    }
    s->phase = SCHEMA_STORE_READING;
    s->phase_round = compacted_topic_ask(s->topic);
}

static void write_next(struct schema_store *s)
{
    if (s->phase == SCHEMA_STORE_IDLE && schema_requests_has_unwritten(s->requests)) {
        s->phase = SCHEMA_STORE_BEGINNING;
        schema_writer_begin(s->writer, on_begun, s);
    }
}

static void on_record(void *self, const rd_kafka_message_t *m)
{
    struct schema_store *s = self;
    struct slice key = slice_make(m->key, m->key != NULL ? m->key_len : 0);
    struct slice value = slice_make(m->payload, m->payload != NULL ? m->len : 0);
    if (s->awaited != 0 && identity_of(key, value) == s->awaited) {
        s->awaited = 0;
    }
    if (!schema_index_apply(&s->index, key, value)) {
        log_warn("registry", "registry_record_ignored", LOG_WITH(LOG_NUMBER("offset", m->offset)),
                 "topic " REGISTRY_TOPIC ": ignored an invalid record");
    }
}

// Nothing to do: a schema is written only after a round, so the topic exists by then.
static void on_ready(void *self)
{
    (void)self;
}

static void on_round(void *self, uint64_t round)
{
    struct schema_store *s = self;
    schema_requests_on_round(s->requests, round);
    if (s->phase == SCHEMA_STORE_READING && s->phase_round <= round) {
        if (s->awaited != 0 && clock_now_us() - s->written_us < SCHEMA_STORE_READ_BACK_US) {
            s->phase_round = compacted_topic_ask(s->topic);
            return;
        }
        schema_requests_serve_planned(s->requests);
        s->phase = SCHEMA_STORE_IDLE;
        if (schema_requests_has_unwritten(s->requests)) {
            commit(s);
        }
    }
    write_next(s);
}

static void on_refused(void *self, const struct fault *f)
{
    struct schema_store *s = self;
    schema_requests_refuse_reading(s->requests, f);
    if (s->phase == SCHEMA_STORE_READING) {
        s->phase = SCHEMA_STORE_IDLE;
        schema_requests_refuse_writing(s->requests, f);
    }
}

// Whether the schema fits into a record; otherwise the request is refused.
static bool check_size(struct schema_store *s, struct schema_request *q)
{
    const struct schema_change *change = q->change;
    const struct schema_text schema = {
        .text = change->text,
        .type = change->type,
        .references = change->references,
        .metadata = change->metadata,
        .rules = change->rules,
    };
    size_t size = schema_batch_record_bytes(change->subject, &schema);
    size_t max_bytes = schema_writer_record_max_bytes(s->writer);
    if (size > max_bytes) {
        schema_change_refuse(q->change, REGISTRY_ERROR_TOO_LARGE,
                             "the schema of %s needs a record of %zu bytes, and the limit is %zu: raise "
                             "message.max.bytes and the max.message.bytes of topic " REGISTRY_TOPIC,
                             change->subject, size, max_bytes);
        schema_requests_refuse(s->requests, q);
    }
    return size <= max_bytes;
}

void schema_store_change(struct schema_store *s, struct schema_change *change,
                         schema_requests_on_change on_change, void *self)
{
    struct schema_request *q = schema_requests_make(self);
    q->change = change;
    q->on_change = on_change;
    if (change->kind != SCHEMA_CHANGE_REGISTER || check_size(s, q)) {
        start_request(s, q);
    }
}

void schema_store_register(struct schema_store *s, const char *subject, const char *text,
                           registry_on_id on_id, void *self)
{
    struct bytes minified CLEANUP(bytes_clear) = {0};
    struct schema_request *q = schema_requests_make(self);
    schema_identity_minify(&minified, slice_of(text));
    q->on_id = on_id;
    q->change = memory_zeroed(1, sizeof *q->change);
    q->change->kind = SCHEMA_CHANGE_REGISTER;
    q->change->subject = schema_names_normal(subject);
    q->change->text = memory_string(bytes_text(&minified));
    q->identity = schema_identity_make(&(struct schema_parts){.text = q->change->text});
    if (check_size(s, q)) {
        start_request(s, q);
    }
}

void schema_store_lookup(struct schema_store *s, int32_t id, registry_on_schema on_schema, void *self)
{
    struct schema_request *q = schema_requests_make(self);
    q->id = id;
    q->on_schema = on_schema;
    start_request(s, q);
}

void schema_store_refresh(struct schema_store *s, schema_requests_on_fresh on_fresh, void *self)
{
    struct schema_request *q = schema_requests_make(self);
    q->on_fresh = on_fresh;
    start_request(s, q);
}

const struct schema_index *schema_store_index(const struct schema_store *s)
{
    return &s->index;
}

static struct schema_store *store_of(struct registry *r)
{
    return CONTAINER_OF(r, struct schema_store, registry);
}

static void register_slot(struct registry *r, const char *subject, const char *text, registry_on_id on_id,
                          void *self)
{
    schema_store_register(store_of(r), subject, text, on_id, self);
}

static void lookup_slot(struct registry *r, int32_t id, registry_on_schema on_schema, void *self)
{
    schema_store_lookup(store_of(r), id, on_schema, self);
}

static void cancel_slot(struct registry *r, const void *self)
{
    schema_requests_cancel(store_of(r)->requests, self);
}

static void serve_slot(struct registry *r, struct admin *admin, const char *prefix)
{
    struct schema_store *s = store_of(r);
    s->api = s->api == NULL ? registry_api_new(s) : s->api;
    registry_api_serve(s->api, admin, prefix);
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle);
}

static void close_slot(struct registry *r)
{
    struct schema_store *s = store_of(r);
    uv_close((uv_handle_t *)s->tick, on_timer_closed);
    uv_close((uv_handle_t *)s->again, on_timer_closed);
    registry_api_free(s->api);
    compacted_topic_close(s->topic);
    schema_writer_close(s->writer);
    schema_requests_free(s->requests);
    schema_index_clear(&s->index);
    free(s);
}

static uv_timer_t *new_timer(uv_loop_t *loop, struct schema_store *s)
{
    uv_timer_t *timer = memory_zeroed(1, sizeof *timer);
    (void)uv_timer_init(loop, timer);
    timer->data = s;
    return timer;
}

static const struct registry_type SCHEMA_STORE_TYPE = {
    .kind = "embedded",
    .register_schema = register_slot,
    .lookup = lookup_slot,
    .cancel = cancel_slot,
    .serve = serve_slot,
    .close = close_slot,
};

bool schema_store_open(uv_loop_t *loop, const struct settings *settings, struct registry **ret,
                       struct fault *f)
{
    struct schema_store *s = memory_zeroed(1, sizeof *s);
    s->registry.type = &SCHEMA_STORE_TYPE;
    s->batch_max = SCHEMA_STORE_BATCH_MAX;
    s->backoff = backoff_make(200 * CLOCK_US_PER_MS, 5 * CLOCK_US_PER_S);
    s->requests = schema_requests_new(loop, &s->index);
    s->tick = new_timer(loop, s);
    s->again = new_timer(loop, s);
    const struct compacted_topic_params params = {
        .loop = loop,
        .settings = settings,
        .name = REGISTRY_TOPIC,
        .component = "registry",
        .listener = {on_record, NULL, on_round, on_ready, on_refused, s},
    };
    if (!compacted_topic_open(&params, &s->topic, f) ||
        !schema_writer_open(loop, settings, REGISTRY_TOPIC, &s->writer, f)) {
        close_slot(&s->registry);
        return fault_context(f, "embedded registry");
    }
    *ret = &s->registry;
    return true;
}
