#include "bridge/filter/wildcard.h"

#include "core/base/memory.h"

static const char *split(struct wildcard *w, struct slice pattern)
{
    size_t start = 0;
    for (size_t i = 0; i < pattern.size; i++) {
        uint8_t byte = pattern.data[i];
        uint8_t next = i + 1 < pattern.size ? pattern.data[i + 1] : 0;
        if (byte == '*') {
            if (next == '*') {
                return "has two \"*\" in a row";
            }
            w->parts[w->count++] = slice_make(w->literals.data + start, w->literals.size - start);
            start = w->literals.size;
            continue;
        }
        if (byte == '\\') {
            if (next != '*' && next != '\\') {
                return "has a \"\\\" before something else than \"*\" or \"\\\"";
            }
            byte = next;
            i++;
        }
        bytes_append_byte(&w->literals, byte);
    }
    w->parts[w->count++] = slice_make(w->literals.data + start, w->literals.size - start);
    return NULL;
}

const char *wildcard_init(struct wildcard *w, struct slice pattern)
{
    size_t stars = 0;
    for (size_t i = 0; i < pattern.size; i++) {
        stars += pattern.data[i] == '*' ? 1 : 0;
    }
    *w = (struct wildcard){.parts = memory_zeroed(stars + 1, sizeof *w->parts)};
    (void)bytes_reserve(&w->literals, pattern.size + 1);  // the parts point into it
    const char *wrong = split(w, pattern);
    if (wrong != NULL) {
        wildcard_clear(w);
    }
    return wrong;
}

void wildcard_clear(struct wildcard *w)
{
    bytes_clear(&w->literals);
    free(w->parts);
    *w = (struct wildcard){0};
}

bool wildcard_matches(const struct wildcard *w, struct slice text)
{
    struct slice first = w->parts[0];
    struct slice last = w->parts[w->count - 1];
    if (w->count == 1) {
        return slice_equal(first, text);
    }
    if (text.size < first.size + last.size || !slice_equal(first, slice_make(text.data, first.size)) ||
        !slice_equal(last, slice_make(text.data + text.size - last.size, last.size))) {
        return false;
    }
    const uint8_t *at = text.data + first.size;
    const uint8_t *end = text.data + text.size - last.size;
    for (size_t i = 1; i + 1 < w->count; i++) {
        const uint8_t *found = memmem(at, (size_t)(end - at), w->parts[i].data, w->parts[i].size);
        if (found == NULL) {
            return false;
        }
        at = found + w->parts[i].size;
    }
    return true;
}
