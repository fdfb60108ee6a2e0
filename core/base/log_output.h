// Standard error without waiting: what its reader does not take now is kept, and beyond a limit dropped.
#ifndef CORE_BASE_LOG_OUTPUT_H
#define CORE_BASE_LOG_OUTPUT_H

#include "core/base/bytes.h"

enum { LOG_OUTPUT_MAX_BYTES = 256 * 1024 };

/** Writes the line, or keeps it behind what waits already, or drops and counts it. The caller holds the log's
 * lock. */
void log_output_write(struct slice line);

/** Writes what waits; when nothing does any more, returns how many lines were dropped since the last time. */
uint64_t log_output_flush(void);

/** Waits up to a second for the reader to take what waits. */
void log_output_finish(void);

#endif
