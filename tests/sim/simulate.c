// usage: simulate [--seed N] [--seeds COUNT] [--twice] [--trace]
// Runs seeds from N on (default 1). A failing one ends the program, with its number. --twice runs them again
// in the opposite order and compares: a seed alone decides its run.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "tests/sim/sim.h"

#define START_US INT64_C(1000000000)
#define FAULTS_US (30 * CLOCK_US_PER_S)
#define ENDS_US (600 * CLOCK_US_PER_S)   // by then everything is settled
#define STUCK_US (120 * CLOCK_US_PER_S)  // so long a stuck key is stuck
enum { STEPS_MAX = 200000, PENDING_MAX = 4096 };

struct sim_world sim;

static struct pending {
    int64_t at_us;
    uint64_t number;
    int process;
    void (*fn)(void *arg);
    void *arg;
} pending[PENDING_MAX];
static size_t pending_count;
static uint64_t pending_number;

unsigned sim_roll(unsigned sides)
{
    sim.random = sim.random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(sim.random >> 33) % sides;
}

bool sim_chance(unsigned one_in)
{
    return sim_roll(one_in) == 0;
}

void sim_after(int64_t wait_us, void (*fn)(void *arg), void *arg)
{
    if (pending_count == PENDING_MAX) {
        sim_fail("too much is awaited");
    }
    pending[pending_count++] = (struct pending){sim.now_us + wait_us, pending_number++, sim.current, fn, arg};
}

void sim_cancel(const void *arg)
{
    for (size_t i = 0; i < pending_count;) {
        if (pending[i].arg == arg) {
            pending[i] = pending[--pending_count];
        } else {
            i++;
        }
    }
}

static void run_work(void *arg)
{
    uv_work_t *work = arg;
    work->work_cb(work);
    work->after_work_cb(work, 0);
}

void sim_end_process_events(int process)
{
    for (size_t i = 0; i < pending_count;) {
        if (pending[i].process != process) {
            i++;
            continue;
        }
        struct pending one = pending[i];
        if (one.fn == run_work) {
            pending[i] = pending[--pending_count];
            run_work(one.arg);
            i = 0;
        } else {
            i++;
        }
    }
    for (size_t i = 0; i < pending_count && !sim.processes[process].is_up;) {
        if (pending[i].process == process) {
            pending[i] = pending[--pending_count];
        } else {
            i++;
        }
    }
}

void sim_trace(const char *format, ...)
{
    if (sim.is_tracing) {
        va_list arguments;
        va_start(arguments, format);
        printf("%10.3f  ", (double)(sim.now_us - START_US) / 1e6);
        (void)vprintf(format, arguments);
        printf("\n");
        va_end(arguments);
    }
}

void sim_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fflush(stdout);
    (void)fprintf(stderr, "seed %llu, at %.3f s: ", (unsigned long long)sim.seed,
                  (double)(sim.now_us - START_US) / 1e6);
    (void)vfprintf(stderr, format, arguments);
    (void)fprintf(stderr, "\nagain, with its events: simulate --seed %llu --trace\n",
                  (unsigned long long)sim.seed);
    va_end(arguments);
    _Exit(1);
}

static enum sim_phase phase_of(const struct sim_process *s)
{
    if (!s->is_up) {
        return SIM_PHASE_DOWN;
    }
    if (group_state_is_revoking(s->consumer->state)) {
        return SIM_PHASE_REVOKING;
    }
    if (s->consumer->state == GROUP_LOOKING_UP || s->consumer->state == GROUP_LOOKUP_FAILED) {
        return SIM_PHASE_LOOKING_UP;
    }
    if (s->consumer->offsets.is_committing) {
        return SIM_PHASE_COMMITTING;
    }
    return delivery_running(s->delivery) > 0 ? SIM_PHASE_CALLING : SIM_PHASE_IDLE;
}

static const char *const FAULTS[] = {
#define X(name) #name,
    SIM_FAULTS(X)
#undef X
};
static const char *const PHASES[] = {
#define X(name) #name,
    SIM_PHASES(X)
#undef X
};

void sim_strike(enum sim_fault fault)
{
    enum sim_phase phase = phase_of(&sim.processes[sim.current]);
    sim.struck[fault][phase]++;
    sim_trace("fault: %s at process %d (%s)", FAULTS[fault], sim.current, PHASES[phase]);
}

bool sim_strikes(enum sim_fault fault, unsigned one_in)
{
    if (!sim.has_faults || !sim_chance(one_in)) {
        return false;
    }
    sim_strike(fault);
    return true;
}

// libuv and the log, as the bridge calls them.

int __wrap_uv_queue_work(uv_loop_t *loop, uv_work_t *work, uv_work_cb work_cb, uv_after_work_cb after);
int __wrap_uv_queue_work(uv_loop_t *loop, uv_work_t *work, uv_work_cb work_cb, uv_after_work_cb after)
{
    (void)loop;
    work->work_cb = work_cb;
    work->after_work_cb = after;
    sim_after((int64_t)sim_roll(300) * 1000, run_work, work);
    return 0;
}

int __wrap_uv_timer_init(uv_loop_t *loop, uv_timer_t *timer);
int __wrap_uv_timer_init(uv_loop_t *loop, uv_timer_t *timer)
{
    (void)loop;
    timer->timer_cb = NULL;
    timer->timeout = 0;
    return 0;
}

static void fire_timer(void *arg)
{
    uv_timer_t *timer = arg;
    uv_timer_cb on_timer = timer->timer_cb;
    if (timer->repeat > 0) {
        sim_after((int64_t)timer->repeat * 1000, fire_timer, timer);
    } else {
        timer->timer_cb = NULL;
    }
    on_timer(timer);
}

int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_timer, uint64_t wait_ms, uint64_t again_ms);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_timer, uint64_t wait_ms, uint64_t again_ms)
{
    timer->repeat = again_ms;
    sim_cancel(timer);
    timer->timer_cb = on_timer;
    timer->timeout = (uint64_t)sim.now_us / 1000 + wait_ms;
    sim_after((int64_t)wait_ms * 1000, fire_timer, timer);
    return 0;
}

int __wrap_uv_timer_stop(uv_timer_t *timer);
int __wrap_uv_timer_stop(uv_timer_t *timer)
{
    timer->timer_cb = NULL;
    sim_cancel(timer);
    return 0;
}

uint64_t __wrap_uv_timer_get_due_in(const uv_timer_t *timer);
uint64_t __wrap_uv_timer_get_due_in(const uv_timer_t *timer)
{
    uint64_t now_ms = (uint64_t)sim.now_us / 1000;
    return timer->timeout > now_ms ? timer->timeout - now_ms : 0;
}

int __wrap_uv_is_active(const uv_handle_t *handle);
int __wrap_uv_is_active(const uv_handle_t *handle)
{
    return ((const uv_timer_t *)(const void *)handle)->timer_cb != NULL;
}

void __wrap_uv_close(uv_handle_t *handle, uv_close_cb on_close);
void __wrap_uv_close(uv_handle_t *handle, uv_close_cb on_close)
{
    sim_cancel(handle);
    on_close(handle);
}

void __wrap_log_write(enum log_level level, const char *component, const char *event,
                      const struct log_value *values, const char *format, ...);
void __wrap_log_write(enum log_level level, const char *component, const char *event,
                      const struct log_value *values, const char *format, ...)
{
    (void)level;
    (void)component;
    (void)values;
    (void)format;
    sim_trace("  log of process %d: %s", sim.current, event);
}

/** Its waits come from the seed, too. */
struct backoff __wrap_backoff_make(int64_t initial_us, int64_t max_us);
struct backoff __wrap_backoff_make(int64_t initial_us, int64_t max_us)
{
    return (struct backoff){.initial_us = initial_us, .max_us = max_us, .random = sim_roll(UINT32_MAX) | 1};
}

// The run of one seed.

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
    if (sim.now_us < START_US + FAULTS_US) {
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
    return sim.stuck == how && key == sim.stuck_key && sim.now_us < START_US + STUCK_US;
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
    size_t first = 0;
    for (size_t i = 1; i < pending_count; i++) {
        const struct pending *a = &pending[i];
        const struct pending *b = &pending[first];
        first = a->at_us < b->at_us || (a->at_us == b->at_us && a->number < b->number) ? i : first;
    }
    struct pending one = pending[first];
    pending[first] = pending[--pending_count];
    sim.now_us = one.at_us;
    if (sim.now_us >= START_US + STUCK_US && !sim.are_others_checked) {
        check_others();
    }
    sim.current = one.process;
    clock_fake(sim.now_us, sim.now_us);
    one.fn(one.arg);
    sim.digest = (sim.digest ^ (uint64_t)sim.now_us ^ sim.random) * UINT64_C(0x100000001B3);
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

static void run(uint64_t seed)
{
    sim.seed = seed;
    sim.random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    sim.now_us = START_US;
    sim.unreachable_until_us = 0;
    sim.has_faults = true;
    sim.steps = pending_number = sim.digest = 0;
    pending_count = 0;
    clock_fake(sim.now_us, sim.now_us);
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
        if (sim.now_us > START_US + ENDS_US || ++sim.steps > STEPS_MAX) {
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

/** Runs the seeds again in the opposite order: what ran before makes no difference. */
static void run_again(uint64_t first, uint64_t count, const uint64_t *digests)
{
    for (uint64_t i = count; i-- > 0;) {
        run(first + i);
        if (sim.digest != digests[i]) {
            sim_fail("runs otherwise after other seeds than before");
        }
    }
}

/** Prints what struck in which phase, and a digest of all runs. False: a kind never struck. */
static bool report(uint64_t seeds, uint64_t digest)
{
    bool is_whole = true;
    printf("%llu seeds, digest %016llx\n%-20s", (unsigned long long)seeds, (unsigned long long)digest, "");
    for (int k = 0; k < SIM_PHASE_COUNT; k++) {
        printf("%12s", PHASES[k]);
    }
    printf("\n");
    for (int i = 0; i < SIM_FAULT_COUNT; i++) {
        uint64_t sum = 0;
        printf("%-20s", FAULTS[i]);
        for (int k = 0; k < SIM_PHASE_COUNT; k++) {
            printf("%12llu", (unsigned long long)sim.struck[i][k]);
            sum += sim.struck[i][k];
        }
        printf("%s\n", sum == 0 ? "  never struck" : "");
        is_whole = is_whole && sum > 0;
    }
    return is_whole;
}

/** Starts the program again without address randomisation: hashes of addresses would make runs differ. */
static void fix_addresses(char **argv)
{
    int now = personality(UINT32_MAX);
    if (now >= 0 && (now & ADDR_NO_RANDOMIZE) == 0 &&
        personality((unsigned long)now | ADDR_NO_RANDOMIZE) >= 0) {
        (void)execv("/proc/self/exe", argv);
    }
}

int main(int argc, char **argv)
{
    fix_addresses(argv);
    uint64_t first = 1;
    uint64_t seeds = 0;
    bool is_twice = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0) {
            sim.is_tracing = true;
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            first = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seeds") == 0 && i + 1 < argc) {
            seeds = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--twice") == 0) {
            is_twice = true;
        } else {
            (void)fprintf(stderr, "usage: simulate [--seed N] [--seeds COUNT] [--twice] [--trace]\n");
            return 64;
        }
    }
    const uint64_t count = seeds == 0 ? 1 : seeds;
    CLEANUP(memory_free_pointer) uint64_t *digests = memory_zeroed(count, sizeof(*digests));
    sim_bridge_make_configs();
    for (uint64_t i = 0; i < count; i++) {
        run(first + i);
        digests[i] = sim.digest;
    }
    if (is_twice) {
        run_again(first, count, digests);
    }
    bool is_whole = report(count, text_hash(slice_make(digests, count * sizeof(*digests)))) || seeds == 0;
    sim_bridge_free_configs();
    return is_whole ? 0 : 1;
}
