// A line that a local function wrote, as it may stand in a log: no control characters, valid UTF-8.
#ifndef BRIDGE_ENDPOINTS_PROCESS_OUTPUT_TEXT_H
#define BRIDGE_ENDPOINTS_PROCESS_OUTPUT_TEXT_H

#include "core/base/bytes.h"

/**
 * Appends the line. Tabs, and carriage returns within it, become spaces; terminals' control sequences (ESC [
 * …, as for colours) and all other control characters are left out, also those of Unicode (U+0080 to U+009F);
 * each byte that is not UTF-8 becomes U+FFFD. Source: ECMA-48, 5.4 Control sequences.
 */
void output_text_append(struct bytes *out, struct slice line);

#endif
