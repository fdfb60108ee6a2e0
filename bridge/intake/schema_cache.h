// Schema ids to parsed schemas, for all functions of the process: one question a registry id, however many
// wait.
#ifndef BRIDGE_INTAKE_SCHEMA_CACHE_H
#define BRIDGE_INTAKE_SCHEMA_CACHE_H

#include <uv.h>

#include "schemas/avro/avro_type.h"
#include "schemas/registry/registry.h"

struct schema_cache;

enum schema_step {
    SCHEMA_READY,    // *ret is the schema; lives as long as the cache
    SCHEMA_WAIT,     // asked for: on_news follows
    SCHEMA_UNKNOWN,  // the registry knows no such id, or its text is no schema we can read
};

/** One who wants to know when an id that it waits for may have been answered. Embedded; zero before joining.
 */
struct schema_listener {
    void (*on_news)(void *self);
    void *self;
    struct schema_listener *next;
};

/** @param registry  lent */
struct schema_cache *schema_cache_new(uv_loop_t *loop, struct registry *registry);
void schema_cache_free(struct schema_cache *c);

void schema_cache_join(struct schema_cache *c, struct schema_listener *listener);
void schema_cache_leave(struct schema_cache *c, struct schema_listener *listener);

/** How old a "no such id" may be. */
struct schema_age {
    int64_t seen_us;     // when the record was read: what was asked before is asked again, since a producer
                         // registers before it produces
    int64_t believe_us;  // for so long it is believed all the same: what may be no id at all must not be
                         // asked for with each record
};

/**
 * The schema of an id.
 *
 * @param ret_why  SCHEMA_UNKNOWN: the reason, borrowed until the next call
 */
enum schema_step schema_cache_get(struct schema_cache *c, int32_t id, const struct schema_age *age,
                                  const struct avro_type **ret, const char **ret_why) MUST_USE;

#endif
