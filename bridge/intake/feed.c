#include "bridge/intake/feed.h"

#include <utlist.h>

#include "core/base/clock.h"
#include "core/base/memory.h"

enum { CAPACITY_FIRST = 64, BATCH = 128 };

static size_t bytes_of(const struct feed_item *item)
{
    return item->record == NULL ? sizeof(*item) : record_bytes(item->record);
}

static void drop_first(struct feed *feed)
{
    const struct feed_item *item = feed_item_at(feed, feed->first_sequence++);
    feed->bytes -= bytes_of(item);
    if (item->record == NULL) {
        rd_kafka_message_destroy(item->message);
    } else {
        int64_t next = item->record->offset + 1;
        feed->start = next > feed->start ? next : feed->start;
        feed->is_whole = false;
        record_release(item->record);
    }
}

uint64_t feed_slowest(const struct feed *feed)
{
    uint64_t least = feed->next_sequence;
    const struct feed_reader *r;
    LL_FOREACH (feed->readers, r) {
        least = r->sequence < least ? r->sequence : least;
    }
    return least;
}

static void trim(struct feed *feed)
{
    uint64_t least = feed_slowest(feed);
    while (feed->first_sequence < least &&
           (feed->next_sequence - feed->first_sequence > FEED_KEPT || feed->bytes > FEED_KEPT_BYTES)) {
        drop_first(feed);
    }
}

static void grow(struct feed *feed)
{
    size_t capacity = feed->capacity == 0 ? CAPACITY_FIRST : feed->capacity * 2;
    struct feed_item *items = memory_zeroed(capacity, sizeof(*items));
    for (uint64_t s = feed->first_sequence; s < feed->next_sequence; s++) {
        items[s & (capacity - 1)] = *feed_item_at(feed, s);
    }
    free(feed->items);
    feed->items = items;
    feed->capacity = capacity;
}

/** What was before the first item of a log has been deleted. */
static void note_beginning(struct feed *feed, int64_t offset)
{
    if (feed->start == RD_KAFKA_OFFSET_BEGINNING) {
        feed->start = offset;
    }
}

/** Takes over the message. */
static void append(struct feed *feed, rd_kafka_message_t *message, int64_t now_us)
{
    if (feed->next_sequence - feed->first_sequence == feed->capacity) {
        grow(feed);
    }
    struct feed_item item = {0};
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        note_beginning(feed, message->offset);
        item.record = record_new(feed->topic, message, now_us);
        feed->position = message->offset + 1;
        rd_kafka_message_destroy(message);
    } else {
        item.message = message;
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            note_beginning(feed, message->offset);
            feed->position = message->offset > feed->position ? message->offset : feed->position;
        } else if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
                   message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
            feed->is_dead = true;
        }
    }
    feed->bytes += bytes_of(&item);
    feed->items[feed->next_sequence++ & (feed->capacity - 1)] = item;
}

bool feed_is_full(struct feed *feed)
{
    trim(feed);
    uint64_t unread = feed->next_sequence - feed_slowest(feed);
    return unread >= FEED_WINDOW || (unread > 0 && feed->bytes >= FEED_WINDOW_BYTES + FEED_KEPT_BYTES);
}

void feed_fill(struct feed *feed, rd_kafka_t *rk, const struct partition_limits *limits)
{
    rd_kafka_message_t *messages[BATCH];
    ssize_t count = rd_kafka_consume_batch_queue(feed->queue, 0, messages, BATCH);
    int64_t now_us = clock_now_us();
    // The queue signals only when it becomes non-empty: read until it is empty before waiting for the signal.
    feed->is_ready = count > 0;
    for (ssize_t i = 0; i < count; i++) {
        feed->read_bytes += messages[i]->len + messages[i]->key_len;
        append(feed, messages[i], now_us);
    }
    feed->read_count += count < 0 ? 0 : (size_t)count;
    bool is_half_read = feed->read_count >= limits->records / 2 || feed->read_bytes >= limits->bytes / 2;
    if (is_half_read || (count <= 0 && feed->read_count > BATCH)) {
        feed->read_count = feed->read_bytes = 0;
        consumer_conf_wake(rk, feed->topic, feed->partition);
    }
}

bool feed_covers(const struct feed *feed, int64_t offset)
{
    bool is_in = offset == RD_KAFKA_OFFSET_BEGINNING ? feed->is_whole
                                                     : offset >= feed->start && offset <= feed->position;
    return is_in && !feed->is_dead;
}

void feed_close_window(struct feed *feed)
{
    feed->start = feed->position;
    feed->is_whole = false;
}

/** Whether a reader at the offset is to get the item. */
static bool is_behind(const struct feed_item *item, int64_t offset)
{
    if (item->record != NULL) {
        return item->record->offset >= offset;
    }
    return item->message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && item->message->offset >= offset;
}

void feed_add_reader(struct feed *feed, struct feed_reader *r, int64_t offset)
{
    r->feed = feed;
    r->position = offset;
    r->sequence = feed->next_sequence;
    for (uint64_t s = feed->next_sequence; s > feed->first_sequence; s--) {
        const struct feed_item *item = feed_item_at(feed, s - 1);
        if (is_behind(item, offset)) {
            r->sequence = s - 1;
        } else if (item->record != NULL) {
            break;
        }
    }
    LL_APPEND(feed->readers, r);
}

void feed_notify(const struct feed *feed)
{
    struct feed_reader *r;
    struct feed_reader *next;
    LL_FOREACH_SAFE (feed->readers, r, next) {
        r->on_ready(r->self);
    }
}

static void on_queue_ready(void *self)
{
    struct feed *feed = self;
    feed->is_ready = true;
    feed_notify(feed);
}

struct feed *feed_open(uv_loop_t *loop, rd_kafka_t *rk, const char *topic, int32_t partition, int64_t offset)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    INVARIANT(handle != NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    // It fails only for an invalid offset, a partition that is read already, and a client with a group.
    INVARIANT(rd_kafka_consume_start_queue(handle, partition, offset, queue) == 0);
    struct feed *feed = memory_zeroed(1, sizeof(*feed));
    feed->topic = memory_string(topic);
    feed->partition = partition;
    feed->start = feed->position = offset;
    feed->opened_us = clock_now_us();
    feed->is_whole = offset == RD_KAFKA_OFFSET_BEGINNING;
    feed->handle = handle;
    feed->queue = queue;
    feed->watch = kafka_watch_start(loop, queue, on_queue_ready, feed);
    return feed;
}

void feed_close(struct feed *feed)
{
    INVARIANT(feed->readers == NULL);
    kafka_watch_stop(feed->watch);
    (void)rd_kafka_consume_stop(feed->handle, feed->partition);
    rd_kafka_queue_destroy(feed->queue);
    rd_kafka_topic_destroy(feed->handle);
    while (feed->first_sequence < feed->next_sequence) {
        drop_first(feed);
    }
    free(feed->items);
    free(feed->topic);
    free(feed);
}
