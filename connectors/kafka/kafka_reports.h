// Reads a producer's delivery reports.
#ifndef CONNECTORS_KAFKA_KAFKA_REPORTS_H
#define CONNECTORS_KAFKA_KAFKA_REPORTS_H

#include <librdkafka/rdkafka.h>

#include "core/base/bytes.h"

struct kafka_reports_reader {
    size_t *outstanding;  // records without a report: counted down before each is told
    /** So many records of this topic have a report now. */
    void (*on_reported)(void *self, const char *topic, uint32_t count);
    /** So many records with this ticket, one behind the other, are acknowledged. */
    void (*on_settled)(void *self, uint64_t ticket, uint32_t count);
    void (*on_failed)(void *self, rd_kafka_resp_err_t error, const char *topic);
    void *self;
};

/**
 * Reads an event of type RD_KAFKA_EVENT_DR, which has a whole batch's reports. Runs of records of one
 * transaction are settled in one call, in order with those that failed.
 */
void kafka_reports_read(rd_kafka_event_t *event, const struct kafka_reports_reader *reader);

#endif
