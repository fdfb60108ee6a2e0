// Registers schemas and looks them up by id, in Confluent's registry over HTTP or in the embedded one on
// Kafka.
#ifndef SCHEMAS_REGISTRY_REGISTRY_H
#define SCHEMAS_REGISTRY_REGISTRY_H

#include <uv.h>

#include "core/config/settings.h"
#include "core/http/admin.h"
#include "core/http/http_client.h"

#define REGISTRY_TOPIC "millrace.schemas"  // of the embedded registry

struct registry;

/** f is NULL on success; FAULT_RETRY: the registry is unreachable, retry later; FAULT_CONFIG: it refuses
 * (409, 401 …). */
typedef void (*registry_on_id)(void *self, int32_t id, const struct fault *f);

/**
 * `text` is borrowed for the call. f is NULL on success; FAULT_REJECT: there is no such id, so the record is
 * invalid; FAULT_RETRY: the registry is unreachable, retry later; FAULT_CONFIG: it refuses.
 */
typedef void (*registry_on_schema)(void *self, struct slice text, const struct fault *f);

/** Opens the registry that the settings name. Callbacks are called from the loop, never from inside a call of
 * these functions. */
bool registry_open(uv_loop_t *loop, const struct settings *settings, struct registry **ret,
                   struct fault *f) MUST_USE;

/** Registers the text under the subject (`<topic>-key`, `<topic>-value`, or what the settings make of it)
 * unless it is registered; returns its id. */
void registry_register(struct registry *r, const char *subject, const char *text, registry_on_id on_id,
                       void *self);

/** Looks up the schema of an id. The embedded registry reports an unknown id only after reading its topic to
 * an end fetched after this call. */
void registry_lookup(struct registry *r, int32_t id, registry_on_schema on_schema, void *self);

/** Drops the pending requests that were made with this `self`: their callbacks are not called any more. */
void registry_cancel(struct registry *r, const void *self);

/**
 * Serves Confluent's REST API of the embedded registry; with another registry its routes respond 404 with an
 * explanation. May be called for several servers. Stop them in the same turn of the loop in which the
 * registry is closed.
 */
void registry_serve(struct registry *r, struct admin *admin, const char *prefix);

/** Drops all pending requests without calling back. Accepts NULL. */
void registry_close(struct registry *r);

#endif
