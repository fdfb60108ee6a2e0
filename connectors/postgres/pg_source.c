// The source type of PostgreSQL: pg_open opens a session and hands it to pg_reader. Both report at most one
// fault; after it nothing happens until close.
#include "connectors/postgres/pg_source.h"

#include <stdlib.h>

#include "connectors/postgres/pg_open.h"
#include "connectors/postgres/pg_reader.h"
#include "connectors/postgres/wire/pg_dsn.h"
#include "connectors/table_topic.h"
#include "core/base/clock.h"

enum { PG_SOURCE_SLOT_NAME_MAX = 63 };

enum pg_source_state { PG_SOURCE_CLOSED, PG_SOURCE_OPENING, PG_SOURCE_READING, PG_SOURCE_FAILED };

struct source {
    struct pg_deps deps;
    struct source_listener listener;
    char *component;
    enum pg_source_state state;
    struct pg_open open;
    struct pg_reader reader;
    int handles_open;
};

static void on_fault(void *self, const struct fault *f)
{
    struct source *s = self;
    if (s->state == PG_SOURCE_CLOSED || s->state == PG_SOURCE_FAILED) {
        return;
    }
    struct fault fault = *f;
    s->state = PG_SOURCE_FAILED;
    s->listener.on_fault(s->listener.self, &fault);
}

static bool begin_toast(struct source *s, struct pg_session *session, struct fault *f)
{
    CLEANUP(memory_free_pointer)
    char *identity = memory_format("%s %s", session->system_identifier, s->deps.config->slot.name);
    struct toast_session toast = {.identity = identity,
                                  .timeline = session->timeline,
                                  .position = session->position,
                                  .end = session->slot.wal_end,
                                  .is_new = session->has_snapshot};
    return s->deps.toast == NULL ||
           (pg_toast_begin(s->deps.toast, &toast, &session->lacks_toast, f) &&
            pg_toast_forget(s->deps.toast, session->known.unread, session->known.unread_count, f));
}

static void on_restart(void *self, const struct fault *why)
{
    struct source *s = self;
    if (s->state == PG_SOURCE_OPENING || s->state == PG_SOURCE_READING) {
        s->state = PG_SOURCE_FAILED;
        s->listener.on_restart(s->listener.self, why);
    }
}

static void on_open(void *self, struct pg_session *session)
{
    struct source *s = self;
    uint64_t position = session->position;
    struct fault f = {0};
    if (!begin_toast(s, session, &f)) {
        on_fault(s, &f);
        return;
    }
    s->state = PG_SOURCE_READING;
    pg_reader_start(&s->reader, session);
    s->listener.on_open(s->listener.self, position);
}

static void pg_source_open(struct source *s)
{
    INVARIANT(s->state == PG_SOURCE_CLOSED);
    s->state = PG_SOURCE_OPENING;
    pg_open_start(&s->open, s->reader.frames.stream.confirmed, s->reader.frames.needs_text);
}

static void pg_source_state_loaded(struct source *s, const struct source_state *known)
{
    if (s->state == PG_SOURCE_OPENING) {
        pg_open_state_loaded(&s->open, known);
    }
}

static void pg_source_state_saved(struct source *s)
{
    if (s->state == PG_SOURCE_OPENING) {
        pg_open_state_saved(&s->open);
    } else if (s->state == PG_SOURCE_READING) {
        pg_reader_state_saved(&s->reader);
    }
}

static enum source_step pg_source_next(struct source *s, struct change *ret, struct fault *f)
{
    return s->state == PG_SOURCE_READING ? pg_reader_next(&s->reader, ret, f) : SOURCE_NOTHING;
}

static void pg_source_confirm(struct source *s, uint64_t safe_position)
{
    struct pg_stream *stream = &s->reader.frames.stream;
    if (safe_position > stream->confirmed) {
        stream->confirmed = safe_position;
        if (s->state == PG_SOURCE_READING && pg_frames_is_text_due(&s->reader.frames)) {
            pg_reader_wake(&s->reader);
        }
    }
}

// The server may begin again at the position that it has on its own disk: never before restart_lsn.
static bool pg_source_persist(struct source *s, struct fault *f)
{
    uint64_t confirmed = s->reader.frames.stream.confirmed;
    uint64_t restart = s->reader.session.slot.restart_lsn;
    return s->deps.toast == NULL || s->state != PG_SOURCE_READING ||
           pg_toast_commit(s->deps.toast, s->reader.position, restart < confirmed ? restart : confirmed, f);
}

static void pg_source_pause(struct source *s)
{
    pg_reader_pause(&s->reader, true);
}

static void pg_source_resume(struct source *s)
{
    pg_reader_pause(&s->reader, false);
}

static void pg_source_lag(const struct source *s, struct source_lag *ret)
{
    const struct pg_frames *frames = &s->reader.frames;
    const struct pg_slot *slot =
        s->state == PG_SOURCE_OPENING ? &s->open.session.slot : &s->reader.session.slot;
    uint64_t end = frames->stream.wal_end > slot->wal_end ? frames->stream.wal_end : slot->wal_end;
    uint64_t confirmed = frames->stream.confirmed;
    uint64_t restart = slot->restart_lsn;
    ret->slot_lag_bytes = confirmed != 0 && end > confirmed ? end - confirmed : 0;
    ret->slot_retained_bytes = restart != 0 && end > restart ? end - restart : 0;
    int64_t committed_us = frames->message->begin.commit_time_us;
    int64_t behind_us = clock_wall_us() - committed_us;
    ret->unmatched = pg_unmatched_count(pg_relations_unmatched(s->deps.relations)) +
                     pg_publication_unmatched(s->deps.publication);
    ret->invalid_traces = frames->trace.invalid;
    ret->toast_unknown = s->deps.toast == NULL ? 0 : pg_toast_unknown(s->deps.toast);
    ret->is_binary = s->state == PG_SOURCE_READING && s->reader.session.is_binary;
    ret->lag_us = frames->is_caught_up || committed_us == 0 || behind_us < 0 ? 0 : behind_us;
}

static void pg_source_close(struct source *s)
{
    s->state = PG_SOURCE_CLOSED;
    pg_reader_stop(&s->reader);
    pg_open_stop(&s->open);
    if (s->deps.toast != NULL) {
        pg_toast_end(s->deps.toast);
    }
}

static bool check_name(const char *name, struct fault *f)
{
    size_t size = strlen(name);
    size_t good = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (size == 0 || size > PG_SOURCE_SLOT_NAME_MAX || good != size) {
        return fault_set(f, FAULT_CONFIG,
                         "slot.name %s: a slot name must have 1 to %d characters of a-z, 0-9 and _", name,
                         PG_SOURCE_SLOT_NAME_MAX);
    }
    return true;
}

static void on_table(void *self, const char *schema, const char *name)
{
    struct source *s = self;
    CLEANUP(memory_free_pointer)
    char *topic = table_topic_of(s->deps.config, schema, name);
    s->listener.on_table(s->listener.self, topic);
}

static bool pg_source_make(const struct connector_config *config, const char *state_directory,
                           uv_loop_t *loop, const struct source_listener *listener, struct source **ret,
                           struct fault *f)
{
    struct pg_dsn dsn;
    if (!check_name(config->slot.name, f) ||
        !pg_dsn_parse(config->postgres.dsn, config->postgres.password, false, &dsn, f)) {
        return false;
    }
    pg_dsn_clear(&dsn);
    struct source *s = memory_zeroed(1, sizeof(*s));
    s->listener = *listener;
    s->component = memory_format("connector/%s", config->name);
    s->deps = (struct pg_deps){.config = config,
                               .loop = loop,
                               .listener = &s->listener,
                               .component = s->component,
                               .publication = pg_publication_new(config, s->component, on_table, s),
                               .relations = pg_relations_new(config, s->component, listener->memory),
                               .on_fault = on_fault,
                               .on_restart = on_restart,
                               .self = s};
    if (config->toast == TOAST_MODE_COMPLETE) {
        s->deps.toast = pg_toast_new(config, state_directory, s->component);
    }
    pg_open_init(&s->open, &s->deps, on_open, s);
    pg_reader_init(&s->reader, &s->deps);
    *ret = s;
    return true;
}

static void on_closed(uv_handle_t *handle)
{
    struct source *s = handle->data;
    if (--s->handles_open == 0) {
        free(s);
    }
}

static void pg_source_free(struct source *s)
{
    if (s == NULL) {
        return;
    }
    pg_source_close(s);
    pg_open_clear(&s->open);
    pg_reader_clear(&s->reader);
    pg_publication_free(s->deps.publication);
    pg_relations_free(s->deps.relations);
    pg_toast_free(s->deps.toast);
    free(s->component);
    pg_open_close_handles(&s->open, on_closed, s);
    s->handles_open = 1 + pg_reader_close_handles(&s->reader, on_closed, s);
}

const struct source_type pg_source_type = {
    .kind = "postgresql",
    .summary = "PostgreSQL 14 and newer, by logical replication with pgoutput",
    .make = pg_source_make,
    .open = pg_source_open,
    .state_loaded = pg_source_state_loaded,
    .state_saved = pg_source_state_saved,
    .next = pg_source_next,
    .confirm = pg_source_confirm,
    .persist = pg_source_persist,
    .pause = pg_source_pause,
    .resume = pg_source_resume,
    .lag = pg_source_lag,
    .close = pg_source_close,
    .free = pg_source_free,
};
