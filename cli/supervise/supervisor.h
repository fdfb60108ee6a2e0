// Starts, restarts and stops the child processes of `millrace run` to match the desired ones.
#ifndef CLI_SUPERVISE_SUPERVISOR_H
#define CLI_SUPERVISE_SUPERVISOR_H

#include <uv.h>

#include "cli/supervise/health_part.h"
#include "core/base/text.h"

struct supervisor;

struct supervisor_params {
    uv_loop_t *loop;
    const char *dir;         // lent; handed to the children
    const char *executable;  // NULL: this program
    int64_t silence_us;      // without a report for this long, a child counts as hanging; 0: 10 s
    int64_t hang_us;         // without a report for this long, a child is killed and restarted; 0: 30 s
    /** After supervisor_drain, when no child is left; called once. */
    void (*on_end)(void *self);
    void *self;
};

struct supervisor *supervisor_start(const struct supervisor_params *params);

/** A child that should run. */
struct desired_child {
    const char *kind;            // "connector" or "bridge"
    const char *name;            // the connector's; "bridge-1"
    int number;                  // of a bridge process, from 1
    uint64_t config_hash;        // a different hash restarts it
    bool is_kept;                // its file is rejected: a running child keeps running, none is started
    const char *slot;            // a connector's replication slot; NULL for others
    struct text_list variables;  // names of the environment variables that it needs
};

/**
 * Sets the desired children. New ones are started, missing ones are drained and stopped, those with a changed
 * configuration or without a variable that they need are drained and restarted, failed ones are started; the
 * others are left alone. A child that exits with 78 is restarted after a minute, with another code after 1 s
 * to 1 min.
 */
void supervisor_apply(struct supervisor *s, const struct desired_child *desired, size_t count);

/** Starts failed children now. */
void supervisor_retry(struct supervisor *s);

/** Drains all children, kills those that need more than 25 s, then calls on_end. */
void supervisor_drain(struct supervisor *s);

/** For health_provider.each. */
void supervisor_each(void *self, void (*on_part)(void *context, const struct health_part *part),
                     void *context);

/** Kills the remaining children. Accepts NULL. */
void supervisor_free(struct supervisor *s);

#endif
