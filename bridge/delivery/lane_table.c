#include "bridge/delivery/lane_table.h"
#include "core/base/block_pool.h"
#include "core/base/memory.h"
#include "core/base/text.h"

enum { FIRST_BUCKETS = 256 };

void lane_table_init(struct lane_table *t)
{
    *t = (struct lane_table){.bucket_count = FIRST_BUCKETS};
    t->buckets = memory_zeroed(t->bucket_count, sizeof(struct lane *));
}

void lane_table_clear(struct lane_table *t)
{
    INVARIANT(t->lane_count == 0);
    free(t->buckets);
    *t = (struct lane_table){0};
}

static struct lane **bucket_of(const struct lane_table *t, uint64_t hash)
{
    return &t->buckets[hash & (t->bucket_count - 1)];
}

static void grow(struct lane_table *t)
{
    struct lane **old = t->buckets;
    size_t old_count = t->bucket_count;
    t->bucket_count = old_count * 2;
    t->buckets = memory_zeroed(t->bucket_count, sizeof(struct lane *));
    for (size_t i = 0; i < old_count; i++) {
        for (struct lane *lane = old[i], *next; lane != NULL; lane = next) {
            next = lane->next_in_bucket;
            struct lane **bucket = bucket_of(t, lane->hash);
            lane->next_in_bucket = *bucket;
            *bucket = lane;
        }
    }
    free(old);
}

static uint64_t hash_of(const struct lane_key *key)
{
    return text_hash(key->key) ^ (key->partition->hash * UINT64_C(0x9e3779b97f4a7c15));
}

static struct lane *find_hashed(const struct lane_table *t, const struct lane_key *key, uint64_t hash)
{
    for (struct lane *lane = *bucket_of(t, hash); lane != NULL; lane = lane->next_in_bucket) {
        if (lane->hash == hash && lane->partition == key->partition && lane->is_single == key->is_single &&
            slice_equal(slice_make(lane->key, lane->key_size), key->key)) {
            return lane;
        }
    }
    return NULL;
}

struct lane *lane_table_find(const struct lane_table *t, const struct lane_key *key)
{
    return find_hashed(t, key, hash_of(key));
}

struct lane *lane_table_find_or_make(struct lane_table *t, const struct lane_key *key)
{
    uint64_t hash = hash_of(key);
    struct lane *lane = find_hashed(t, key, hash);
    if (lane != NULL) {
        return lane;
    }
    if (t->lane_count > t->bucket_count) {
        grow(t);
    }
    lane = block_new(sizeof(*lane) + key->key.size);
    struct lane **bucket = bucket_of(t, hash);
    *lane = (struct lane){.partition = key->partition,
                          .is_single = key->is_single,
                          .hash = hash,
                          .key_size = key->key.size,
                          .next_in_bucket = *bucket};
    if (key->key.size > 0) {
        memcpy(lane->key, key->key.data, key->key.size);
    }
    *bucket = lane;
    t->lane_count++;
    return lane;
}

void lane_table_remove(struct lane_table *t, struct lane *lane)
{
    struct lane **at = bucket_of(t, lane->hash);
    while (*at != lane) {
        at = &(*at)->next_in_bucket;
    }
    *at = lane->next_in_bucket;
    INVARIANT(lane->deferred.count == 0 && lane->first == NULL);
    ticket_queue_clear(&lane->deferred);
    t->lane_count--;
    block_free(lane, sizeof(*lane) + lane->key_size);
}
