#include "bridge/intake/leader_watch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/table.h"
#include "core/base/text.h"

struct refused {
    UT_hash_handle hh;
    uint64_t key;
    uint64_t count;
};

struct leader_watch {
    struct kafka_log_reader reader;
    _Atomic bool has_any;  // without it nothing needs the lock
    uv_mutex_t lock;
    struct refused *table;
};

/** shop.public.orders [3]: broker unavailable: fetch: Broker: Unknown topic or partition */
static bool parse(const char *text, uint64_t *ret)
{
    const char *bracket = strstr(text, " [");
    if (bracket == NULL) {
        return false;
    }
    char *end;
    long number = strtol(bracket + 2, &end, 10);
    static const char REST[] = "]: broker unavailable: fetch: ";
    if (end == bracket + 2 || strncmp(end, REST, sizeof(REST) - 1) != 0) {
        return false;
    }
    *ret = leader_watch_key(slice_make(text, (size_t)(bracket - text)), (int32_t)number);
    return true;
}

static void on_line(void *self, const char *facility, const char *text)
{
    struct leader_watch *w = self;
    uint64_t key;
    if (strcmp(facility, "BROKERUA") != 0 || !parse(text, &key)) {
        return;
    }
    uv_mutex_lock(&w->lock);
    struct refused *found;
    HASH_FIND(hh, w->table, &key, sizeof(key), found);
    if (found == NULL) {
        found = memory_zeroed(1, sizeof(*found));
        found->key = key;
        HASH_ADD(hh, w->table, key, sizeof(key), found);
    }
    found->count++;
    uv_mutex_unlock(&w->lock);
    atomic_store(&w->has_any, true);
}

struct leader_watch *leader_watch_new(void)
{
    struct leader_watch *w = memory_zeroed(1, sizeof(*w));
    w->reader = (struct kafka_log_reader){.on_line = on_line, .self = w};
    INVARIANT(uv_mutex_init(&w->lock) == 0);
    return w;
}

void leader_watch_free(struct leader_watch *w)
{
    if (w == NULL) {
        return;
    }
    struct refused *found;
    struct refused *next;
    HASH_ITER (hh, w->table, found, next) {
        HASH_DEL(w->table, found);
        free(found);
    }
    uv_mutex_destroy(&w->lock);
    free(w);
}

struct kafka_log_reader *leader_watch_reader(struct leader_watch *w)
{
    return &w->reader;
}

uint64_t leader_watch_key(struct slice topic, int32_t number)
{
    return text_hash(topic) ^ ((uint64_t)(uint32_t)number * UINT64_C(0x9e3779b97f4a7c15));
}

uint64_t leader_watch_count(struct leader_watch *w, uint64_t key)
{
    if (!atomic_load(&w->has_any)) {
        return 0;
    }
    uv_mutex_lock(&w->lock);
    const struct refused *found;
    HASH_FIND(hh, w->table, &key, sizeof(key), found);
    uint64_t count = found == NULL ? 0 : found->count;
    uv_mutex_unlock(&w->lock);
    return count;
}
