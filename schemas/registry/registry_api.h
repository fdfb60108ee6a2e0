// The part of Confluent's REST API that its clients need to read and register schemas, for the embedded
// registry.
#ifndef SCHEMAS_REGISTRY_REGISTRY_API_H
#define SCHEMAS_REGISTRY_REGISTRY_API_H

#include "core/http/admin.h"
#include "schemas/registry/schema_store.h"

struct registry_api;

/** The store is lent until registry_api_free. */
struct registry_api *registry_api_new(struct schema_store *store);

/** Serves the API under `prefix` of a port, which is lent until registry_api_free; may be called for several.
 */
void registry_api_serve(struct registry_api *api, struct admin *admin, const char *prefix);

/** Drops open requests; the store must call none of them back afterwards. Accepts NULL. */
void registry_api_free(struct registry_api *api);

#endif
