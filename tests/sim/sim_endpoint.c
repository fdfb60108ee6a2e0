// The simulated function.
#include <utlist.h>

#include "core/base/memory.h"
#include "tests/sim/sim_calls.h"

struct endpoint {
    int process;
};

struct endpoint_call *sim_calls;

void sim_settle(const struct partition *owner, int64_t offset, const char *how)
{
    struct sim_partition *p = &sim.partitions[owner->number];
    struct sim_event *e = &p->events[offset];
    sim_trace("%s: %d/%d by process %d", how, owner->number, (int)offset, sim.current);
    e->is_settled = true;
    e->may_repeat =
        owner->state == PARTITION_LOST || p->owner != sim.current;  // its next owner does not know
}

void sim_settle_coalesced(struct sim_event *e)
{
    sim_exercise(SIM_HAS_COALESCED);
    e->is_settled = true;
}

/** Calls that were sent before are no evidence that it is reachable again. */
static void note_reachable(const struct endpoint_call *call)
{
    struct sim_process *s = &sim.processes[call->process];
    if (call->response.transport.kind != FAULT_NONE && !call->response.is_sent) {
        s->unreachable_us = sim.now_us;
    } else if (call->sent_us > s->unreachable_us) {
        s->unreachable_us = 0;
    }
}

static void answer(struct endpoint_call *call, int status)
{
    call->response.status = status;
    call->is_attempt = status >= 500;
}

static void break_off(struct endpoint_call *call, bool is_sent, bool is_timeout, const char *text)
{
    (void)fault_set(&call->response.transport, FAULT_RETRY, "%s", text);
    call->response.is_sent = is_sent;
    call->response.is_timeout = is_timeout;
    call->is_attempt = is_sent;
}

/** What the function does with good events: the worst of them decides. */
static int lasting_status(const struct endpoint_call *call)
{
    int status = 200;
    for (size_t i = 0; i < call->event_count; i++) {
        enum sim_behaviour b =
            sim.partitions[call->events[i].partition].events[call->events[i].offset].behaviour;
        status = b == SIM_FAILS ? 500 : b == SIM_REJECTS && status == 200 ? 400 : status;
    }
    return status;
}

/** Decides what the call is answered with, and returns after what time. */
static int64_t decide(struct endpoint_call *call)
{
    int64_t wait_us = 1000 + sim_roll(200) * 1000;
    if (sim.has_faults && sim.now_us < sim.unreachable_until_us) {
        sim_strike(SIM_UNREACHABLE);
        break_off(call, false, false, "unreachable");
        return wait_us;
    }
    const int key = sim.partitions[call->events[0].partition].events[call->events[0].offset].key;
    if (sim_is_stuck(SIM_STUCK_THROTTLED, key)) {
        sim_exercise(SIM_HAS_KEY_THROTTLED);
        answer(call, 429);
        return wait_us;
    }
    if (sim_strikes(SIM_THROTTLED, 8)) {
        answer(call, 429);
        call->response.retry_after_us = sim_chance(2) ? -1 : (int64_t)sim_roll(3000) * 1000;
        return wait_us;
    }
    if (sim_strikes(SIM_TIMED_OUT, 20)) {
        break_off(call, true, true, "timed out");
        return 5000000;
    }
    if (sim_strikes(SIM_FAILED, 8)) {
        answer(call, sim_chance(2) ? 500 : 503);
        return wait_us;
    }
    answer(call, lasting_status(call));
    if (call->response.status == 400) {
        sim_strike(SIM_REJECTED);
    }
    return sim_strikes(SIM_LATE, 12) ? 4900000 : wait_us;
}

static void respond(void *arg)
{
    struct endpoint_call *call = arg;
    LL_DELETE(sim_calls, call);
    note_reachable(call);
    const struct work_item *item = ((const struct invocation *)call->self)->first;
    for (size_t i = 0; i < call->event_count; i++, item = item->next) {
        struct sim_partition *p = &sim.partitions[call->events[i].partition];
        struct sim_event *e = &p->events[call->events[i].offset];
        e->failures += call->is_attempt ? 1 : 0;
        if (call->response.status == 200) {
            sim_settle(item->partition, call->events[i].offset, "delivered");
        }
        uint32_t limit = (uint32_t)sim.processes[call->process].config->delivery.retry.attempts;
        if (!sim.shape.has_bisect && e->failures > limit + p->forgotten) {
            sim_fail("attempts: %d/%d has failed %u times", call->events[i].partition,
                     (int)call->events[i].offset, e->failures);
        }
    }
    sim_trace("response %d%s to process %d", call->response.status,
              call->response.transport.kind == FAULT_NONE ? "" : " (broken off)", call->process);
    call->on_response(call->self, &call->response);
    free(call);
}

static void note_features(const struct invocation *inv)
{
    static const enum sim_feature ORDERS[] = {SIM_HAS_ORDER_KEY, SIM_HAS_ORDER_PARTITION, SIM_HAS_ORDER_NONE};
    sim_exercise(ORDERS[sim.shape.order]);
    if (inv->event_count > 1) {
        sim_exercise(SIM_HAS_BATCH);
    }
    if (inv->first->retry.group != 0) {
        sim_exercise(SIM_HAS_BISECTED);
    }
}

static struct endpoint_call *start_call(struct endpoint *e, const struct endpoint_request *request,
                                        endpoint_on_response on_response, void *self)
{
    (void)request;
    const struct invocation *inv = self;
    struct endpoint_call *call = memory_zeroed(1, sizeof(*call));
    call->process = e->process;
    call->on_response = on_response;
    call->self = self;
    call->sent_us = sim.now_us;
    call->response.retry_after_us = -1;
    INVARIANT(inv->event_count <= CALL_EVENTS);
    const struct work_item *item;
    LL_FOREACH (inv->first, item) {
        call->events[call->event_count].partition = item->record->partition;
        call->events[call->event_count++].offset = item->record->offset;
        sim_trace("sent: %d/%d key %d by process %d", item->record->partition, (int)item->record->offset,
                  sim.partitions[item->record->partition].events[item->record->offset].key, e->process);
    }
    sim_check_call(call);
    note_features(inv);
    LL_APPEND(sim_calls, call);
    sim_after(decide(call), respond, call);
    return call;
}

static void cancel(struct endpoint *e, struct endpoint_call *call)
{
    (void)e;
    LL_DELETE(sim_calls, call);
    sim_cancel(call);
    free(call);
}

static bool open_endpoint(const struct function_config *config, uv_loop_t *loop, struct endpoint **ret,
                          struct fault *f)
{
    (void)config;
    (void)loop;
    (void)f;
    *ret = memory_zeroed(1, sizeof(**ret));
    (*ret)->process = sim.current;
    return true;
}

static void close_endpoint(struct endpoint *e)
{
    free(e);
}

const struct endpoint_type *__wrap_endpoint_type_of(enum function_endpoint kind);
const struct endpoint_type *__wrap_endpoint_type_of(enum function_endpoint kind)
{
    (void)kind;
    static const struct endpoint_type TYPE = {.kind = "simulated",
                                              .body_max = SIZE_MAX,
                                              .open = open_endpoint,
                                              .send = start_call,
                                              .cancel = cancel,
                                              .close = close_endpoint};
    return &TYPE;
}
