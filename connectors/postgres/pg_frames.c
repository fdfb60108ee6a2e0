#include "connectors/postgres/pg_frames.h"

#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"

enum { SKIPS_MAX = 1024 };  // frames skipped in one loop iteration

void pg_frames_clear(struct pg_frames *fr)
{
    pg_change_clear(&fr->changes);
    bytes_clear(&fr->origin);
    pg_logical_clear(&fr->logical);
    pg_trace_clear(&fr->trace);
    free(fr->message);
    fr->message = NULL;
}

static void on_ready(void *self)
{
    struct pg_frames *fr = self;
    fr->deps->listener->on_ready(fr->deps->listener->self);
}

static void on_refill(uv_timer_t *timer)
{
    on_ready(timer->data);
}

// Watches the stream's socket only while it is read: a watched socket with unread data would wake the loop
// for ever.
static void set_pause(struct pg_frames *fr)
{
    pg_stream_pause(&fr->stream,
                    fr->is_held || pg_describer_is_busy(&fr->describer) || pg_frames_is_text_due(fr));
}

static void on_described(void *self)
{
    struct pg_frames *fr = self;
    set_pause(fr);
    if (!pg_describer_is_busy(&fr->describer)) {
        on_ready(fr);
    }
}

void pg_frames_init(struct pg_frames *fr, const struct pg_deps *deps)
{
    *fr = (struct pg_frames){.deps = deps, .changes.toast = deps->toast};
    fr->message = memory_zeroed(1, sizeof(*fr->message));
    fr->describer =
        (struct pg_describer){.deps = deps, .message = fr->message, .on_change = on_described, .self = fr};
    pg_logical_init(&fr->logical, deps->config);
}

void pg_frames_hold(struct pg_frames *fr, bool is_held)
{
    fr->is_held = is_held;
    set_pause(fr);
}

// Reads the types of a row's columns again: one has a value that its version does not know, and the stream
// has no message for a label that was added to an enum. The row waits in `message`.
static void keep_row(struct pg_frames *fr, struct pg_relation *relation, uint64_t lsn)
{
    fr->is_row_kept = true;
    fr->kept_lsn = lsn;
    pg_describer_retype(&fr->describer, relation);
}

void pg_frames_tick(struct pg_frames *fr)
{
    pg_describer_tick(&fr->describer);
}

void pg_frames_start(struct pg_frames *fr, struct pg_session *session, const struct pg_frames_timers *timers)
{
    fr->session = session;
    fr->is_held = false;
    fr->is_in_transaction = false;
    fr->is_caught_up = false;
    fr->skipped = 0;
    // With a first snapshot no commit is known; else the slot is at or after the last one.
    fr->last_commit_lsn = session->has_snapshot ? 0 : session->position;
    timers->refill->data = fr;
    fr->stream.confirmed = session->position;
    pg_stream_start(&fr->stream, session->replication, timers->refill, on_refill);
    pg_conn_watch_copy(session->replication, on_ready, fr);
    pg_describer_start(&fr->describer, session, timers->prepare, timers->ask_again);
}

void pg_frames_stop(struct pg_frames *fr)
{
    pg_stream_stop(&fr->stream);
    pg_describer_stop(&fr->describer);
    fr->is_caught_up = false;
    fr->is_row_kept = false;
    fr->pending = PG_FRAMES_PENDING_NONE;
    fr->session = NULL;
}

static void fill(const struct pg_frames *fr, struct change *ret, enum change_kind kind)
{
    const struct pgoutput_begin *begin = &fr->message->begin;
    *ret = (struct change){.kind = kind};
    ret->commit_lsn = begin->final_lsn;
    ret->commit_time_us = begin->commit_time_us;
    ret->transaction_id = begin->transaction_id;
}

enum taken { TAKEN_CHANGE, TAKEN_NOTHING, TAKEN_FAULT };

// Skipped rows count too, and an update with old values counts twice, whether its key changed or not (that is
// only known for wanted tables). So ids do not depend on which tables are wanted.
static uint64_t take_index(struct pg_frames *fr)
{
    const struct pgoutput_row *row = &fr->message->row;
    uint64_t index = fr->index;
    fr->index += row->has_new && row->old_kind != 0 ? 2 : 1;
    return index;
}

// A publication that is not ours may publish more.
static bool is_operation_wanted(const struct pg_frames *fr)
{
    enum connector_operation operation = fr->message->kind == PGOUTPUT_INSERT   ? CONNECTOR_CREATE
                                         : fr->message->kind == PGOUTPUT_UPDATE ? CONNECTOR_UPDATE
                                                                                : CONNECTOR_DELETE;
    return (fr->deps->config->operations & operation) != 0;
}

// What all changes of the current transaction have in common.
static void fill_row(const struct pg_frames *fr, enum change_op op, uint64_t lsn, uint64_t index,
                     struct change *ret)
{
    fill(fr, ret, CHANGE_ROW);
    ret->op = op;
    ret->index = index;
    ret->lsn = lsn;
    ret->last_commit_lsn = fr->last_commit_lsn;
    ret->origin = fr->origin.size == 0 ? NULL : (const char *)fr->origin.data;
    ret->origin_lsn = fr->origin_lsn;
    ret->database = fr->session->database;
    ret->snapshot = "false";
    ret->trace = pg_trace_headers(&fr->trace);
}

// False: the stream lacks the relation's description.
static bool find_relation(struct pg_frames *fr, uint32_t oid, struct pg_relation **ret, struct fault *f)
{
    struct pg_relation *relation = pg_relations_find(fr->deps->relations, oid);
    *ret = relation;
    return (relation != NULL && (!relation->is_wanted || relation->table != NULL)) ||
           fault_set(f, FAULT_FATAL, "the stream has a change of relation %u without its Relation message",
                     oid);
}

// The row is not given: the owner starts the stream again, as text.
static void note_text(struct pg_frames *fr, const struct table *t, const struct column *c)
{
    fr->needs_text = true;
    fr->text_due_us = clock_now_us();
    set_pause(fr);
    log_info(fr->deps->component, "stream_format",
             LOG_WITH(LOG_TEXT("format", "text"), LOG_TEXT("topic", t->topic), LOG_TEXT("column", c->name)),
             "values of %s.%s.%s are read in text form only: the stream starts again as text", t->schema,
             t->name, c->name);
}

static enum taken take_row(struct pg_frames *fr, uint64_t lsn, bool was_kept, struct change *ret,
                           struct fault *f)
{
    struct pg_relation *relation;
    uint64_t index = take_index(fr);
    if (!find_relation(fr, fr->message->row.relation_oid, &relation, f)) {
        return TAKEN_FAULT;
    }
    if (!relation->is_wanted || !is_operation_wanted(fr)) {
        return TAKEN_NOTHING;
    }
    if (!was_kept) {
        pg_relation_select(relation, &fr->message->row.old_tuple);
        pg_relation_select(relation, &fr->message->row.new_tuple);
    }
    if (fr->session->is_binary && relation->table->text_column != NULL) {
        note_text(fr, relation->table, relation->table->text_column);
        return TAKEN_NOTHING;
    }
    fill_row(fr, CHANGE_CREATE, lsn, index, ret);
    fr->changes.place = (struct toast_position){ret->commit_lsn, lsn};
    fr->changes.takes_unread = was_kept;
    if (!pg_change_make(&fr->changes, fr->deps->relations, relation, fr->message, ret, f)) {
        return TAKEN_FAULT;
    }
    if (pg_describer_must_retype(&fr->describer, relation, &fr->changes.notes, was_kept)) {
        fr->changes.has_second = false;
        fr->index = index;
        keep_row(fr, relation, lsn);
        return TAKEN_NOTHING;
    }
    if (pg_change_must_repeat(&fr->changes) &&
        !pg_change_make(&fr->changes, fr->deps->relations, relation, fr->message, ret, f)) {
        return TAKEN_FAULT;
    }
    if (fr->session->is_binary && fr->changes.notes.unread != NULL) {
        fr->changes.has_second = false;
        note_text(fr, relation->table, fr->changes.notes.unread);
        return TAKEN_NOTHING;
    }
    const char *column = fr->deps->config->tracing.column;
    if (column != NULL && ret->trace.traceparent.size == 0) {
        ret->trace = pg_trace_of_column(&fr->trace, ret->table, column, &fr->message->row);
    }
    if (fr->changes.has_second) {
        fr->changes.second.index = index + 1;
        fr->changes.second.trace = ret->trace;
        fr->pending = PG_FRAMES_PENDING_SECOND;
    }
    return TAKEN_CHANGE;
}

// The next relation of a TRUNCATE that is wanted. Each one has an index, whether it is wanted or not.
static enum taken next_truncated(struct pg_frames *fr, struct change *ret, struct fault *f)
{
    const struct pgoutput_truncate *truncate = &fr->message->truncate;
    fr->pending = PG_FRAMES_PENDING_NONE;
    while (fr->truncated < truncate->count) {
        struct pg_relation *relation;
        uint64_t index = fr->index++;
        if (!find_relation(fr, pgoutput_truncated(truncate, fr->truncated++), &relation, f)) {
            return TAKEN_FAULT;
        }
        if (relation->is_wanted) {
            fill_row(fr, CHANGE_TRUNCATE, fr->queued.lsn, index, ret);
            ret->table = relation->table;
            fr->pending = PG_FRAMES_PENDING_TRUNCATE;
            return TAKEN_CHANGE;
        }
    }
    return TAKEN_NOTHING;
}

static enum taken take_truncate(struct pg_frames *fr, uint64_t lsn, struct change *ret, struct fault *f)
{
    if (fr->deps->config->truncate) {
        fr->truncated = 0;
        fr->queued.lsn = lsn;
        return next_truncated(fr, ret, f);
    }
    if (!fr->has_logged_truncate) {
        fr->has_logged_truncate = true;
        log_warn(fr->deps->component, "truncate_skipped", NULL,
                 "the publication sends TRUNCATE, which is not published; for records of it set truncate: "
                 "true");
    }
    return TAKEN_NOTHING;
}

// --- logical messages ---

// A message outside of transactions is given as a transaction of its own. It has no transaction id and no
// commit time. Its event id names the last byte of its WAL record: commit records begin at multiples of 8, so
// no transaction has this id.
static enum taken take_apart(struct pg_frames *fr, uint64_t lsn, struct change *ret)
{
    if (pg_logical_is_reserved(&fr->message->logical)) {
        return TAKEN_NOTHING;
    }
    fr->last_commit_lsn = lsn;  // as Debezium
    if (!pg_logical_is_wanted(&fr->logical, &fr->message->logical)) {
        return TAKEN_NOTHING;
    }
    fr->queued = (struct change){.kind = CHANGE_BEGIN,
                                 .position = lsn,
                                 .commit_lsn = lsn - 1,
                                 .commit_time_us = clock_wall_us(),
                                 .lsn = lsn,
                                 .last_commit_lsn = lsn};
    *ret = fr->queued;
    fr->pending = PG_FRAMES_PENDING_MESSAGE;
    return TAKEN_CHANGE;
}

static enum taken take_logical(struct pg_frames *fr, uint64_t lsn, struct change *ret)
{
    const struct pgoutput_logical *message = &fr->message->logical;
    if (!message->is_transactional && !fr->is_in_transaction) {
        return take_apart(fr, lsn, ret);
    }
    // It takes no index: the ids of rows do not depend on traces.
    pg_trace_take(&fr->trace, message, fr->deps->component);
    if (!pg_logical_is_wanted(&fr->logical, &fr->message->logical)) {
        return TAKEN_NOTHING;
    }
    fill_row(fr, CHANGE_MESSAGE, lsn, fr->index++, ret);
    pg_logical_put(&fr->logical, &fr->message->logical, ret);
    return TAKEN_CHANGE;
}

static enum taken next_pending(struct pg_frames *fr, struct change *ret, struct fault *f)
{
    switch (fr->pending) {
    case PG_FRAMES_PENDING_NONE:
        break;
    case PG_FRAMES_PENDING_SECOND:
        fr->pending = PG_FRAMES_PENDING_NONE;
        *ret = fr->changes.second;
        return TAKEN_CHANGE;
    case PG_FRAMES_PENDING_TRUNCATE:
        return next_truncated(fr, ret, f);
    case PG_FRAMES_PENDING_MESSAGE:
        fr->pending = PG_FRAMES_PENDING_COMMIT;
        *ret = fr->queued;
        ret->kind = CHANGE_ROW;
        ret->database = fr->session->database;
        ret->snapshot = "false";
        pg_logical_put(&fr->logical, &fr->message->logical, ret);
        return TAKEN_CHANGE;
    case PG_FRAMES_PENDING_COMMIT:
        fr->pending = PG_FRAMES_PENDING_NONE;
        *ret = fr->queued;
        ret->kind = CHANGE_COMMIT;
        return TAKEN_CHANGE;
    }
    return TAKEN_NOTHING;
}

static enum taken take_message(struct pg_frames *fr, uint64_t lsn, struct change *ret, struct fault *f)
{
    switch (fr->message->kind) {
    case PGOUTPUT_INSERT:
    case PGOUTPUT_UPDATE:
    case PGOUTPUT_DELETE:
        return take_row(fr, lsn, false, ret, f);
    case PGOUTPUT_BEGIN:
        fr->is_in_transaction = true;
        fr->is_caught_up = false;
        fr->index = 0;
        bytes_reset(&fr->origin);
        pg_trace_begin(&fr->trace);
        fill(fr, ret, CHANGE_BEGIN);
        return TAKEN_CHANGE;
    case PGOUTPUT_COMMIT:
        fr->is_in_transaction = false;
        fr->last_commit_lsn = fr->message->commit.end_lsn;
        fill(fr, ret, CHANGE_COMMIT);
        ret->position = fr->message->commit.end_lsn;
        return TAKEN_CHANGE;
    case PGOUTPUT_RELATION:
        fr->has_new_relation = true;
        pg_describer_describe(&fr->describer);
        return TAKEN_NOTHING;
    case PGOUTPUT_TRUNCATE:
        return take_truncate(fr, lsn, ret, f);
    case PGOUTPUT_ORIGIN:
        bytes_reset(&fr->origin);
        bytes_append(&fr->origin, fr->message->origin.name.data, fr->message->origin.name.size + 1);
        fr->origin_lsn = fr->message->origin.commit_lsn;
        return TAKEN_NOTHING;
    case PGOUTPUT_MESSAGE:
        return take_logical(fr, lsn, ret);
    case PGOUTPUT_TYPE:
        return TAKEN_NOTHING;
    }
    return TAKEN_NOTHING;
}

// Takes one frame. NOTHING: it was skipped, or (*ret_is_empty) there is none.
static enum pg_frames_step take_frame(struct pg_frames *fr, struct change *ret, bool *ret_is_empty,
                                      struct fault *f)
{
    struct pg_stream_frame frame;
    enum taken taken = TAKEN_NOTHING;
    *ret_is_empty = false;
    switch (pg_stream_next(&fr->stream, &frame, f)) {
    case PG_STREAM_DATA:
        if (!pgoutput_decode(frame.message, fr->message, f)) {
            return PG_FRAMES_FAULT;
        }
        taken = take_message(fr, frame.lsn, ret, f);
        break;
    case PG_STREAM_KEEPALIVE:
        if (!fr->is_in_transaction) {
            fr->is_caught_up = true;
            *ret = (struct change){.kind = CHANGE_IDLE, .position = frame.wal_end};
            return PG_FRAMES_CHANGE;
        }
        break;
    case PG_STREAM_NOTHING:
        *ret_is_empty = true;
        break;
    case PG_STREAM_END:
        return PG_FRAMES_END;
    case PG_STREAM_FAULT:
        return PG_FRAMES_FAULT;
    }
    return taken == TAKEN_CHANGE  ? PG_FRAMES_CHANGE
           : taken == TAKEN_FAULT ? PG_FRAMES_FAULT
                                  : PG_FRAMES_NOTHING;
}

enum pg_frames_step pg_frames_next(struct pg_frames *fr, struct change *ret, struct fault *f)
{
    if (fr->is_held || pg_describer_is_busy(&fr->describer) || pg_frames_is_text_due(fr)) {
        return PG_FRAMES_NOTHING;
    }
    if (fr->pending != PG_FRAMES_PENDING_NONE) {
        enum taken taken = next_pending(fr, ret, f);
        if (taken != TAKEN_NOTHING) {
            return taken == TAKEN_CHANGE ? PG_FRAMES_CHANGE : PG_FRAMES_FAULT;
        }
    }
    if (fr->is_row_kept) {
        fr->is_row_kept = false;
        enum taken taken = take_row(fr, fr->kept_lsn, true, ret, f);
        if (taken != TAKEN_NOTHING) {
            return taken == TAKEN_CHANGE ? PG_FRAMES_CHANGE : PG_FRAMES_FAULT;
        }
        if (pg_frames_is_text_due(fr)) {
            return PG_FRAMES_NOTHING;  // not its COMMIT: the row would be confirmed without being given
        }
    }
    for (; fr->skipped < SKIPS_MAX && !pg_describer_is_busy(&fr->describer); fr->skipped++) {
        bool is_empty;
        enum pg_frames_step step = take_frame(fr, ret, &is_empty, f);
        if (step == PG_FRAMES_CHANGE) {
            return step;
        }
        if (step != PG_FRAMES_NOTHING || is_empty || pg_frames_is_text_due(fr)) {
            fr->skipped = 0;
            return step;
        }
    }
    fr->skipped = 0;
    return pg_describer_is_busy(&fr->describer) ? PG_FRAMES_NOTHING : PG_FRAMES_YIELD;
}
