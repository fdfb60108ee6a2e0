// Which records of one partition are settled for one function, and which offset is committed.
//
// Records are read in the order of their offsets and settled in any order. One bit for each offset from the
// first unsettled record on says whether its record is unsettled. A million settled records behind an
// unsettled one take 128 KB; chunks without unsettled records take almost nothing.
#ifndef BRIDGE_INTAKE_PROGRESS_H
#define BRIDGE_INTAKE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress_chunk;
struct progress_sample;

/** Offsets from `from` to `to` - 1. */
struct progress_range {
    int64_t from;
    int64_t to;
};

/** Plain data, embedded. A ticket is an offset plus `base`: tickets of a log that was replaced are smaller
 * than those of the new log. */
struct progress {
    struct progress_chunk *chunks;  // by ticket, from chunk_at; tickets in no chunk are settled
    size_t chunk_at;
    size_t chunk_count;  // after chunk_at
    size_t chunk_capacity;
    struct progress_sample *samples;  // timestamps, a second apart or more, from sample_at
    size_t sample_at;
    size_t sample_count;  // after sample_at
    size_t sample_capacity;
    size_t live_count;  // chunks with unsettled records
    uint64_t unsettled_count;
    uint64_t base;       // ticket of offset 0 of this log
    uint64_t next;       // ticket after the one opened last
    int64_t committed;   // the committed offset; -1: none
    int64_t committing;  // the offset of the commit in flight; -1: none
    bool is_new_log;     // no offset of this log is committed: commit even 0
    struct progress_range
        *restored;  // settled before a restart, ascending, from restored_at; not read again yet
    size_t restored_at;
    size_t restored_count;  // after restored_at
};

enum {
    PROGRESS_CHUNK_OFFSETS = 4096,
    PROGRESS_CHUNKS_MAX = 8192,  // with unsettled records; 4.4 MB
};

/** @param committed  the committed offset; -1: none */
void progress_init(struct progress *p, int64_t committed);
void progress_clear(struct progress *p);

/**
 * The log was replaced (its topic was recreated or truncated) and is read from its earliest record. Unsettled
 * records of the old log can't be read again and hold back nothing.
 */
void progress_restart(struct progress *p);

/**
 * Opens an entry for a record that was read. The safe offset does not pass it before it is settled. Offsets
 * between it and the previous record have no record and count as settled.
 *
 * @param timestamp_ms  the record's; -1: none
 */
uint64_t progress_open(struct progress *p, int64_t offset, int64_t timestamp_ms);

/**
 * True: the record that was read was settled before a restart (progress_restore). It counts as read and
 * settled, and must not be opened.
 */
bool progress_skip(struct progress *p, int64_t offset);

/** Notes what was settled before a restart. Nothing was read yet. */
void progress_restore(struct progress *p, const struct progress_range *ranges, size_t count);

/**
 * The settled offsets beyond the safe one, which a restart must not repeat: ascending, with unsettled ones
 * between them.
 *
 * @param max  of the ranges
 * @return     how many there are; `max`: there may be more
 */
size_t progress_settled(const struct progress *p, struct progress_range *ret, size_t max);

/** All records before the offset were read: moves past offsets without one, such as markers of transactions.
 */
void progress_pass(struct progress *p, int64_t offset);

/** The log ends at the offset. Passes it; what was settled beyond it before a restart was of another log. */
void progress_end(struct progress *p, int64_t offset);

/** Whether the record was read and is settled. */
bool progress_is_settled(const struct progress *p, int64_t offset);

/** Tickets from before progress_restart are ignored. */
void progress_settle(struct progress *p, uint64_t ticket);

/** Whether the ticket was opened after the last progress_restart. */
static inline bool progress_is_current(const struct progress *p, uint64_t ticket)
{
    return ticket >= p->base;
}

static inline int64_t progress_offset_of(const struct progress *p, uint64_t ticket)
{
    return (int64_t)(ticket - p->base);
}

/** Whether no more records may be opened before the first unsettled one is settled. */
static inline bool progress_is_full(const struct progress *p)
{
    return p->live_count >= PROGRESS_CHUNKS_MAX;
}

/** The offset of the first unsettled record; without one, the offset after the record that was read last. */
int64_t progress_safe(const struct progress *p);

/** The offset after the record that was read last, or after what was passed. */
static inline int64_t progress_position(const struct progress *p)
{
    return (int64_t)(p->next - p->base);
}

/** The timestamp of the oldest record that is not settled, to the second; -1 when there is none. */
int64_t progress_oldest_ms(const struct progress *p);

/** No offset of this partition is committed: commits even offset 0. */
void progress_set_uncommitted(struct progress *p);

/** The offset to commit; -1: it has not moved, or a commit is in flight. */
int64_t progress_next_commit(const struct progress *p);
void progress_commit_begun(struct progress *p, int64_t offset);
void progress_commit_ended(struct progress *p, bool is_committed);

#endif
