// The process around a connector or the bridge, supervised or not: loop, signals, registry, and admin port or
// reports.
#ifndef CLI_SUPERVISE_WORKER_H
#define CLI_SUPERVISE_WORKER_H

#include <uv.h>

#include "cli/config_dir.h"
#include "cli/run_options.h"
#include "core/metrics.h"
#include "core/trace/tracer.h"
#include "schemas/registry/registry.h"

struct worker;

/** The differences between connector and bridge. `start` sets w->part. */
struct worker_type {
    const char *kind;  // "connector" or "bridge"
    /** Starts the part with the configuration in w->set. */
    bool (*start)(struct worker *w, struct fault *f) MUST_USE;
    /** Begins the drain; worker_end follows. */
    void (*drain)(struct worker *w);
    void (*status)(const struct worker *w, struct bytes *out);
    bool (*is_ready)(const struct worker *w);
    bool is_restarted;  // if supervised: it is restarted for a new configuration instead of reloading it
    /** The configuration has changed: takes over what it needs from the set. */
    void (*reload)(struct worker *w, struct config_set *set);
    /** Whether nothing of the part runs any more, so that it can be freed; NULL: always. */
    bool (*is_over)(const struct worker *w);
    void (*free)(struct worker *w);
};

struct worker {
    const struct worker_type *type;
    const struct run_options *options;
    const char *component;  // for the log: "connector/shop", "bridge"
    const char *name;       // for the status
    uv_loop_t loop;
    struct config_set set;
    const struct config_scope *scope;  // the files to read again after changes
    struct metrics *metrics;
    struct registry *registry;
    struct tracer *tracer;  // NULL: no spans
    void *part;             // the pipeline or the bridge
    struct worker_io *io;   // private to worker.c
    bool is_draining;
    int exit_code;
};

/**
 * Runs until drained or failed.
 *
 * @param w  type, options, component, name, scope and set are filled in, the rest is zero; set is released
 * here. Static storage: threads may use it after the call
 * @return   the exit code, with CLI_AT_ONCE when parts were still running
 */
int worker_run(struct worker *w);

/** Ends worker_run; called when the part has drained (f NULL) or has failed and logged why. */
void worker_end(struct worker *w, const struct fault *f);

/** Logs why the part did not start, then does as worker_end. */
void worker_fail(struct worker *w, const struct fault *f);

/** The exit code for a fault. */
int worker_exit_of(const struct fault *f);

/**
 * Loads the configuration that the process needs and starts the log. Rejected files are logged and ignored.
 *
 * @param own  name of a connector whose file must be valid; NULL for none
 * @return     false, and the complaints on stderr, when millrace.yaml or the connector's file is rejected
 */
bool worker_load(const struct run_options *options, const struct config_scope *scope, const char *own,
                 struct config_set *ret);

#endif
