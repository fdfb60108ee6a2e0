// The places for a local function's instances: which start, which stop, and when a broken one starts again.
#ifndef BRIDGE_ENDPOINTS_PROCESS_PROCESS_PLACES_H
#define BRIDGE_ENDPOINTS_PROCESS_PROCESS_PLACES_H

#include "bridge/endpoints/process/instance.h"
#include "core/base/backoff.h"
#include "core/base/last_error.h"

/** Embedded in the pool. */
struct process_places {
    struct instance_params params;  // of each instance
    struct instance **instances;    // `count` places; NULL: free
    size_t count;
    size_t live;                // instances that are not closed, with those that have left their place
    struct backoff restarts;    // of instances that failed
    int64_t start_at_us;        // none is started before
    struct last_error trouble;  // of the last failure, until an instance asks for invocations
};

/** `params` is kept; its config says how many places there are. */
void process_places_init(struct process_places *p, const struct instance_params *params);

/** No instance is live. */
void process_places_clear(struct process_places *p);

/** Whether one can take invocations, or will be able to without being started. */
bool process_places_has_ready(const struct process_places *p);

/** How many more calls its instances can take, or will be able to. */
size_t process_places_room(const struct process_places *p);

/**
 * Starts instances until there are those that are to be warm, and room for `waiting` calls.
 *
 * @param ret_at_us  when to come back, if that is before what is in it
 * @return           false: one could not be started, and `trouble` says why
 */
bool process_places_start(struct process_places *p, size_t waiting, int64_t now_us, int64_t *ret_at_us);

/** Stops those beyond the warm ones that were idle for idle_stop; `ret_at_us` as above. */
void process_places_stop_idle(struct process_places *p, int64_t now_us, int64_t *ret_at_us);

/** Kills those that run nothing and have asked for nothing for init_timeout, while an invocation that none
 * takes has waited since then; `ret_at_us` as above. */
void process_places_kill_silent(struct process_places *p, int64_t waits_since_us, int64_t now_us,
                                int64_t *ret_at_us);

/** The instance has ended: its place is free. */
void process_places_leave(struct process_places *p, const struct instance *i);

/** An instance failed: the next one starts later, and later still when it fails as well. */
void process_places_failed(struct process_places *p, const char *text, int64_t now_us);

/** An instance did its work: the next failure is the first one. */
void process_places_worked(struct process_places *p);

void process_places_stop_all(struct process_places *p);

#endif
