// All functions of one bridge process: starts, replaces and stops them as their files come and go.
#ifndef BRIDGE_BRIDGE_H
#define BRIDGE_BRIDGE_H

#include <uv.h>

#include "bridge/config/function_config.h"
#include "core/metrics.h"
#include "schemas/registry/registry.h"

struct bridge;

struct bridge_params {
    uv_loop_t *loop;
    const struct settings *settings;  // lent
    struct registry *registry;        // lent
    struct metrics *metrics;          // lent
    /** Drained after bridge_drain (f NULL), or a fault that ends the process. Once. */
    void (*on_end)(void *self, const struct fault *f);
    void *self;
};

bool bridge_start(const struct bridge_params *params, struct bridge **ret, struct fault *f) MUST_USE;

/**
 * The functions there are to be from now on. New ones start, missing ones drain and stop, changed ones take
 * their new configuration without a rebalance where only the endpoint or the delivery changed; equal ones are
 * not touched.
 *
 * @param configs  an array of `count` heap-allocated configs; the bridge takes them over, not the array
 */
void bridge_apply(struct bridge *b, struct function_config **configs, size_t count);

/** As bridge_apply, but the functions named in `kept` go on as they are: their files can't be used now. */
void bridge_apply_keeping(struct bridge *b, struct function_config **configs, size_t count,
                          const struct text_list *kept);

/** Stops taking events, lets running calls end (20 s at most), commits, leaves the groups (2.5 s at most);
 * then on_end(NULL). */
void bridge_drain(struct bridge *b);

/** Appends a JSON array of {"name","state","detail","lag_records","in_flight",…}. */
void bridge_status(const struct bridge *b, struct bytes *out);
bool bridge_is_ready(const struct bridge *b);

/** No function is left: it can be freed. */
bool bridge_is_over(const struct bridge *b);

/**
 * Over, or else its loop must not turn again: what is left of its functions uses all that it has, so nothing
 * is freed then. Accepts NULL.
 */
void bridge_free(struct bridge *b);

#endif
