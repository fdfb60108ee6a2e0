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

/** Appends which row it is: `key {"id":7}, LSN 0/16B3748`. A long key is cut. */
void bad_row_place(struct bytes *out, const struct change *change);

/** The column of the row, or NULL, that has the most bytes, and how many. @param row  as for bad_row_shrink
 */
const struct column *bad_row_largest(const struct table *table, struct slice row, size_t *ret_bytes);

/** Appends the headers millrace.dlq.*, as record_headers.h has them. @param message  names the column if it
 * begins as bad_reason does */
void bad_row_headers(struct bytes *out, const char *connector, const char *reason, const char *message,
                     const struct change *change);

#endif
