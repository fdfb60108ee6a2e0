// millrace filter --lines: patterns and events, one of each on a line.
#ifndef CLI_FILTER_LINES_H
#define CLI_FILTER_LINES_H

#include <stdio.h>

/** Answers each line; returns the exit code. */
int filter_lines(FILE *in, FILE *out);

#endif
