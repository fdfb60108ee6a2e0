// The embedded registry's REST API without server and Kafka: requests are calls, records go straight into the
// index. The program that has memory_registry.c has its admin_* and schema_store_* in place of the real ones.
#ifndef TESTS_UNIT_SCHEMAS_REGISTRY_MEMORY_REGISTRY_H
#define TESTS_UNIT_SCHEMAS_REGISTRY_MEMORY_REGISTRY_H

#include "schemas/registry/schema_index.h"

extern struct schema_index memory_registry_index;

/** The records that changes wrote, newest last: each key and value on a line. */
extern struct bytes memory_registry_log;

/** Serves one request; `target` is a path with or without a query. Returns the status and appends the body.
 */
int memory_registry_call(const char *method, const char *target, struct slice body, struct bytes *out);

/** Empties index and log. */
void memory_registry_clear(void);

#endif
