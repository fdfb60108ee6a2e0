// From a start position to offsets: the end, the beginning, a time, an LSN.
//
// By LSN: the header millrace.position of records rises within a partition, except that a connector publishes
// a stretch again after it was killed: from a confirmed position on, complete and in order. So wherever a
// record before the LSN is followed by one at or after it, nothing later than the LSN is missed. A binary
// search finds such a place; the records before it are then read backwards in windows of 10,000, so that the
// earliest one is chosen unless a stretch that was published again is longer. Records without the header are
// passed over; a partition that has none with it begins at its first.
#ifndef BRIDGE_INTAKE_START_OFFSETS_H
#define BRIDGE_INTAKE_START_OFFSETS_H

#include <librdkafka/rdkafka.h>

#include "bridge/config/start_position.h"
#include "core/config/settings.h"

/**
 * Fills in the offset of each partition of the list. Blocks: for a worker thread.
 *
 * @param rk  a consumer; lent
 * @param f   FAULT_RETRY: Kafka does not respond now
 */
bool start_offsets_find(rd_kafka_t *rk, const struct settings *settings, const struct start_position *at,
                        rd_kafka_topic_partition_list_t *list, struct fault *f) MUST_USE;

/** Fills in the end of each partition; the same as FUNCTION_START_LATEST. */
bool start_offsets_ends(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list, struct fault *f) MUST_USE;

#endif
