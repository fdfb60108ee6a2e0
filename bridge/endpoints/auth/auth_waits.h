// The calls that wait for one source of credentials, in the order in which they came.
#ifndef BRIDGE_ENDPOINTS_AUTH_AUTH_WAITS_H
#define BRIDGE_ENDPOINTS_AUTH_AUTH_WAITS_H

#include "bridge/endpoints/auth/auth.h"

/** Embedded in the source. */
struct auth_waits {
    struct auth_wait *waiting;
    struct auth_wait *ending;  // those whose on_ready is being called, one after the other
    uv_timer_t soon;
    void (*on_soon)(struct auth_waits *w);
};

/** @param on_soon  after auth_waits_end_soon, at the loop's next turn */
void auth_waits_init(struct auth_waits *w, uv_loop_t *loop, void (*on_soon)(struct auth_waits *w));

/** Nothing waits. `source` is freed later on the loop: it is the allocation that `w` is embedded in. */
void auth_waits_close(struct auth_waits *w, void *source);

void auth_waits_add(struct auth_waits *w, struct auth_wait *wait);

/** Its on_ready is not called. */
void auth_waits_remove(struct auth_waits *w, struct auth_wait *wait);

/**
 * Ends all waits; those that an on_ready begins have their own. An on_ready may end the source's last user:
 * the caller keeps the source until this returns.
 *
 * @param f  NULL: there are credentials; copied, so it may be the source's
 */
void auth_waits_end(struct auth_waits *w, const struct fault *f);

/** Calls on_soon at the loop's next turn: no on_ready is called while a call begins. */
void auth_waits_end_soon(struct auth_waits *w);

#endif
