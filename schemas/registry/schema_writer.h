// Writes records to the schema topic in Kafka transactions. The cluster has one writer at a time: all share
// one transactional.id, so the writer that begins fences the others.
#ifndef SCHEMAS_REGISTRY_SCHEMA_WRITER_H
#define SCHEMAS_REGISTRY_SCHEMA_WRITER_H

#include <uv.h>

#include "core/config/settings.h"

struct schema_writer;

struct schema_record {
    struct bytes key;
    struct bytes value;
};

/** Called on the loop. f is NULL on success. FAULT_RETRY: fenced, or Kafka unreachable: begin and read again.
 * FAULT_CONFIG: not authorized. */
typedef void (*schema_writer_on_done)(void *self, const struct fault *f);

/** librdkafka's transaction calls block, so they run on libuv's worker threads. FAULT_CONFIG: a bad property.
 */
bool schema_writer_open(uv_loop_t *loop, const struct settings *settings, const char *topic,
                        struct schema_writer **ret, struct fault *f) MUST_USE;

/**
 * Makes this the only writer. After on_done(NULL) no record of an earlier writer can arrive any more: read
 * the topic to its end then, and choose the new records from that.
 */
void schema_writer_begin(struct schema_writer *w, schema_writer_on_done on_done, void *self);

/**
 * Writes all records or none; they are replicated and visible before on_done(NULL).
 *
 * @param records  on the heap; taken over
 */
void schema_writer_commit(struct schema_writer *w, struct schema_record *records, size_t count,
                          schema_writer_on_done on_done, void *self);

/** The largest record that the producer accepts: bytes of key and value together. */
size_t schema_writer_record_max_bytes(const struct schema_writer *w);

/** Releases the producer and its threads until the next begin; does nothing while a call is in progress. */
void schema_writer_idle(struct schema_writer *w);

/** Prevents on_done; frees the writer after a call in progress has ended. Accepts NULL. */
void schema_writer_close(struct schema_writer *w);

#endif
