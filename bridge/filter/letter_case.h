// A text that is compared without regard to upper and lower case.
#ifndef BRIDGE_FILTER_LETTER_CASE_H
#define BRIDGE_FILTER_LETTER_CASE_H

#include <stdbool.h>

#include "core/base/bytes.h"

enum letter_case_end {
    LETTER_CASE_WHOLE,
    LETTER_CASE_PREFIX,
    LETTER_CASE_SUFFIX,
};

/** One character in both cases, as UTF-8. */
struct letter {
    uint8_t lower[4];
    uint8_t upper[4];
    uint8_t lower_size;
    uint8_t upper_size;
};

struct letter_case {
    struct letter *letters;
    size_t count;
};

/**
 * Compiles valid UTF-8. As in event-ruler a character of the pattern stands for its lower and its upper form,
 * one character each (so "ß" is not "SS"), and characters beyond U+FFFF have no case.
 */
void letter_case_init(struct letter_case *c, struct slice text);
void letter_case_clear(struct letter_case *c);

/** Whether the text is it, begins with it or ends with it. */
bool letter_case_matches(const struct letter_case *c, struct slice text, enum letter_case_end end);

#endif
