// The values of the state topic, by key. Large ones are kept up to a total; beyond it only their versions
// are, and the value is read again from the topic when it is asked for.
#ifndef CORE_KAFKA_STATE_ENTRIES_H
#define CORE_KAFKA_STATE_ENTRIES_H

#include <librdkafka/rdkafka.h>

#include "core/base/bytes.h"

/**
 * Header of a record: a number in decimal digits that grows each time another copy takes over its key. After
 * a record that has it, those with a lower one are ignored: they are of a copy that was frozen when it was
 * replaced, and arrive late. Among records without it the newest one counts.
 */
#define STATE_TOPIC_GENERATION "millrace.generation"

/**
 * Header of a record: the version of the value that it replaces (state_topic_version), in decimal digits. The
 * record is ignored when the key has another value by then. So of several replacements of one value the first
 * counts, for all readers.
 */
#define STATE_TOPIC_REPLACES "millrace.replaces"

enum {
    STATE_ENTRIES_LARGE_BYTES = 4096,         // a value of more is large
    STATE_ENTRIES_LARGE_BYTES_MAX = 4 << 20,  // of all large values in memory
};

struct state_entry;

/** Zero-initialised is empty. */
struct state_entries {
    struct state_entry *table;
    size_t large_bytes;  // of large values in memory
};

/** What is known of a key. */
struct state_value {
    struct slice bytes;  // borrowed until the next call; data is not NULL
    bool is_dropped;     // `bytes` is empty: the value must be read again
    uint64_t generation;
    uint64_t version;
};

/** False: the key has no value. */
bool state_entries_find(const struct state_entries *e, const char *key, struct state_value *ret);

/**
 * The next record of the topic.
 *
 * @param is_awaited  a reader waits for this key: its value is kept until state_entries_trim
 */
void state_entries_apply(struct state_entries *e, const char *key, const rd_kafka_message_t *m,
                         bool is_awaited);

/** A record that was applied before: restores its value if that was dropped. */
void state_entries_restore(struct state_entries *e, const char *key, const rd_kafka_message_t *m);

/** Drops large values until they are within their total. */
void state_entries_trim(struct state_entries *e);

/** Calls on_value with each value in memory whose key begins with `prefix`, in no order. */
void state_entries_each(const struct state_entries *e, const char *prefix,
                        void (*on_value)(void *self, const char *key, struct slice value), void *self);

void state_entries_clear(struct state_entries *e);

#endif
