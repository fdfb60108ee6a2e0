// The run of one seed: its events, what strikes, and whether it ends.
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "tests/sim/sim.h"

#define FAULTS_US (30 * CLOCK_US_PER_S)
#define ENDS_US (600 * CLOCK_US_PER_S)   // by then everything is settled
#define STUCK_US (120 * CLOCK_US_PER_S)  // so long a stuck key is stuck
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
            p->events[k] = (struct sim_event){.exists = !sim_chance(6),
                                              .key = (int)sim_roll(KEYS + 1) - 1,
                                              .behaviour = sim_chance(10) ? BAD[sim_roll(4)] : SIM_GOOD};
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
    default:
        break;
    }
    sim.current = -1;
    if (sim.now_us < SIM_START_US + FAULTS_US) {
        sim_after((int64_t)sim_roll(600) * 1000, disturb, NULL);
    } else {
        sim_trace("faults end");
        sim.has_faults = false;
    }
}

static void coordinate(void *arg)
{
    sim_kafka_coordinate();
    sim_after((int64_t)(100 + sim_roll(400)) * 1000, coordinate, arg);
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

/** One key is stuck: by now the events of all others are settled. */
static void check_others(void)
{
    sim.are_others_checked = true;
    for (int i = 0; i < PARTITIONS; i++) {
        for (int k = 0; k < OFFSETS; k++) {
            const struct sim_event *e = &sim.partitions[i].events[k];
            if (e->exists && !e->is_settled && (sim.stuck == SIM_NOT_STUCK || e->key != sim.stuck_key)) {
                sim_fail("held up: %d/%d of key %d waits while key %d is stuck", i, k, e->key, sim.stuck_key);
            }
        }
    }
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
    if (sim.now_us >= SIM_START_US + STUCK_US && !sim.are_others_checked) {
        check_others();
    }
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

void sim_run(uint64_t seed)
{
    sim.seed = seed;
    sim.random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    sim.unreachable_until_us = 0;
    sim.has_faults = true;
    sim.steps = sim.digest = 0;
    sim_loop_reset();
    sim.is_batch = sim_chance(2);
    sim.stuck = sim.is_batch || !sim_chance(4) ? SIM_NOT_STUCK
                : sim_chance(2)                ? SIM_STUCK_THROTTLED
                                               : SIM_STUCK_LETTERS;
    sim.stuck_key = (int)sim_roll(KEYS);
    sim.are_others_checked = false;
    sim.process_count = 1 + (int)sim_roll(PROCESSES);
    make_events();
    sim.current = -1;
    sim_trace("seed %llu", (unsigned long long)seed);
    sim_after(0, disturb, NULL);
    sim_after(0, coordinate, NULL);
    sim_after(0, produce, NULL);
    sim_bridge_start_all();
    while (!is_done()) {
        if (sim.now_us > SIM_START_US + ENDS_US || ++sim.steps > STEPS_MAX) {
            say_what_waits();
        }
        step();
    }
    sim_bridge_stop_all();
    for (int i = 0; i < PARTITIONS; i++) {
        free(sim.partitions[i].text);
    }
    memset(sim.partitions, 0, sizeof(sim.partitions));
    memset(sim.processes, 0, sizeof(sim.processes));
}
