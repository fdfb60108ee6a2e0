// A supervised child's reports to its supervisor: length-prefixed JSON over a socket pair.
#ifndef CLI_SUPERVISE_CHILD_H
#define CLI_SUPERVISE_CHILD_H

#include <uv.h>

#include "core/base/bytes.h"
#include "core/base/fault.h"

/** One report. The sender lends it for the call; the receiver owns it and clears it with child_report_clear.
 */
struct child_report {
    bool is_ready;
    struct bytes status;   // JSON: a connector's object, a bridge's array of functions
    struct bytes metrics;  // exposition text
    struct bytes fault;    // why the child ends; empty while it runs
};

void child_report_clear(struct child_report *r);

/** Appends the frame: four bytes of length, big-endian, then the JSON. */
void child_report_write(const struct child_report *r, struct bytes *out);

enum child_step { CHILD_REPORT, CHILD_NOTHING, CHILD_FAULT };

/**
 * Removes the first complete frame from the buffer.
 *
 * @param ret  set for CHILD_REPORT only; its old content is cleared
 * @param f    set for CHILD_FAULT only: FAULT_REJECT, the frame is invalid
 */
enum child_step child_report_read(struct bytes *buffer, struct child_report *ret, struct fault *f) MUST_USE;

/** The reporter's callbacks to the child. */
struct child_source {
    void (*fill)(void *self, struct child_report *report);
    bool (*is_ready)(void *self);
    void (*on_orphan)(void *self);  // the supervisor has ended; called once
    void *self;
};

/** The child's side: sends a report every second, and at once when the readiness changes. */
struct child_reporter;
struct child_reporter *child_reporter_start(uv_loop_t *loop, int fd, const struct child_source *source);

/** Sends the final report, which says why the child ends; dropped when the socket's buffer is full. */
void child_reporter_finish(struct child_reporter *r, const char *fault);

/** Accepts NULL. */
void child_reporter_stop(struct child_reporter *r);

#endif
