// Writes records to the schema topic in Kafka transactions, one writer at a time in the whole cluster: all
// writers share one transactional.id, so that whoever begins fences the others.
#ifndef SCHEMAS_REGISTRY_SCHEMA_WRITER_H
#define SCHEMAS_REGISTRY_SCHEMA_WRITER_H

#include <uv.h>

#include "core/config/settings.h"

struct schema_writer;

struct schema_record {
    struct bytes key;
    struct bytes value;
};

/** On the loop. f NULL: done. FAULT_RETRY: fenced or Kafka away: begin again, read again. FAULT_CONFIG: not
 * allowed. */
typedef void (*schema_writer_on_done)(void *self, const struct fault *f);

/** librdkafka's transaction calls block: they run on libuv's worker threads. FAULT_CONFIG for bad properties.
 */
bool schema_writer_open(uv_loop_t *loop, const struct settings *settings, const char *topic,
                        struct schema_writer **ret, struct fault *f) MUST_USE;

/**
 * Makes us the only writer. After on_done(NULL) nothing of an earlier writer can still arrive: what the topic
 * says from here on, up to schema_writer_commit, is what the decision about new records must rest on.
 */
void schema_writer_begin(struct schema_writer *w, schema_writer_on_done on_done, void *self);

/** All records or none; acknowledged by all brokers and visible before on_done(NULL). @param records  on the
 * heap, taken over */
void schema_writer_commit(struct schema_writer *w, struct schema_record *records, size_t count,
                          schema_writer_on_done on_done, void *self);

/** The largest record that the producer takes, key and value. */
size_t schema_writer_record_max_bytes(const struct schema_writer *w);

/** Gives the producer and its threads up until the next begin; nothing happens while a call is
 * under way. */
void schema_writer_idle(struct schema_writer *w);

/** No more on_done; frees when the call under way, if any, has come back. Accepts NULL. */
void schema_writer_close(struct schema_writer *w);

#endif
