// Where a replay begins and ends in each partition. The ends are kept in a record, so that a replay that was
// interrupted has the same ones; where it stands is committed in its group.
#ifndef BRIDGE_JOBS_REPLAY_PLAN_H
#define BRIDGE_JOBS_REPLAY_PLAN_H

#include <jansson.h>
#include <librdkafka/rdkafka.h>

#include "bridge/config/function_config.h"

/** What the user asked for; texts are lent. */
struct replay_range {
    const char *from;
    const char *to;     // NULL: the ends of now
    const char *key;    // NULL: all
    const char *topic;  // a name or glob; NULL: all topics of the function
};

struct replay_scope {
    const struct settings *settings;       // lent
    const struct function_config *config;  // lent
    const char *group;                     // lent
    struct replay_range range;
};

/**
 * Finds beginnings and ends, and commits the beginnings in the group, over what is committed there. Blocks.
 *
 * @param ret_ends  one element for each partition; the caller destroys it
 * @param f         FAULT_CONFIG: the range is wrong, or no topic matches; FAULT_RETRY: Kafka does not
 * respond, or the group has members
 */
bool replay_plan_make(const struct replay_scope *scope, rd_kafka_topic_partition_list_t **ret_ends,
                      struct fault *f) MUST_USE;

/** The record `replay/…`; the caller releases it. */
json_t *replay_plan_record(const struct replay_range *range, const rd_kafka_topic_partition_list_t *ends);

/**
 * The ends in a record.
 *
 * @param f  FAULT_CONFIG: it is of another range, and says what to do; or it is no such record
 */
bool replay_plan_read(const json_t *record, const struct replay_range *range,
                      rd_kafka_topic_partition_list_t **ret_ends, struct fault *f) MUST_USE;

#endif
