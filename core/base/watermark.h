// The ledger that decides which position may be confirmed. Entries are opened in order and settled in any
// order; the safe position is the end of the settled prefix. LSNs and offsets are confirmed only through it.
//
// Modelled on the transaction ring of Bottled Water (kafka/bottledwater.c, xact_list and maybe_checkpoint).
#ifndef CORE_BASE_WATERMARK_H
#define CORE_BASE_WATERMARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Embedded in its owner; watermark_init before any use. */
struct watermark {
    struct watermark_entry *ring;
    size_t capacity;      // a power of two
    size_t capacity_max;  // entries; watermark_full at this count
    uint64_t first;       // ticket of the oldest entry still in the ring
    uint64_t next;        // ticket of the next entry to be opened
    uint64_t safe;        // end of the settled prefix; 0: not known yet
};

/**
 * @param safe      the position already known to be safe (0 for none)
 * @param open_max  how many entries may be open at once, those behind an unsettled one included; rounded up
 *                  to a power of two, at least 64
 */
void watermark_init(struct watermark *w, uint64_t safe, size_t open_max);
void watermark_clear(struct watermark *w);

/**
 * Drops all open entries and starts again at `safe`, which may be lower than before. Tickets are not reused:
 * those below the returned one are invalid.
 */
uint64_t watermark_restart(struct watermark *w, uint64_t safe);

/** Opens the next entry and returns its ticket; it holds back all later ones until it is sealed and released.
 */
uint64_t watermark_open(struct watermark *w);

/** Adds one piece of outstanding work to the entry, which must not be sealed. */
void watermark_hold(struct watermark *w, uint64_t ticket);

/** Settles one piece of work of the entry. Releasing more than was held violates an invariant. */
void watermark_release(struct watermark *w, uint64_t ticket);

/** As watermark_release, for `count` pieces of work. */
void watermark_release_many(struct watermark *w, uint64_t ticket, uint32_t count);

/** Closes the entry to further holds. Once it and all earlier ones are released, `position` is safe. */
void watermark_seal(struct watermark *w, uint64_t ticket, uint64_t position);

/** Opens a sealed entry again that is not settled: more work belongs to it. Seal it anew. */
void watermark_reopen(struct watermark *w, uint64_t ticket);

/** Attaches a number of the caller's to an open entry, for instance when it was opened; 0 at first. */
void watermark_mark(struct watermark *w, uint64_t ticket, int64_t mark);

/** The mark of the oldest open entry; false when none is open. */
bool watermark_oldest_mark(const struct watermark *w, int64_t *ret_mark);

/** Raises the safe position when no entry is open (an idle peer's keepalive). False, and no change, when one
 * is open or the position is not higher. */
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

/** Entries that are not yet part of the settled prefix. */
static inline uint64_t watermark_open_count(const struct watermark *w)
{
    return w->next - w->first;
}

#endif
