#include "cli/supervise/notify.h"

#include <stdlib.h>

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

void notify_send(const char *state)
{
#ifdef HAVE_SYSTEMD
    (void)sd_notify(0, state);
#else
    (void)state;
#endif
}

void notify_disable(void)
{
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
}

/** Microseconds within which systemd expects a notification; 0 when it expects none. */
static uint64_t watchdog_limit_us(void)
{
#ifdef HAVE_SYSTEMD
    uint64_t limit_us = 0;
    return sd_watchdog_enabled(0, &limit_us) > 0 ? limit_us : 0;
#else
    return 0;
#endif
}

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
    notify_send("WATCHDOG=1");
}

void notify_watchdog_start(struct notify_watchdog *w, uv_loop_t *loop)
{
    uint64_t limit_us = watchdog_limit_us();
    (void)uv_timer_init(loop, &w->timer);
    uv_unref((uv_handle_t *)&w->timer);
    if (limit_us > 0) {
        uint64_t interval_ms = limit_us / 3000 + 1;
        (void)uv_timer_start(&w->timer, on_timer, interval_ms, interval_ms);
    }
}

void notify_watchdog_stop(struct notify_watchdog *w)
{
    uv_close((uv_handle_t *)&w->timer, NULL);
}
