// The records that one change becomes, in the order in which they are sent. A change is planned once, as a
// whole, before its first record is sent; the sender goes on after the last record that was taken.
#ifndef CONNECTORS_RECORD_PLAN_H
#define CONNECTORS_RECORD_PLAN_H

#include "connectors/kafka/topic_route.h"
#include "core/trace/trace_context.h"

/** What a record is. The value of a row that can't be published is replaced by its dead letter. */
enum record_kind {
    RECORD_VALUE,
    RECORD_TOMBSTONE,
    RECORD_DEAD_LETTER,
    RECORD_TRANSACTION,  // BEGIN or END
    RECORD_SCHEMA_CHANGE,
    RECORD_HEARTBEAT,
};

enum {
    RECORD_PLAN_MAX = 8,                    // records of one change
    RECORD_POSITION_MAX = 16 + 1 + 16,      // of an event id
    RECORD_BY_KEY = RD_KAFKA_PARTITION_UA,  // the record's key chooses its partition
    RECORD_BY_HASH = -2                     // its hash does, once it is known how many partitions there are
};
#define RECORD_NULL SIZE_MAX  // as the size of a part: it is null

/** A part of the plan's bytes. */
struct record_part {
    size_t at;
    size_t size;
};

/** One record, by its parts. */
struct record_plan_item {
    enum record_kind kind;
    const struct topic_route *route;      // borrowed: its topic
    const struct topic_route *key_ids;    // borrowed: whose id the frame of the key has; without one its is 0
    const struct topic_route *value_ids;  // the same for the value
    struct record_part key;
    struct record_part value;
    struct record_part headers;  // besides position and trace, as record_headers.h has them
    struct trace_headers trace;  // borrowed from the change
    int32_t partition;           // of the topic, RECORD_BY_KEY or RECORD_BY_HASH
    int64_t timestamp_ms;        // the record's; 0: when it is handed to librdkafka
    uint32_t hash;
    uint8_t position_size;  // 0: the record has no event id
    char position[RECORD_POSITION_MAX];
};

/** Zero-initialised is empty. Its buffer is kept from change to change. */
struct record_plan {
    struct record_plan_item items[RECORD_PLAN_MAX];
    size_t count;
    size_t next;  // the first one that was not sent
    struct bytes bytes;
};

/** One record with its bytes. Copied as it is, it may wait beyond the plan; its slices are to be copied with
 * it. Key and value of a route with schemas begin with the frame of framing.h. */
struct planned_record {
    enum record_kind kind;
    const struct topic_route *route;
    struct slice key;    // data NULL: null
    struct slice value;  // data NULL: null
    struct slice headers;
    struct slice position;
    struct trace_headers trace;
    int32_t partition;
    int64_t timestamp_ms;
    uint32_t hash;
};

void record_plan_reset(struct record_plan *p);
void record_plan_clear(struct record_plan *p);

/** Adds a record without key, value, headers and event id, whose partition its key chooses. Its ids are those
 * of the route. */
struct record_plan_item *record_plan_add(struct record_plan *p, enum record_kind kind,
                                         const struct topic_route *route);

/** Where the next part begins: to be appended to p->bytes. */
static inline size_t record_plan_begin(const struct record_plan *p)
{
    return p->bytes.size;
}

static inline struct record_part record_plan_end(const struct record_plan *p, size_t begin)
{
    return (struct record_part){begin, p->bytes.size - begin};
}

/** Borrowed until the plan changes. */
struct planned_record record_plan_get(const struct record_plan *p, size_t i);

/** The route that it waits for, or can't get: its own or one whose ids it has, which is not READY, or whose
 * topic's number of partitions is not known. NULL: it can be sent. */
const struct topic_route *record_plan_item_missing(const struct record_plan_item *item);

/** As the sink takes it; it must be ready. */
struct kafka_sink_record planned_record_for_sink(const struct planned_record *record);

#endif
