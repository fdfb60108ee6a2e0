// Reads again the records that delivery has evicted (lanes.h). It uses its own consumer, which is in no group
// and is opened at the first need.
#ifndef BRIDGE_INTAKE_REFETCH_H
#define BRIDGE_INTAKE_REFETCH_H

#include "bridge/intake/partition.h"
#include "core/config/settings.h"

struct refetch;

struct refetch_listener {
    /** A record, in the order of offsets; borrowed for the call. False: it is offered again after
     * refetch_resume. */
    bool (*on_record)(void *self, struct partition *p, rd_kafka_message_t *message);
    /** The offsets `from` to `to - 1` have no record (or only the one just offered): the wanted one was
     * compacted or deleted. */
    void (*on_gone)(void *self, struct partition *p, int64_t from, int64_t to);
    /** Every existing record up to the highest wanted offset was offered. */
    void (*on_swept)(void *self, struct partition *p);
    /** Once after each run of the above. */
    void (*on_turn_end)(void *self);
    void *self;
};

/** @param component  for logs; copied */
struct refetch *refetch_new(uv_loop_t *loop, const struct settings *settings, const char *component,
                            const struct refetch_listener *listener);

/**
 * Requests the record at the offset. refetch_run starts the reading. While the partition is being read, an
 * offset before the reader's position is ignored: request it again after on_swept.
 */
void refetch_want(struct refetch *r, struct partition *p, int64_t offset);

/** Starts to read the requested records. */
void refetch_run(struct refetch *r);

/** Offers refused records again. */
void refetch_resume(struct refetch *r);

/** Stops reading a partition that was revoked, or whose log was replaced. */
void refetch_stop(struct refetch *r, const struct partition *p);

/** Accepts NULL. Its consumer is closed on a worker thread. */
void refetch_free(struct refetch *r);

#endif
