// Reads records of assigned partitions a second time: those that a function passed over, because others of
// their key were not settled, and comes back to. A consumer of its own, in no group, made when it is first
// needed.
#ifndef BRIDGE_INTAKE_REFETCH_H
#define BRIDGE_INTAKE_REFETCH_H

#include "bridge/intake/partition.h"
#include "core/config/settings.h"

struct refetch;

struct refetch_listener {
    /** A record, in the order of offsets; it is the reader's. False: not now, offered again after
     * refetch_resume. */
    bool (*on_record)(void *self, struct partition *p, rd_kafka_message_t *message);
    /** There is no record at offsets from `from` to before `to`: compacted away, or deleted. */
    void (*on_gone)(void *self, struct partition *p, int64_t from, int64_t to);
    /** All up to the furthest offset that was wanted has been offered, as far as it is there. */
    void (*on_swept)(void *self, struct partition *p);
    /** After some of the above, once. */
    void (*on_turn_end)(void *self);
    void *self;
};

/** @param component  for logs; copied */
struct refetch *refetch_new(uv_loop_t *loop, const struct settings *settings, const char *component,
                            const struct refetch_listener *listener);

/**
 * The partition's record at the offset is wanted. Reading begins with refetch_run; while a partition is being
 * read, an offset behind is passed over: ask again after on_swept.
 */
void refetch_want(struct refetch *r, struct partition *p, int64_t offset);

/** Begins to read what is wanted. */
void refetch_run(struct refetch *r);

/** Offers records that were refused again. */
void refetch_resume(struct refetch *r);

/** The partition is gone, or its log is another one: nothing of it is offered any more. */
void refetch_stop(struct refetch *r, const struct partition *p);

/** Accepts NULL. Its consumer is closed on a worker thread. */
void refetch_free(struct refetch *r);

#endif
