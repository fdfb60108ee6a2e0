#include "bridge/intake/topic_check.h"

#include <utlist.h>

#include "core/base/clock.h"
#include "core/base/log.h"

enum { TIMEOUT_MS = 5000 };
#define SURE_US (2 * CLOCK_US_PER_S)   // the coordinator may hear of a deletion later than the leader
#define STILL_US (1 * CLOCK_US_PER_S)  // without a check: the process stood still, and no fetch was in flight
#define AGAIN_US (5 * CLOCK_US_PER_S)  // for partitions that are not being fetched

void topic_check_begin(struct partition *p)
{
    p->fetches_refused = fetcher_refused(p->fetcher, p->hash);
    p->checked_us = clock_now_us();
}

bool topic_check_is_doubted(struct partition *p)
{
    int64_t now_us = clock_now_us();
    uint64_t refused = fetcher_refused(p->fetcher, p->hash);
    if (refused != p->fetches_refused || now_us - p->checked_us > STILL_US) {
        p->doubted_us = now_us;
    }
    p->fetches_refused = refused;
    p->checked_us = now_us;
    if (p->progress.committed < 0) {
        p->doubted_us = 0;  // nothing to compare
    }
    return p->doubted_us != 0;
}

/** A revoked partition is committed once more. */
static bool is_checked(const struct partition *p)
{
    return p->state == PARTITION_ASSIGNED || p->state == PARTITION_REVOKED;
}

static void judge(const struct topic_check *t, struct partition *p,
                  const rd_kafka_topic_partition_list_t *answer)
{
    const rd_kafka_topic_partition_t *was = rd_kafka_topic_partition_list_find(t->asked, p->topic, p->number);
    const rd_kafka_topic_partition_t *now = rd_kafka_topic_partition_list_find(answer, p->topic, p->number);
    if (was == NULL || now == NULL || now->err != RD_KAFKA_RESP_ERR_NO_ERROR || !is_checked(p)) {
        return;
    }
    if (now->offset >= 0) {
        bool is_sure = t->asked_us - p->doubted_us >= SURE_US;
        p->doubted_us = is_sure ? 0 : p->doubted_us;
    } else if (p->progress.committed == was->offset && p->progress.committing < 0) {
        t->listener.on_made_again(t->listener.self, p);
    }
}

static void on_answer(struct topic_check *t, rd_kafka_event_t *event)
{
    size_t count = 0;
    const rd_kafka_group_result_t **groups =
        rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR
            ? NULL
            : rd_kafka_ListConsumerGroupOffsets_result_groups(
                  rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);
    if (count == 1 && rd_kafka_group_result_error(groups[0]) == NULL) {
        const rd_kafka_topic_partition_list_t *answer = rd_kafka_group_result_partitions(groups[0]);
        struct partition *p;
        LL_FOREACH (*t->partitions, p) {
            judge(t, p, answer);
        }
    }
    rd_kafka_topic_partition_list_destroy(TAKE(t->asked));
}

static void on_ready(void *self)
{
    struct topic_check *t = self;
    for (rd_kafka_event_t *event; (event = rd_kafka_queue_poll(t->queue, 0)) != NULL;) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT) {
            on_answer(t, event);
        }
        rd_kafka_event_destroy(event);
    }
}

static void ask(struct topic_check *t)
{
    char why[128];
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(t->rk, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, TIMEOUT_MS, why, sizeof(why));
    rd_kafka_ListConsumerGroupOffsets_t *request = rd_kafka_ListConsumerGroupOffsets_new(t->group, t->asked);
    t->asked_us = clock_now_us();
    rd_kafka_ListConsumerGroupOffsets(t->rk, &request, 1, options, t->queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
    rd_kafka_AdminOptions_destroy(options);
}

void topic_check_run(struct topic_check *t)
{
    struct partition *p;
    LL_FOREACH (*t->partitions, p) {
        (void)topic_check_is_doubted(p);  // also while Kafka is slow to answer, which is no standstill
    }
    if (t->asked != NULL) {
        return;
    }
    bool is_again = clock_now_us() - t->asked_us >= AGAIN_US;
    t->asked = rd_kafka_topic_partition_list_new(4);
    LL_FOREACH (*t->partitions, p) {
        bool is_full = is_again && (p->is_held || partition_has_more(p));
        bool is_due = p->doubted_us != 0 || is_full;
        if (is_due && is_checked(p) && p->progress.committed >= 0 && p->progress.committing < 0) {
            rd_kafka_topic_partition_list_add(t->asked, p->topic, p->number)->offset = p->progress.committed;
        }
    }
    if (t->asked->cnt > 0) {
        ask(t);
    } else {
        rd_kafka_topic_partition_list_destroy(TAKE(t->asked));
    }
}

void topic_check_open(struct topic_check *t, uv_loop_t *loop, rd_kafka_t *rk, const char *group,
                      struct partition **partitions, const struct topic_check_listener *listener)
{
    *t = (struct topic_check){
        .rk = rk, .group = memory_string(group), .partitions = partitions, .listener = *listener};
    t->queue = rd_kafka_queue_new(rk);
    t->watch = kafka_watch_start(loop, t->queue, on_ready, t);
}

void topic_check_close(struct topic_check *t)
{
    kafka_watch_stop(TAKE(t->watch));
    rd_kafka_queue_destroy(TAKE(t->queue));
    if (t->asked != NULL) {
        rd_kafka_topic_partition_list_destroy(TAKE(t->asked));
    }
    free(TAKE(t->group));
}
