// Where schemas get their ids and readers find them: Confluent's registry by HTTP, or the embedded one on
// Kafka.
#ifndef SCHEMAS_REGISTRY_REGISTRY_H
#define SCHEMAS_REGISTRY_REGISTRY_H

#include <uv.h>

#include "core/config/settings.h"
#include "core/http/admin.h"
#include "core/http/http_client.h"

struct registry;

/** FAULT_RETRY: not reachable now, ask again later; FAULT_CONFIG: refused (409, 401 …); f is NULL on success.
 */
typedef void (*registry_on_id)(void *self, int32_t id, const struct fault *f);

/**
 * `text` borrowed for the call. f is NULL on success; FAULT_REJECT: the registry knows no such id (that
 * record is bad); FAULT_RETRY: the registry can't be asked now (wait).
 */
typedef void (*registry_on_schema)(void *self, struct slice text, const struct fault *f);

/** Opens the kind the settings name. Callbacks come on the loop, never from inside the call that asked. */
bool registry_open(uv_loop_t *loop, const struct settings *settings, struct registry **ret,
                   struct fault *f) MUST_USE;

/** Registers the text (or finds its id) under the subject: `<topic>-key`, `<topic>-value`. */
void registry_register(struct registry *r, const char *subject, const char *text, registry_on_id on_id,
                       void *self);

/** The schema of an id. The embedded registry says "unknown" only after reading its topic to an end fetched
 * after the question. */
void registry_lookup(struct registry *r, int32_t id, registry_on_schema on_schema, void *self);

/**
 * Confluent's REST API over the embedded registry (answers 404 with an explanation when `url` is configured);
 * at most once. Stop the admin server in the same turn of the loop as the registry is closed.
 */
void registry_serve(struct registry *r, struct admin *admin, const char *prefix);

/** Drops all pending questions without calling back. Accepts NULL. */
void registry_close(struct registry *r);

#endif
