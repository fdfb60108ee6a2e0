#include "connectors/change_flow.h"

#include "core/base/clock.h"

enum {
    BUDGET = 1024,       // changes for each turn of the event loop
    CLOCK_CHANGES = 16,  // have the same time, some 20 us under load
};

static void fail(struct change_flow *w, enum change_flow_peer peer, const struct fault *f)
{
    w->listener.on_fault(w->listener.self, peer, f);
}

static enum publisher_step commit(struct change_flow *w, struct fault *f)
{
    enum publisher_step taken = publisher_end_transaction(w->publisher, &w->change, f);
    if (taken == PUBLISHER_TAKEN) {
        change_delivery_commit(w->delivery, w->change.position);
    }
    return taken;
}

static enum publisher_step begin(struct change_flow *w)
{
    if (!change_delivery_begin(w->delivery, w->change.commit_time_us)) {
        return PUBLISHER_LATER;
    }
    change_trace_begin(w->trace, &w->change);
    return PUBLISHER_TAKEN;
}

static enum publisher_step publish(struct change_flow *w, struct fault *f)
{
    change_trace_prepare(w->trace, &w->change);
    enum publisher_step taken = publisher_publish(w->publisher, &w->change, f);
    if (taken == PUBLISHER_TAKEN) {
        change_trace_published(w->trace, &w->change);
    }
    return taken;
}

static enum publisher_step take(struct change_flow *w, struct fault *f)
{
    if (w->pending == CHANGE_FLOW_BEGIN) {
        return publisher_begin_transaction(w->publisher, &w->change, f);
    }
    switch (w->change.kind) {
    case CHANGE_BEGIN:
        return begin(w);
    case CHANGE_ROW:
        return publish(w, f);
    case CHANGE_COMMIT:
        return commit(w, f);
    case CHANGE_IDLE:
        change_delivery_idle(w->delivery, w->change.position);
        return PUBLISHER_TAKEN;
    }
    return PUBLISHER_TAKEN;
}

static void set_paused(struct change_flow *w, bool is_paused)
{
    if (w->is_paused != is_paused) {
        w->is_paused = is_paused;
        if (is_paused) {
            w->source_type->pause(w->source);
        } else {
            w->source_type->resume(w->source);
        }
    }
}

// A read of the clock costs as much as some of a row's columns: one is for several rows.
static void note_time(struct change_flow *w)
{
    if (w->clock_left == 0) {
        w->now_ns = clock_wall_ns();
        w->clock_left = CLOCK_CHANGES;
    }
    w->clock_left--;
    w->change.taken_ns = w->now_ns;
}

static bool read_change(struct change_flow *w, struct fault *f)
{
    // Not earlier: resuming makes the source call on_ready, even while a change waits here.
    set_paused(w, false);
    switch (w->source_type->next(w->source, &w->change, f)) {
    case SOURCE_CHANGE:
        note_time(w);
        transaction_counts_see(w->counts, &w->change);
        w->pending = w->change.order.total == 1 ? CHANGE_FLOW_BEGIN : CHANGE_FLOW_CHANGE;
        return true;
    case SOURCE_NOTHING:
        return false;
    case SOURCE_END:
        (void)fault_set(f, FAULT_RETRY, "the server ended the stream");
        fail(w, CHANGE_FLOW_SOURCE, f);
        return false;
    case SOURCE_RESTART:
        fail(w, CHANGE_FLOW_NEITHER, f);
        return false;
    case SOURCE_FAULT:
        fail(w, CHANGE_FLOW_SOURCE, f);
        return false;
    }
    return false;
}

// Moves one change from the source to the ledger and Kafka. False: nothing more to do now.
static bool step(struct change_flow *w, struct fault *f)
{
    if (w->pending == CHANGE_FLOW_NOTHING && !read_change(w, f)) {
        return false;
    }
    switch (take(w, f)) {
    case PUBLISHER_TAKEN:
        w->pending = w->pending == CHANGE_FLOW_BEGIN ? CHANGE_FLOW_CHANGE : CHANGE_FLOW_NOTHING;
        return true;
    case PUBLISHER_LATER:
        set_paused(w, true);
        return false;
    case PUBLISHER_FAULT:
        fail(w, CHANGE_FLOW_KAFKA, f);
        return false;
    }
    return false;
}

static void on_next_turn(uv_idle_t *idle)
{
    change_flow_run(idle->data);
}

static void flush(struct change_flow *w)
{
    struct fault f = {0};
    if (w->state != CHANGE_FLOW_CLOSED && change_delivery_flush(w->delivery, &f) == SINK_FAULT) {
        fail(w, CHANGE_FLOW_KAFKA, &f);
    }
}

static void send_held(struct change_flow *w)
{
    struct fault f = {0};
    if (publisher_send_held(w->publisher, &f) == PUBLISHER_FAULT) {
        fail(w, CHANGE_FLOW_KAFKA, &f);
    }
}

void change_flow_run(struct change_flow *w)
{
    if (w->is_moving || w->state != CHANGE_FLOW_OPEN) {
        return;
    }
    struct fault f = {0};  // once: a zeroed one for each change would cost as much as a column
    w->is_moving = true;
    w->clock_left = 0;
    int left = BUDGET;
    send_held(w);
    while (left > 0 && w->state == CHANGE_FLOW_OPEN && step(w, &f)) {
        left--;
    }
    flush(w);
    w->listener.on_turn(w->listener.self);
    w->is_moving = false;
    if (left > 0 || w->state != CHANGE_FLOW_OPEN) {
        (void)uv_idle_stop(&w->next_turn);
    } else {
        (void)uv_idle_start(&w->next_turn, on_next_turn);
    }
}

void change_flow_init(struct change_flow *w, uv_loop_t *loop)
{
    (void)uv_idle_init(loop, &w->next_turn);
    w->next_turn.data = w;
}

void change_flow_begin(struct change_flow *w)
{
    w->state = CHANGE_FLOW_OPEN;
    w->source_type->open(w->source);
}

void change_flow_end(struct change_flow *w)
{
    w->state = CHANGE_FLOW_CLOSED;
    w->pending = CHANGE_FLOW_NOTHING;
    w->is_paused = false;
    (void)uv_idle_stop(&w->next_turn);
    w->source_type->close(w->source);
}

void change_flow_drain(struct change_flow *w)
{
    (void)uv_idle_stop(&w->next_turn);
    publisher_drop_held(w->publisher);
    if (w->state == CHANGE_FLOW_OPEN) {
        w->state = CHANGE_FLOW_DRAINING;
        w->source_type->pause(w->source);
    }
}

bool change_flow_has_session(const struct change_flow *w)
{
    return w->state != CHANGE_FLOW_CLOSED;
}

void change_flow_close(struct change_flow *w, uv_close_cb on_closed)
{
    uv_close((uv_handle_t *)&w->next_turn, on_closed);
}
