// A job: a command runs a function's own machine beside the bridge, in a group of its own. This is what
// differs then from the function's file. The bridge itself has no job.
#ifndef BRIDGE_INTAKE_JOB_H
#define BRIDGE_INTAKE_JOB_H

#include <librdkafka/rdkafka.h>

#include "bridge/intake/record.h"
#include "core/base/text.h"

/** What becomes of a record. */
enum job_step {
    JOB_TAKE,    // it is delivered
    JOB_SETTLE,  // it is settled without a call
    JOB_PASS,    // it is not of the job: settled, and not reported
    JOB_LEAVE,   // it stays unsettled
};

enum job_end {
    JOB_DELIVERED,
    JOB_FILTERED,
    JOB_DEAD_LETTERED,
    JOB_KEPT,     // keeps_failed: it has failed and stays unsettled
    JOB_SETTLED,  // JOB_SETTLE
};

struct job_event {
    const struct record *record;
    enum job_end end;
    const char *reason;   // of a failure, as in a dead letter; else NULL
    const char *message;  // else NULL
};

/** Plain data; all pointers are lent. */
struct job {
    const char *group;
    const struct text_list *topics;
    const rd_kafka_topic_partition_list_t *ends;  // records from these offsets on are not of the job
    bool keeps_failed;  // an event that can't be delivered stays unsettled, and its key's later ones wait
    int64_t rate;       // most records a second; 0: no limit
    /** Called for each record after it was read, also when it is read again, perhaps twice. NULL: none. */
    void (*prepare)(struct record *r);
    /** Called at least once for each record, with its schemas resolved. */
    enum job_step (*select)(void *self, struct record *r);
    void (*on_event)(void *self, const struct job_event *event);
    void *self;
    int64_t refilled_us;  // of the rate's tokens; zero-initialised
    int64_t tokens_us;    // each takes 1 s / rate
};

/** How far a job is, in this process. */
struct job_state {
    bool is_assigned;        // a member of the group
    size_t partition_count;  // that this member has
    bool is_done;            // these were read up to their ends, and nothing is left to do
    int64_t left;            // records that are not settled, of these partitions
    const char *trouble;     // why it waits now; borrowed; NULL: nothing is amiss
    const char *error;       // it can't go on; borrowed; NULL: it can
};

/** The offset at which the job ends in this partition; 0: the partition is not of it. */
int64_t job_end_of(const struct job *job, const char *topic, int32_t partition);

/** Prepares a record of the job. Accepts NULL for no job. */
void job_prepare(const struct job *job, struct record *r);

/** Takes one token of the rate. False: there is none now. At most the tokens of half a second are saved up.
 */
bool job_admits(struct job *job, int64_t now_us) MUST_USE;

#endif
