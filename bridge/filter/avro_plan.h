// How a pattern finds its fields in records of one schema: compiled once for each, so that evaluating an
// event looks up no name.
#ifndef BRIDGE_FILTER_AVRO_PLAN_H
#define BRIDGE_FILTER_AVRO_PLAN_H

#include "bridge/filter/pattern.h"
#include "schemas/avro/avro_pass.h"

#define PLAN_NO_SLOT UINT32_MAX

struct plan_record;

struct plan_field {
    struct avro_pass pass;
    uint32_t slot;              // where the field's place is noted; PLAN_NO_SLOT: nowhere
    bool is_whole;              // a record that nothing is wanted of
    struct plan_record *inner;  // a record that something is wanted of; NULL: it is passed as a whole
};

/** The fields up to the last one that is wanted, or all when the record around it goes on. */
struct plan_record {
    const struct avro_type *type;
    struct plan_field *fields;
    size_t count;
};

/** Where a member of the event is. */
enum plan_member {
    PLAN_MEMBER_NONE,  // not a member of the event, or one that no event has
    PLAN_MEMBER_KEY,
    PLAN_MEMBER_HEADERS,
    PLAN_MEMBER_OP,
    PLAN_MEMBER_BEFORE,
    PLAN_MEMBER_AFTER,
    PLAN_MEMBER_SOURCE,
};

/** What is known of one step of the pattern, by its id. */
struct plan_step {
    enum plan_member member;
    bool is_static;   // its slot has its place once the record was scanned
    bool is_missing;  // the schema has no such field
    char *header;     // below `headers`: the header's name
    bool has_longer;  // the pattern has names that go on behind it with a dot
};

struct avro_plan {
    const struct pattern *pattern;  // lent; NULL: only the operation is wanted
    const struct avro_type *value_type;
    const struct avro_type *key_type;  // NULL: the key is text, or absent
    struct plan_step *steps;
    uint32_t step_count;
    uint32_t op_slot;           // of the operation: beyond the slots of the steps
    uint32_t before_slot;       // PLAN_NO_SLOT: the pattern does not look there
    struct plan_record *value;  // NULL: the value is no record
    struct plan_record *key;
    bool has_source;
    bool asks_changes;
    size_t missing_count;
};

/** The types and the pattern are lent. */
struct avro_plan *avro_plan_new(const struct pattern *p, const struct avro_type *value_type,
                                const struct avro_type *key_type);
void avro_plan_free(struct avro_plan *plan);

#endif
