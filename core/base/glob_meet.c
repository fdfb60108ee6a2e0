#include "core/base/glob_meet.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/memory.h"

enum { ANY = 1, MANY = 2 };  // instead of a character, of which names have none below a blank

// One byte for each part of the glob.
static void read_parts(const char *glob, struct bytes *out)
{
    while (*glob != '\0') {
        const char *end = *glob == '[' ? strchr(glob + 1, ']') : NULL;
        bytes_append_byte(out, *glob == '*' ? MANY : *glob == '?' || end != NULL ? ANY : (uint8_t)*glob);
        glob = end == NULL ? glob + 1 : end + 1;
    }
}

static bool is_compatible(uint8_t a, uint8_t b)
{
    return a == ANY || b == ANY || a == b;
}

// `below` has the results of the next part of `a` for each rest of `b`; `row` gets those of this part.
static void fill_row(uint8_t part, bool is_end, struct slice b, const uint8_t *below, uint8_t *row)
{
    for (size_t j = b.size + 1; j-- > 0;) {
        bool has_b = j < b.size;
        if (is_end) {
            row[j] = !has_b || (b.data[j] == MANY && row[j + 1]);
        } else if (part == MANY || (has_b && b.data[j] == MANY)) {
            bool skips_a = (part == MANY || has_b) && below[j];
            row[j] = skips_a || (has_b && row[j + 1]);
        } else {
            row[j] = has_b && is_compatible(part, b.data[j]) && below[j + 1];
        }
    }
}

bool glob_meet(const char *a, const char *b)
{
    CLEANUP(bytes_clear) struct bytes left = {0};
    CLEANUP(bytes_clear) struct bytes right = {0};
    read_parts(a, &left);
    read_parts(b, &right);
    uint8_t *below = memory_zeroed(right.size + 2, 1);
    uint8_t *row = memory_zeroed(right.size + 2, 1);
    fill_row(0, true, bytes_slice(&right), below, row);
    for (size_t i = left.size; i-- > 0;) {
        uint8_t *swap = below;
        below = row;
        row = swap;
        fill_row(left.data[i], false, bytes_slice(&right), below, row);
    }
    bool can = row[0];
    free(below);
    free(row);
    return can;
}
