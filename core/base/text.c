#include "core/base/text.h"

#include <fnmatch.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/name_regex.h"

void text_list_add(struct text_list *list, const char *item)
{
    list->items = memory_resize(list->items, (list->count + 1) * sizeof(*list->items));
    list->items[list->count++] = memory_string(item);
}

bool text_is_same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool text_is_blank(struct slice s)
{
    for (size_t i = 0; i < s.size; i++) {
        if (memchr(" \t\r\n", s.data[i], 4) == NULL) {
            return false;
        }
    }
    return true;
}

bool text_list_is_same(const struct text_list *a, const struct text_list *b)
{
    bool is_same = a->count == b->count;
    for (size_t i = 0; i < a->count && is_same; i++) {
        is_same = text_is_same(a->items[i], b->items[i]);
    }
    return is_same;
}

bool text_pairs_is_same(const struct text_pairs *a, const struct text_pairs *b)
{
    bool is_same = a->count == b->count;
    for (size_t i = 0; i < a->count && is_same; i++) {
        is_same = text_is_same(a->items[i].key, b->items[i].key) &&
                  text_is_same(a->items[i].value, b->items[i].value);
    }
    return is_same;
}

bool text_list_has(const struct text_list *list, const char *item)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], item) == 0) {
            return true;
        }
    }
    return false;
}

void text_list_copy(struct text_list *list, const struct text_list *from)
{
    text_list_clear(list);
    for (size_t i = 0; i < from->count; i++) {
        text_list_add(list, from->items[i]);
    }
}

void text_list_clear(struct text_list *list)
{
    if (list == NULL) {
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i]);
    }
    free(list->items);
    *list = (struct text_list){0};
}

static struct text_pair *find_pair(const struct text_pairs *pairs, const char *key)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (strcmp(pairs->items[i].key, key) == 0) {
            return &pairs->items[i];
        }
    }
    return NULL;
}

static struct text_pair *place_value(struct text_pairs *pairs, const char *key, const char *value)
{
    struct text_pair *pair = find_pair(pairs, key);
    char *copy = memory_string(value);
    if (pair != NULL) {
        memory_free_secret(pair->value);
        pair->value = copy;
        return pair;
    }
    pairs->items = memory_resize(pairs->items, (pairs->count + 1) * sizeof(*pairs->items));
    pair = &pairs->items[pairs->count++];
    *pair = (struct text_pair){memory_string(key), copy, false};
    return pair;
}

void text_pairs_set(struct text_pairs *pairs, const char *key, const char *value)
{
    (void)place_value(pairs, key, value);
}

void text_pairs_set_secret(struct text_pairs *pairs, const char *key, const char *value)
{
    place_value(pairs, key, value)->is_secret = true;
}

const char *text_pairs_get(const struct text_pairs *pairs, const char *key)
{
    const struct text_pair *pair = find_pair(pairs, key);
    return pair == NULL ? NULL : pair->value;
}

void text_pairs_clear(struct text_pairs *pairs)
{
    if (pairs == NULL) {
        return;
    }
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->items[i].key);
        memory_free_secret(pairs->items[i].value);
    }
    free(pairs->items);
    *pairs = (struct text_pairs){0};
}

static bool match(const char *glob, const char *text, bool is_case_ignored)
{
    return name_regex_is(glob) ? name_regex_matches(glob, text, is_case_ignored)
                               : fnmatch(glob, text, 0) == 0;
}

bool text_glob_match(const char *glob, const char *text)
{
    return match(glob, text, false);
}

bool text_name_match(const char *glob, const char *name)
{
    return match(glob, name, true);
}

static bool match_list(const struct text_list *globs, const char *text, bool is_case_ignored)
{
    for (size_t i = 0; i < globs->count; i++) {
        if (match(globs->items[i], text, is_case_ignored)) {
            return true;
        }
    }
    return false;
}

bool text_list_glob_match(const struct text_list *globs, const char *text)
{
    return match_list(globs, text, false);
}

bool text_list_name_match(const struct text_list *globs, const char *name)
{
    return match_list(globs, name, true);
}

enum { TEXT_WORD_MAX = 64 };

static size_t minimum(size_t a, size_t b)
{
    return a < b ? a : b;
}

// Optimal string alignment distance: an insertion, deletion, replacement or swap of neighbours counts 1.
static size_t edit_distance(const char *a, const char *b)
{
    size_t rows[3][TEXT_WORD_MAX + 1];
    size_t a_length = strlen(a);
    size_t b_length = strlen(b);
    for (size_t j = 0; j <= b_length; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *above_two = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = minimum(replaced, minimum(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = minimum(row[j], above_two[j - 2] + 1);
            }
        }
    }
    return rows[a_length % 3][b_length];
}

const char *text_nearest(const char *text, const char *const *words)
{
    const char *nearest = NULL;
    size_t length = strnlen(text, TEXT_WORD_MAX + 1);
    // One more than the distance that still counts as a typing error: of three letters one may be wrong.
    size_t best = length <= 3 ? 2 : length / 3 + 2;
    if (length == 0 || length > TEXT_WORD_MAX) {
        return NULL;
    }
    for (; *words != NULL; words++) {
        if (strnlen(*words, TEXT_WORD_MAX + 1) > TEXT_WORD_MAX) {
            continue;
        }
        size_t distance = edit_distance(text, *words);
        if (distance < best && distance < length) {
            best = distance;
            nearest = *words;
        }
    }
    return nearest;
}

struct slice text_cut(struct slice s, size_t max)
{
    if (s.size <= max) {
        return s;
    }
    while (max > 0 && (s.data[max] & 0xc0) == 0x80) {
        max--;
    }
    return slice_make(s.data, max);
}

// The length of the UTF-8 character at the start (RFC 3629: no overlong forms, no surrogates); 0 when there
// is none.
static size_t utf8_length(struct slice s)
{
    static const struct {
        uint8_t first_min, first_max, second_min, second_max;
        size_t length;
    } forms[] = {
        {0x00, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (s.data[0] < forms[i].first_min || s.data[0] > forms[i].first_max) {
            continue;
        }
        if (s.size < forms[i].length) {
            return 0;
        }
        if (forms[i].length > 1 && (s.data[1] < forms[i].second_min || s.data[1] > forms[i].second_max)) {
            return 0;
        }
        for (size_t k = 2; k < forms[i].length; k++) {
            if ((s.data[k] & 0xc0) != 0x80) {
                return 0;
            }
        }
        return forms[i].length;
    }
    return 0;
}

bool text_is_utf8(struct slice s)
{
    while (s.size > 0) {
        size_t length = utf8_length(s);
        if (length == 0) {
            return false;
        }
        s = slice_make(s.data + length, s.size - length);
    }
    return true;
}

static void append_json_ascii(struct bytes *out, uint8_t byte)
{
    static const char letters[] = "btnvfr";  // from 0x08; JSON has all of these escapes except \v
    if (byte == '"' || byte == '\\') {
        bytes_append_byte(out, '\\');
        bytes_append_byte(out, byte);
    } else if (byte >= 0x08 && byte <= 0x0d && byte != 0x0b) {
        bytes_append_byte(out, '\\');
        bytes_append_byte(out, (uint8_t)letters[byte - 0x08]);
    } else if (byte < 0x20 || byte == 0x7f) {
        bytes_format(out, "\\u%04x", byte);
    } else {
        bytes_append_byte(out, byte);
    }
}

/** Skips bytes that need no escape, eight at once. */
static size_t skip_plain(struct slice text, size_t at)
{
    const uint64_t deletes = TEXT_ONES * 0x7f;
    while (text.size - at >= 8) {
        uint64_t word = 0;
        memcpy(&word, text.data + at, sizeof(word));
        if (text_mark_special(word) != 0 || (((word ^ deletes) - TEXT_ONES) & TEXT_ONES * 0x80) != 0) {
            break;
        }
        at += 8;
    }
    return at;
}

void text_append_json(struct bytes *out, struct slice text)
{
    bytes_append_byte(out, '"');
    size_t plain = 0;  // start of the bytes that need no escape
    size_t at = skip_plain(text, 0);
    while (at < text.size) {
        uint8_t byte = text.data[at];
        if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') {
            at++;
            continue;
        }
        size_t length = utf8_length(slice_make(text.data + at, text.size - at));
        if (length > 1) {
            at += length;
            continue;
        }
        bytes_append(out, text.data + plain, at - plain);
        if (length == 0) {
            bytes_append_string(out, "\xef\xbf\xbd");
        } else {
            append_json_ascii(out, byte);
        }
        plain = ++at;
    }
    if (at > plain) {  // the data of an empty text may be NULL
        bytes_append(out, text.data + plain, at - plain);
    }
    bytes_append_byte(out, '"');
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// After wyhash (public domain): eight bytes for each multiplication; the tail is padded with zeros and the
// length mixed in.
uint64_t text_hash(struct slice s)
{
    static const uint64_t secret = UINT64_C(0xa0761d6478bd642f);
    uint64_t hash = mix((uint64_t)s.size ^ secret, UINT64_C(0xe7037ed1a0b428db));
    size_t at = 0;
    while (at < s.size) {
        uint64_t word = text_load(s.data + at, s.size - at);
        hash = mix(hash ^ word, UINT64_C(0x8ebc6af09c88c6e3)) ^ secret;
        at += sizeof(word);
    }
    return mix(hash, UINT64_C(0x589965cc75374cc3));
}

void text_append_hex(struct bytes *out, struct slice data)
{
    static const char HEX[] = "0123456789abcdef";
    uint8_t *at = bytes_reserve(out, 2 * data.size);
    for (size_t i = 0; i < data.size; i++) {
        at[2 * i] = (uint8_t)HEX[data.data[i] >> 4];
        at[2 * i + 1] = (uint8_t)HEX[data.data[i] & 15];
    }
    out->size += 2 * data.size;
}

uint8_t *text_digits(uint8_t *end, uint64_t value)
{
    static const char PAIRS[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";
    while (value >= 100) {
        end -= 2;
        memcpy(end, PAIRS + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, PAIRS + 2 * value, 2);
    } else {
        *--end = (uint8_t)('0' + value);
    }
    return end;
}

void text_append_time(struct bytes *out, int64_t wall_us)
{
    time_t seconds = (time_t)(wall_us / CLOCK_US_PER_S);
    struct tm utc;
    char text[32];
    if (gmtime_r(&seconds, &utc) == NULL || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc) == 0) {
        text[0] = '\0';
    }
    bytes_format(out, "%s.%03dZ", text, (int)(wall_us % CLOCK_US_PER_S / CLOCK_US_PER_MS));
}
