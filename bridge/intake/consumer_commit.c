// How far each partition is settled goes to the group: one commit at a time.
#include <utlist.h>

#include "bridge/intake/consumer_state.h"
#include "core/base/clock.h"
#include "core/base/log.h"

static bool send_commit(struct consumer *c, const rd_kafka_topic_partition_list_t *list)
{
    c->is_committing = list->cnt > 0 && rd_kafka_commit_queue(c->rk, list, c->commit_queue, NULL, NULL) ==
                                            RD_KAFKA_RESP_ERR_NO_ERROR;
    c->committing_since_us = clock_now_us();
    return c->is_committing;
}

void consumer_ask_membership(struct consumer *c)
{
    bool is_doubtful = c->standstill.state == STANDSTILL_DOUBTFUL || c->is_in_trouble;
    if (!is_doubtful || c->is_committing || c->commit_queue == NULL) {
        return;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);
    struct partition *p;
    LL_FOREACH (c->partitions, p) {
        if (p->state != PARTITION_LOST && p->progress.committed >= 0) {
            rd_kafka_topic_partition_list_add(list, p->topic, p->number)->offset = p->progress.committed;
        }
    }
    if (send_commit(c, list)) {
        standstill_asked(&c->standstill);
    }
    rd_kafka_topic_partition_list_destroy(list);
}

bool consumer_commit(struct consumer *c)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);
    struct partition *p;
    LL_FOREACH (c->partitions, p) {
        int64_t offset = p->state == PARTITION_LOST ? -1 : progress_next_commit(&p->progress);
        if (offset >= 0) {
            rd_kafka_topic_partition_list_add(list, p->topic, p->number)->offset = offset;
            progress_commit_begun(&p->progress, offset);
        }
    }
    bool is_begun = send_commit(c, list);
    if (!is_begun) {
        consumer_commit_ended(c->partitions, RD_KAFKA_RESP_ERR__FAIL, NULL);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return is_begun;
}

void consumer_commit_ended(struct partition *partitions, rd_kafka_resp_err_t code,
                           const rd_kafka_topic_partition_list_t *list)
{
    struct partition *p;
    LL_FOREACH (partitions, p) {
        if (p->progress.committing < 0) {
            continue;
        }
        const rd_kafka_topic_partition_t *which =
            list == NULL ? NULL : rd_kafka_topic_partition_list_find(list, p->topic, p->number);
        rd_kafka_resp_err_t own = which == NULL ? RD_KAFKA_RESP_ERR__NO_OFFSET : which->err;
        own = code != RD_KAFKA_RESP_ERR_NO_ERROR ? code : own;
        if (own != RD_KAFKA_RESP_ERR_NO_ERROR) {
            // A rebalance is under way or the coordinator moves: the next tick commits more than this one
            // would.
            log_debug("bridge", "commit_refused",
                      LOG_WITH(LOG_TEXT("topic", p->topic), LOG_NUMBER("partition", p->number)), "%s",
                      rd_kafka_err2str(own));
        }
        progress_commit_ended(&p->progress, own == RD_KAFKA_RESP_ERR_NO_ERROR);
    }
}

static void on_committed(struct consumer *c, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
    bool was_asked = c->standstill.state == STANDSTILL_ASKED;
    c->is_committing = false;
    consumer_commit_ended(c->partitions, code, list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        consumer_set_trouble(c, NULL);
    }
    standstill_answered(&c->standstill, code == RD_KAFKA_RESP_ERR_NO_ERROR && list != NULL && list->cnt > 0 &&
                                            list->elems[0].err == RD_KAFKA_RESP_ERR_NO_ERROR);
    if (was_asked && c->standstill.state == STANDSTILL_NONE) {
        c->listener.on_resumed(c->listener.self);
    }
}

void consumer_on_commit_ready(void *self)
{
    struct consumer *c = self;
    for (rd_kafka_event_t *event; (event = rd_kafka_queue_poll(c->commit_queue, 0)) != NULL;) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_OFFSET_COMMIT) {
            on_committed(c, event);
        }
        rd_kafka_event_destroy(event);
    }
    consumer_advance_revoke(c);
}
