#include "core/base/watermark.h"

#include "core/base/memory.h"

struct watermark_entry {
    uint64_t position;
    int64_t mark;
    uint32_t held;
    bool is_sealed;
};

enum { WATERMARK_FIRST_CAPACITY = 64 };

void watermark_init(struct watermark *w, uint64_t safe, size_t open_max)
{
    size_t capacity_max = WATERMARK_FIRST_CAPACITY;
    while (capacity_max < open_max) {
        capacity_max *= 2;
    }
    *w = (struct watermark){.capacity = WATERMARK_FIRST_CAPACITY, .capacity_max = capacity_max, .safe = safe};
    w->ring = memory_zeroed(w->capacity, sizeof(*w->ring));
}

void watermark_clear(struct watermark *w)
{
    if (w == NULL) {
        return;
    }
    free(w->ring);
    *w = (struct watermark){0};
}

uint64_t watermark_restart(struct watermark *w, uint64_t safe)
{
    w->first = w->next;
    w->safe = safe;
    return w->first;
}

static struct watermark_entry *entry_at(const struct watermark *w, uint64_t ticket)
{
    return &w->ring[ticket & (w->capacity - 1)];
}

static struct watermark_entry *open_entry(const struct watermark *w, uint64_t ticket)
{
    INVARIANT(ticket >= w->first && ticket < w->next);
    return entry_at(w, ticket);
}

static void grow(struct watermark *w)
{
    struct watermark grown = *w;
    grown.capacity = w->capacity * 2;
    grown.ring = memory_zeroed(grown.capacity, sizeof(*grown.ring));
    for (uint64_t ticket = w->first; ticket != w->next; ticket++) {
        *entry_at(&grown, ticket) = *entry_at(w, ticket);
    }
    free(w->ring);
    *w = grown;
}

static void settle_prefix(struct watermark *w)
{
    while (w->first != w->next) {
        const struct watermark_entry *e = entry_at(w, w->first);
        if (!e->is_sealed || e->held > 0) {
            return;
        }
        if (e->position > w->safe) {
            w->safe = e->position;
        }
        w->first++;
    }
}

uint64_t watermark_open(struct watermark *w)
{
    INVARIANT(!watermark_full(w));
    if (w->next - w->first == w->capacity) {
        grow(w);
    }
    uint64_t ticket = w->next++;
    *entry_at(w, ticket) = (struct watermark_entry){0};
    return ticket;
}

void watermark_hold(struct watermark *w, uint64_t ticket)
{
    struct watermark_entry *e = open_entry(w, ticket);
    INVARIANT(!e->is_sealed && e->held < UINT32_MAX);
    e->held++;
}

void watermark_release(struct watermark *w, uint64_t ticket)
{
    watermark_release_many(w, ticket, 1);
}

void watermark_release_many(struct watermark *w, uint64_t ticket, uint32_t count)
{
    struct watermark_entry *e = open_entry(w, ticket);
    INVARIANT(e->held >= count);
    e->held -= count;
    if (e->held == 0 && e->is_sealed && ticket == w->first) {
        settle_prefix(w);
    }
}

void watermark_seal(struct watermark *w, uint64_t ticket, uint64_t position)
{
    struct watermark_entry *e = open_entry(w, ticket);
    INVARIANT(!e->is_sealed);
    e->is_sealed = true;
    e->position = position;
    if (e->held == 0 && ticket == w->first) {
        settle_prefix(w);
    }
}

void watermark_reopen(struct watermark *w, uint64_t ticket)
{
    struct watermark_entry *e = open_entry(w, ticket);
    INVARIANT(e->is_sealed);
    e->is_sealed = false;
}

void watermark_mark(struct watermark *w, uint64_t ticket, int64_t mark)
{
    open_entry(w, ticket)->mark = mark;
}

bool watermark_oldest_mark(const struct watermark *w, int64_t *ret_mark)
{
    if (watermark_idle(w)) {
        return false;
    }
    *ret_mark = entry_at(w, w->first)->mark;
    return true;
}

bool watermark_advance_idle(struct watermark *w, uint64_t position)
{
    if (!watermark_idle(w) || position <= w->safe) {
        return false;
    }
    w->safe = position;
    return true;
}
