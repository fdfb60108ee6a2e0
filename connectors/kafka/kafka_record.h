// One record and librdkafka: its size, its way into the queue, and what an error of its delivery means.
#ifndef CONNECTORS_KAFKA_KAFKA_RECORD_H
#define CONNECTORS_KAFKA_KAFKA_RECORD_H

#include <librdkafka/rdkafka.h>

#include "connectors/kafka/accumulator.h"
#include "core/base/fault.h"

/** The record's size as message.max.bytes counts it. */
size_t kafka_record_bytes(const struct accumulator_record *record);

/** Puts a copy into the queue of `rk`, with the ticket as its opaque; returns librdkafka's refusal, such as
 * QUEUE_FULL. */
rd_kafka_resp_err_t kafka_record_produce(rd_kafka_t *rk, rd_kafka_topic_t *topic,
                                         const struct accumulator_record *record);

/** Fills *f for a record that was not delivered: CONFIG with the cure, if the operator has to change
 * something, else RETRY. Returns false. */
bool kafka_record_undelivered(rd_kafka_resp_err_t error, const char *topic, struct fault *f);

#endif
