#include "bridge/intake/partition.h"

#include "bridge/intake/record.h"
#include "core/base/clock.h"

struct partition *partition_open(uv_loop_t *loop, rd_kafka_t *rk, const rd_kafka_topic_partition_t *which,
                                 kafka_on_ready on_ready)
{
    struct partition *p = memory_zeroed(1, sizeof(*p));
    p->rk = rk;
    p->topic = memory_string(which->topic);
    p->number = which->partition;
    p->end_offset = -1;
    progress_init(&p->progress, which->offset);
    p->queue = rd_kafka_queue_get_partition(rk, which->topic, which->partition);
    INVARIANT(p->queue != NULL);
    rd_kafka_queue_forward(p->queue, NULL);
    p->watch = kafka_watch_start(loop, p->queue, on_ready, p);
    return p;
}

void partition_wake_fetcher(rd_kafka_t *rk, const char *topic, int32_t number)
{
    if (rd_kafka_version() >= 0x02020000) {
        return;  // consumer_conf sets fetch.queue.backoff.ms
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, number)->offset = RD_KAFKA_OFFSET_END;
    (void)rd_kafka_offsets_for_times(rk, list, 0);
    rd_kafka_topic_partition_list_destroy(list);
}

static void kick(struct partition *p)
{
    p->read_count = 0;
    p->read_bytes = 0;
    partition_wake_fetcher(p->rk, p->topic, p->number);
}

/** Reads up to a batch of messages without waiting. */
static void refill(struct partition *p, const struct partition_limits *limits)
{
    p->fetched_at = 0;
    p->fetched_count = 0;
    if (!p->is_ready) {
        return;
    }
    ssize_t count = rd_kafka_consume_batch_queue(p->queue, 0, p->fetched, PARTITION_FETCHED_MAX);
    p->fetched_count = count < 0 ? 0 : (size_t)count;
    p->fetched_us = clock_now_us();
    // The queue signals only when it becomes non-empty: read until it is empty before waiting for the signal.
    p->is_ready = p->fetched_count > 0;
    for (size_t i = 0; i < p->fetched_count; i++) {
        p->read_bytes += p->fetched[i]->len + p->fetched[i]->key_len;
    }
    p->read_count += p->fetched_count;
    bool is_half_read = p->read_count >= limits->records / 2 || p->read_bytes >= limits->bytes / 2;
    if (is_half_read || (p->fetched_count == 0 && p->read_count > PARTITION_FETCHED_MAX)) {
        kick(p);
    }
}

rd_kafka_message_t *partition_peek(struct partition *p, const struct partition_limits *limits)
{
    if (p->fetched_at == p->fetched_count) {
        refill(p, limits);
    }
    return p->fetched_at < p->fetched_count ? p->fetched[p->fetched_at] : NULL;
}

void partition_pop(struct partition *p)
{
    rd_kafka_message_destroy(p->fetched[p->fetched_at++]);
}

void partition_stop(struct partition *p)
{
    while (p->fetched_at < p->fetched_count) {
        rd_kafka_message_destroy(p->fetched[p->fetched_at++]);
    }
    record_release(p->held);
    record_release(p->refetched);
    p->held = p->refetched = NULL;
    p->is_ready = false;
    if (p->queue != NULL) {
        kafka_watch_stop(p->watch);
        rd_kafka_queue_destroy(p->queue);
        p->queue = NULL;
        p->watch = NULL;
    }
}

void partition_free(struct partition *p)
{
    INVARIANT(p->item_count == 0);
    partition_stop(p);
    progress_clear(&p->progress);
    free(p->error);
    free(p->topic);
    free(p);
}
