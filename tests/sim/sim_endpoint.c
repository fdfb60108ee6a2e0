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

void sim_park(const struct partition *owner, int64_t offset)
{
    const struct sim_partition *p = &sim.partitions[owner->number];
    bool is_owner = owner->state != PARTITION_LOST && p->owner == sim.current;
    sim_trace("parked: %d/%d by process %d", owner->number, (int)offset, sim.current);
    if (is_owner) {
        sim.partitions[owner->number].events[offset].is_parked = true;
    }
}

void sim_settle_coalesced(const struct sim_partition *p, struct sim_event *e)
{
    sim_exercise(SIM_HAS_COALESCED);
    e->is_settled = true;
    e->may_repeat = p->owner != sim.current;  // its owner does not know
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

/** An event that is named behind another one of its lane uses up no attempt. */
static bool is_first_named(const struct endpoint_call *call, size_t at)
{
    const struct sim_partition *p = &sim.partitions[call->events[at].partition];
    bool is_first = call->events[at].is_named;
    for (size_t i = 0; i < at && is_first; i++) {
        is_first = !call->events[i].is_named || call->events[i].partition != call->events[at].partition ||
                   !sim_is_same_lane(p, call->events[i].offset, call->events[at].offset);
    }
    return is_first;
}

/** What is used up by a process that has lost the partition, nobody else knows. */
static void note_failure(const struct endpoint_call *call, size_t at)
{
    struct sim_partition *p = &sim.partitions[call->events[at].partition];
    struct sim_event *e = &p->events[call->events[at].offset];
    e->failures += p->owner == call->process ? 1 : 0;
    uint32_t limit = (uint32_t)sim.processes[call->process].config->delivery.retry.attempts;
    // Halving a batch uses up no attempt, nor does failing behind an event of the key that is given up.
    bool is_counted = !sim.shape.has_bisect && !(sim.shape.holds_keys && sim.shape.is_batch);
    // Spilled attempts are forgotten together.
    uint32_t forgotten = p->forgotten * (sim.shape.text_max > 0 ? limit : 1);
    if (is_counted && e->failures > limit + forgotten) {
        sim_fail("attempts: %d/%d has failed %u times", call->events[at].partition,
                 (int)call->events[at].offset, e->failures);
    }
}

static void free_call(struct endpoint_call *call)
{
    bytes_clear(&call->body);
    free(call);
}

static void respond(void *arg)
{
    struct endpoint_call *call = arg;
    LL_DELETE(sim_calls, call);
    note_reachable(call);
    const struct work_item *item = ((const struct invocation *)call->self)->first;
    for (size_t i = 0; i < call->event_count; i++, item = item->next) {
        if (call->response.status == 200 && !call->is_attempt && !call->events[i].is_named) {
            sim_settle(item->partition, call->events[i].offset, "delivered");
        } else if (call->is_attempt || is_first_named(call, i)) {
            note_failure(call, i);
        }
    }
    sim_trace("response %d%s to process %d", call->response.status,
              call->response.transport.kind == FAULT_NONE ? "" : " (broken off)", call->process);
    call->response.body = bytes_slice(&call->body);
    call->on_response(call->self, &call->response);
    free_call(call);
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
    sim.processes[e->process].reads = 0;
    LL_APPEND(sim_calls, call);
    sim_after(sim_answer(call), respond, call);
    return call;
}

static void cancel(struct endpoint *e, struct endpoint_call *call)
{
    (void)e;
    LL_DELETE(sim_calls, call);
    sim_cancel(call);
    free_call(call);
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
