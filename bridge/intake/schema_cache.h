// Parsed schemas by id, for all functions of the process. Each id is looked up in the registry once, however
// many records wait for it.
#ifndef BRIDGE_INTAKE_SCHEMA_CACHE_H
#define BRIDGE_INTAKE_SCHEMA_CACHE_H

#include <uv.h>

#include "core/base/last_error.h"
#include "schemas/avro/avro_type.h"
#include "schemas/registry/registry.h"

struct schema_cache;

enum schema_step {
    SCHEMA_READY,    // *ret is the schema; it lives as long as the cache
    SCHEMA_WAIT,     // being looked up: on_resolved follows
    SCHEMA_UNKNOWN,  // the registry has no such id, or its schema can't be read
};

/** Embedded by the listener; zero-initialised before schema_cache_join. */
struct schema_listener {
    void (*on_resolved)(void *self);  // an id is READY or UNKNOWN now
    void *self;
    struct schema_listener *next;
};

/** @param registry  lent */
struct schema_cache *schema_cache_new(uv_loop_t *loop, struct registry *registry);
void schema_cache_free(struct schema_cache *c);

void schema_cache_join(struct schema_cache *c, struct schema_listener *listener);
void schema_cache_leave(struct schema_cache *c, struct schema_listener *listener);

/** Why schemas can't be asked for now, and since when. */
const struct last_error *schema_cache_error(const struct schema_cache *c);

/** Which "no such id" from the registry is accepted; one that is too old is looked up again. */
struct schema_age {
    int64_t seen_us;   // when the record was read: accepted if asked after this, since a producer registers
                       // a schema before it writes records
    int64_t valid_us;  // also accepted for this long: bytes that only look like an id must not cause a
                       // look-up for each record
};

/**
 * The schema of an id.
 *
 * @param ret_why  SCHEMA_UNKNOWN: the reason, borrowed until the next call
 */
enum schema_step schema_cache_get(struct schema_cache *c, int32_t id, const struct schema_age *age,
                                  const struct avro_type **ret, const char **ret_why) MUST_USE;

#endif
