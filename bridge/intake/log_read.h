// Reads a stretch of one partition without a group. Blocks.
#ifndef BRIDGE_INTAKE_LOG_READ_H
#define BRIDGE_INTAKE_LOG_READ_H

#include <librdkafka/rdkafka.h>

#include "core/base/fault.h"

enum log_read_step { LOG_READ_ON, LOG_READ_STOP };

/**
 * Calls `visit` with the records from offset `from` to before `to`, until it stops or there are no more.
 *
 * @param topic  of a client of consumer_conf_open_reader
 * @param visit  takes the message's headers if it wants; the message is borrowed
 * @param f      FAULT_RETRY: Kafka does not respond
 */
bool log_read(rd_kafka_topic_t *topic, int32_t partition, int64_t from, int64_t to,
              enum log_read_step (*visit)(void *self, rd_kafka_message_t *message), void *self,
              struct fault *f) MUST_USE;

#endif
