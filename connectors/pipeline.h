// One connector: next -> encode -> publish -> settle -> confirm.
#ifndef CONNECTORS_PIPELINE_H
#define CONNECTORS_PIPELINE_H

#include <uv.h>

#include "connectors/connector_config.h"
#include "connectors/source.h"
#include "core/metrics.h"
#include "schemas/registry/registry.h"

struct pipeline;

struct pipeline_params {
    uv_loop_t *loop;
    const struct settings *settings;        // lent
    const struct connector_config *config;  // lent
    struct registry *registry;              // lent
    struct metrics *metrics;                // lent
    const struct source_type *source_type;  // NULL: the one the configuration names
    /** The connector ended: drained after pipeline_drain (f NULL), or it can't go on (CONFIG, FATAL). Once.
     */
    void (*on_end)(void *self, const struct fault *f);
    void *self;
};

/** Starts connecting; all later trouble comes through on_end or is retried with backoff. */
bool pipeline_start(const struct pipeline_params *params, struct pipeline **ret, struct fault *f) MUST_USE;

/** Stops reading, waits until Kafka has all that was read, confirms it, closes; then on_end(NULL). */
void pipeline_drain(struct pipeline *p);

/** The state ("streaming" …) and why, as a JSON object {"name","state","detail",…} appended to `out`. */
void pipeline_status(const struct pipeline *p, struct bytes *out);
bool pipeline_is_ready(const struct pipeline *p);

/** Accepts NULL. */
void pipeline_free(struct pipeline *p);

#endif
