// Confluent's REST API over the embedded registry: enough that Confluent's clients read and register.
#ifndef SCHEMAS_REGISTRY_REGISTRY_API_H
#define SCHEMAS_REGISTRY_REGISTRY_API_H

#include "core/http/admin.h"
#include "schemas/registry/schema_store.h"

struct registry_api;

/** Routes `prefix` of the admin port to the store; both are lent until registry_api_free. */
struct registry_api *registry_api_new(struct schema_store *store, struct admin *admin, const char *prefix);

/** Forgets unanswered requests; the store calls none of them back afterwards. Accepts NULL. */
void registry_api_free(struct registry_api *api);

#endif
