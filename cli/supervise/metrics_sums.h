// Sums of one metric's samples by the value of its first label, found in one pass over an exposition: a text
// has a few thousand bytes for each function, and may have a thousand of them.
#ifndef CLI_SUPERVISE_METRICS_SUMS_H
#define CLI_SUPERVISE_METRICS_SUMS_H

#include "core/base/bytes.h"

struct metrics_sums;

/** @param beginning  of the samples' lines, up to the label's value: `name{label="` */
struct metrics_sums *metrics_sums_new(struct slice text, const char *beginning);

/** 0 if there is none. The value is as in the text: escaped. */
double metrics_sums_of(const struct metrics_sums *s, const char *value);

void metrics_sums_free(struct metrics_sums *s);

#endif
