// One Kafka consumer, a real member of one function's group. Each assigned partition keeps a queue of its
// own: a function that is full stops reading the queues, nothing is paused, while the main queue keeps the
// membership.
#ifndef BRIDGE_INTAKE_CONSUMER_H
#define BRIDGE_INTAKE_CONSUMER_H

#include "bridge/config/function_config.h"
#include "bridge/intake/partition.h"

struct consumer;

/** What the listener does with a record. */
enum consumer_step {
    CONSUMER_TAKEN,
    CONSUMER_HELD,  // not now: offered again once the listener has cleared p->is_held
};

struct consumer_listener {
    void (*on_ready)(void *self);     // records may wait: consumer_take
    void (*on_assigned)(void *self);  // an assignment is in effect, perhaps an empty one
    /** Start nothing more of this partition and drop what waits; what runs may end. */
    void (*on_revoked)(void *self, struct partition *p);
    /** `message` is the consumer's. */
    enum consumer_step (*on_record)(void *self, struct partition *p, rd_kafka_message_t *message);
    void (*on_offset_reset)(void *self,
                            struct partition *p);  // its offset was gone: the earliest comes next
    /** So many partitions came that their read-ahead breaks the bound of memory: open it anew for them. */
    void (*on_outgrown)(void *self, size_t partition_count);
    void (*on_resumed)(void *self);                       // consumer_may_call says yes again
    void (*on_trouble)(void *self, const char *why);      // Kafka does not answer; NULL: it does again
    void (*on_fault)(void *self, const struct fault *f);  // CONFIG, FATAL: it can't go on
    void *self;
};

struct consumer_params {
    uv_loop_t *loop;
    const struct settings *settings;       // lent
    const struct function_config *config;  // lent for the open
    size_t partition_count;                // how many it may get: divides the memory for records read ahead
    struct consumer_listener listener;
};

/** Joins the group and subscribes; everything else comes through the listener. */
bool consumer_open(const struct consumer_params *params, struct consumer **ret, struct fault *f) MUST_USE;

/** Offers records round the partitions until `count` were taken; returns how many. */
size_t consumer_take(struct consumer *c, size_t count);

/** Whether records may wait that consumer_take did not come to. */
bool consumer_has_more(const struct consumer *c);

/**
 * Whether calls may begin now. Not after the process stood still for so long that the group may have given
 * its partitions to others, until the coordinator has answered.
 */
bool consumer_may_call(struct consumer *c);

/** The last event of an ending partition is freed: it can be committed and given back. */
void consumer_partition_idle(struct consumer *c, struct partition *p);

/** Twice a second: keeps the membership, commits what has moved. */
void consumer_tick(struct consumer *c);

/** The list of assigned and ending partitions. */
struct partition *consumer_partitions(const struct consumer *c);
bool consumer_is_assigned(const struct consumer *c);

/** Records behind the newest, by what the broker last said; -1 when not known. */
int64_t consumer_lag(const struct consumer *c, const struct partition *p);

/** The timestamp of the oldest record that was read and is not settled; -1 when there is none. */
int64_t consumer_oldest_ms(const struct partition *p);

/**
 * Gives all partitions back (on_revoked, then the wait for their events), commits, leaves the group; then
 * on_closed, and it is freed. No other call of the listener comes after that.
 */
void consumer_close(struct consumer *c, void (*on_closed)(void *self), void *self);

#endif
