// What a job changes in the way of an event: which records are delivered, and what becomes of failures.
#include "bridge/delivery/delivery_state.h"
#include "bridge/delivery/lanes_delayed.h"
#include "core/base/clock.h"

void delivery_report(struct delivery *d, const struct work_item *item, enum job_end end)
{
    if (d->job != NULL) {
        d->job->on_event(d->job->self, &(struct job_event){.record = item->record, .end = end});
    }
}

/** The record is not of the job: what is before the job's end has been read. */
static bool is_beyond(const struct delivery *d, struct partition *p, int64_t offset)
{
    int64_t end = job_end_of(d->job, p->topic, p->number);
    if (offset >= end) {
        progress_pass(&p->progress, end);
    }
    return offset >= end;
}

static void pass_over(struct delivery *d, struct partition *p, struct record *r, enum job_step step)
{
    uint64_t ticket = progress_open(&p->progress, r->offset, r->timestamp_ms);
    if (step != JOB_LEAVE) {
        progress_settle(&p->progress, ticket);
    }
    if (step == JOB_SETTLE) {
        d->job->on_event(d->job->self, &(struct job_event){.record = r, .end = JOB_SETTLED});
    }
    record_release(r);
}

bool delivery_take_job(struct delivery *d, struct partition *p, struct record *r, enum consumer_step *ret)
{
    *ret = CONSUMER_HELD;
    if (is_beyond(d, p, r->offset)) {
        return true;
    }
    job_prepare(d->job, r);
    p->held = p->held == NULL ? record_share(r) : p->held;
    if (!record_is_tombstone(r) && !record_resolve(r, d->schemas)) {
        return true;
    }
    enum job_step step = d->job->select(d->job->self, r);
    if ((step == JOB_TAKE || step == JOB_SETTLE) && !job_admits(d->job, clock_now_us())) {
        return true;  // delivery_tick offers it again
    }
    if (step != JOB_TAKE) {
        pass_over(d, p, TAKE(p->held), step);
        *ret = CONSUMER_TAKEN;
        return true;
    }
    return false;
}

bool delivery_keeps_failed(const struct delivery *d)
{
    return d->job != NULL && d->job->keeps_failed;
}

void delivery_keep(struct delivery *d, struct work_item *item, const struct dead_letter_cause *cause)
{
    d->job->on_event(d->job->self, &(struct job_event){.record = item->record,
                                                       .end = JOB_KEPT,
                                                       .reason = cause->reason,
                                                       .message = cause->message});
    d->failing_count -= item->retry.has_failed ? 1 : 0;
    work_item_forgive(item);
    lanes_park(item);
}

bool delivery_is_idle(const struct delivery *d)
{
    return d->limiter.running == 0 && d->dead_letters_waiting == 0 && d->replies.events == 0 &&
           d->lanes.ready_first == NULL && d->lanes.wanting_first == NULL && lanes_next_due_us(&d->lanes) < 0;
}

void delivery_tick_job(struct delivery *d)
{
    if (d->job != NULL && d->job->rate > 0) {
        d->on_unheld(d->self);
    }
}
