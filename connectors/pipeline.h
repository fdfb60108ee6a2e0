// One connector: read -> encode -> publish -> settle -> confirm.
#ifndef CONNECTORS_PIPELINE_H
#define CONNECTORS_PIPELINE_H

#include <uv.h>

#include "connectors/config/connector_config.h"
#include "connectors/source.h"
#include "core/metrics.h"
#include "core/trace/tracer.h"
#include "schemas/registry/registry.h"

struct pipeline;

struct pipeline_params {
    uv_loop_t *loop;
    const struct settings *settings;        // lent
    const struct connector_config *config;  // lent
    struct registry *registry;              // lent
    struct metrics *metrics;                // lent
    struct tracer *tracer;                  // lent; NULL: no spans
    const struct source_type *source_type;  // NULL: the one the configuration names
    /** Called once: pipeline_drain has finished (`f` NULL), or the connector has failed (CONFIG, FATAL). */
    void (*on_end)(void *self, const struct fault *f);
    void *self;
};

/** Starts to connect. Later faults are retried with backoff or end the connector (on_end). */
bool pipeline_start(const struct pipeline_params *params, struct pipeline **ret, struct fault *f) MUST_USE;

/** Stops reading, waits until Kafka has everything that was read, confirms it and closes; then calls
 * on_end(NULL). */
void pipeline_drain(struct pipeline *p);

/** Appends a JSON object {"name","state","detail",…}. */
void pipeline_status(const struct pipeline *p, struct bytes *out);
bool pipeline_is_ready(const struct pipeline *p);

/** Accepts NULL. */
void pipeline_free(struct pipeline *p);

#endif
