// Publishes what a function responds with: the event is settled once its replies are stored.
#include "bridge/delivery/delivery_state.h"
#include "bridge/delivery/lanes_delayed.h"
#include "bridge/delivery/reply_write.h"
#include "bridge/reply/reply.h"
#include "core/base/clock.h"
#include "core/base/log.h"

#include <stdio.h>

// While so much waits to be stored no call begins: its reply would wait, too.
#define REPLIES_WAITING_MAX ((size_t)16 << 20)

bool delivery_wants_replies(const struct delivery *d)
{
    return d->config->reply.topic != NULL;
}

bool delivery_replies_are_full(const struct delivery *d)
{
    return d->replies.bytes >= REPLIES_WAITING_MAX;
}

bool delivery_has_too_many_hops(const struct delivery *d, const struct record *r, char *text, size_t size)
{
    if (!delivery_wants_replies(d)) {
        return false;
    }
    uint32_t hops = reply_hops(r);
    if (hops == UINT32_MAX) {
        (void)snprintf(text, size,
                       "its header millrace-hop is no number: how many replies led to it is not known");
        return true;
    }
    (void)snprintf(
        text, size,
        "%u replies have led to it, and reply.max_hops is %lld: a reply may come back to the functions "
        "that it comes from",
        hops, (long long)d->config->reply.max_hops);
    return (int64_t)hops >= d->config->reply.max_hops;
}

/** The call succeeded and its reply can't be published: calling again would not help. */
static void refuse(struct delivery *d, struct work_item *item, const char *reason, const char *text,
                   int status)
{
    const struct dead_letter_cause cause = {
        .reason = reason, .message = text, .status = status, .attempts = item->retry.attempts + 1};
    if (item->partition->state == PARTITION_LOST) {
        delivery_release(d, item);
    } else if (!delivery_keeps_failed(d)) {
        delivery_dead_letter(d, item, cause);
    } else if (item->partition->state != PARTITION_ASSIGNED) {
        delivery_keep(d, item, &cause);
        delivery_release(d, item);
    } else {
        delivery_keep(d, item, &cause);
        lanes_delay(&d->lanes, item, 0);
    }
}

/** All replies to the event have ended. */
static void finish(struct delivery *d, struct work_item *item)
{
    d->replies.events--;
    d->replies.bytes -= item->reply.bytes;
    enum item_reply_state state = item->reply.state;
    item->reply = (struct item_reply){0};
    switch (state) {
    case ITEM_REPLY_NONE:
    case ITEM_REPLY_WAITS:
        metric_add(d->metrics->delivered, 1);
        delivery_settle_delivered(d, item, clock_wall_us());
        break;
    case ITEM_REPLY_TOO_LARGE: {
        CLEANUP(memory_free_pointer)
        char *text =
            memory_format("the function was called, and its reply is too large for the topic %s: raise its "
                          "max.message.bytes",
                          d->config->reply.topic);
        refuse(d, item, "reply_oversize", text, 0);
        break;
    }
    case ITEM_REPLY_GIVEN_UP:
        delivery_release(d, item);
        break;
    }
}

static void end_one(struct delivery *d, struct work_item *item, enum item_reply_state state)
{
    item->reply.state = state > item->reply.state ? state : item->reply.state;
    if (--item->reply.waiting == 0) {
        finish(d, item);
    }
}

static void on_end(void *self, struct work_item *item, enum reply_end end)
{
    struct delivery *d = self;
    struct consumer *consumer = item->partition->consumer;
    metric_add(d->metrics->replies, end == REPLY_STORED ? 1 : 0);
    end_one(d, item, end == REPLY_TOO_LARGE ? ITEM_REPLY_TOO_LARGE : ITEM_REPLY_WAITS);
    delivery_pump(d);
    consumer_commit_settled(consumer);
    if (delivery_wants_more(d)) {
        d->on_room(d->self);
    }
}

static void on_given_up(void *self, struct work_item *item)
{
    struct delivery *d = self;
    if (item->reply.state < ITEM_REPLY_GIVEN_UP) {
        log_warn(d->component, "reply_given_up",
                 LOG_WITH(LOG_TEXT("topic", item->record->topic),
                          LOG_NUMBER("partition", item->record->partition),
                          LOG_NUMBER("offset", item->record->offset)),
                 "its reply could not be stored before the partition went to another member, which calls the "
                 "function again");
    }
    end_one(d, item, ITEM_REPLY_GIVEN_UP);
}

/** The function replies no more: its call succeeded, and that is all there is to wait for. */
static void on_withdrawn(void *self, struct work_item *item)
{
    struct delivery *d = self;
    struct consumer *consumer = item->partition->consumer;
    end_one(d, item, ITEM_REPLY_WAITS);
    consumer_commit_settled(consumer);
}

static void withdraw(struct delivery *d)
{
    log_warn(
        d->component, "replies_withdrawn",
        LOG_WITH(LOG_TEXT("topic", d->config->reply.topic), LOG_NUMBER("events", d->replies.events)),
        "`reply` was removed: the replies that were not stored yet are given up, and their events are done");
    reply_give_up(d->writer, d, TOPIC_WRITER_ALL, on_withdrawn);
    if (delivery_wants_more(d)) {
        d->on_room(d->self);
    }
}

void delivery_redirect_replies(struct delivery *d, const struct function_config *config)
{
    const char *topic = config->reply.topic;
    if (topic == NULL && d->replies.events > 0) {
        withdraw(d);
    } else if (topic != NULL && (!delivery_wants_replies(d) || strcmp(topic, d->config->reply.topic) != 0)) {
        reply_prepare(d->writer, topic);
        reply_redirect(d->writer, d, topic);
    }
}

void delivery_tick_replies(struct delivery *d, int64_t wait_us)
{
    if (d->replies.events > 0) {
        reply_give_up(d->writer, d, wait_us, on_given_up);
    }
}

static void publish(struct delivery *d, const struct invocation *inv, struct work_item *item,
                    const struct replies *replies)
{
    const struct reply_sink sink = {.topic = d->config->reply.topic, .on_end = on_end, .self = d};
    item->reply = (struct item_reply){.state = ITEM_REPLY_WAITS, .waiting = (uint32_t)replies->count};
    d->replies.events++;
    for (size_t i = 0; i < replies->count; i++) {
        const struct reply_place place = {.function = d->config->name,
                                          .source = item->record,
                                          .index = i,
                                          .call = inv->span.is_made ? &inv->span.context : NULL};
        size_t bytes = reply_write(d->writer, item, &replies->items[i], &place, &sink);
        item->reply.bytes += bytes;
        d->replies.bytes += bytes;
    }
}

/** A body that is no reply is told of once a minute at most. */
static void note_foreign(struct delivery *d)
{
    metric_add(d->metrics->foreign_responses, 1);
    if (log_may_repeat(d->component, "reply_foreign")) {
        log_info(d->component, "reply_foreign", NULL,
                 "a response is neither JSON nor a CloudEvent by its content-type: it is taken for no reply");
    }
}

bool delivery_reply(struct delivery *d, const struct invocation *inv, struct work_item *item,
                    const struct response *r)
{
    struct fault f;
    CLEANUP(replies_clear) struct replies replies = {0};
    if (!delivery_wants_replies(d)) {
        return false;
    }
    size_t max = (size_t)d->config->reply.max_bytes;
    if (r->is_cut || r->body.size > max) {
        CLEANUP(memory_free_pointer)
        char *text = memory_format(
            "the function was called, and its response is larger than reply.max_bytes, %zu", max);
        refuse(d, item, "reply_oversize", text, r->status);
        return true;
    }
    switch (reply_read(r, &replies, &f)) {
    case REPLY_ABSENT:
        return false;
    case REPLY_FOREIGN:
        note_foreign(d);
        return false;
    case REPLY_PRESENT:
        if (item->partition->state == PARTITION_LOST) {
            delivery_release(d, item);
        } else {
            publish(d, inv, item, &replies);
        }
        return true;
    case REPLY_INVALID:
        break;
    }
    CLEANUP(memory_free_pointer)
    char *text = memory_format("the function was called, and its reply is not valid: %s", f.text);
    refuse(d, item, "reply_invalid", text, r->status);
    return true;
}
