// A process that runs one half of the product, alone or supervised: loop, signals, registry, admin port or
// reports.
#ifndef CLI_SUPERVISE_WORKER_H
#define CLI_SUPERVISE_WORKER_H

#include <uv.h>

#include "cli/config_dir.h"
#include "cli/run_options.h"
#include "core/metrics.h"
#include "schemas/registry/registry.h"

struct worker;

/** What differs between connector and bridge. `worker_part(w)` is whatever start kept there. */
struct worker_type {
    const char *kind;  // "connector" or "bridge"
    /** Starts it with the set's configuration. */
    bool (*start)(struct worker *w, struct fault *f) MUST_USE;
    /** Begins leaving in order; worker_end follows. */
    void (*drain)(struct worker *w);
    void (*status)(const struct worker *w, struct bytes *out);
    bool (*is_ready)(const struct worker *w);
    bool is_restarted;  // when supervised, the supervisor restarts it for a new configuration: no reload
    /** The folder holds another right configuration: takes over what it needs of the set. */
    void (*reload)(struct worker *w, struct config_set *set);
    /** Whether nothing of it runs any more, so that it can be freed; NULL: it always can. */
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
    const struct config_scope *scope;  // of the folder: what is read again when files change
    struct metrics *metrics;
    struct registry *registry;
    void *part;            // the pipeline or the bridge
    struct worker_io *io;  // worker.c's own
    bool is_draining;
    int exit_code;
};

/**
 * Runs until drained or failed.
 *
 * @param w  zeroed but for type, options, component, name, scope and set, which is released here; static, as
 * it may have to outlive the call
 * @return   the exit code; with CLI_AT_ONCE when it was stopped before all had come to rest
 */
int worker_run(struct worker *w);

/** From the part's on_end: it is drained (f NULL) or can't go on, and has logged why; ends worker_run. */
void worker_end(struct worker *w, const struct fault *f);

/** A part that did not start: logs why, then as worker_end. */
void worker_fail(struct worker *w, const struct fault *f);

/** What a fault means as an exit code. */
int worker_exit_of(const struct fault *f);

/**
 * Loads what the process needs and starts the log. A rejected file is logged and left out, so that it keeps
 * nothing else from starting.
 *
 * @param own  a connector's name: its file must be right; NULL for none
 * @return     false, and the complaints on stderr, when millrace.yaml or the connector's file is rejected
 */
bool worker_load(const struct run_options *options, const struct config_scope *scope, const char *own,
                 struct config_set *ret);

#endif
