#include "connectors/state_store.h"

#include <inttypes.h>
#include <stdio.h>

#include "connectors/connector_state.h"
#include "connectors/kafka/record_headers.h"
#include "core/base/clock.h"
#include "core/base/memory.h"

enum { PARTITION = 0 };

static char *key_of(const struct state_store *s)
{
    return memory_format("connector/%s", s->connector);
}

// --- writing ---

static void add_generation(struct bytes *headers, uint64_t generation)
{
    char text[24];
    int size = snprintf(text, sizeof(text), "%" PRIu64, generation);
    record_headers_add(headers, STATE_TOPIC_GENERATION, slice_make(text, (size_t)size));
}

// Before the state record and in its partition: once that is acknowledged, these are too.
static enum sink_step send_writes(const struct state_store *s, struct kafka_sink *sink,
                                  struct state_writes *writes, uint64_t first, struct fault *f)
{
    const char *key;
    struct slice value;
    CLEANUP(bytes_clear) struct bytes headers = {0};
    add_generation(&headers, s->record.generation);
    while (state_writes_due(writes, first, &key, &value)) {
        struct kafka_sink_record record = {.topic = kafka_sink_topic(sink, STATE_TOPIC_NAME),
                                           .key = slice_of(key),
                                           .value = value,
                                           .headers = bytes_slice(&headers),
                                           .partition = PARTITION,
                                           .ticket = STATE_STORE_NONE};
        enum sink_step step = kafka_sink_publish(sink, &record, f);
        if (step != SINK_TAKEN) {
            return step;
        }
        state_writes_taken(writes);
    }
    return SINK_TAKEN;
}

static enum sink_step send_record(struct state_store *s, struct kafka_sink *sink,
                                  const struct state_record_progress *progress, struct fault *f)
{
    struct source_state state = state_record_next(&s->record, progress);
    CLEANUP(bytes_clear) struct bytes value = {0};
    CLEANUP(bytes_clear) struct bytes headers = {0};
    CLEANUP(memory_free_pointer) char *key = key_of(s);
    connector_state_write(&value, &state);
    add_generation(&headers, s->record.generation);
    struct kafka_sink_record record = {.topic = kafka_sink_topic(sink, STATE_TOPIC_NAME),
                                       .key = slice_of(key),
                                       .value = bytes_slice(&value),
                                       .headers = bytes_slice(&headers),
                                       .partition = PARTITION,
                                       .ticket = STATE_STORE_RECORD};
    enum sink_step step = kafka_sink_publish(sink, &record, f);
    if (step == SINK_TOO_LARGE) {
        (void)fault_set(f, FAULT_CONFIG, "the state record of %zu bytes is over message.max.bytes",
                        value.size);
    }
    return step;
}

// What is remembered of columns goes with the next record, and asks for one only once the first was written.
bool state_store_is_due(const struct state_store *s, const struct state_record_progress *progress)
{
    const char *key;
    struct slice value;
    return state_record_is_due(&s->record, progress) ||
           (progress->has_session && s->record.state.is_known &&
            state_writes_due(column_memory_writes(s->memory), progress->first, &key, &value));
}

enum sink_step state_store_send(struct state_store *s, struct kafka_sink *sink,
                                const struct state_record_progress *progress, struct fault *f)
{
    enum sink_step step = send_writes(s, sink, column_memory_writes(s->memory), progress->first, f);
    if (step == SINK_TAKEN && s->known != NULL) {
        step = send_writes(s, sink, known_tables_writes(s->known), progress->first, f);
    }
    step = step == SINK_TAKEN ? send_record(s, sink, progress, f) : step;
    if (step == SINK_TAKEN) {
        state_record_sent(&s->record, progress->first, clock_now_us());
    }
    return step;
}

void state_store_begin_session(struct state_store *s, uint64_t position)
{
    state_record_begin_session(&s->record, position);
    if (s->known != NULL) {
        known_tables_begin_stream(s->known, position);
    }
}

// --- reading ---

// The clock, because a counter restarts after a tombstone, below the generation of a frozen copy.
static uint64_t next_generation(const struct state_store *s)
{
    CLEANUP(memory_free_pointer) char *key = key_of(s);
    uint64_t before = state_topic_generation(s->topic, key);
    uint64_t now = (uint64_t)clock_wall_us();
    return now > before ? now : before + 1;
}

static void on_known(void *self, const char *key, struct slice value)
{
    known_tables_load(self, key, value);
}

static void on_column(void *self, const char *key, struct slice value)
{
    column_memory_load(self, key, value);
}

static void load_memory(struct state_store *s, bool is_anew)
{
    state_topic_each(s->topic, column_memory_prefix(s->memory), on_column, s->memory);
    if (is_anew) {
        column_memory_discard(s->memory);
    }
    if (s->known != NULL) {
        known_tables_begin(s->known);
        state_topic_each(s->topic, known_tables_prefix(s->known), on_known, s->known);
        if (is_anew) {
            known_tables_discard(s->known);
        }
    }
}

static void on_read(void *self, struct slice value, const struct fault *f)
{
    struct state_store *s = self;
    struct fault bad = {0};
    struct source_state state = {0};
    if (--s->loads > 0) {
        return;
    }
    if (f == NULL && !connector_state_read(value, &state, &bad)) {
        f = &bad;
    }
    s->record.state = state;
    // Without a record the connector starts anew: entries that are left are a former one's of its name, and
    // go before its first record is written.
    load_memory(s, f == NULL && !state.is_known);
    s->record.generation = next_generation(s);
    s->on_loaded(s->self, &state, f);
}

void state_store_load(struct state_store *s)
{
    CLEANUP(memory_free_pointer) char *key = key_of(s);
    s->loads++;
    state_topic_read(s->topic, key, on_read, s);
}

// --- lifecycle ---

bool state_store_open(struct state_store *s, uv_loop_t *loop, const struct settings *settings,
                      struct fault *f)
{
    return state_topic_open(loop, settings, &s->topic, f);
}

void state_store_close(struct state_store *s)
{
    state_topic_close(TAKE(s->topic));
}

void state_store_drop(struct state_store *s)
{
    state_record_drop(&s->record);
    if (s->known != NULL) {
        known_tables_begin(s->known);
    }
}
