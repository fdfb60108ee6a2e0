// Waits of a command that has nothing else to do.
#ifndef BRIDGE_JOBS_LOOP_WAIT_H
#define BRIDGE_JOBS_LOOP_WAIT_H

#include <stdbool.h>
#include <uv.h>

#include "core/base/memory.h"

/** How long commands wait for Kafka or the registry. */
enum { LOOP_WAIT_MS = 30000 };

/** Turns the loop until `is_over` returns true. False: it has not within `wait_ms`. */
bool loop_wait(uv_loop_t *loop, uint64_t wait_ms, bool (*is_over)(void *self), void *self) MUST_USE;

#endif
