#include "bridge/intake/progress_record.h"

#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"

enum {
    VERSION = '1',
    VERSION_2 = '2',
    DIGIT_BITS = 5,
    MORE = 1 << DIGIT_BITS,
    MS_PER_S = 1000,
    MS_PER_TENTH = 100
};

// The attempts get at most a third of the text: a lost range repeats more events than a lost attempt.
enum { ATTEMPTS_SHARE = 3, COUNT_CHARS_MAX = 4 };

// No version of millrace writes larger numbers: a text with them is refused.
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

static void write_letter(struct bytes *out, const struct progress_letter *letter, int64_t written_ms)
{
    if (!letter->is_stored) {
        put(out, 0);
        return;
    }
    put(out, letter->offset + 1);
    put(out, letter->partition);
    put(out, smaller((written_ms - letter->since_ms) / MS_PER_S, AGE_S_MAX));
    put(out, letter->topic);
}

uint32_t progress_letter_topic(const char *name)
{
    uint32_t hash = UINT32_C(2166136261);
    for (; *name != '\0'; name++) {
        hash = (hash ^ (uint8_t)*name) * UINT32_C(16777619);
    }
    return hash;
}

/** A text that is being written. */
struct writer {
    const struct progress_record *record;
    int64_t offset;
    int64_t now_ms;
    size_t size_max;
    bool is_version_2;
    bool is_whole;
};

static void write_attempts(struct bytes *out, struct writer *w)
{
    const struct progress_record *record = w->record;
    const int64_t offset = w->offset;
    CLEANUP(bytes_clear) struct bytes text = {0};
    size_t count = 0;
    const int64_t written_ms = w->now_ms / MS_PER_S * MS_PER_S;
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
        if (w->is_version_2) {
            write_letter(&text, &a->letter, written_ms);
        }
        if (text.size > w->size_max / ATTEMPTS_SHARE) {
            text.size = size;
            w->is_whole = false;
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

static void write_runs(struct bytes *out, struct writer *w, size_t size_max)
{
    const struct progress_record *record = w->record;
    CLEANUP(bytes_clear) struct bytes text = {0};
    size_t count = 0;
    for (int64_t at = w->offset; count < record->range_count; count++) {
        const struct progress_range *range = &record->ranges[count];
        size_t size = text.size;
        put(&text, range->from - at);
        put(&text, range->to - range->from);
        if (text.size + COUNT_CHARS_MAX > size_max) {
            text.size = size;
            w->is_whole = false;
            break;
        }
        at = range->to;
    }
    put_list(out, 2 * count, &text);
}

static bool needs_version_2(const struct progress_record *record)
{
    for (size_t i = 0; i < record->attempt_count; i++) {
        if (record->attempts[i].letter.is_stored) {
            return true;
        }
    }
    return record->spill.log != 0;
}

bool progress_record_write(struct bytes *out, int64_t offset, const struct progress_record *record,
                           int64_t now_ms)
{
    return progress_record_write_up_to(out, offset, record, now_ms, PROGRESS_TEXT_MAX);
}

bool progress_record_write_up_to(struct bytes *out, int64_t offset, const struct progress_record *record,
                                 int64_t now_ms, size_t size_max)
{
    if (record->range_count == 0 && record->attempt_count == 0) {
        return true;
    }
    struct writer w = {.record = record,
                       .offset = offset,
                       .now_ms = now_ms,
                       .size_max = size_max,
                       .is_version_2 = needs_version_2(record),
                       .is_whole = true};
    CLEANUP(bytes_clear) struct bytes head = {0};
    CLEANUP(bytes_clear) struct bytes attempts = {0};
    bytes_append_byte(&head, w.is_version_2 ? VERSION_2 : VERSION);
    if (w.is_version_2) {
        put(&head, (int64_t)record->spill.log);
        put(&head, (int64_t)record->spill.sequence);
    }
    write_attempts(&attempts, &w);
    bytes_append_slice(out, bytes_slice(&head));
    write_runs(out, &w, size_max - head.size - attempts.size);
    bytes_append_slice(out, bytes_slice(&attempts));
    return w.is_whole;
}

uint64_t progress_record_hash(const struct progress_record *record)
{
    uint64_t hash = text_hash(slice_make(record->ranges, record->range_count * sizeof(record->ranges[0])));
    for (size_t i = 0; i < record->attempt_count; i++) {
        const struct progress_attempt *a = &record->attempts[i];
        const int64_t letter = a->letter.is_stored ? a->letter.offset + 1 : 0;
        const int64_t all[] = {(int64_t)hash,        a->offset, a->attempts,
                               a->due_ms / MS_PER_S, letter,    a->letter.partition};
        hash = text_hash(slice_make(all, sizeof(all)));
    }
    return hash;
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

static void read_letter(struct reader *r, int64_t written_ms, struct progress_letter *ret)
{
    int64_t number = take(r);
    if (number == 0 || r->is_bad) {
        return;
    }
    int64_t partition = take(r);
    int64_t age_s = take(r);
    int64_t topic = take(r);
    if (partition > INT32_MAX || age_s > AGE_S_MAX || topic > UINT32_MAX) {
        r->is_bad = true;
        return;
    }
    *ret = (struct progress_letter){.is_stored = true,
                                    .topic = (uint32_t)topic,
                                    .offset = number - 1,
                                    .partition = (int32_t)partition,
                                    .since_ms = written_ms - age_s * MS_PER_S};
}

/** A reader whose clock is behind the writer's waits no longer than was left when the text was written. */
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
        struct progress_letter letter = {0};
        if (r->text.data[0] == VERSION_2) {
            read_letter(r, written_ms, &letter);
        }
        if (attempts > UINT32_MAX || age_s > AGE_S_MAX || wait_tenths > WAIT_TENTHS_MAX) {
            r->is_bad = true;
            return;
        }
        ret->attempts[ret->attempt_count++] = (struct progress_attempt){
            .offset = at,
            .attempts = (uint32_t)attempts,
            .first_ms = written_ms - age_s * MS_PER_S,
            .due_ms = written_ms + wait_tenths * MS_PER_TENTH,
            .letter = letter,
        };
    }
}

bool progress_record_read(struct slice text, int64_t offset, int64_t now_ms, struct progress_record *ret,
                          struct fault *f)
{
    ret->range_count = ret->attempt_count = 0;
    ret->spill = (struct progress_spill){0};
    if (text.size == 0) {
        return true;
    }
    struct reader r = {.text = text, .at = 1};
    r.is_bad = text.data[0] != VERSION && text.data[0] != VERSION_2;
    if (text.data[0] == VERSION_2) {
        ret->spill.log = (uint64_t)take(&r);
        ret->spill.sequence = (uint64_t)take(&r);
    }
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
    ret->spill = (struct progress_spill){0};
    return fault_set(f, FAULT_REJECT, "the metadata of offset %lld is not millrace's, at character %zu",
                     (long long)offset, r.at);
}

/** Appends a range that does not begin before the last one does. */
static void add_range(struct progress_record *record, struct progress_range range, int64_t offset)
{
    range.from = range.from < offset ? offset : range.from;
    struct progress_range *last = record->range_count == 0 ? NULL : &record->ranges[record->range_count - 1];
    if (range.from >= range.to) {
        return;
    }
    if (last != NULL && range.from <= last->to) {
        last->to = range.to > last->to ? range.to : last->to;
    } else if (record->range_count < PROGRESS_RANGES_MAX) {
        record->ranges[record->range_count++] = range;
    }
}

static void merge_ranges(struct progress_record *record, int64_t offset,
                         const struct progress_record *spilled, int64_t spilled_offset)
{
    size_t own_count = record->range_count;
    struct progress_range *own = memory_zeroed(own_count + 1, sizeof(*own));
    memcpy(own, record->ranges, own_count * sizeof(*own));
    record->range_count = 0;
    add_range(record, (struct progress_range){offset, spilled_offset}, offset);
    size_t i = 0;
    for (size_t j = 0; i < own_count || j < spilled->range_count;) {
        bool is_own = j == spilled->range_count || (i < own_count && own[i].from <= spilled->ranges[j].from);
        add_range(record, is_own ? own[i++] : spilled->ranges[j++], offset);
    }
    free(own);
}

static void merge_attempts(struct progress_record *record, int64_t offset,
                           const struct progress_record *spilled)
{
    size_t own_count = record->attempt_count;
    struct progress_attempt *own = memory_zeroed(own_count + 1, sizeof(*own));
    memcpy(own, record->attempts, own_count * sizeof(*own));
    record->attempt_count = 0;
    size_t i = 0;
    size_t j = 0;
    while ((i < own_count || j < spilled->attempt_count) && record->attempt_count < PROGRESS_ATTEMPTS_MAX) {
        const struct progress_attempt *a = i < own_count ? &own[i] : NULL;
        const struct progress_attempt *b = j < spilled->attempt_count ? &spilled->attempts[j] : NULL;
        bool is_own = b == NULL || (a != NULL && a->offset <= b->offset);
        bool is_both = a != NULL && b != NULL && a->offset == b->offset;
        bool is_better =
            is_both && (b->letter.is_stored || b->attempts > a->attempts) && !a->letter.is_stored;
        const struct progress_attempt *chosen = is_own && !is_better ? a : b;
        i += is_own ? 1 : 0;
        j += !is_own || is_both ? 1 : 0;
        if (chosen->offset >= offset) {
            record->attempts[record->attempt_count++] = *chosen;
        }
    }
    free(own);
}

void progress_record_merge(struct progress_record *record, int64_t offset,
                           const struct progress_record *spilled, int64_t spilled_offset)
{
    merge_ranges(record, offset, spilled, spilled_offset);
    merge_attempts(record, offset, spilled);
}
