// What a supervised child reports to its supervisor, over the socket pair between them: length-prefixed JSON.
#ifndef CLI_SUPERVISE_CHILD_H
#define CLI_SUPERVISE_CHILD_H

#include <uv.h>

#include "core/base/bytes.h"
#include "core/base/fault.h"

/** One report; when sent, lent for the call; when received, owned and released with child_report_clear. */
struct child_report {
    bool is_ready;
    struct bytes status;   // JSON: a connector's object, a bridge's array of functions
    struct bytes metrics;  // exposition text
    struct bytes fault;    // why it ends; empty while it runs
};

void child_report_clear(struct child_report *r);

/** Appends the frame: four bytes of length, big-endian, then the JSON. */
void child_report_write(const struct child_report *r, struct bytes *out);

enum child_step { CHILD_REPORT, CHILD_NOTHING, CHILD_FAULT };

/**
 * Takes the first whole frame off the buffer.
 *
 * @param ret  CHILD_REPORT only: filled, after clearing what was in it
 * @param f    CHILD_FAULT only: FAULT_REJECT, not what a child sends
 */
enum child_step child_report_read(struct bytes *buffer, struct child_report *ret, struct fault *f) MUST_USE;

/** What the reporter asks of the child; `self` goes with each. */
struct child_source {
    void (*fill)(void *self, struct child_report *report);
    bool (*is_ready)(void *self);
    void (*on_orphan)(void *self);  // the supervisor is gone; once
    void *self;
};

/** The child's end: a report every second, and at once when the readiness changed. */
struct child_reporter;
struct child_reporter *child_reporter_start(uv_loop_t *loop, int fd, const struct child_source *source);

/** The final report: why it ends. Sent at once, if the supervisor reads. */
void child_reporter_finish(struct child_reporter *r, const char *fault);

/** Accepts NULL. */
void child_reporter_stop(struct child_reporter *r);

#endif
