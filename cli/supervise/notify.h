// Tells systemd the state of the service; does nothing without NOTIFY_SOCKET or libsystemd.
#ifndef CLI_SUPERVISE_NOTIFY_H
#define CLI_SUPERVISE_NOTIFY_H

#include <uv.h>

/** "READY=1", "STOPPING=1": see sd_notify(3). */
void notify_send(const char *state);

/** A supervised child is not the service's main process: its notifications go nowhere from here on. */
void notify_disable(void);

/** Feeds systemd's watchdog (WatchdogSec=) from the loop: it starves when the loop stands still. */
struct notify_watchdog {
    uv_timer_t timer;
};

/** Idle when systemd has not asked for it (WATCHDOG_USEC). */
void notify_watchdog_start(struct notify_watchdog *w, uv_loop_t *loop);
void notify_watchdog_stop(struct notify_watchdog *w);

#endif
