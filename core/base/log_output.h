// Writes to standard error without blocking: lines that it does not take now are buffered, and dropped beyond
// a limit.
#ifndef CORE_BASE_LOG_OUTPUT_H
#define CORE_BASE_LOG_OUTPUT_H

#include "core/base/bytes.h"

enum { LOG_OUTPUT_MAX_BYTES = 256 * 1024 };

/** Writes the line, buffers it behind other buffered lines, or drops and counts it. The caller holds the
 * log's lock. */
void log_output_write(struct slice line);

/** Writes buffered lines. When all are written, returns and resets the count of dropped lines; else 0. */
uint64_t log_output_flush(void);

/** Writes buffered lines; waits up to a second for the reader. */
void log_output_finish(void);

#endif
