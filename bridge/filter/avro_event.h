// One record as the event that its function gets, {key, headers, op, before, after, source}, read where it
// lies: values are what the function sees in JSON, without that JSON.
#ifndef BRIDGE_FILTER_AVRO_EVENT_H
#define BRIDGE_FILTER_AVRO_EVENT_H

#include <librdkafka/rdkafka.h>

#include "bridge/filter/avro_plan.h"

/** A record's parts, borrowed. */
struct avro_source {
    struct slice value;    // Avro, without the frame
    struct slice key;      // Avro if the plan has a key type, else any bytes
    struct slice raw_key;  // as on Kafka
    bool has_key;
    const rd_kafka_headers_t *headers;  // NULL: none
};

enum avro_slot_kind {
    AVRO_SLOT_ABSENT = 0,
    AVRO_SLOT_VALUE,  // Avro
    AVRO_SLOT_NULL,
    AVRO_SLOT_UNCHANGED,    // VALUE_UNCHANGED: as if it was absent
    AVRO_SLOT_TEXT,         // bytes of a key or header
    AVRO_SLOT_HEADERS,      // the headers, or those whose names begin alike
    AVRO_SLOT_HEADER_PAIR,  // as an array: a header's bytes, and those whose names go on with a dot
    AVRO_SLOT_JSON,         // inside a column of JSON
};

struct avro_slot {
    enum avro_slot_kind kind : 8;
    bool is_plain;        // VALUE: a text that is not JSON though its type says so
    uint32_t tree_count;  // of an array that is being read: the trees when it began
    union {
        const struct avro_type *type;  // VALUE: never a union
        const struct json_tree *tree;  // JSON
    };
    struct slice bytes;  // VALUE: from its first byte to the end of the datum; TEXT
    uint64_t node;       // JSON
    uint64_t left;       // of an array that is being read: the items of the block, or the tree's state
};

/** Zero-initialised is valid; kept between events, so that it allocates nothing later. */
struct avro_event {
    const struct avro_plan *plan;
    struct avro_source source;
    struct avro_slot *slots;  // those of the plan, then those of values that were found later
    uint32_t count;
    uint32_t capacity;
    struct json_tree **trees;  // of columns of JSON
    uint32_t tree_count;
    uint32_t tree_capacity;
    const char *bad;  // static; why the bytes don't match the schema; NULL: they do, so far
};

extern const struct filter_value_ops AVRO_EVENT_OPS;

/** Finds the fields that the plan wants. False: the bytes do not match the schema (FAULT_REJECT). */
bool avro_event_read(struct avro_event *e, const struct avro_plan *plan, const struct avro_source *source,
                     struct fault *f) MUST_USE;

/** The envelope's operation. */
char avro_event_op(const struct avro_event *e);

/** Whether an update has no row before it: its table's replica identity is not FULL. */
bool avro_event_lacks_before(const struct avro_event *e);

/** False if evaluating found bytes that do not match the schema: the verdict is void (FAULT_REJECT). */
bool avro_event_finish(const struct avro_event *e, struct fault *f) MUST_USE;

// For avro_value.c and avro_member.c: a value is the index of its slot.

static inline struct avro_event *avro_event_of(struct filter_value value)
{
    return (struct avro_event *)(uintptr_t)value.data;
}

static inline bool avro_event_is_root(struct filter_value value)
{
    return value.at == UINT64_MAX;
}

static inline struct avro_slot *avro_event_slot(struct filter_value value)
{
    return &avro_event_of(value)->slots[value.at];
}

/** Of a slot inside a column of JSON, the value there. */
static inline struct filter_value avro_event_json(const struct avro_slot *slot)
{
    return (struct filter_value){slot->tree, slot->node};
}

/** Adds a slot: pointers to others are invalid then. */
uint32_t avro_event_add(struct avro_event *e, struct avro_slot slot);

static inline struct filter_value avro_event_value(struct avro_event *e, struct avro_slot slot)
{
    return (struct filter_value){e, avro_event_add(e, slot)};
}

/** The value at the cursor, which may be a union's branch. */
struct avro_slot avro_slot_at(struct cursor *c, const struct avro_type *type);

/** Closes the trees that were opened after the first `from`. */
void avro_event_close_trees(struct avro_event *e, uint32_t from);

/** Notes that the bytes do not match the schema. */
void avro_event_fail(struct avro_event *e);

static inline struct filter_value avro_event_root(const struct avro_event *e)
{
    return (struct filter_value){e, UINT64_MAX};
}

void avro_event_clear(struct avro_event *e);

#endif
