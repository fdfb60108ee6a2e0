#include "connectors/postgres/pg_reader.h"

#include "connectors/postgres/pg_inserts.h"
#include "connectors/postgres/pg_unread.h"
#include "core/base/clock.h"
#include "core/base/log.h"

enum { TICK_MS = 1000 };

#define SOON_US (100 * CLOCK_US_PER_MS)  // the shortest time between checks that a Relation message causes
#define SILENCE_US (1 * CLOCK_US_PER_S)  // a transaction after so long a pause causes a check
#define RETRY_UNREAD_US (30 * CLOCK_US_PER_S)
#define RETRY_LOCKED_US (5 * CLOCK_US_PER_S)
#define REPEAT_LOG_US (30 * CLOCK_US_PER_S)
#define TEXT_WAIT_US (5 * CLOCK_US_PER_S)       // for transactions before a restart as text to be confirmed
#define SNAPSHOT_WAIT_US (60 * CLOCK_US_PER_S)  // for the first snapshot's rows to be on Kafka before it

// Holds the stream as the states of reader, backfill and pipeline demand.
static void set_hold(struct pg_reader *r)
{
    bool is_backfill_reading = r->backfill != NULL && pg_backfill_holds(r->backfill);
    bool is_held = r->is_paused || !pg_reader_state_flows(r->state) || is_backfill_reading;
    r->frames.describer.is_in_snapshot = r->backfill != NULL && pg_backfill_is_catching_up(r->backfill);
    if (r->frames.session != NULL) {
        pg_frames_hold(&r->frames,
                       is_held &&
                           r->state != PG_READER_ENDED);  // the stream is read on for the reason of its end
    }
}

static void enter(struct pg_reader *r, enum pg_reader_state to, const char *why)
{
    INVARIANT(pg_reader_state_may_follow(r->state, to));
    log_debug(r->deps->component, "source_state", NULL, "%s -> %s (%s)", pg_reader_state_name(r->state),
              pg_reader_state_name(to), why);
    r->state = to;
    set_hold(r);
}

static void fail(struct pg_reader *r, const struct fault *f)
{
    r->deps->on_fault(r->deps->self, f);
}

static void report_phase(struct pg_reader *r)
{
    const struct source_listener *l = r->deps->listener;
    if (r->saved.is_snapshot_done) {
        l->on_phase(l->self, "streaming",
                    r->state == PG_READER_BACKFILLING ? "streaming; reading tables that were added"
                                                      : "streaming");
    } else {
        l->on_phase(l->self, "snapshotting", "reading existing rows");
    }
}

static void on_wake(uv_timer_t *timer)
{
    struct pg_reader *r = timer->data;
    r->deps->listener->on_ready(r->deps->listener->self);
}

void pg_reader_wake(struct pg_reader *r)
{
    (void)uv_timer_start(&r->wake, on_wake, 0, 0);
}

static void save(struct pg_reader *r, enum pg_reader_state to, const struct source_state *record,
                 const char *why)
{
    r->saving = *record;
    enter(r, to, why);
    r->deps->listener->on_state(r->deps->listener->self, &r->saving);
}

// Nothing is left to be read beside the stream: saves the record unless it says so already.
static void stream_on(struct pg_reader *r, const char *why)
{
    const struct source_state *known = &r->session.known;
    if (pg_unread_is_same(&r->saved, known)) {
        enter(r, PG_READER_STREAMING, why);
    } else if (pg_unread_is_same(&r->saving, known)) {
        enter(r, PG_READER_SAVING_DONE, why);  // on_state was called for it
    } else {
        save(r, PG_READER_SAVING_DONE, known, why);
    }
}

// The catalogue may be checked, and tables may be read.
static bool is_free(const struct pg_reader *r)
{
    return r->state == PG_READER_STREAMING || r->state == PG_READER_SAVING_DONE;
}

static void on_backfill_ready(void *self)
{
    struct pg_reader *r = self;
    r->deps->listener->on_ready(r->deps->listener->self);
}

static void on_backfill_version(void *self, struct table *table)
{
    struct pg_reader *r = self;
    r->deps->listener->on_version(r->deps->listener->self, table);
}

static void on_backfill_fault(void *self, const struct fault *f)
{
    fail(self, f);
}

// Gives the rows now, and the stream after them.
static void read_rows(struct pg_reader *r)
{
    pg_backfill_read(r->backfill, r->position);
    pg_backfill_pause(r->backfill, r->is_paused);
}

static void on_backfill_hold(void *self)
{
    struct pg_reader *r = self;
    struct fault f = {0};
    if (r->backfill == NULL) {
        return;
    }
    set_hold(r);
    if (!r->is_in_transaction && pg_backfill_is_due(r->backfill, r->position)) {
        read_rows(r);
    } else if (pg_backfill_is_catching_up(r->backfill) && !pg_stream_request_reply(&r->frames.stream, &f)) {
        fail(r, &f);
        return;
    }
    pg_reader_wake(r);
}

static bool has_unread(const struct pg_reader *r)
{
    return r->session.known.unread_count > 0 || r->session.lacks_toast;
}

static void start_backfill(struct pg_reader *r)
{
    const struct source_state *known = &r->session.known;
    CLEANUP(bytes_clear) struct bytes publications = {0};
    pg_publication_literals(r->deps->publication, &publications);
    bool is_first = !known->is_snapshot_done;
    r->is_for_toast = !is_first && known->unread_count == 0;
    struct pg_backfill_params params = {
        .snapshot = {.conn = r->session.sql,
                     .relations = r->deps->relations,
                     .changes = &r->frames.changes,
                     .component = r->deps->component,
                     .publication_names = bytes_text(&publications),
                     .only = known->unread,
                     .only_count = is_first ? 0 : known->unread_count,
                     .can_skip = !is_first,
                     .skipped_max = SOURCE_UNREAD_MAX,
                     .is_for_toast = r->is_for_toast,
                     .unsent_by = pg_deps_unsent_by(r->deps),
                     .is_lock_known = r->locked_us != 0 && clock_now_us() - r->locked_us < REPEAT_LOG_US,
                     .on_version = on_backfill_version,
                     .on_ready = on_backfill_ready,
                     .on_fault = on_backfill_fault,
                     .self = r},
        .has_snapshot = r->session.has_snapshot,
        .timer = &r->retry,
        .on_hold = on_backfill_hold};
    r->retried_us = clock_now_us();
    r->backfill = pg_backfill_start(&params);
    enter(r, PG_READER_BACKFILLING,
          is_first          ? "the first snapshot"
          : r->is_for_toast ? "values for toast: complete"
                            : "tables that were added");
    report_phase(r);
    if (r->session.has_snapshot) {
        r->session.has_snapshot = false;
        read_rows(r);
    }
}

// Decides when tables that could not be read are tried again.
static void note_locked(struct pg_reader *r)
{
    bool was_locked = pg_backfill_was_locked(r->backfill);
    r->retry_us = was_locked ? RETRY_LOCKED_US : RETRY_UNREAD_US;
    if (was_locked && clock_now_us() - r->locked_us >= REPEAT_LOG_US) {
        r->locked_us = clock_now_us();
    }
}

// Locked tables are read again later, with all others.
static void end_for_toast(struct pg_reader *r)
{
    struct fault f = {0};
    r->session.lacks_toast = pg_backfill_was_locked(r->backfill);
    note_locked(r);
    pg_backfill_free(TAKE(r->backfill));
    if (!r->session.lacks_toast && !pg_toast_filled(r->deps->toast, &f)) {
        fail(r, &f);
    } else {
        stream_on(r, "the values of existing rows are read");
        report_phase(r);
    }
}

static void end_backfill(struct pg_reader *r)
{
    if (r->is_for_toast) {
        end_for_toast(r);
        return;
    }
    size_t skipped_count;
    const uint32_t *skipped = pg_backfill_skipped(r->backfill, &skipped_count);
    struct source_state *known = &r->session.known;
    bool is_first = !known->is_snapshot_done;
    pg_unread_set(known, skipped, skipped_count);
    known->is_snapshot_done = true;
    note_locked(r);
    pg_backfill_free(TAKE(r->backfill));
    if (known->unread_count == 0) {
        log_info(r->deps->component, is_first ? "snapshot_done" : "tables_read", NULL, "%s",
                 is_first ? "all rows of the snapshot are read" : "all rows of the added tables are read");
    }
    stream_on(r, "all that can be read is read");
    report_phase(r);
}

static void on_reconciled(void *self, const struct fault *f)
{
    struct pg_reader *r = self;
    if (f != NULL) {
        log_warn(r->deps->component, "tables_not_checked", NULL, "%s", f->text);
    }
    if (r->state != PG_READER_RECONCILING) {
        return;
    }
    if (f == NULL && r->session.known.unread_count > 0 &&
        pg_publication_is_reconciled(r->deps->publication)) {
        start_backfill(r);
    } else {
        stream_on(r, "the publication is up to date");
    }
}

static void reconcile(struct pg_reader *r)
{
    enter(r, PG_READER_RECONCILING, "the catalogue changed");
    pg_publication_reconcile(r->deps->publication, r->session.sql, on_reconciled, r);
}

static bool may_scan(void *self)
{
    return is_free(self);
}

// Adds the tables that are new to those that this session has to read. False: there is none.
static bool add_unread(struct pg_reader *r, const struct source_state *record)
{
    struct source_state fresh = {0};
    return pg_publication_list_new(r->deps->publication, &fresh) &&
           pg_unread_add(&r->session.known, &fresh, record);
}

// The record may only grow here: a table that was read leaves it when all records before that are on Kafka.
static void on_scanned(void *self)
{
    struct pg_reader *r = self;
    struct source_state record = r->saved;
    struct fault f = {0};
    if (!is_free(r)) {
        return;
    }
    bool is_more = pg_publication_list_new(r->deps->publication, &record);
    if (is_more && !pg_toast_forget(r->deps->toast, record.unread, record.unread_count, &f)) {
        fail(r, &f);
        return;
    }
    if (add_unread(r, &record) || is_more) {
        save(r, PG_READER_SAVING_NEW, &record, "saving which tables appeared");
    } else {
        reconcile(r);
    }
}

// Starts a check of the catalogue, or a backfill that is due for a retry.
static void check_catalogue(struct pg_reader *r)
{
    if (!is_free(r) || r->watch.is_busy || pg_inserts_is_out(r->deps)) {
        return;
    }
    if (has_unread(r) && clock_now_us() - r->retried_us >= r->retry_us) {
        start_backfill(r);  // reads tables that could not be read before
        return;
    }
    r->frames.has_new_relation = false;
    pg_watch_probe(&r->watch);
}

// Not while rows are still to be read: those of the outbox would be deleted unread.
static void sweep_outbox(struct pg_reader *r)
{
    if (r->state == PG_READER_STREAMING && r->session.known.is_snapshot_done &&
        r->session.known.unread_count == 0) {
        pg_outbox_sweep_tick(&r->sweep, r->frames.stream.confirmed);
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct pg_reader *r = timer->data;
    struct fault f = {0};
    if (r->state == PG_READER_ENDED) {
        return;
    }
    bool is_waiting = r->backfill != NULL && pg_backfill_is_catching_up(r->backfill);
    pg_frames_tick(&r->frames);
    if (!pg_stream_tick(&r->frames.stream, &f) ||
        (is_waiting && !pg_stream_request_reply(&r->frames.stream, &f))) {
        fail(r, &f);
        return;
    }
    if (pg_inserts_restart_with(r->deps, r->frames.stream.last_sent_flush_lsn, r->session.slot.wal_end)) {
        return;  // the session is over
    }
    check_catalogue(r);
    sweep_outbox(r);
    if (r->backfill == NULL) {
        pg_action_tick(&r->action);
    }
    if (pg_frames_is_text_due(&r->frames)) {
        pg_reader_wake(r);
    }
}

void pg_reader_init(struct pg_reader *r, const struct pg_deps *deps)
{
    *r = (struct pg_reader){.deps = deps};
    r->watch = (struct pg_watch){
        .deps = deps, .session = &r->session, .may_scan = may_scan, .on_scanned = on_scanned, .self = r};
    r->action = (struct pg_action){.deps = deps, .session = &r->session};
    r->sweep = (struct pg_outbox_sweep){.deps = deps, .session = &r->session};
    pg_frames_init(&r->frames, deps);
    uv_timer_t *timers[] = {&r->tick, &r->refill, &r->prepare, &r->ask_again, &r->retry, &r->wake};
    for (size_t i = 0; i < COUNT_OF(timers); i++) {
        INVARIANT(uv_timer_init(deps->loop, timers[i]) == 0);
        timers[i]->data = r;
    }
}

int pg_reader_close_handles(struct pg_reader *r, uv_close_cb on_closed, void *self)
{
    uv_timer_t *timers[] = {&r->tick, &r->refill, &r->prepare, &r->ask_again, &r->retry, &r->wake};
    for (size_t i = 0; i < COUNT_OF(timers); i++) {
        timers[i]->data = self;
        uv_close((uv_handle_t *)timers[i], on_closed);
    }
    return (int)COUNT_OF(timers);
}

void pg_reader_clear(struct pg_reader *r)
{
    pg_reader_stop(r);
    pg_frames_clear(&r->frames);
    pg_outbox_sweep_clear(&r->sweep);
}

void pg_reader_start(struct pg_reader *r, struct pg_session *session)
{
    r->session = *session;
    *session = (struct pg_session){0};
    r->saved = r->session.known;
    r->saving = r->session.known;
    r->position = r->committed = r->session.position;
    r->has_held = false;
    r->is_in_transaction = false;
    r->received_us = clock_now_us();
    pg_watch_start(&r->watch);
    pg_action_start(&r->action);
    pg_outbox_sweep_start(&r->sweep);
    struct pg_frames_timers timers = {&r->refill, &r->prepare, &r->ask_again};
    pg_frames_start(&r->frames, &r->session, &timers);
    enter(r, PG_READER_STREAMING, "started");
    (void)uv_timer_start(&r->tick, on_tick, TICK_MS, TICK_MS);
    bool has_unread =
        !r->session.known.is_snapshot_done || r->session.known.unread_count > 0 || r->session.lacks_toast;
    if (has_unread && !pg_inserts_is_out(r->deps)) {
        start_backfill(r);
    } else {
        report_phase(r);
    }
}

void pg_reader_stop(struct pg_reader *r)
{
    uv_timer_t *timers[] = {&r->tick, &r->refill, &r->prepare, &r->ask_again, &r->retry, &r->wake};
    for (size_t i = 0; i < COUNT_OF(timers); i++) {
        (void)uv_timer_stop(timers[i]);
    }
    pg_backfill_free(TAKE(r->backfill));
    pg_frames_stop(&r->frames);
    pg_session_close(&r->session);
    r->is_paused = false;
    if (r->state != PG_READER_STOPPED) {
        enter(r, PG_READER_STOPPED, "closed");
    }
}

static void on_ended(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_reader *r = self;
    (void)results;
    (void)count;
    if (f != NULL) {
        struct fault fault = *f;
        if (f->origin_code == PG_CONN_UNDEFINED_OBJECT && pg_inserts_restart_without(r->deps)) {
            return;
        }
        if (f->origin_code == PG_CONN_UNDEFINED_OBJECT) {
            (void)pg_slot_lost_publication(r->deps->config, &fault);
        } else {
            (void)fault_context(&fault, "the stream of slot %s", r->deps->config->slot.name);
        }
        fail(r, &fault);
        return;
    }
    r->deps->listener->on_ready(r->deps->listener->self);
}

// Gives a change of the stream, unless rows come before it; keeps track of the position.
static enum source_step give(struct pg_reader *r, struct change *ret)
{
    switch (ret->kind) {
    case CHANGE_BEGIN:
        if (r->backfill != NULL && pg_backfill_comes_before(r->backfill, ret->transaction_id)) {
            r->held = *ret;
            r->has_held = true;
            read_rows(r);
            return SOURCE_NOTHING;
        }
        r->is_in_transaction = true;
        if (clock_now_us() - r->received_us >= SILENCE_US ||
            (r->frames.has_new_relation && clock_now_us() - r->watch.scanned_us >= SOON_US)) {
            check_catalogue(r);
        }
        r->received_us = clock_now_us();
        return SOURCE_CHANGE;
    case CHANGE_ROW:
        return SOURCE_CHANGE;
    case CHANGE_COMMIT:
    case CHANGE_IDLE:
        r->is_in_transaction = false;
        r->committed = ret->kind == CHANGE_COMMIT ? ret->position : r->committed;
        r->position = ret->position > r->position ? ret->position : r->position;
        if (r->backfill != NULL && pg_backfill_is_due(r->backfill, r->position)) {
            read_rows(r);
        }
        return SOURCE_CHANGE;
    }
    return SOURCE_CHANGE;
}

static enum source_step next_row(struct pg_reader *r, struct change *ret, struct fault *f)
{
    switch (pg_backfill_next(r->backfill, ret, f)) {
    case PG_SNAPSHOT_CHANGE:
        ret->database = r->session.database;
        return SOURCE_CHANGE;
    case PG_SNAPSHOT_YIELD:
        pg_reader_wake(r);
        return SOURCE_NOTHING;
    case PG_SNAPSHOT_NOTHING:
        return SOURCE_NOTHING;
    case PG_SNAPSHOT_END:
        end_backfill(r);
        return SOURCE_NOTHING;
    case PG_SNAPSHOT_FAULT:
        break;
    }
    return SOURCE_FAULT;
}

// Ends a binary stream in front of a row that is read as text, once all transactions before it are confirmed,
// so that the text stream begins with the row's transaction. Rows of it that were given before come again. A
// table that waits may hold the confirmed position back for hours: then the transactions since come again
// too. A first snapshot whose record is not saved yet would be read again.
static enum source_step restart_as_text(const struct pg_reader *r, struct fault *f)
{
    int64_t waited_us = clock_now_us() - r->frames.text_due_us;
    bool is_snapshot_open = r->state == PG_READER_SAVING_DONE && !r->saved.is_snapshot_done;
    if ((r->frames.stream.confirmed < r->committed && waited_us < TEXT_WAIT_US) ||
        (is_snapshot_open && waited_us < SNAPSHOT_WAIT_US)) {
        return SOURCE_NOTHING;
    }
    (void)fault_set(f, FAULT_RETRY,
                    "restarting the stream as text, because a table has a type without a binary "
                    "form here");
    return SOURCE_RESTART;
}

static enum source_step next_from_stream(struct pg_reader *r, struct change *ret, struct fault *f)
{
    if (r->has_held) {
        r->has_held = false;
        *ret = r->held;
        return give(r, ret);
    }
    switch (pg_frames_next(&r->frames, ret, f)) {
    case PG_FRAMES_CHANGE:
        return give(r, ret);
    case PG_FRAMES_NOTHING:
        return pg_frames_is_text_due(&r->frames) ? restart_as_text(r, f) : SOURCE_NOTHING;
    case PG_FRAMES_YIELD:
        pg_reader_wake(r);
        return SOURCE_NOTHING;
    case PG_FRAMES_END:
        (void)uv_timer_stop(&r->tick);
        (void)uv_timer_stop(&r->refill);
        enter(r, PG_READER_ENDED, "the server ended the stream");
        pg_conn_end_copy(r->session.replication, on_ended, r);
        return SOURCE_NOTHING;
    case PG_FRAMES_FAULT:
        break;
    }
    return SOURCE_FAULT;
}

enum source_step pg_reader_next(struct pg_reader *r, struct change *ret, struct fault *f)
{
    if (r->frames.pending == PG_FRAMES_PENDING_NONE) {
        pg_relations_release_retired(r->deps->relations);
    }
    if (r->is_paused) {
        return SOURCE_NOTHING;
    }
    if (!pg_reader_state_flows(r->state)) {
        return r->state == PG_READER_ENDED ? SOURCE_END : SOURCE_NOTHING;
    }
    if (r->backfill != NULL && pg_backfill_holds(r->backfill)) {
        return next_row(r, ret, f);
    }
    return next_from_stream(r, ret, f);
}

void pg_reader_state_saved(struct pg_reader *r)
{
    bool is_first = !r->saved.is_snapshot_done && r->saving.is_snapshot_done;
    r->saved = r->saving;
    if (is_first) {
        report_phase(r);
    }
    if (r->state == PG_READER_SAVING_NEW) {
        reconcile(r);
    } else if (r->state == PG_READER_SAVING_DONE) {
        stream_on(r, "the state record is saved");
        check_catalogue(r);  // tables may have appeared during the backfill
    }
    pg_reader_wake(r);
}

void pg_reader_pause(struct pg_reader *r, bool is_paused)
{
    r->is_paused = is_paused;
    set_hold(r);
    if (r->backfill != NULL) {
        pg_backfill_pause(r->backfill, is_paused);
    }
    if (!is_paused && r->state != PG_READER_STOPPED) {
        pg_reader_wake(r);  // libpq may have buffered data that the socket does not signal
    }
}
