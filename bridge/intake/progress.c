#include "bridge/intake/progress.h"

#include <string.h>

#include "core/base/memory.h"

enum {
    WORD_BITS = 64,
    CHUNK_WORDS = PROGRESS_CHUNK_OFFSETS / WORD_BITS,
    SAMPLE_APART_MS = 1000,
    SAMPLES_MAX = 1 << 16,
};

struct progress_chunk {
    uint64_t number;  // ticket / PROGRESS_CHUNK_OFFSETS
    uint64_t *bits;   // 1: unsettled; NULL: all are settled
    uint32_t unsettled_count;
};

/** Records from this ticket up to the next sample's are about this old. */
struct progress_sample {
    uint64_t ticket;
    int64_t timestamp_ms;
};

void progress_init(struct progress *p, int64_t committed)
{
    *p = (struct progress){.committed = committed, .committing = -1};
    p->next = committed < 0 ? 0 : (uint64_t)committed;
}

static void free_chunks(struct progress *p)
{
    for (size_t i = 0; i < p->chunk_count; i++) {
        free(p->chunks[p->chunk_at + i].bits);
    }
    p->chunk_at = p->chunk_count = p->live_count = 0;
    p->sample_at = p->sample_count = 0;
    p->unsettled_count = 0;
}

static void free_restored(struct progress *p)
{
    free(TAKE(p->restored));
    p->restored_at = p->restored_count = 0;
}

void progress_clear(struct progress *p)
{
    free_chunks(p);
    free_restored(p);
    free(p->chunks);
    free(p->samples);
    *p = (struct progress){0};
}

void progress_restart(struct progress *p)
{
    free_chunks(p);
    free_restored(p);
    p->base = p->next;
    p->committed = -1;
    p->committing = -1;
    p->is_new_log = true;
}

/** Makes room for one more chunk: drops settled chunks; grows the array if that frees less than half. */
static void make_room(struct progress *p)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->chunk_count; i++) {
        struct progress_chunk chunk = p->chunks[p->chunk_at + i];
        if (chunk.bits != NULL) {
            p->chunks[kept++] = chunk;
        }
    }
    p->chunk_at = 0;
    p->chunk_count = kept;
    if (kept * 2 > p->chunk_capacity || p->chunk_capacity == 0) {
        p->chunk_capacity = p->chunk_capacity == 0 ? 4 : p->chunk_capacity * 2;
        p->chunks = memory_resize(p->chunks, p->chunk_capacity * sizeof(*p->chunks));
    }
}

static void drop_settled_front(struct progress *p)
{
    while (p->chunk_count > 0 && p->chunks[p->chunk_at].bits == NULL) {
        p->chunk_at++;
        p->chunk_count--;
    }
}

/** Frees the bits of a chunk that gets no more records and has no unsettled ones. */
static void settle_chunk(struct progress *p, struct progress_chunk *chunk)
{
    free(TAKE(chunk->bits));
    p->live_count--;
    drop_settled_front(p);
}

static struct progress_chunk *last_chunk(const struct progress *p)
{
    return p->chunk_count == 0 ? NULL : &p->chunks[p->chunk_at + p->chunk_count - 1];
}

/** The chunk for the next ticket. */
static struct progress_chunk *chunk_to_open(struct progress *p, uint64_t number)
{
    struct progress_chunk *last = last_chunk(p);
    if (last != NULL && last->number == number) {
        return last;
    }
    if (last != NULL && last->unsettled_count == 0) {
        settle_chunk(p, last);
    }
    if (p->chunk_at + p->chunk_count == p->chunk_capacity) {
        make_room(p);
    }
    struct progress_chunk *chunk = &p->chunks[p->chunk_at + p->chunk_count++];
    *chunk = (struct progress_chunk){
        .number = number,
        .bits = memory_zeroed(CHUNK_WORDS, sizeof(*chunk->bits)),
    };
    p->live_count++;
    return chunk;
}

/** The ticket of the first unsettled record, else the next one. */
static uint64_t first_unsettled(const struct progress *p)
{
    if (p->unsettled_count == 0) {
        return p->next;
    }
    for (size_t i = 0; i < p->chunk_count; i++) {
        const struct progress_chunk *chunk = &p->chunks[p->chunk_at + i];
        for (uint64_t word = 0; chunk->unsettled_count > 0 && word < CHUNK_WORDS; word++) {
            if (chunk->bits[word] != 0) {
                return chunk->number * PROGRESS_CHUNK_OFFSETS + word * WORD_BITS +
                       (uint64_t)__builtin_ctzll(chunk->bits[word]);
            }
        }
    }
    return p->next;
}

static void drop_old_samples(struct progress *p)
{
    uint64_t first = first_unsettled(p);
    while (p->sample_count > 1 && p->samples[p->sample_at + 1].ticket <= first) {
        p->sample_at++;
        p->sample_count--;
    }
    if (p->sample_at > 0) {
        memmove(p->samples, p->samples + p->sample_at, p->sample_count * sizeof(*p->samples));
        p->sample_at = 0;
    }
}

/** Notes the timestamp for progress_oldest_ms. With SAMPLES_MAX samples that age may be overstated. */
static void sample(struct progress *p, uint64_t ticket, int64_t timestamp_ms)
{
    if (p->unsettled_count == 0) {
        p->sample_at = p->sample_count = 0;  // no record is unsettled: this one is the oldest
    }
    if (p->sample_count > 0) {
        int64_t apart_ms = timestamp_ms - p->samples[p->sample_at + p->sample_count - 1].timestamp_ms;
        if (apart_ms > -SAMPLE_APART_MS && apart_ms < SAMPLE_APART_MS) {
            return;
        }
    }
    if (p->sample_at + p->sample_count == p->sample_capacity) {
        drop_old_samples(p);
    }
    if (p->sample_count == SAMPLES_MAX) {
        return;
    }
    if (p->sample_count == p->sample_capacity) {
        p->sample_capacity = p->sample_capacity == 0 ? 8 : p->sample_capacity * 2;
        p->samples = memory_resize(p->samples, p->sample_capacity * sizeof(*p->samples));
    }
    p->samples[p->sample_at + p->sample_count++] = (struct progress_sample){ticket, timestamp_ms};
}

uint64_t progress_open(struct progress *p, int64_t offset, int64_t timestamp_ms)
{
    uint64_t ticket = p->base + (uint64_t)offset;
    INVARIANT(ticket >= p->next);
    sample(p, ticket, timestamp_ms);
    struct progress_chunk *chunk = chunk_to_open(p, ticket / PROGRESS_CHUNK_OFFSETS);
    chunk->bits[ticket % PROGRESS_CHUNK_OFFSETS / WORD_BITS] |= UINT64_C(1) << (ticket % WORD_BITS);
    chunk->unsettled_count++;
    p->unsettled_count++;
    p->next = ticket + 1;
    return ticket;
}

bool progress_skip(struct progress *p, int64_t offset)
{
    while (p->restored_count > 0 && p->restored[p->restored_at].to <= offset) {
        p->restored_at++;
        p->restored_count--;
    }
    if (p->restored_count == 0 || offset < p->restored[p->restored_at].from) {
        return false;
    }
    progress_pass(p, offset + 1);
    return true;
}

void progress_restore(struct progress *p, const struct progress_range *ranges, size_t count)
{
    free_restored(p);
    p->restored = memory_zeroed(count + 1, sizeof(*ranges));
    p->restored_count = count;
    if (count > 0) {
        memcpy(p->restored, ranges, count * sizeof(*ranges));
    }
}

/** Ranges as they are found. */
struct collector {
    struct progress_range *ranges;
    size_t count;
    size_t max;
};

static bool collect(struct collector *c, int64_t from, int64_t to)
{
    if (from < to && c->count > 0 && c->ranges[c->count - 1].to == from) {
        c->ranges[c->count - 1].to = to;
    } else if (from < to && c->count < c->max) {
        c->ranges[c->count++] = (struct progress_range){from, to};
    }
    return c->count < c->max;
}

/** Collects what is settled between `*at` and the unsettled tickets of one word; `*at` comes after the last
 * of these. */
static bool collect_word(const struct progress *p, struct collector *c, uint64_t first, uint64_t bits,
                         uint64_t *at)
{
    if (bits == UINT64_MAX && *at <= first) {
        bool has_room = collect(c, progress_offset_of(p, *at), progress_offset_of(p, first));
        *at = first + WORD_BITS;
        return has_room;
    }
    for (; bits != 0; bits &= bits - 1) {
        uint64_t ticket = first + (uint64_t)__builtin_ctzll(bits);
        if (ticket < *at) {
            continue;
        }
        if (!collect(c, progress_offset_of(p, *at), progress_offset_of(p, ticket))) {
            return false;
        }
        *at = ticket + 1;
    }
    return true;
}

size_t progress_settled(const struct progress *p, struct progress_range *ret, size_t max)
{
    struct collector c = {.ranges = ret, .max = max};
    uint64_t at = first_unsettled(p);
    bool has_room = max > 0;
    for (size_t i = 0; has_room && i < p->chunk_count; i++) {
        const struct progress_chunk *chunk = &p->chunks[p->chunk_at + i];
        for (uint64_t word = 0; has_room && chunk->unsettled_count > 0 && word < CHUNK_WORDS; word++) {
            uint64_t first = chunk->number * PROGRESS_CHUNK_OFFSETS + word * WORD_BITS;
            has_room = chunk->bits[word] == 0 || collect_word(p, &c, first, chunk->bits[word], &at);
        }
    }
    has_room = has_room && collect(&c, progress_offset_of(p, at), progress_offset_of(p, p->next));
    for (size_t i = 0; has_room && i < p->restored_count; i++) {
        const struct progress_range *range = &p->restored[p->restored_at + i];
        int64_t next = progress_offset_of(p, p->next);
        has_room = collect(&c, range->from > next ? range->from : next, range->to);
    }
    return c.count;
}

void progress_pass(struct progress *p, int64_t offset)
{
    uint64_t ticket = p->base + (uint64_t)offset;
    p->next = ticket > p->next ? ticket : p->next;
}

void progress_end(struct progress *p, int64_t offset)
{
    progress_pass(p, offset);
    for (; p->restored_count > 0; p->restored_count--) {
        struct progress_range *last = &p->restored[p->restored_at + p->restored_count - 1];
        if (last->from < offset) {
            last->to = last->to < offset ? last->to : offset;
            return;
        }
    }
}

static struct progress_chunk *find_chunk(const struct progress *p, uint64_t number)
{
    size_t low = p->chunk_at;
    size_t high = p->chunk_at + p->chunk_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->chunks[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool is_found = low < p->chunk_at + p->chunk_count && p->chunks[low].number == number;
    return is_found ? &p->chunks[low] : NULL;
}

bool progress_is_settled(const struct progress *p, int64_t offset)
{
    uint64_t ticket = p->base + (uint64_t)offset;
    if (ticket >= p->next) {
        return false;
    }
    const struct progress_chunk *chunk = find_chunk(p, ticket / PROGRESS_CHUNK_OFFSETS);
    uint64_t word = ticket % PROGRESS_CHUNK_OFFSETS / WORD_BITS;
    return chunk == NULL || chunk->bits == NULL ||
           (chunk->bits[word] & UINT64_C(1) << (ticket % WORD_BITS)) == 0;
}

void progress_settle(struct progress *p, uint64_t ticket)
{
    if (!progress_is_current(p, ticket)) {
        return;
    }
    struct progress_chunk *chunk = find_chunk(p, ticket / PROGRESS_CHUNK_OFFSETS);
    uint64_t bit = UINT64_C(1) << (ticket % WORD_BITS);
    uint64_t word = ticket % PROGRESS_CHUNK_OFFSETS / WORD_BITS;
    INVARIANT(chunk != NULL && chunk->bits != NULL && (chunk->bits[word] & bit) != 0);
    chunk->bits[word] &= ~bit;
    p->unsettled_count--;
    if (--chunk->unsettled_count == 0 && chunk != last_chunk(p)) {
        settle_chunk(p, chunk);
    }
}

int64_t progress_safe(const struct progress *p)
{
    return progress_offset_of(p, first_unsettled(p));
}

int64_t progress_oldest_ms(const struct progress *p)
{
    uint64_t first = first_unsettled(p);
    int64_t oldest_ms = -1;
    for (size_t i = 0; first < p->next && i < p->sample_count; i++) {
        const struct progress_sample *s = &p->samples[p->sample_at + i];
        if (s->ticket > first) {
            break;
        }
        oldest_ms = s->timestamp_ms;
    }
    return oldest_ms;
}

void progress_set_uncommitted(struct progress *p)
{
    p->committed = -1;
    p->is_new_log = true;
}

int64_t progress_next_commit(const struct progress *p)
{
    int64_t safe = progress_safe(p);
    return p->committing < 0 && (safe > 0 || p->is_new_log) && safe > p->committed ? safe : -1;
}

void progress_commit_begun(struct progress *p, int64_t offset)
{
    p->committing = offset;
}

void progress_commit_ended(struct progress *p, bool is_committed)
{
    if (is_committed && p->committing > p->committed) {
        p->committed = p->committing;
    }
    p->committing = -1;
}
