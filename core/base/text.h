// Text helpers: lists, key/value pairs, globs, the nearest word, JSON strings, timestamps, a hash.
#ifndef CORE_BASE_TEXT_H
#define CORE_BASE_TEXT_H

#include "core/base/bytes.h"

/** Owned strings in order. Zero-initialised is empty. */
struct text_list {
    char **items;
    size_t count;
};

struct text_pair {
    char *key;
    char *value;
    bool is_secret;  // never printed
};

/** Owned key/value pairs in order, keys unique. Zero-initialised is empty. */
struct text_pairs {
    struct text_pair *items;
    size_t count;
};

void text_list_add(struct text_list *list, const char *item);
/** Makes it equal to `from`. */
void text_list_copy(struct text_list *list, const struct text_list *from);
bool text_list_has(const struct text_list *list, const char *item);

/** Whether both have the same items in the same order. */
bool text_list_is_same(const struct text_list *a, const struct text_list *b);
void text_list_clear(struct text_list *list);

/** Adds the pair, or replaces the value of an existing key. */
void text_pairs_set(struct text_pairs *pairs, const char *key, const char *value);

/** As text_pairs_set, for a value that must never be printed. */
void text_pairs_set_secret(struct text_pairs *pairs, const char *key, const char *value);

/** The value, borrowed; NULL when there is no such key. */
const char *text_pairs_get(const struct text_pairs *pairs, const char *key);

/** Whether both have the same keys and values in the same order. */
bool text_pairs_is_same(const struct text_pairs *a, const struct text_pairs *b);
void text_pairs_clear(struct text_pairs *pairs);

/** Whether both are the same text, or both are NULL. */
bool text_is_same(const char *a, const char *b);

/** Whether nothing but spaces, tabs and line ends is in it. */
bool text_is_blank(struct slice s);

/** Whether the whole text matches the glob (fnmatch(3): `*`, `?`, `[…]`), or the regular expression between
 * two `/` (name_regex.h). */
bool text_glob_match(const char *glob, const char *text);
bool text_list_glob_match(const struct text_list *globs, const char *text);

/** The same for names in the database, which a regular expression matches in any case of letters, as
 * Debezium's do. */
bool text_name_match(const char *glob, const char *name);
bool text_list_name_match(const struct text_list *globs, const char *name);

/**
 * How many Java chars (UTF-16 units) the UTF-8 character with this first byte has; 0 for a continuation byte.
 * Debezium replaces a character of a name by that many '_'.
 */
static inline int text_java_units(uint8_t byte)
{
    return (byte & 0xc0) == 0x80 ? 0 : byte >= 0xf0 ? 2 : 1;
}

/** The word of the NULL-ended list nearest to `text` by edit distance; NULL when none is near enough. */
const char *text_nearest(const char *text, const char *const *words);

#define TEXT_ONES UINT64_C(0x0101010101010101)

/**
 * For eight bytes at once: sets the high bit of each byte below 0x20, equal to '"' or '\\', or above 0x7f. It
 * may mark others behind the first of them, too. Source: "Determine if a word has a byte less than n", Bit
 * Twiddling Hacks.
 */
static inline uint64_t text_mark_special(uint64_t word)
{
    uint64_t quote = word ^ (TEXT_ONES * '"');
    uint64_t backslash = word ^ (TEXT_ONES * '\\');
    uint64_t found = (word - TEXT_ONES * 0x20) | (quote - TEXT_ONES) | (backslash - TEXT_ONES) | word;
    return found & (TEXT_ONES * 0x80);
}

/** The next 1 to 8 bytes as a word, the first one lowest; the bytes beyond are 0, which text_mark_special
 * marks. */
static inline uint64_t text_load(const uint8_t *at, size_t size)
{
    if (size >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        return word;
    }
    if (size >= 4) {
        uint32_t first;
        uint32_t last;
        memcpy(&first, at, sizeof(first));
        memcpy(&last, at + size - sizeof(last), sizeof(last));
        return first | (uint64_t)last << (8 * (size - sizeof(last)));
    }
    return at[0] | (uint64_t)at[size / 2] << (8 * (size / 2)) | (uint64_t)at[size - 1] << (8 * (size - 1));
}

/** The number of bytes before the first one that is marked in a word; 8: none is. */
static inline size_t text_unmarked(uint64_t marks)
{
    return marks == 0 ? 8 : (size_t)__builtin_ctzll(marks) / 8;
}

/** Appends `text` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void text_append_json(struct bytes *out, struct slice text);

/** Appends two lower-case hex digits for each byte. */
void text_append_hex(struct bytes *out, struct slice data);

enum { TEXT_DIGITS_MAX = 20 };

/** Writes the number's digits so that they end at `end`, and returns their start. */
uint8_t *text_digits(uint8_t *end, uint64_t value);

/** Appends an RFC 3339 timestamp in UTC with milliseconds: 2026-01-31T12:00:00.000Z. */
void text_append_time(struct bytes *out, int64_t wall_us);

/** Whether it is valid UTF-8 (RFC 3629). */
bool text_is_utf8(struct slice s);

/** The first `max` bytes at most, without a part of a UTF-8 character at the end. */
struct slice text_cut(struct slice s, size_t max);

/** 64-bit hash of bytes (for tables in memory only; not stable between versions). */
uint64_t text_hash(struct slice s);

#endif
