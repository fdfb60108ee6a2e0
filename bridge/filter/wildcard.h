// A text with stars: each stands for any run of characters, an empty one too.
#ifndef BRIDGE_FILTER_WILDCARD_H
#define BRIDGE_FILTER_WILDCARD_H

#include "core/base/bytes.h"

struct wildcard {
    struct bytes literals;  // without escapes
    struct slice *parts;    // what is between the stars; one: there is no star
    size_t count;
};

/** Compiles a pattern: `*` is a star, `\*` and `\\` are themselves. NULL, or what is wrong with it. */
const char *wildcard_init(struct wildcard *w, struct slice pattern);
void wildcard_clear(struct wildcard *w);

/** In time linear in the text, whatever the pattern. */
bool wildcard_matches(const struct wildcard *w, struct slice text);

#endif
