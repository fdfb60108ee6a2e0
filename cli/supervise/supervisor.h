// Keeps the child processes of `millrace run` as they are desired to be.
#ifndef CLI_SUPERVISE_SUPERVISOR_H
#define CLI_SUPERVISE_SUPERVISOR_H

#include <uv.h>

#include "cli/supervise/health_part.h"

struct supervisor;

struct supervisor_params {
    uv_loop_t *loop;
    const char *dir;         // lent; handed to the children
    const char *executable;  // NULL: this program
    int64_t silence_us;      // without a report for so long, a child counts as standing still; 0: 10 s
    int64_t hang_us;         // and for so long, it is killed and started again; 0: 30 s
    /** After supervisor_drain: no child is left. Once. */
    void (*on_end)(void *self);
    void *self;
};

struct supervisor *supervisor_start(const struct supervisor_params *params);

/** One child there is to be. */
struct desired_child {
    const char *kind;      // "connector" or "bridge"
    const char *name;      // the connector's; "bridge-1"
    int number;            // among the bridge processes, from 1
    uint64_t config_hash;  // another one restarts it
    bool is_kept;          // its file is rejected: what runs goes on, and nothing is started
};

/**
 * The children there are to be from now on: new ones start, missing ones drain and stop, those with another
 * configuration drain and start again; those that failed get another chance; the rest is not touched. One
 * that ends with 78 is started again a minute later; one that ends otherwise after 1 s to 1 min.
 */
void supervisor_apply(struct supervisor *s, const struct desired_child *desired, size_t count);

/** Those that failed get another chance now. */
void supervisor_retry(struct supervisor *s);

/** Asks all to drain; those that have not after 25 s are killed; then on_end. */
void supervisor_drain(struct supervisor *s);

/** For health_provider.each. */
void supervisor_each(void *self, void (*on_part)(void *context, const struct health_part *part),
                     void *context);

/** Kills what is left at once. Accepts NULL. */
void supervisor_free(struct supervisor *s);

#endif
