// The run of one seed: its events, what strikes, and whether it ends.
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "tests/sim/sim.h"

#define FAULTS_US (30 * CLOCK_US_PER_S)
#define ENDS_US (600 * CLOCK_US_PER_S)   // by then everything is settled
#define STUCK_US (120 * CLOCK_US_PER_S)  // so long a stuck key is stuck
#define OTHERS_US (20 * CLOCK_US_PER_S)  // at least so often the events of other keys get fewer
enum { STEPS_MAX = 200000 };

struct sim_world sim;

static void make_events(void)
{
    static const enum sim_behaviour BAD[] = {SIM_FAILS, SIM_REJECTS, SIM_UNDECODABLE, SIM_FILTERED};
    for (int i = 0; i < PARTITIONS; i++) {
        struct sim_partition *p = &sim.partitions[i];
        p->committed = p->owner = -1;
        p->wanted = (int)sim_roll((unsigned)sim.process_count);
        for (int k = 0; k < OFFSETS; k++) {
            struct sim_event *e = &p->events[k];
            e->was_produced = e->exists = !sim_chance(6);
            e->key = (int)sim_roll(KEYS + 1) - 1;
            e->behaviour = sim_chance(10) ? BAD[sim_roll(COUNT_OF(BAD))] : SIM_GOOD;
        }
    }
}

/** Compaction deletes a record whose event may wait. */
static void delete_record(void)
{
    int partition = (int)sim_roll(PARTITIONS);
    struct sim_partition *p = &sim.partitions[partition];
    int64_t offset = sim_roll(OFFSETS);
    if (offset < p->end && p->events[offset].exists && !p->events[offset].is_settled && p->owner >= 0) {
        sim.current = p->owner;
        sim_strike(SIM_GONE);
        sim_trace("gone: %d/%d", partition, (int)offset);
        p->events[offset].exists = false;
        p->events[offset].is_settled = p->events[offset].may_repeat = true;
    }
}

/** Retention deletes a partition's first records, whatever waits. */
static void retain(void)
{
    int partition = (int)sim_roll(PARTITIONS);
    struct sim_partition *p = &sim.partitions[partition];
    if (!sim.shape.has_retention || p->owner < 0 || p->low == p->end) {
        return;
    }
    sim.current = p->owner;
    sim_strike(SIM_RETENTION);
    p->low += 1 + sim_roll((unsigned)(p->end - p->low));
    sim_trace("retention: partition %d begins at %d", partition, (int)p->low);
    for (int64_t i = 0; i < p->low; i++) {
        struct sim_event *e = &p->events[i];
        e->may_repeat = e->may_repeat || (e->exists && !e->is_settled);
        e->is_settled = e->is_settled || e->exists;
        e->exists = false;
    }
}

static void disturb(void *arg)
{
    (void)arg;
    struct sim_process *s = &sim.processes[sim_roll((unsigned)sim.process_count)];
    sim.current = s->number;
    switch (sim_roll(14)) {
    case 0:
        if (s->is_up) {
            sim_strike(SIM_KILL);
            sim_bridge_kill(s);
        }
        break;
    case 1:
        sim_kafka_lose(s->number);
        break;
    case 2:
    case 3:
        sim_strike(SIM_REBALANCE);
        sim.partitions[sim_roll(PARTITIONS)].wanted = s->number;
        break;
    case 4:
        sim.unreachable_until_us = sim.now_us + (int64_t)sim_roll(2000) * 1000;
        break;
    case 5:
        if (s->is_up) {
            sim_bridge_reload(s);
        }
        break;
    case 6:
        delete_record();
        break;
    case 7:
        retain();
        break;
    default:
        break;
    }
    sim.current = -1;
    if (sim.now_us < SIM_START_US + FAULTS_US) {
        sim_after((int64_t)sim_roll(600) * 1000, disturb, NULL);
    } else {
        sim_trace("faults end");
        sim.has_faults = false;
        sim_bridge_resume_all();
        sim.current = -1;
    }
}

static void coordinate(void *arg)
{
    sim_kafka_coordinate();
    sim_after((int64_t)(100 + sim_roll(400)) * 1000, coordinate, arg);
}

static void work_on_letters(void *arg)
{
    sim_letter_log_work();
    sim_after((int64_t)(500 + sim_roll(2000)) * 1000, work_on_letters, arg);
}

static void produce(void *arg)
{
    sim_kafka_produce();
    sim_after((int64_t)sim_roll(2000) * 1000, produce, arg);
}

bool sim_is_stuck(enum sim_stuck how, int key)
{
    return sim.stuck == how && key == sim.stuck_key && sim.now_us < SIM_START_US + STUCK_US;
}

static size_t count_others(void)
{
    size_t count = 0;
    for (int i = 0; i < PARTITIONS; i++) {
        for (int k = 0; k < sim.partitions[i].end; k++) {
            const struct sim_event *e = &sim.partitions[i].events[k];
            count += e->exists && !e->is_settled && e->key != sim.stuck_key ? 1 : 0;
        }
    }
    return count;
}

/** While one key is stuck and no other fault strikes, the events of all other keys get through. */
static void check_others(void)
{
    struct sim_others *o = &sim.others;
    bool is_due = sim.now_us >= o->checked_us + CLOCK_US_PER_S;
    if (sim.stuck == SIM_NOT_STUCK || sim.has_faults || sim.now_us >= SIM_START_US + STUCK_US || !is_due) {
        return;
    }
    size_t waiting = count_others();
    o->checked_us = sim.now_us;
    o->moved_us = waiting == 0 || waiting != o->waiting || o->moved_us == 0 ? sim.now_us : o->moved_us;
    o->waiting = waiting;
    if (sim.now_us - o->moved_us > OTHERS_US) {
        sim_fail("held up: %zu events of other keys wait while key %d is stuck", waiting, sim.stuck_key);
    }
}

bool sim_is_same_lane(const struct sim_partition *p, int64_t a, int64_t b)
{
    switch (sim.shape.order) {
    case FUNCTION_ORDER_PARTITION:
        return true;
    case FUNCTION_ORDER_KEY:
        return a == b || (p->events[a].key >= 0 && p->events[a].key == p->events[b].key);
    case FUNCTION_ORDER_NONE:
        break;
    }
    return a == b;
}

static bool is_done(void)
{
    for (int i = 0; i < PARTITIONS; i++) {
        const struct sim_partition *p = &sim.partitions[i];
        for (int64_t k = 0; k < OFFSETS; k++) {
            if (p->events[k].exists && (k >= p->committed || !p->events[k].is_settled)) {
                return false;
            }
        }
    }
    return !sim.has_faults;
}

static void step(void)
{
    sim_loop_step();
    check_others();
    for (int i = 0; i < sim.process_count; i++) {
        if (sim.processes[i].is_up) {
            sim_bridge_check(&sim.processes[i]);
        }
    }
}

static void say_what_waits(void)
{
    for (int i = 0; i < PARTITIONS; i++) {
        const struct sim_partition *p = &sim.partitions[i];
        for (int64_t k = 0; k < OFFSETS; k++) {
            if (p->events[k].exists && (k >= p->committed || !p->events[k].is_settled)) {
                sim_fail("does not end: %d/%d of process %d is %s, %d is committed, %llu steps", i, (int)k,
                         p->owner, p->events[k].is_settled ? "settled" : "not settled", (int)p->committed,
                         (unsigned long long)sim.steps);
            }
        }
    }
    sim_fail("does not end");
}

/** In a batch, and with order `partition`, a stuck key holds up others. Without order its events are not one
 * after the other, and open the circuit breaker. */
static void make_stuck(void)
{
    bool may_be = !sim.shape.is_batch && sim.shape.order == FUNCTION_ORDER_KEY;
    sim.stuck = SIM_NOT_STUCK;
    if (may_be && sim_chance(2)) {
        sim.stuck = sim_chance(2) ? SIM_STUCK_THROTTLED : SIM_STUCK_LETTERS;
    }
    sim.stuck_key = (int)sim_roll(KEYS);
}

static void make_shape(void)
{
    static const enum function_order ORDERS[] = {FUNCTION_ORDER_KEY, FUNCTION_ORDER_KEY,
                                                 FUNCTION_ORDER_PARTITION, FUNCTION_ORDER_NONE};
    struct sim_shape *s = &sim.shape;
    s->order = ORDERS[sim_roll(COUNT_OF(ORDERS))];
    s->is_batch = sim_chance(2);
    s->has_bisect = s->is_batch && !sim_chance(3);
    s->has_partial_failures = s->is_batch && sim_chance(2);
    s->coalesces = s->order == FUNCTION_ORDER_KEY && sim_chance(5);
    s->holds_keys = s->order != FUNCTION_ORDER_NONE && !s->coalesces && sim_chance(3);
    s->text_max = sim_chance(4) ? 70 + sim_roll(40) : 0;
    s->has_rate = sim_chance(5);
    s->has_pauses = sim_chance(5);
    s->has_retention = sim_chance(5);
    make_stuck();
}

void sim_run(uint64_t seed)
{
    sim.seed = seed;
    sim.random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    sim.unreachable_until_us = 0;
    sim.has_faults = true;
    sim.steps = sim.digest = 0;
    memset(sim.has, 0, sizeof(sim.has));
    memset(sim.struck, 0, sizeof(sim.struck));
    sim_loop_reset();
    make_shape();
    sim.others = (struct sim_others){0};
    sim_letter_log_reset();
    sim_state_reset();
    sim.process_count = 1 + (int)sim_roll(PROCESSES);
    make_events();
    sim.current = -1;
    sim_trace("seed %llu", (unsigned long long)seed);
    sim_after(0, disturb, NULL);
    sim_after(0, coordinate, NULL);
    sim_after(0, produce, NULL);
    if (sim.shape.holds_keys) {
        sim_after(0, work_on_letters, NULL);
    }
    sim_bridge_start_all();
    while (!is_done()) {
        if (sim.now_us > SIM_START_US + ENDS_US || ++sim.steps > STEPS_MAX) {
            say_what_waits();
        }
        step();
    }
    sim_bridge_stop_all();
    sim_kafka_check_closed();
    for (int i = 0; i < PARTITIONS; i++) {
        free(sim.partitions[i].text);
    }
    memset(sim.partitions, 0, sizeof(sim.partitions));
    memset(sim.processes, 0, sizeof(sim.processes));
}
