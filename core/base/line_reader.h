// Reads a file line by line.
#ifndef CORE_BASE_LINE_READER_H
#define CORE_BASE_LINE_READER_H

#include <stdio.h>

#include "core/base/bytes.h"

enum { LINE_READER_MAX_BYTES = 4 * 1024 * 1024 };

enum line_step { LINE_READ, LINE_TOO_LONG, LINE_END };

/**
 * The next line without its end; of one that is longer than LINE_READER_MAX_BYTES the beginning, and the next
 * call reads the next line. LINE_END also when the file can't be read: ferror(in), errno.
 */
enum line_step line_reader_next(FILE *in, struct bytes *line);

/** Whether the line has spaces only. */
bool line_reader_is_blank(const struct bytes *line);

#endif
