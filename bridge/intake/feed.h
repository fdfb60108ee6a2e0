// One reading of a topic partition for several readers: a window of records and errors, in the order of
// offsets. fetcher.c opens feeds and moves readers between them.
#ifndef BRIDGE_INTAKE_FEED_H
#define BRIDGE_INTAKE_FEED_H

#include "bridge/intake/consumer_conf.h"
#include "bridge/intake/record.h"
#include "core/kafka/kafka_client.h"

struct feed;
struct fetcher;
struct fetcher_client;

/** What a feed has next: a record, or what librdkafka says instead. */
struct feed_item {
    struct record *record;        // NULL: see `message`
    rd_kafka_message_t *message;  // with `record` NULL: an error, or the partition's end
};

/** A function's place in a feed. Plain data, embedded; it does not move while it is attached. */
struct feed_reader {
    struct feed_reader *next;
    struct feed *feed;  // NULL: detached
    void (*on_ready)(void *self);
    void *self;
    uint64_t sequence;  // of the next item in the feed
    int64_t position;   // the offset after the last item that was taken; or where the reader began
};

enum {
    FEED_WINDOW = 4096,  // items between the first and the last reader
    FEED_WINDOW_BYTES = 2 << 20,
    FEED_KEPT = 128,  // items that all readers have taken, for readers that come a little later
    FEED_KEPT_BYTES = 64 << 10,
};

struct feed {
    struct feed *next;
    struct fetcher *fetcher;        // lent
    struct fetcher_client *client;  // lent
    uint64_t number;                // feeds are numbered in the order of their opening
    int64_t opened_us;
    char *topic;
    int32_t partition;
    struct feed_reader *readers;
    int64_t start;     // the window has all records from this offset on; it may be RD_KAFKA_OFFSET_BEGINNING
    int64_t position;  // the offset after the last item
    bool is_whole;     // the window has the log's first record
    bool is_alone;     // there is no other feed of the partition
    bool is_dead;      // librdkafka reads no further: its offset is out of range
    bool is_ready;     // the queue may have messages
    int64_t blocked_us;  // since when a reader waits for slower ones; 0: none waits
    struct feed_item *items;
    size_t capacity;          // a power of two
    uint64_t first_sequence;  // of the window
    uint64_t next_sequence;
    size_t bytes;  // of the window
    rd_kafka_topic_t *handle;
    rd_kafka_queue_t *queue;
    struct kafka_watch *watch;
    size_t read_count;  // since librdkafka was woken last
    size_t read_bytes;
};

/** Starts to read with the client at the offset. The client reads the partition for no other feed. */
struct feed *feed_open(uv_loop_t *loop, rd_kafka_t *rk, const char *topic, int32_t partition, int64_t offset);

/** It has no readers. */
void feed_close(struct feed *feed);

/** Reads messages into the window without waiting. It is not full. */
void feed_fill(struct feed *feed, rd_kafka_t *rk, const struct partition_limits *limits);

/** Whether the window must not grow before the slowest reader has come on. Drops what is not needed. */
bool feed_is_full(struct feed *feed);

/** The sequence number of the slowest reader. */
uint64_t feed_slowest(const struct feed *feed);

/** Whether a reader at the offset finds all that follows in the window. */
bool feed_covers(const struct feed *feed, int64_t offset);

/** Readers that come later begin where the feed is now. */
void feed_close_window(struct feed *feed);

/** Puts a reader at the first item that belongs behind the offset; the feed covers it. */
void feed_add_reader(struct feed *feed, struct feed_reader *r, int64_t offset);

/** Calls on_ready of all readers. */
void feed_notify(const struct feed *feed);

static inline const struct feed_item *feed_item_at(const struct feed *feed, uint64_t sequence)
{
    return &feed->items[sequence & (feed->capacity - 1)];
}

#endif
