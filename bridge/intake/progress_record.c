#include "bridge/intake/progress_record.h"

#include <string.h>

#include "core/base/memory.h"

enum { VERSION = '1', DIGIT_BITS = 5, MORE = 1 << DIGIT_BITS, MS_PER_S = 1000, MS_PER_TENTH = 100 };

// What the attempts may take of the text: the ranges are worth more.
enum { ATTEMPT_CHARS_MAX = PROGRESS_TEXT_MAX / 3, COUNT_CHARS_MAX = 4 };

// Greater numbers are not ours.
enum { WAIT_TENTHS_MAX = INT32_MAX };
#define AGE_S_MAX ((int64_t)UINT32_MAX)

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void put(struct bytes *out, int64_t number)
{
    uint64_t rest = number < 0 ? 0 : (uint64_t)number;
    while (rest >= MORE) {
        bytes_append_byte(out, (uint8_t)DIGITS[MORE | (rest & (MORE - 1))]);
        rest >>= DIGIT_BITS;
    }
    bytes_append_byte(out, (uint8_t)DIGITS[rest]);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/** Appends the count and the items; `text` has their texts. */
static void put_list(struct bytes *out, size_t count, const struct bytes *text)
{
    put(out, (int64_t)count);
    bytes_append_slice(out, bytes_slice(text));
}

static void write_attempts(struct bytes *out, int64_t offset, const struct progress_record *record,
                           int64_t now_ms)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    size_t count = 0;
    const int64_t written_ms = now_ms / MS_PER_S * MS_PER_S;
    put(&text, written_ms / MS_PER_S);
    int64_t last = offset;
    for (size_t i = 0; i < record->attempt_count; i++) {
        const struct progress_attempt *a = &record->attempts[i];
        size_t size = text.size;
        if (a->offset < offset) {
            continue;  // settled
        }
        put(&text, a->offset - last);
        put(&text, a->attempts);
        put(&text, smaller((written_ms - a->first_ms) / MS_PER_S, AGE_S_MAX));
        // Rounded up: a Retry-After is obeyed.
        put(&text, smaller((a->due_ms - written_ms + MS_PER_TENTH - 1) / MS_PER_TENTH, WAIT_TENTHS_MAX));
        if (text.size > ATTEMPT_CHARS_MAX) {
            text.size = size;
            break;
        }
        last = a->offset;
        count++;
    }
    if (count == 0) {
        text.size = 0;
    }
    put_list(out, count, &text);
}

static void write_runs(struct bytes *out, int64_t offset, const struct progress_record *record,
                       size_t size_max)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    size_t count = 0;
    for (int64_t at = offset; count < record->range_count; count++) {
        const struct progress_range *range = &record->ranges[count];
        size_t size = text.size;
        put(&text, range->from - at);
        put(&text, range->to - range->from);
        if (text.size + COUNT_CHARS_MAX > size_max) {
            text.size = size;
            break;
        }
        at = range->to;
    }
    put_list(out, 2 * count, &text);
}

void progress_record_write(struct bytes *out, int64_t offset, const struct progress_record *record,
                           int64_t now_ms)
{
    if (record->range_count == 0 && record->attempt_count == 0) {
        return;
    }
    CLEANUP(bytes_clear) struct bytes attempts = {0};
    write_attempts(&attempts, offset, record, now_ms);
    bytes_append_byte(out, VERSION);
    write_runs(out, offset, record, PROGRESS_TEXT_MAX - 1 - attempts.size);
    bytes_append_slice(out, bytes_slice(&attempts));
}

/** The rest of a text. */
struct reader {
    struct slice text;
    size_t at;
    bool is_bad;
};

static int64_t take(struct reader *r)
{
    uint64_t number = 0;
    for (unsigned shift = 0; r->at < r->text.size && shift < 60; shift += DIGIT_BITS) {
        const char *digit = memchr(DIGITS, r->text.data[r->at], sizeof(DIGITS) - 1);
        if (digit == NULL) {
            break;
        }
        r->at++;
        uint64_t value = (uint64_t)(digit - DIGITS);
        number |= (value & (MORE - 1)) << shift;
        if ((value & MORE) == 0) {
            return (int64_t)number;
        }
    }
    r->is_bad = true;
    return 0;
}

/** The sum of an offset and a number; bad when it is not greater than the offset, or than any offset. */
static int64_t advance(struct reader *r, int64_t from, int64_t by, int64_t by_min)
{
    int64_t to;
    if (by < by_min || __builtin_add_overflow(from, by, &to)) {
        r->is_bad = true;
        return from;
    }
    return to;
}

static void read_runs(struct reader *r, int64_t offset, struct progress_record *ret)
{
    int64_t count = take(r);
    if (count % 2 != 0 || count / 2 > PROGRESS_RANGES_MAX) {
        r->is_bad = true;
    }
    int64_t at = offset;
    for (int64_t i = 0; i < count / 2 && !r->is_bad; i++) {
        int64_t from = advance(r, at, take(r), i == 0 ? 0 : 1);
        at = advance(r, from, take(r), 1);
        ret->ranges[ret->range_count++] = (struct progress_range){from, at};
    }
}

/** Whose clock is behind the writer's still waits no longer than was left when the text was written. */
static void read_attempts(struct reader *r, int64_t offset, int64_t now_ms, struct progress_record *ret)
{
    int64_t count = take(r);
    if (count > PROGRESS_ATTEMPTS_MAX) {
        r->is_bad = true;
    }
    int64_t written_s = count == 0 || r->is_bad ? 0 : take(r);
    int64_t written_ms = smaller(written_s, (now_ms + MS_PER_S - 1) / MS_PER_S) * MS_PER_S;
    int64_t at = offset;
    for (int64_t i = 0; i < count && !r->is_bad; i++) {
        at = advance(r, at, take(r), i == 0 ? 0 : 1);
        int64_t attempts = take(r);
        int64_t age_s = take(r);
        int64_t wait_tenths = take(r);
        if (attempts > UINT32_MAX || age_s > AGE_S_MAX || wait_tenths > WAIT_TENTHS_MAX) {
            r->is_bad = true;
            return;
        }
        ret->attempts[ret->attempt_count++] = (struct progress_attempt){
            .offset = at,
            .attempts = (uint32_t)attempts,
            .first_ms = written_ms - age_s * MS_PER_S,
            .due_ms = written_ms + wait_tenths * MS_PER_TENTH,
        };
    }
}

bool progress_record_read(struct slice text, int64_t offset, int64_t now_ms, struct progress_record *ret,
                          struct fault *f)
{
    ret->range_count = ret->attempt_count = 0;
    if (text.size == 0) {
        return true;
    }
    struct reader r = {.text = text, .at = 1, .is_bad = text.data[0] != VERSION};
    if (!r.is_bad) {
        read_runs(&r, offset, ret);
    }
    if (!r.is_bad) {
        read_attempts(&r, offset, now_ms, ret);
    }
    if (!r.is_bad && r.at == text.size) {
        return true;
    }
    ret->range_count = ret->attempt_count = 0;
    return fault_set(f, FAULT_REJECT, "the metadata of offset %lld is not millrace's, at character %zu",
                     (long long)offset, r.at);
}
