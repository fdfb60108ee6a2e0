// The compacted topic millrace.state: a small key-value store that outlives every process.
#ifndef CORE_KAFKA_STATE_TOPIC_H
#define CORE_KAFKA_STATE_TOPIC_H

#include <uv.h>

#include "core/base/bytes.h"
#include "core/base/fault.h"
#include "core/config/settings.h"

struct state_topic;

/** value.data NULL: no such key. f NULL on success, else FAULT_RETRY (Kafka not reachable: asked again by
 * itself). */
typedef void (*state_on_read)(void *self, struct slice value, const struct fault *f);
typedef void (*state_on_written)(void *self, const struct fault *f);

/** Makes the topic (compacted, 1 partition) when it is missing; connects lazily. The settings are lent.
 * FAULT_CONFIG for bad properties. */
bool state_topic_open(uv_loop_t *loop, const struct settings *settings, struct state_topic **ret,
                      struct fault *f) MUST_USE;

/** Reads to an end fetched after the call, then gives the newest value of `key`. Waits for Kafka as long as
 * it takes. */
void state_topic_read(struct state_topic *s, const char *key, state_on_read on_read, void *self);

/** Acknowledged by all brokers before on_written(NULL). A NULL-data value deletes the key. */
void state_topic_write(struct state_topic *s, const char *key, struct slice value,
                       state_on_written on_written, void *self);

/** Drops pending calls without calling back. Accepts NULL. */
void state_topic_close(struct state_topic *s);

#endif
