// HashMap yields its buckets from the first to the last and the entries of a bucket in order of insertion. It
// has 16 buckets and doubles them when it has more entries than three quarters of them; the bucket is the
// lower bits of hash ^ hash >> 16. (A bucket of eight entries and more becomes a tree, whose root comes
// first: not followed here, as it needs keys with equal hashes.)
#include "connectors/postgres/values/pg_java_map.h"

enum { BUCKETS_MIN = 16 };

// The UTF-16 units of the character at `*at`, which must be UTF-8 as the database's encoding is.
static uint32_t take_character(struct slice text, size_t *at)
{
    uint8_t head = text.data[(*at)++];
    int more = head >= 0xf0 ? 3 : head >= 0xe0 ? 2 : head >= 0xc0 ? 1 : 0;
    uint32_t c = more == 0 ? head : head & (0x3fU >> more);
    for (; more > 0 && *at < text.size; more--) {
        c = c << 6 | (text.data[(*at)++] & 0x3f);
    }
    return c;
}

uint32_t pg_java_map_hash(struct slice text)
{
    uint32_t hash = 0;
    for (size_t at = 0; at < text.size;) {
        uint32_t c = take_character(text, &at);
        if (c >= 0x10000) {
            hash = 31 * hash + (0xd800 + ((c - 0x10000) >> 10));
            c = 0xdc00 + (c & 0x3ff);
        }
        hash = 31 * hash + c;
    }
    return hash;
}

static size_t count_buckets(size_t count)
{
    size_t buckets = BUCKETS_MIN;
    while (count > buckets / 4 * 3) {
        buckets *= 2;
    }
    return buckets;
}

size_t pg_java_map_scratch(size_t count)
{
    return count_buckets(count) + 1;
}

void pg_java_map_order(const uint32_t *hashes, size_t count, uint32_t *scratch, uint32_t *ret)
{
    size_t buckets = count_buckets(count);
    memset(scratch, 0, (buckets + 1) * sizeof(*scratch));
    for (size_t i = 0; i < count; i++) {
        scratch[((hashes[i] ^ hashes[i] >> 16) & (buckets - 1)) + 1]++;
    }
    for (size_t i = 0; i < buckets; i++) {
        scratch[i + 1] += scratch[i];
    }
    for (size_t i = 0; i < count; i++) {
        ret[scratch[(hashes[i] ^ hashes[i] >> 16) & (buckets - 1)]++] = (uint32_t)i;
    }
}
