// What the checks know of calls, and whether a call may be sent.
#include <utlist.h>

#include "tests/sim/sim_calls.h"

/** Every earlier event of the key is settled, or in this call before it. */
static void check_order(const struct endpoint_call *call, size_t at)
{
    struct sim_partition *p = &sim.partitions[call->events[at].partition];
    const struct sim_event *e = &p->events[call->events[at].offset];
    bool is_owner =
        p->owner == call->process || !sim_kafka_is_unaware(call->process, call->events[at].partition);
    if ((e->is_settled || e->is_parked) && !e->may_repeat && !e->is_reread && is_owner) {
        sim_fail("repeated: %d/%d", call->events[at].partition, (int)call->events[at].offset);
    }
    for (int64_t i = 0; i < call->events[at].offset; i++) {
        bool is_before = false;
        for (size_t k = 0; k < at; k++) {
            is_before = is_before || (call->events[k].partition == call->events[at].partition &&
                                      call->events[k].offset == i);
        }
        struct sim_event *other = &p->events[i];
        bool is_first = other->exists && sim_is_same_lane(p, i, call->events[at].offset) &&
                        !other->is_settled && !is_before;
        if (is_first && sim.shape.coalesces && e->key >= 0 &&
            !sim_letter_is_due(call->process, call->events[at].partition, i)) {
            sim_settle_coalesced(p, other);
        } else if (is_first) {
            sim_fail("order: %d/%d is sent before %d of its key", call->events[at].partition,
                     (int)call->events[at].offset, (int)i);
        }
    }
}

/** No other call of the key runs, but for one of a process that has lost the partition. */
static void check_overlap(const struct endpoint_call *call, size_t at)
{
    const struct sim_partition *p = &sim.partitions[call->events[at].partition];
    const struct endpoint_call *other;
    LL_FOREACH (sim_calls, other) {
        for (size_t i = 0; i < other->event_count; i++) {
            bool is_same = other->events[i].partition == call->events[at].partition &&
                           sim_is_same_lane(p, other->events[i].offset, call->events[at].offset);
            bool is_lost =
                other->process != call->process && (p->owner == call->process || p->owner != other->process);
            bool is_unaware =
                p->owner != call->process && sim_kafka_is_unaware(call->process, call->events[at].partition);
            bool is_twice = other->events[i].offset == call->events[at].offset &&
                            p->events[call->events[at].offset].is_reread &&
                            sim.shape.order != FUNCTION_ORDER_PARTITION;
            if (is_same && !is_twice && !is_unaware && (!is_lost || p->owner == other->process)) {
                sim_fail("overlap: %d/%d is sent while %d of its key runs in process %d",
                         call->events[at].partition, (int)call->events[at].offset,
                         (int)other->events[i].offset, other->process);
            }
        }
    }
}

static void check_concurrency(const struct sim_process *s)
{
    size_t count = 0;
    const struct endpoint_call *call;
    LL_FOREACH (sim_calls, call) {
        count += call->process == s->number;
    }
    if (count >= s->concurrency_max) {
        sim_fail("concurrency: process %d has %zu calls and starts another", s->number, count);
    }
}

/** While the function is unreachable, one call at a time is sent to see whether it still is. */
static void check_probes(const struct sim_process *s)
{
    const struct endpoint_call *call;
    LL_FOREACH (sim_calls, call) {
        if (call->process == s->number && s->unreachable_us != 0 && call->sent_us > s->unreachable_us) {
            sim_fail("probes: process %d sends a second call to an unreachable function", s->number);
        }
    }
}

static void check_config(struct sim_process *s)
{
    if (s->config->paused) {
        sim_fail("paused: process %d starts a call", s->number);
    }
    const struct config_rate *rate = &s->config->delivery.rate;
    if (rate->count == 0) {
        return;
    }
    const double interval_us = (double)rate->period_us / (double)rate->count;
    s->call_tokens += (double)(sim.now_us - s->call_tokens_us) / interval_us;
    s->call_tokens_us = sim.now_us;
    const double burst = (double)s->config->delivery.burst;
    s->call_tokens = s->call_tokens > burst ? burst : s->call_tokens;
    if (s->call_tokens < 0.99) {
        sim_fail("rate: process %d starts a call too early", s->number);
    }
    s->call_tokens -= 1;
}

void sim_check_call(const struct endpoint_call *call)
{
    check_concurrency(&sim.processes[call->process]);
    check_probes(&sim.processes[call->process]);
    check_config(&sim.processes[call->process]);
    for (size_t i = 0; i < call->event_count; i++) {
        check_order(call, i);
        check_overlap(call, i);
    }
}
