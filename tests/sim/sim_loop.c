// The simulated loop: a clock, what is due on it, libuv's timers and worker threads, and the dice.
#include <stdarg.h>
#include <stdio.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "tests/sim/sim.h"

enum { PENDING_MAX = 4096 };

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

void sim_loop_reset(void)
{
    pending_number = 0;
    pending_count = 0;
    sim.now_us = SIM_START_US;
    clock_fake(sim.now_us, sim.now_us);
}

void sim_loop_step(void)
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
    sim.current = one.process;
    clock_fake(sim.now_us, sim.now_us);
    one.fn(one.arg);
    sim.digest = (sim.digest ^ (uint64_t)sim.now_us ^ sim.random) * UINT64_C(0x100000001B3);
}
