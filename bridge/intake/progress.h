// How far one partition is settled for one function, and what of that the group has committed.
//
// Records are read in the order of their offsets and settled in any order. A bit for each offset above the
// first unsettled one says whether its record is still unsettled: a million records that are settled behind
// one that is not take 128 KB, and far less where whole runs are settled.
#ifndef BRIDGE_INTAKE_PROGRESS_H
#define BRIDGE_INTAKE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress_chunk;
struct progress_sample;

/** Plain data, embedded. A ticket is a record's offset plus `base`, so that tickets of a log that is gone are
 * smaller than those of the log that replaced it. */
struct progress {
    struct progress_chunk *chunks;  // by ticket, from chunk_at; offsets in no chunk are settled
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
    int64_t committed;   // what the group has; -1 before anything
    int64_t committing;  // asked of the broker and not answered; -1: nothing
    bool is_anew;        // the group has no offset of this log: even 0 is to be committed
};

enum {
    PROGRESS_CHUNK_OFFSETS = 4096,
    PROGRESS_CHUNKS_MAX = 8192,  // with unsettled records; 4.4 MB
};

/** @param committed  the group's offset; -1 when it has none */
void progress_init(struct progress *p, int64_t committed);
void progress_clear(struct progress *p);

/**
 * The log is another one than before (its topic was made anew, or cut): reading begins at its earliest
 * record, which 0 stands for. What is unsettled of the old one can't be read again and holds nothing back.
 */
void progress_restart(struct progress *p);

/**
 * A record was read: its offset is passed only once the ticket is settled. Offsets between it and the record
 * read before it hold no record and are settled.
 *
 * @param timestamp_ms  the record's own; -1 for none
 */
uint64_t progress_open(struct progress *p, int64_t offset, int64_t timestamp_ms);

/** A ticket from before progress_restart is passed over. */
void progress_settle(struct progress *p, uint64_t ticket);

/** Whether the ticket is of the log that is read now. */
static inline bool progress_is_current(const struct progress *p, uint64_t ticket)
{
    return ticket >= p->base;
}

static inline int64_t progress_offset_of(const struct progress *p, uint64_t ticket)
{
    return (int64_t)(ticket - p->base);
}

/** No more records may be opened before the first unsettled one is settled. */
static inline bool progress_is_full(const struct progress *p)
{
    return p->live_count >= PROGRESS_CHUNKS_MAX;
}

/** The offset of the first unsettled record; when there is none, the one after the record read last. */
int64_t progress_safe(const struct progress *p);

/** The timestamp of the oldest record that is not settled, to the second; -1 when there is none. */
int64_t progress_oldest_ms(const struct progress *p);

/** The group has no offset of this log: even its beginning is to be committed. */
void progress_commit_anew(struct progress *p);

/** The offset to commit, or -1 when it has not moved (or a commit is under way). */
int64_t progress_next_commit(const struct progress *p);
void progress_commit_begun(struct progress *p, int64_t offset);
void progress_commit_ended(struct progress *p, bool is_committed);

#endif
