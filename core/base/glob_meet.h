// Whether two globs can match the same text.
#ifndef CORE_BASE_GLOB_MEET_H
#define CORE_BASE_GLOB_MEET_H

#include <stdbool.h>

/** True when some text matches both globs (`*`, `?`; a set in brackets counts as any character). */
bool glob_meet(const char *a, const char *b);

#endif
