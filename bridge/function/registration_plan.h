// The part of a registration that asks Kafka and blocks: which partitions there are, where those begin that
// have no committed offset, and the commit of these offsets.
#ifndef BRIDGE_FUNCTION_REGISTRATION_PLAN_H
#define BRIDGE_FUNCTION_REGISTRATION_PLAN_H

#include <librdkafka/rdkafka.h>

#include "bridge/function/registration_record.h"

/** Zero-initialised is empty. */
struct registration_plan {
    size_t partition_count;  // existing ones of the function's topics
    size_t expired_count;    // of these, those whose committed offset has expired
    json_t *record;          // to be written before anything is committed: `offsets` has what begins now
    rd_kafka_topic_partition_list_t *starting;  // with their offsets
};

struct registration_scope {
    rd_kafka_t *rk;                        // lent; in no group
    const struct settings *settings;       // lent
    const struct function_config *config;  // lent
    const char *component;                 // lent
    json_t *known;                         // lent; the state record; NULL: there is none
};

/** Makes the plan; commits nothing. FAULT_RETRY or FAULT_CONFIG: says what to do. */
bool registration_plan_make(const struct registration_scope *scope, struct registration_plan *ret,
                            struct fault *f) MUST_USE;

/** Commits the offsets of the partitions that begin now, except where the group has an offset by then. */
bool registration_plan_commit(const struct registration_scope *scope, const struct registration_plan *plan,
                              struct fault *f) MUST_USE;

void registration_plan_clear(struct registration_plan *plan);

#endif
