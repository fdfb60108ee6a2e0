// millrace filter --lines: patterns and events, one of each on a line.
#ifndef CLI_FILTER_LINES_H
#define CLI_FILTER_LINES_H

#include <stdio.h>

#include "core/base/bytes.h"

enum { FILTER_LINE_MAX = 4 * 1024 * 1024 };  // bytes

enum line_step { LINE_READ, LINE_TOO_LONG, LINE_END };

/** The next line without its end; of one that is too long the beginning. */
enum line_step filter_line_read(FILE *in, struct bytes *line);

/** Answers each line; returns the exit code. */
int filter_lines(FILE *in, FILE *out);

#endif
