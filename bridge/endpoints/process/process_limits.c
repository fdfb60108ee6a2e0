#include "bridge/endpoints/process/process_limits.h"

#include <signal.h>

#include "bridge/endpoints/process/cpu_share.h"
#include "bridge/endpoints/process/process_usage.h"
#include "core/base/clock.h"

enum { LOOK_MS = 100 };

#define SESSION_US (5 * CLOCK_US_PER_S)  // looks at the whole session, beside the descendants
#define EXACT_US CLOCK_US_PER_S          // looks again at each page of processes that share much

enum limits_state {
    LIMITS_RUNNING,  // the processes run
    LIMITS_HELD,     // they are stopped
    LIMITS_OVER,     // the owner was told
    LIMITS_ENDED,    // nothing is watched any more
};

struct process_limits {
    struct process_limits_params params;
    enum limits_state state;
    uv_timer_t timer;
    struct cpu_share cpu;
    int64_t session_us;   // when the whole session was read
    int64_t exact_us;     // when each page was visited
    int64_t exact_until;  // resident bytes up to which the last exact reading proves enough
};

static void signal_group(const struct process_limits *l, int number)
{
    (void)kill(-l->params.leader, number);
}

/** The estimate counts what fork(2) shares in each process: only when it is too much, each page is counted.
 */
static bool is_above(struct process_limits *l, enum process_usage_scope scope, int64_t resident_bytes,
                     int64_t now_us)
{
    int64_t limit = l->params.memory_bytes;
    if (resident_bytes <= limit) {
        return false;
    }
    if (scope == PROCESS_USAGE_TREE && resident_bytes <= l->exact_until && now_us - l->exact_us < EXACT_US) {
        return false;
    }
    int64_t exact;
    if (!process_usage_read_exact(l->params.leader, scope, &exact)) {
        return true;  // the estimate is all there is
    }
    l->exact_us = now_us;
    l->exact_until = resident_bytes + limit - exact;
    return exact > limit;
}

static bool uses_too_much_memory(struct process_limits *l, const struct process_usage *tree, int64_t now_us)
{
    if (l->params.memory_bytes == 0) {
        return false;
    }
    if (now_us - l->session_us < SESSION_US) {
        return is_above(l, PROCESS_USAGE_TREE, tree->resident_bytes, now_us);
    }
    l->session_us = now_us;
    struct process_usage session;
    return process_usage_read(l->params.leader, PROCESS_USAGE_SESSION, &session) &&
           is_above(l, PROCESS_USAGE_SESSION, session.resident_bytes, now_us);
}

/** Stops or continues the processes; returns when to look again. */
static int64_t share_cpu(struct process_limits *l, const struct process_usage *tree, int64_t now_us)
{
    if (l->params.cpu_millis == 0) {
        return LOOK_MS * CLOCK_US_PER_MS;
    }
    int64_t wait_us = cpu_share_update(&l->cpu, tree->cpu_us, now_us);
    enum limits_state wanted = l->cpu.is_held ? LIMITS_HELD : LIMITS_RUNNING;
    if (wanted != l->state) {
        signal_group(l, wanted == LIMITS_HELD ? SIGSTOP : SIGCONT);
        l->state = wanted;
    }
    return wait_us;
}

static void on_timer(uv_timer_t *timer)
{
    struct process_limits *l = timer->data;
    int64_t now_us = clock_now_us();
    struct process_usage tree = {0};
    // A leader that has ended may have left others in its session, which its owner kills.
    bool is_there = process_usage_read(l->params.leader, PROCESS_USAGE_TREE, &tree);
    if (is_there && uses_too_much_memory(l, &tree, now_us)) {
        if (l->state == LIMITS_HELD) {
            signal_group(l, SIGCONT);
        }
        l->state = LIMITS_OVER;
        l->params.on_memory(l->params.self);
        return;
    }
    int64_t wait_us = share_cpu(l, &tree, now_us);
    uint64_t wait_ms = (uint64_t)((wait_us + CLOCK_US_PER_MS - 1) / CLOCK_US_PER_MS);
    (void)uv_timer_start(&l->timer, on_timer, wait_ms, 0);
}

struct process_limits *process_limits_start(const struct process_limits_params *params)
{
    struct process_limits *l = memory_zeroed(1, sizeof(*l));
    l->params = *params;
    l->session_us = clock_now_us();
    cpu_share_init(&l->cpu, params->cpu_millis, l->session_us);
    (void)uv_timer_init(params->loop, &l->timer);
    l->timer.data = l;
    (void)uv_timer_start(&l->timer, on_timer, LOOK_MS, 0);
    return l;
}

static void on_handle_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void process_limits_stop(struct process_limits *l)
{
    if (l == NULL) {
        return;
    }
    if (l->state == LIMITS_HELD) {
        signal_group(l, SIGCONT);
    }
    l->state = LIMITS_ENDED;
    (void)uv_timer_stop(&l->timer);
    uv_close((uv_handle_t *)&l->timer, on_handle_closed);
}
