// Writes what a function replies to its topic, keyed as the event. An event is settled only after that.
#ifndef BRIDGE_DELIVERY_REPLY_WRITE_H
#define BRIDGE_DELIVERY_REPLY_WRITE_H

#include "bridge/delivery/topic_writer.h"
#include "bridge/reply/reply_headers.h"

/** What became of a reply. */
enum reply_end {
    REPLY_STORED,
    REPLY_TOO_LARGE,  // for its topic
};

/** Where replies go, and who is told of each, later. */
struct reply_sink {
    const char *topic;
    void (*on_end)(void *self, struct work_item *item, enum reply_end end);
    void *self;
};

/** Writes one reply to the event, which must stay unchanged until on_end. Copies the reply; returns the bytes
 * that it takes until then. */
size_t reply_write(struct topic_writer *w, struct work_item *item, const struct reply *reply,
                   const struct reply_place *place, const struct reply_sink *sink);

/** Creates the topic if it is missing: functions that read it are to find it. */
void reply_prepare(struct topic_writer *w, const char *topic);

/** Sends the replies with this `self` that are not stored yet to another topic. */
void reply_redirect(struct topic_writer *w, const void *self, const char *topic);

/** topic_writer_give_up for replies; `on_given_up` is called for each reply, its on_end is not. */
void reply_give_up(struct topic_writer *w, void *self, int64_t wait_us,
                   void (*on_given_up)(void *self, struct work_item *item));

#endif
