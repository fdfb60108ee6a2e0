// Questions to Kafka that block: for libuv's worker threads and for commands.
#ifndef CORE_KAFKA_KAFKA_QUERY_H
#define CORE_KAFKA_KAFKA_QUERY_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

enum { KAFKA_QUERY_TIMEOUT_MS = 10000 };

/** Adds all partitions of the topics for which `is_wanted` returns true. */
rd_kafka_resp_err_t kafka_query_partitions(rd_kafka_t *rk,
                                           bool (*is_wanted)(const void *self, const char *topic),
                                           const void *self, rd_kafka_topic_partition_list_t *list);

/** Fills in the committed offsets of the client's group; a partition without one gets a negative offset.
 * Returns the first error, of the request or of a partition. */
rd_kafka_resp_err_t kafka_query_committed(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list);

/** The same for any group, whatever the client's own; but it must have one (registration_client.h). */
rd_kafka_resp_err_t kafka_query_group_offsets(rd_kafka_t *rk, const char *group,
                                              rd_kafka_topic_partition_list_t *list);

/** Commits the list's offsets for a group without members. */
rd_kafka_resp_err_t kafka_query_group_commit(rd_kafka_t *rk, const char *group,
                                             const rd_kafka_topic_partition_list_t *list);

#endif
