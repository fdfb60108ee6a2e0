// What the process of a local function writes to its standard output and error: lines of the log, and the
// last of them for the report of its end. Both go through one pipe, so that their order is kept.
#ifndef BRIDGE_ENDPOINTS_PROCESS_INSTANCE_OUTPUT_H
#define BRIDGE_ENDPOINTS_PROCESS_INSTANCE_OUTPUT_H

#include <sys/types.h>
#include <uv.h>

#include "core/base/fault.h"

enum {
    INSTANCE_OUTPUT_LINE_MAX = 4096,   // longer lines are cut, and marked with "…" where they were
    INSTANCE_OUTPUT_TAIL_MAX = 1024,   // bytes of instance_output_tail
    INSTANCE_OUTPUT_TAKE = 64 * 1024,  // bytes read at once at most: the capacity of a pipe
    INSTANCE_OUTPUT_BYTES_PER_SECOND = 1 << 20,  // beyond it the process waits when it writes
};

struct instance_output;

/** `component` ("function/orders") is lent until on_closed. Never fails; instance_output_close ends it. */
struct instance_output *instance_output_new(uv_loop_t *loop, const char *component);

/**
 * Opens the pipe and describes its end as standard output and error of a process to be spawned. A pipe and
 * not libuv's socket pair: a script can open /dev/stderr only when that is a pipe. FAULT_RETRY: no descriptor
 * is left.
 */
bool instance_output_prepare(struct instance_output *o, uv_stdio_container_t *ret_out,
                             uv_stdio_container_t *ret_err, struct fault *f) MUST_USE;

/**
 * Reads on the loop from now on; the process was spawned. Each line becomes a line of the log: event
 * `process_output`, with the values `pid` and `request_id`. Control characters are removed, bytes that are
 * not UTF-8 replaced. Lines beyond the limit of repeated log lines are counted in one (log_may_repeat). A
 * process that writes more than INSTANCE_OUTPUT_BYTES_PER_SECOND for longer than a second waits in its
 * write(2).
 */
void instance_output_start(struct instance_output *o, pid_t pid);

/**
 * Lines that begin from now on are of the request with this id (copied); NULL: of none, or of several. What
 * the process has written so far is read before, at most INSTANCE_OUTPUT_TAKE bytes of it.
 */
void instance_output_set_request(struct instance_output *o, const char *id);

/**
 * The process has ended: reads what it wrote before, also a last line without an end, and stops to read. Does
 * not wait for the end of the pipe, which a child of the process may hold open.
 */
void instance_output_drain(struct instance_output *o);

/** The last lines, with " | " between them, at most INSTANCE_OUTPUT_TAIL_MAX bytes; "": none. Borrowed until
 * the next call. */
const char *instance_output_tail(struct instance_output *o);

/** May be called in any state. on_closed comes later, on the loop; then it is freed. */
void instance_output_close(struct instance_output *o, void (*on_closed)(void *self), void *self);

#endif
