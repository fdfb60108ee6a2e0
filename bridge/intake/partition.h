// One assigned partition of a function: its place in a feed, which of its records are settled, and what is
// committed of that.
#ifndef BRIDGE_INTAKE_PARTITION_H
#define BRIDGE_INTAKE_PARTITION_H

#include <librdkafka/rdkafka.h>
#include <uv.h>

#include "bridge/intake/fetcher.h"
#include "bridge/intake/progress_record.h"
#include "bridge/intake/spill_state.h"
#include "core/base/last_error.h"
#include "core/kafka/kafka_client.h"

struct consumer;
struct record;
struct work_item;

enum partition_state {
    PARTITION_ASSIGNED,
    PARTITION_WAITING,  // calls of a lost assignment still run, or its spilled progress is being read
    PARTITION_REVOKED,  // starts no calls; given back once its running calls have ended and are committed
    PARTITION_LOST,     // another member has it: nothing of it is committed any more
};

struct partition {
    struct partition *next;
    struct consumer *consumer;  // lent
    struct fetcher *fetcher;    // lent
    char *topic;
    int32_t number;
    uint64_t hash;  // of topic and number
    enum partition_state state;
    struct progress progress;
    size_t item_count;          // work items of it; counted by work_item
    struct record *held;        // the next record, while its schema is looked up or a job's rate holds it
    struct record *refetched;   // the same, of a record that is read again
    struct work_item *failing;  // items whose last call failed; listed by work_item
    struct progress_attempt *attempts;  // from before a restart or a revocation; by offset, ascending
    size_t attempt_count;
    struct partition_spill spill;
    char *committed_text;  // progress_record.h, of the last commit; NULL: none
    char *committing_text;
    uint64_t committed_hash;  // of what the texts say
    uint64_t committing_hash;
    int64_t committed_us;  // when the last commit was sent
    uint64_t failures;     // attempts that were used up since it was assigned
    uint64_t failures_committing;
    bool is_spill_committing;     // the text of the commit in flight names a spilled record
    bool needs_spill;             // it does not say all that is known
    uint64_t failures_committed;  // so many of them are known to a restart
    uint64_t fetches_refused;     // so many are known (leader_watch.h)
    int64_t checked_us;           // when fetches_refused was looked at last
    int64_t doubted_us;           // when its topic may have been deleted (topic_check.h); 0: never
    struct last_error *error;     // of reading the next record; NULL: none
    bool has_new_letter;          // a dead letter was stored since the last commit was sent
    bool is_registered;           // the function's registration record has it
    bool is_held;                 // its next record waits (for a schema, for room in its lane)
    int64_t end_offset;           // where the log ended when that was listed; -1: never listed
    struct feed_reader reader;    // private
    void (*on_ready)(void *self);
};

/**
 * Prepares to read a partition. Nothing is read before partition_read.
 *
 * @param which     its offset is the first to read
 * @param on_ready  records may be waiting; `self` is the partition
 */
struct partition *partition_open(struct fetcher *fetcher, const rd_kafka_topic_partition_t *which,
                                 void (*on_ready)(void *self));

/** Begins to read, unless it reads. Call it again from time to time: it may fail for want of descriptors. */
void partition_read(struct partition *p);

/** Reads the earliest record next: the log was replaced. */
void partition_restart(struct partition *p);

/**
 * Restores what is known beyond the committed offset, before anything is read.
 *
 * @param f  FAULT_REJECT: the text is not such a record; nothing is restored
 */
bool partition_restore(struct partition *p, struct slice text, struct fault *f) MUST_USE;

/** Adds what the spilled record says that the restored text names (partition_spill.h), before anything is
 * read. */
void partition_restore_more(struct partition *p, const struct progress_record *spilled, int64_t offset);

/** The restored attempts of a record; NULL: none. */
const struct progress_attempt *partition_attempt(const struct partition *p, int64_t offset);

/** Keeps the attempts of unsettled records before its work items are dropped: `live`, those of the work
 * items, by offset, and others that are known, unless their records are settled. */
void partition_keep_attempts(struct partition *p, const struct progress_attempt *live, size_t count);

/** The same for one record, whose call ended after that. */
void partition_keep_attempt(struct partition *p, const struct progress_attempt *attempt);

/** Forgets the restored attempts of a record. */
void partition_forget_attempts(struct partition *p, int64_t offset);

/** Its log ends at the offset: what was restored of later records was of another log. */
void partition_end(struct partition *p, int64_t offset);

/** The next item, borrowed until partition_pop: a record or an error. NULL: there is none now. */
const struct feed_item *partition_peek(struct partition *p);
void partition_pop(struct partition *p);

/** Whether partition_peek may return an item. */
bool partition_has_more(const struct partition *p);

/** Nothing more is read. */
void partition_stop(struct partition *p);

/** item_count is 0. */
void partition_free(struct partition *p);

#endif
