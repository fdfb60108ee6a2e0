// The embedded registry: it keeps schemas in the compacted topic millrace.schemas, in the format of
// Confluent's `_schemas`.
#ifndef SCHEMAS_REGISTRY_SCHEMA_STORE_H
#define SCHEMAS_REGISTRY_SCHEMA_STORE_H

#include "schemas/registry/registry.h"
#include "schemas/registry/schema_index.h"
#include "schemas/registry/schema_requests.h"

struct schema_store;

/** Reads the topic to an end fetched after the call. */
void schema_store_refresh(struct schema_store *s, schema_requests_on_fresh on_fresh, void *self);

/** As registry_register and registry_lookup. Texts are registered minified. */
void schema_store_register(struct schema_store *s, const char *subject, const char *text,
                           registry_on_id on_id, void *self);
void schema_store_lookup(struct schema_store *s, int32_t id, registry_on_schema on_schema, void *self);

/** Takes over the change. */
void schema_store_change(struct schema_store *s, struct schema_change *change,
                         schema_requests_on_change on_change, void *self);

/** Borrowed; it may change in every turn of the loop. */
const struct schema_index *schema_store_index(const struct schema_store *s);

#endif
