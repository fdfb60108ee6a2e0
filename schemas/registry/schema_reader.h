// Reads the schema topic into an index, in rounds: a round goes to an end that the broker said after it
// began.
#ifndef SCHEMAS_REGISTRY_SCHEMA_READER_H
#define SCHEMAS_REGISTRY_SCHEMA_READER_H

#include <uv.h>

#include "core/config/settings.h"
#include "schemas/registry/schema_index.h"

#define SCHEMA_READER_TOPIC "millrace.schemas"

struct schema_reader;

/** Called on the loop, never from inside schema_reader_ask; must not close the reader. */
struct schema_reader_listener {
    /** Everything written before schema_reader_ask gave a number up to `round` is in the index. */
    void (*on_round)(void *self, uint64_t round);
    /** The topic is not there and can't be made: somebody must change something. Reading stops until asked
     * again. */
    void (*on_refused)(void *self, const struct fault *f);
    void *self;
};

/** Makes the topic (compacted, one partition) when it is missing. FAULT_CONFIG for bad Kafka properties. */
bool schema_reader_open(uv_loop_t *loop, const struct settings *settings, struct schema_index *index,
                        const struct schema_reader_listener *listener, struct schema_reader **ret,
                        struct fault *f) MUST_USE;

/** Asks for a round that begins after this call; gives its number. Kafka away: it waits and says so once. */
uint64_t schema_reader_ask(struct schema_reader *r);

/** Accepts NULL and half-opened. */
void schema_reader_close(struct schema_reader *r);

#endif
