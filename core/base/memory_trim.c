#include "core/base/memory_trim.h"

#include <malloc.h>
#include <time.h>

#include "core/base/block_pool.h"
#include "core/base/clock.h"

enum { INTERVAL_MS = 1000 };

// Processor time:
#define IDLE_US (20 * CLOCK_US_PER_MS)   // less than this in an interval: the process is idle
#define WORK_US (200 * CLOCK_US_PER_MS)  // less than this since the last trim: not worth another one

bool memory_trim_is_due(struct memory_trim_usage *usage, int64_t cpu_us)
{
    bool is_idle = cpu_us - usage->last_us < IDLE_US;
    usage->last_us = cpu_us;
    if (!is_idle || cpu_us - usage->trimmed_us < WORK_US) {
        return false;
    }
    usage->trimmed_us = cpu_us;
    return true;
}

static void on_timer(uv_timer_t *timer)
{
    struct memory_trim *t = timer->data;
    struct timespec used;
    // Of all threads: librdkafka's threads allocate as much as ours.
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    if (memory_trim_is_due(&t->usage, used.tv_sec * CLOCK_US_PER_S + used.tv_nsec / 1000)) {
        block_pool_clear();
        (void)malloc_trim(0);
    }
}

void memory_trim_start(struct memory_trim *t, uv_loop_t *loop)
{
    (void)uv_timer_init(loop, &t->timer);
    t->timer.data = t;
    t->usage = (struct memory_trim_usage){0};
    (void)uv_timer_start(&t->timer, on_timer, INTERVAL_MS, INTERVAL_MS);
    uv_unref((uv_handle_t *)&t->timer);
}

void memory_trim_stop(struct memory_trim *t)
{
    uv_close((uv_handle_t *)&t->timer, NULL);
}
