#include "bridge/endpoints/process/cpu_share.h"

#include "core/base/clock.h"

static int64_t filled_in(const struct cpu_share *s, int64_t passed_us)
{
    return passed_us * s->millis / 1000;
}

static int64_t time_to_fill(const struct cpu_share *s, int64_t missing_us)
{
    return missing_us * 1000 / s->millis;
}

static int64_t between(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

void cpu_share_init(struct cpu_share *s, int64_t millis, int64_t now_us)
{
    *s = (struct cpu_share){.millis = millis, .seen_us = now_us};
    s->balance_us = filled_in(s, CPU_SHARE_PERIOD_US);
}

/** When a process that goes on as in the last interval, or with one core at least, can have used up the
 * balance. */
static int64_t next_look(const struct cpu_share *s, int64_t used_us, int64_t passed_us)
{
    int64_t pace_us = used_us > passed_us ? used_us : passed_us;
    int64_t look_us = pace_us == 0 ? 0 : s->balance_us * passed_us / pace_us;
    return between(look_us, CPU_SHARE_LOOK_US, CPU_SHARE_PERIOD_US);
}

int64_t cpu_share_update(struct cpu_share *s, int64_t used_us, int64_t now_us)
{
    // A machine that slept, or a loop that stood still: nobody owes more than a hold.
    int64_t passed_us = between(now_us - s->seen_us, 0, 2 * CPU_SHARE_HOLD_US);
    int64_t more_us = used_us > s->used_us ? used_us - s->used_us : 0;
    int64_t full_us = filled_in(s, CPU_SHARE_PERIOD_US);
    int64_t balance_us = s->balance_us + filled_in(s, passed_us) - more_us;
    s->balance_us = between(balance_us, full_us / 2 - filled_in(s, CPU_SHARE_HOLD_US), full_us);
    s->seen_us = now_us;
    s->used_us = used_us;
    bool was_held = s->is_held;
    s->is_held = s->balance_us < (was_held ? full_us / 2 : 0);
    if (s->is_held) {
        int64_t hold_us = time_to_fill(s, full_us / 2 - s->balance_us);
        return between(hold_us, CPU_SHARE_LOOK_US, CPU_SHARE_HOLD_US);
    }
    bool is_idle = more_us == 0 && !was_held;
    return is_idle ? CPU_SHARE_PERIOD_US : next_look(s, more_us, passed_us);
}
