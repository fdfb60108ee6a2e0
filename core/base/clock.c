#include "core/base/clock.h"

#include <time.h>

static int64_t clock_fake_now_us = -1;
static int64_t clock_fake_wall_us;

static int64_t read_ns(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_now_us(void)
{
    return clock_fake_now_us >= 0 ? clock_fake_now_us : read_ns(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_boot_us(void)
{
    return clock_fake_now_us >= 0 ? clock_fake_now_us : read_ns(CLOCK_BOOTTIME) / 1000;
}

int64_t clock_wall_ns(void)
{
    return clock_fake_now_us >= 0 ? clock_fake_wall_us * 1000 : read_ns(CLOCK_REALTIME);
}

int64_t clock_wall_us(void)
{
    return clock_wall_ns() / 1000;
}

void clock_fake(int64_t now_us, int64_t wall_us)
{
    clock_fake_now_us = now_us;
    clock_fake_wall_us = wall_us;
}
