#include "core/base/rest.h"

#include <malloc.h>
#include <time.h>

#include "core/base/clock.h"

enum { REST_LOOK_MS = 1000 };

#define REST_IDLE_US (20 * CLOCK_US_PER_MS)   // of processor time in a second: no work
#define REST_WORK_US (200 * CLOCK_US_PER_MS)  // that is worth a look through the heap

bool rest_is_due(struct rest_judge *judge, int64_t cpu_us)
{
    bool is_idle = cpu_us - judge->seen_us < REST_IDLE_US;
    judge->seen_us = cpu_us;
    if (!is_idle || cpu_us - judge->given_us < REST_WORK_US) {
        return false;
    }
    judge->given_us = cpu_us;
    return true;
}

static void on_look(uv_timer_t *timer)
{
    struct rest *r = timer->data;
    struct timespec used;
    // All threads: a heap of librdkafka's is as large as one of ours.
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    if (rest_is_due(&r->judge, used.tv_sec * CLOCK_US_PER_S + used.tv_nsec / 1000)) {
        (void)malloc_trim(0);
    }
}

void rest_start(struct rest *r, uv_loop_t *loop)
{
    (void)uv_timer_init(loop, &r->timer);
    r->timer.data = r;
    r->judge = (struct rest_judge){0};
    (void)uv_timer_start(&r->timer, on_look, REST_LOOK_MS, REST_LOOK_MS);
    uv_unref((uv_handle_t *)&r->timer);
}

void rest_stop(struct rest *r)
{
    uv_close((uv_handle_t *)&r->timer, NULL);
}
