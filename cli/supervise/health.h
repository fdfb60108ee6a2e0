// What the admin port says about this program: /healthz, /readyz, /metrics, /api/status.
#ifndef CLI_SUPERVISE_HEALTH_H
#define CLI_SUPERVISE_HEALTH_H

#include "core/http/admin.h"

/** One process's part, or this process's own; everything is borrowed for the call. */
struct health_part {
    const char *kind;      // "connector" or "bridge"
    const char *name;      // the connector's; "bridge-1"
    const char *state;     // of the process: "running", "backing_off", "failed" …
    const char *detail;    // why; "" for nothing to say
    bool is_alive;         // its loop turned within 10 s, or it is known to be gone and waits for its restart
    bool is_ready;         // the connector streams; all functions are assigned
    struct slice status;   // JSON: a connector's object, a bridge's array of functions, each with the members
                           // of core/base/last_error; empty while unknown
    struct slice metrics;  // exposition text; empty while unknown
};

struct health_provider {
    /** Calls on_part once for each part there is. */
    void (*each)(void *self, void (*on_part)(void *context, const struct health_part *part), void *context);
    void *self;
};

/** Adds the four routes; the provider must live as long as the server. */
void health_serve(struct admin *admin, const struct health_provider *provider);

#endif
