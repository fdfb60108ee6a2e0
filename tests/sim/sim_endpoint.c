// The simulated function and the dead-letter topic, and the checks of what they see.
#include <string.h>

#include <utlist.h>

#include "core/base/memory.h"
#include "tests/sim/sim.h"

struct endpoint {
    int process;
};

struct endpoint_call {
    struct endpoint_call *next;
    int process;
    endpoint_on_response on_response;
    void *self;
    struct {
        int partition;
        int64_t offset;
    } events[CALL_EVENTS];
    size_t event_count;
    struct response response;
    bool is_attempt;
    int64_t sent_us;
};

static struct endpoint_call *running;

/** It is delivered, filtered, or its dead letter is stored. */
static void settle(const struct partition *owner, int64_t offset, const char *how)
{
    struct sim_partition *p = &sim.partitions[owner->number];
    struct sim_event *e = &p->events[offset];
    sim_trace("%s: %d/%d by process %d", how, owner->number, (int)offset, sim.current);
    e->is_settled = true;
    e->may_repeat =
        owner->state == PARTITION_LOST || p->owner != sim.current;  // its next owner does not know
}

/** Every earlier event of the key is settled, or in this call before it. */
static void check_order(const struct endpoint_call *call, size_t at)
{
    const struct sim_partition *p = &sim.partitions[call->events[at].partition];
    const struct sim_event *e = &p->events[call->events[at].offset];
    if (e->is_settled && !e->may_repeat) {
        sim_fail("repeated: %d/%d", call->events[at].partition, (int)call->events[at].offset);
    }
    for (int64_t i = 0; i < call->events[at].offset && e->key >= 0; i++) {
        bool is_before = false;
        for (size_t k = 0; k < at; k++) {
            is_before = is_before || (call->events[k].partition == call->events[at].partition &&
                                      call->events[k].offset == i);
        }
        const struct sim_event *other = &p->events[i];
        if (other->exists && other->key == e->key && !other->is_settled && !is_before) {
            sim_fail("order: %d/%d is sent before %d of its key", call->events[at].partition,
                     (int)call->events[at].offset, (int)i);
        }
    }
}

/** No other call of the key runs, but for one of a process that has lost the partition. */
static void check_overlap(const struct endpoint_call *call, size_t at)
{
    const struct sim_partition *p = &sim.partitions[call->events[at].partition];
    int key = p->events[call->events[at].offset].key;
    const struct endpoint_call *other;
    LL_FOREACH (running, other) {
        for (size_t i = 0; i < other->event_count && key >= 0; i++) {
            bool is_same = other->events[i].partition == call->events[at].partition &&
                           p->events[other->events[i].offset].key == key;
            bool is_lost =
                other->process != call->process && (p->owner == call->process || p->owner != other->process);
            if (is_same && (!is_lost || p->owner == other->process)) {
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
    LL_FOREACH (running, call) {
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
    LL_FOREACH (running, call) {
        if (call->process == s->number && s->unreachable_us != 0 && call->sent_us > s->unreachable_us) {
            sim_fail("probes: process %d sends a second call to an unreachable function", s->number);
        }
    }
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
    LL_DELETE(running, call);
    note_reachable(call);
    const struct work_item *item = ((const struct invocation *)call->self)->first;
    for (size_t i = 0; i < call->event_count; i++, item = item->next) {
        struct sim_partition *p = &sim.partitions[call->events[i].partition];
        struct sim_event *e = &p->events[call->events[i].offset];
        e->failures += call->is_attempt ? 1 : 0;
        if (call->response.status == 200) {
            settle(item->partition, call->events[i].offset, "delivered");
        }
        uint32_t limit = (uint32_t)sim.processes[call->process].config->delivery.retry.attempts;
        if (!sim.is_batch && e->failures > limit + p->forgotten) {
            sim_fail("attempts: %d/%d has failed %u times", call->events[i].partition,
                     (int)call->events[i].offset, e->failures);
        }
    }
    sim_trace("response %d%s to process %d", call->response.status,
              call->response.transport.kind == FAULT_NONE ? "" : " (broken off)", call->process);
    call->on_response(call->self, &call->response);
    free(call);
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
    check_concurrency(&sim.processes[e->process]);
    check_probes(&sim.processes[e->process]);
    for (size_t i = 0; i < call->event_count; i++) {
        check_order(call, i);
        check_overlap(call, i);
    }
    LL_APPEND(running, call);
    sim_after(decide(call), respond, call);
    return call;
}

static void cancel(struct endpoint *e, struct endpoint_call *call)
{
    (void)e;
    LL_DELETE(running, call);
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

// Dead letters.

static struct stored_letter {
    struct stored_letter *next;
    int process;
    struct work_item *item;
    dead_letter_on_stored on_stored;
    void *self;
    int64_t arrived_us;
} * letters;

static void store(void *arg)
{
    struct stored_letter *l = arg;
    const int key = sim.partitions[l->item->record->partition].events[l->item->record->offset].key;
    if (sim_is_stuck(SIM_STUCK_LETTERS, key)) {
        sim_after(CLOCK_US_PER_S, store, l);
        return;
    }
    if (sim_strikes(SIM_LETTER_UNAVAILABLE, 3)) {
        sim_after((int64_t)sim_roll(8000) * 1000, store, l);
        return;
    }
    LL_DELETE(letters, l);
    settle(l->item->partition, l->item->record->offset, "dead letter");
    l->on_stored(l->self, l->item);
    free(l);
}

void __wrap_dead_letter_write(struct dead_letter *d, struct work_item *item,
                              const struct dead_letter_cause *cause, dead_letter_on_stored on_stored,
                              void *self);
void __wrap_dead_letter_write(struct dead_letter *d, struct work_item *item,
                              const struct dead_letter_cause *cause, dead_letter_on_stored on_stored,
                              void *self)
{
    (void)d;
    sim_trace("letter: %d/%d, %s", item->record->partition, (int)item->record->offset, cause->reason);
    struct stored_letter *l = memory_zeroed(1, sizeof(*l));
    *l = (struct stored_letter){NULL, sim.current, item, on_stored, self, sim.now_us};
    LL_APPEND(letters, l);
    sim_after(sim_roll(200) * 1000, store, l);
}

static void give_up(struct stored_letter *l, dead_letter_on_stored on_given_up)
{
    struct work_item *item = l->item;
    void *self = l->self;
    sim.partitions[item->record->partition].forgotten++;
    LL_DELETE(letters, l);
    sim_cancel(l);
    free(l);
    on_given_up(self, item);
}

void __wrap_dead_letter_give_up(struct dead_letter *d, void *self, int64_t wait_us,
                                dead_letter_on_stored on_given_up);
void __wrap_dead_letter_give_up(struct dead_letter *d, void *self, int64_t wait_us,
                                dead_letter_on_stored on_given_up)
{
    (void)d;
    struct stored_letter *l;
    struct stored_letter *next;
    LL_FOREACH_SAFE (letters, l, next) {
        if (l->self == self && l->item->partition->state != PARTITION_ASSIGNED &&
            l->arrived_us <= sim.now_us - wait_us) {
            give_up(l, on_given_up);
        }
    }
}

static void release(void *self, struct work_item *item)
{
    delivery_release(self, item);
}

void sim_letters_drop(int process)
{
    struct stored_letter *l;
    struct stored_letter *next;
    LL_FOREACH_SAFE (letters, l, next) {
        if (l->process == process) {
            give_up(l, release);
        }
    }
}

const char *__wrap_dead_letter_trouble(const struct dead_letter *d, const void *self);
const char *__wrap_dead_letter_trouble(const struct dead_letter *d, const void *self)
{
    (void)d;
    (void)self;
    return NULL;
}

// Records and payloads: what they hold does not matter here.

static void end_lookup(void *arg)
{
    sim_bridge_unhold(arg);
}

bool __wrap_record_resolve(struct record *r, struct schema_cache *schemas);
bool __wrap_record_resolve(struct record *r, struct schema_cache *schemas)
{
    (void)schemas;
    if (sim_strikes(SIM_SCHEMA_SLOW, 25)) {
        sim_after((int64_t)sim_roll(3000) * 1000, end_lookup, &sim.processes[sim.current]);
        return false;
    }
    if (sim.partitions[r->partition].events[r->offset].behaviour == SIM_UNDECODABLE) {
        record_reject(r, "undecodable", "simulated");
    }
    return true;
}

enum payload_step __wrap_payload_add(struct payload *p, struct record *r, struct fault *f);
enum payload_step __wrap_payload_add(struct payload *p, struct record *r, struct fault *f)
{
    (void)p;
    (void)f;
    if (sim.partitions[r->partition].events[r->offset].behaviour == SIM_FILTERED) {
        struct sim_event *e = &sim.partitions[r->partition].events[r->offset];
        sim_trace("filtered: %d/%d", r->partition, (int)r->offset);
        e->is_settled = true;
        return PAYLOAD_FILTERED;
    }
    return PAYLOAD_ADDED;
}

void __wrap_payload_finish(struct payload *p);
void __wrap_payload_finish(struct payload *p)
{
    p->body = slice_make("", 0);
}
