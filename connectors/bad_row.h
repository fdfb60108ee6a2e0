// Rows that can't be published as they are: what is kept of them in the dead-letter topic.
#ifndef CONNECTORS_BAD_ROW_H
#define CONNECTORS_BAD_ROW_H

#include <librdkafka/rdkafka.h>

#include "connectors/change.h"
#include "core/base/fault.h"

/**
 * Copies a row image, with every text and bytes column of more than `column_max_bytes` replaced by Debezium's
 * `__debezium_unavailable_value` (arrays: by an empty one), so that the record still decodes by its schema.
 *
 * @param row  Avro record of the table's Value, as the source made it
 * @param f    FAULT_FATAL: not such a record
 */
bool bad_row_shrink(const struct table *table, struct slice row, size_t column_max_bytes, struct bytes *out,
                    struct fault *f) MUST_USE;

/** Headers millrace.dlq.* that say what the row was and why it is here; the caller destroys them. */
rd_kafka_headers_t *bad_row_headers(const char *connector, const char *reason, const char *message,
                                    const struct change *change);

#endif
