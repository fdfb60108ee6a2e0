// Reports the service's state to systemd; does nothing without NOTIFY_SOCKET or libsystemd.
#ifndef CLI_SUPERVISE_NOTIFY_H
#define CLI_SUPERVISE_NOTIFY_H

#include <uv.h>

/** "READY=1", "STOPPING=1": see sd_notify(3). */
void notify_send(const char *state);

/** Disables notifications: a supervised child is not the service's main process. */
void notify_disable(void);

/** Notifies systemd's watchdog (WatchdogSec=) from the loop, so that it expires when the loop hangs. */
struct notify_watchdog {
    uv_timer_t timer;
};

/** Does nothing unless systemd requests it (WATCHDOG_USEC). */
void notify_watchdog_start(struct notify_watchdog *w, uv_loop_t *loop);
void notify_watchdog_stop(struct notify_watchdog *w);

#endif
