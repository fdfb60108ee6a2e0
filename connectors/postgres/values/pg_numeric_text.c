#include "connectors/postgres/values/pg_numeric_text.h"

#include "core/base/memory.h"

enum { DIGITS_MAX = 1 << 18 };  // PostgreSQL's limit: 131,072 before and 16,383 after the point

static size_t count_digits(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *from = at;
    while (at < end && *at >= '0' && *at <= '9') {
        at++;
    }
    return (size_t)(at - from);
}

static bool split_text(struct slice text, struct pg_numeric_text *ret, struct fault *f)
{
    const uint8_t *at = text.data;
    const uint8_t *end = text.size == 0 ? at : at + text.size;
    struct pg_numeric_text n = {0};
    if (at < end && *at == '-') {
        n.is_negative = true;
        at++;
    }
    n.whole = slice_make(at, at == end ? 0 : count_digits(at, end));
    at = n.whole.size == 0 ? at : at + n.whole.size;
    if (at < end && *at == '.') {
        at++;
        n.fraction = slice_make(at, count_digits(at, end));
        at += n.fraction.size;
    }
    size_t digits = n.whole.size + n.fraction.size;
    if (at == end && digits > 0 && digits <= DIGITS_MAX) {
        *ret = n;
        return true;
    }
    int size = text.size > 64 ? 64 : (int)text.size;
    return fault_set(f, FAULT_REJECT, "not a numeric as PostgreSQL writes it: \"%.*s\"", size,
                     (const char *)text.data);
}

static bool is_special(struct slice text, struct fault *f)
{
    static const char *const SPECIAL[] = {"NaN", "Infinity", "-Infinity"};
    for (size_t i = 0; i < COUNT_OF(SPECIAL); i++) {
        if (slice_equal(text, slice_of(SPECIAL[i]))) {
            (void)fault_set(
                f, FAULT_REJECT,
                "numeric %s can't be encoded as a decimal: set decimal: double or decimal: string for such "
                "values",
                SPECIAL[i]);
            return true;
        }
    }
    return false;
}

// Checks for NaN and infinities only when the text is not a number, which is rare.
enum value_step pg_numeric_text_read(struct slice text, struct pg_numeric_text *ret, struct fault *f)
{
    if (split_text(text, ret, f)) {
        return VALUE_DONE;
    }
    return is_special(text, f) ? VALUE_NONE : VALUE_FAULT;
}
