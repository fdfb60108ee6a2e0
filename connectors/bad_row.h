// Dead letters of rows that can't be published.
#ifndef CONNECTORS_BAD_ROW_H
#define CONNECTORS_BAD_ROW_H

#include "connectors/change.h"
#include "core/base/fault.h"

/**
 * Copies a row image. Each text or bytes column of more than `column_max_bytes` is replaced by Debezium's
 * `__debezium_unavailable_value`, a large array or map by an empty one, so that the record still decodes with
 * its schema.
 *
 * @param row  Avro record of the table's Value schema
 * @param f    FAULT_FATAL: not such a record
 */
bool bad_row_shrink(const struct table *table, struct slice row, size_t column_max_bytes, struct bytes *out,
                    struct fault *f) MUST_USE;

/** Appends the headers millrace.dlq.*, as record_headers.h has them. */
void bad_row_headers(struct bytes *out, const char *connector, const char *reason, const char *message,
                     const struct change *change);

#endif
