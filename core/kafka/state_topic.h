// The compacted topic millrace.state: a small persistent key-value store.
#ifndef CORE_KAFKA_STATE_TOPIC_H
#define CORE_KAFKA_STATE_TOPIC_H

#include <uv.h>

#include "core/base/bytes.h"
#include "core/base/fault.h"
#include "core/config/settings.h"
#include "core/kafka/state_entries.h"

#define STATE_TOPIC_NAME "millrace.state"

struct state_topic;

/** value.data NULL: no such key. f is NULL on success; FAULT_CONFIG: the topic can't be used. */
typedef void (*state_on_read)(void *self, struct slice value, const struct fault *f);
/** f is NULL on success; FAULT_RETRY or FAULT_CONFIG: the value was not written. */
typedef void (*state_on_written)(void *self, const struct fault *f);

/** Connects at the first call, which also creates the topic when it is missing. The settings are lent.
 * FAULT_CONFIG for bad Kafka properties. */
bool state_topic_open(uv_loop_t *loop, const struct settings *settings, struct state_topic **ret,
                      struct fault *f) MUST_USE;

/** Reads the topic up to an end fetched after the call; on_read gets the newest value of `key`. Retries
 * without limit while Kafka is unreachable. */
void state_topic_read(struct state_topic *s, const char *key, state_on_read on_read, void *self);

/** The generation of the key's value when on_read was called; 0: it has none. */
uint64_t state_topic_generation(const struct state_topic *s, const char *key);

/** The version of the key's value when on_read was called; 0: it has none. */
uint64_t state_topic_version(const struct state_topic *s, const char *key);

/** Calls on_value with each value of at most 4 KB, as of the last on_read, whose key begins with `prefix`. */
void state_topic_each(const struct state_topic *s, const char *prefix,
                      void (*on_value)(void *self, const char *key, struct slice value), void *self);

/** Bytes in memory of values of more than 4 KB, which are dropped beyond some MB and read again. */
size_t state_topic_large_bytes(const struct state_topic *s);

/**
 * Writes the value if the key's value still has this version. on_written(NULL) does not say that it counts:
 * read the key again. If another value was first, write that one with state_topic_write, so that it is the
 * newest when the topic is compacted.
 */
void state_topic_replace(struct state_topic *s, const char *key, uint64_t version, struct slice value,
                         state_on_written on_written, void *self);

/** Writes the value; on_written(NULL) when all in-sync replicas have it. A value with data NULL deletes the
 * key. */
void state_topic_write(struct state_topic *s, const char *key, struct slice value,
                       state_on_written on_written, void *self);

/** Pending calls with this `self` are not called back. Writes that may have been sent are not undone. */
void state_topic_forget(struct state_topic *s, const void *self);

/** Why reads and writes wait for Kafka; NULL: they don't. Lent until the next turn of the loop. */
const char *state_topic_outage(const struct state_topic *s);

/** Drops pending calls without calling back. Accepts NULL. */
void state_topic_close(struct state_topic *s);

#endif
