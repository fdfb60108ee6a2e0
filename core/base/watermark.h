// The ledger that decides what may be confirmed: positions are opened in order, settled in any order,
// and the safe position is the end of the settled prefix. LSNs and offsets move only through here.
//
// After the transaction ring of Bottled Water (kafka/bottledwater.c, xact_list and maybe_checkpoint).
#ifndef CORE_BASE_WATERMARK_H
#define CORE_BASE_WATERMARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Plain data, embedded; zero-initialised and then watermark_init. */
struct watermark {
    struct watermark_entry *ring;
    size_t capacity;      // a power of two
    size_t capacity_max;  // entries; watermark_full at this count
    uint64_t first;       // ticket of the oldest entry still in the ring
    uint64_t next;        // ticket that the next open gives
    uint64_t safe;        // end of the settled prefix; 0 before anything settled
};

/**
 * @param safe      the position already known to be safe (0 for none)
 * @param open_max  how many entries may be unsettled-or-behind-one at once, rounded up to a power of two
 */
void watermark_init(struct watermark *w, uint64_t safe, size_t open_max);
void watermark_clear(struct watermark *w);

/**
 * Drops whatever is open and begins anew at `safe`, which may lie below the last. Tickets go on counting: one
 * given before is below the result, and is not to be used any more.
 */
uint64_t watermark_restart(struct watermark *w, uint64_t safe);

/** Opens the next position and returns its ticket; it holds back all later ones until sealed and released. */
uint64_t watermark_open(struct watermark *w);

/** One more outstanding piece of work under the ticket, which must still be open. */
void watermark_hold(struct watermark *w, uint64_t ticket);

/** One piece of work under the ticket is settled. Releasing more than was held is an invariant failure. */
void watermark_release(struct watermark *w, uint64_t ticket);

/** The same for `count` pieces of work at once. */
void watermark_release_many(struct watermark *w, uint64_t ticket, uint32_t count);

/** No more holds will come under the ticket; once all are released everything up to `position` is safe. */
void watermark_seal(struct watermark *w, uint64_t ticket, uint64_t position);

/** Whatever the caller wants to know of the ticket as long as it is open, its age for instance; 0 at first.
 */
void watermark_mark(struct watermark *w, uint64_t ticket, int64_t mark);

/** The mark of the oldest entry that holds the others back; false when nothing is open. */
bool watermark_oldest_mark(const struct watermark *w, int64_t *ret_mark);

/** Moves the safe position up when nothing is open (an idle peer's keepalive); false and no change else. */
bool watermark_advance_idle(struct watermark *w, uint64_t position);

static inline uint64_t watermark_safe(const struct watermark *w)
{
    return w->safe;
}

static inline bool watermark_idle(const struct watermark *w)
{
    return w->first == w->next;
}

static inline bool watermark_full(const struct watermark *w)
{
    return w->next - w->first >= w->capacity_max;
}

/** Entries opened and not yet part of the settled prefix. */
static inline uint64_t watermark_open_count(const struct watermark *w)
{
    return w->next - w->first;
}

#endif
