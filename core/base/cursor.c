#include "core/base/cursor.h"

struct slice cursor_string(struct cursor *c)
{
    size_t left = cursor_left(c);
    const uint8_t *nul = left == 0 ? NULL : memchr(c->at, '\0', left);
    if (nul == NULL) {
        c->is_short = true;
        return (struct slice){NULL, 0};
    }
    struct slice text = {c->at, (size_t)(nul - c->at)};
    c->at = nul + 1;
    return text;
}

bool cursor_finish(const struct cursor *c, const char *what, struct fault *f)
{
    if (c->is_short) {
        return fault_set(f, FAULT_REJECT, "%s is cut short", what);
    }
    if (c->at != c->end) {
        return fault_set(f, FAULT_REJECT, "%s has %zu bytes too many", what, cursor_left(c));
    }
    return true;
}
