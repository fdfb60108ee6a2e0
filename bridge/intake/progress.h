// How far one partition is settled for one function, and what of that the group has committed.
#ifndef BRIDGE_INTAKE_PROGRESS_H
#define BRIDGE_INTAKE_PROGRESS_H

#include "core/base/watermark.h"

/** Plain data, embedded. Positions are offsets plus one: the next offset to read, as Kafka commits it. */
struct progress {
    struct watermark ledger;
    int64_t committed;      // what the group has; -1 before anything
    int64_t committing;     // asked of the broker and not answered; -1: nothing
    uint64_t first_ticket;  // of this log; those before it are of one that is gone
    bool is_anew;           // the group's offset is of a log that is gone: even 0 is to be committed
};

/** At most this many records may wait behind one unsettled: what the memory for a stuck record's successors
 * allows. */
enum { PROGRESS_OPEN_MAX = 1 << 17 };

/** @param committed  the group's offset; -1 when it has none */
void progress_init(struct progress *p, int64_t committed);
void progress_clear(struct progress *p);

/**
 * The log is another one than before (its topic was made anew, or cut): reading begins at its earliest
 * record, which 0 stands for. What is unsettled of the old one can't be read again and holds nothing back.
 */
void progress_restart(struct progress *p);

/**
 * A record was read: its offset is passed only once the ticket is settled.
 *
 * @param timestamp_ms  the record's own; -1 for none
 */
uint64_t progress_open(struct progress *p, int64_t offset, int64_t timestamp_ms);

/** A ticket from before progress_restart is passed over. */
void progress_settle(struct progress *p, uint64_t ticket);

static inline bool progress_is_full(const struct progress *p)
{
    return watermark_full(&p->ledger);
}

/** The timestamp of the oldest record that is not settled; -1 when there is none. */
int64_t progress_oldest_ms(const struct progress *p);

/** The offset to commit, or -1 when it has not moved (or a commit is under way). */
int64_t progress_next_commit(const struct progress *p);
void progress_commit_begun(struct progress *p, int64_t offset);
void progress_commit_ended(struct progress *p, bool is_committed);

#endif
