// One record and librdkafka: its size, its way into the queue, and what an error of its delivery means.
#ifndef CONNECTORS_KAFKA_KAFKA_RECORD_H
#define CONNECTORS_KAFKA_KAFKA_RECORD_H

#include <librdkafka/rdkafka.h>

#include "connectors/kafka/accumulator.h"
#include "core/base/fault.h"

/** The record's size as message.max.bytes counts it. `more`: headers besides the position; NULL for none. */
size_t kafka_record_bytes(const struct accumulator_record *record, const rd_kafka_headers_t *more);

/** Puts a copy into the queue of `rk`, with the ticket as its opaque; returns librdkafka's refusal, such as
 * QUEUE_FULL. */
rd_kafka_resp_err_t kafka_record_produce(rd_kafka_t *rk, rd_kafka_topic_t *topic, int32_t partition,
                                         const struct accumulator_record *record,
                                         const rd_kafka_headers_t *more);

/** Fills *f for a record that was not delivered: CONFIG with the cure, if the operator has to change
 * something, else RETRY. Returns false. */
bool kafka_record_undelivered(rd_kafka_resp_err_t error, const char *topic, struct fault *f);

#endif
