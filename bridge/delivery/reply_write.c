#include "bridge/delivery/reply_write.h"

#include "core/base/memory.h"

/** The data follows it in its allocation. */
struct reply_record {
    struct topic_record record;
    void (*on_end)(void *self, struct work_item *item, enum reply_end end);
};

static void end(struct topic_record *r, enum reply_end how)
{
    ((struct reply_record *)r)->on_end(r->self, r->item, how);
}

static void stored(struct topic_record *r, const struct topic_place *place)
{
    (void)place;
    end(r, REPLY_STORED);
}

static void refused(struct topic_record *r)
{
    end(r, REPLY_TOO_LARGE);
}

static const struct topic_record_type REPLY = {
    .what = "replies",
    .failed = "reply_failed",
    .stored = stored,
    .refused = refused,
};

size_t reply_write(struct topic_writer *w, struct work_item *item, const struct reply *reply,
                   const struct reply_place *place, const struct reply_sink *sink)
{
    const struct record *source = item->record;
    size_t size = sizeof(struct reply_record) + reply->data.size;
    struct reply_record *r = memory_new(size + 1);
    uint8_t *data = (uint8_t *)(r + 1);
    if (reply->data.size > 0) {
        memcpy(data, reply->data.data, reply->data.size);
    }
    *r = (struct reply_record){
        .record = {.type = &REPLY,
                   .item = item,
                   .headers = reply_headers_new(reply, place),
                   .key = source->has_key ? source->key : (struct slice){NULL, 0},
                   .value = {data, reply->data.size},
                   .self = sink->self},
        .on_end = sink->on_end,
    };
    topic_writer_put(w, &r->record, sink->topic);
    return size;
}

void reply_prepare(struct topic_writer *w, const char *topic)
{
    topic_writer_prepare(w, &REPLY, topic);
}

void reply_redirect(struct topic_writer *w, const void *self, const char *topic)
{
    topic_writer_redirect(w, &REPLY, self, topic);
}

void reply_give_up(struct topic_writer *w, void *self, int64_t wait_us,
                   void (*on_given_up)(void *self, struct work_item *item))
{
    topic_writer_give_up(w, &REPLY, self, wait_us, on_given_up);
}
