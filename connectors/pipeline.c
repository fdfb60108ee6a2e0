// The connector on one screen, bottom up: pipeline_pump reads a change, pipeline_take gives it its place in
// the ledger, pipeline_publish (pipeline_publish.c) encodes it and hands it to Kafka; acknowledgements come
// back through pipeline_on_settled, and pipeline_confirm tells the database what is safe. Connecting, losing
// and leaving: pipeline_life.c.
#include "connectors/pipeline_private.h"
#include "core/base/clock.h"

void pipeline_confirm(struct pipeline *p)
{
    uint64_t safe = watermark_safe(&p->watermark);
    if (safe > p->confirmed) {
        p->confirmed = safe;
        backoff_reset(&p->backoff);  // not before: what fails each time at the same change must slow down
        if (p->is_source_open) {
            p->source_type->confirm(p->source, safe);
        }
    }
}

void pipeline_on_settled(void *self, uint64_t ticket, uint32_t count)
{
    struct pipeline *p = self;
    watermark_release_many(&p->watermark, ticket, count);
    int64_t commit_us = p->commit_times_us[ticket % PIPELINE_TRANSACTIONS_MAX];
    metric_observe_us(p->metrics.commit_to_ack_seconds, clock_wall_us() - commit_us);
}

void pipeline_on_batch(void *self)
{
    struct pipeline *p = self;
    pipeline_confirm(p);
    pipeline_record_save(p);
    pipeline_when_settled(p);
    if (p->has_change && p->change.kind == CHANGE_BEGIN) {  // it waited for a place in the ledger
        pipeline_pump(p);
    }
}

void pipeline_on_room(void *self)
{
    pipeline_pump(self);
}

static enum pipeline_take pipeline_begin(struct pipeline *p)
{
    if (watermark_full(&p->watermark)) {
        return PIPELINE_LATER;
    }
    p->ticket = watermark_open(&p->watermark);
    p->commit_times_us[p->ticket % PIPELINE_TRANSACTIONS_MAX] = p->change.commit_time_us;
    p->is_in_transaction = true;
    return PIPELINE_TAKEN;
}

static enum pipeline_take pipeline_take(struct pipeline *p, struct fault *f)
{
    switch (p->change.kind) {
    case CHANGE_BEGIN:
        return pipeline_begin(p);
    case CHANGE_ROW:
        return pipeline_publish(p, f);
    case CHANGE_COMMIT:
        watermark_seal(&p->watermark, p->ticket, p->change.position);
        p->is_in_transaction = false;
        pipeline_confirm(p);
        return PIPELINE_TAKEN;
    case CHANGE_IDLE:
        if (watermark_advance_idle(&p->watermark, p->change.position)) {
            pipeline_confirm(p);
        }
        return PIPELINE_TAKEN;
    }
    return PIPELINE_TAKEN;
}

static void pipeline_pause(struct pipeline *p, bool is_paused)
{
    if (p->is_paused != is_paused) {
        p->is_paused = is_paused;
        if (is_paused) {
            p->source_type->pause(p->source);
        } else {
            p->source_type->resume(p->source);
        }
    }
}

// One change from the source into the ledger and Kafka. False: nothing more to do in this turn.
static bool pipeline_step(struct pipeline *p)
{
    struct fault f = {0};
    if (!p->has_change) {
        // Only now: resuming makes the source call again, whatever still waits here.
        pipeline_pause(p, false);
        switch (p->source_type->next(p->source, &p->change, &f)) {
        case SOURCE_CHANGE:
            p->has_change = true;
            p->is_value_published = false;
            break;
        case SOURCE_NOTHING:
            return false;
        case SOURCE_END:
            (void)fault_set(&f, FAULT_RETRY, "the server ended the stream");
            pipeline_lost(p, "postgres", &f);
            return false;
        case SOURCE_FAULT:
            pipeline_lost(p, "postgres", &f);
            return false;
        }
    }
    switch (pipeline_take(p, &f)) {
    case PIPELINE_TAKEN:
        p->has_change = false;
        return true;
    case PIPELINE_LATER:
        pipeline_pause(p, true);
        return false;
    case PIPELINE_FAULT:
        pipeline_lost(p, "kafka", &f);
        return false;
    }
    return false;
}

static void pipeline_on_again(uv_idle_t *again)
{
    pipeline_pump(again->data);
}

static void pipeline_flush(struct pipeline *p)
{
    struct fault f = {0};
    if (p->sink != NULL && kafka_sink_flush(p->sink, &f) == SINK_FAULT) {
        pipeline_lost(p, "kafka", &f);
    }
}

void pipeline_pump(struct pipeline *p)
{
    if (p->is_pumping || !p->is_source_open || p->state == PIPELINE_DRAINING) {
        return;
    }
    p->is_pumping = true;
    int left = PIPELINE_BUDGET;
    while (left > 0 && pipeline_step(p)) {
        left--;
    }
    pipeline_flush(p);
    p->is_pumping = false;
    if (left > 0) {
        (void)uv_idle_stop(&p->again);
    } else {
        (void)uv_idle_start(&p->again, pipeline_on_again);
    }
}
