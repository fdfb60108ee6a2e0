#include "core/kafka/kafka_query.h"

rd_kafka_resp_err_t kafka_query_partitions(rd_kafka_t *rk,
                                           bool (*is_wanted)(const void *self, const char *topic),
                                           const void *self, rd_kafka_topic_partition_list_t *list)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 1, NULL, &metadata, KAFKA_QUERY_TIMEOUT_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return code;
    }
    for (int t = 0; t < metadata->topic_cnt; t++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[t];
        bool is_listed = is_wanted(self, topic->topic);
        for (int p = 0; p < topic->partition_cnt && is_listed; p++) {
            rd_kafka_topic_partition_list_add(list, topic->topic, topic->partitions[p].id);
        }
    }
    rd_kafka_metadata_destroy(metadata);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t kafka_query_committed(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code =
        list->cnt == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_committed(rk, list, KAFKA_QUERY_TIMEOUT_MS);
    for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        code = list->elems[i].err;
    }
    return code;
}

/** A request about one group, and what its response comes by. */
struct group_query {
    rd_kafka_queue_t *queue;
    rd_kafka_AdminOptions_t *options;
    rd_kafka_event_t *event;  // NULL: no response
};

static void begin(rd_kafka_t *rk, rd_kafka_admin_op_t operation, struct group_query *ret)
{
    char why[128];
    *ret = (struct group_query){.queue = rd_kafka_queue_new(rk),
                                .options = rd_kafka_AdminOptions_new(rk, operation)};
    (void)rd_kafka_AdminOptions_set_request_timeout(ret->options, KAFKA_QUERY_TIMEOUT_MS, why, sizeof(why));
}

/** What wait_for_group returned is freed. */
static void end(struct group_query *q)
{
    rd_kafka_event_destroy(q->event);
    rd_kafka_AdminOptions_destroy(q->options);
    rd_kafka_queue_destroy(q->queue);
}

/** Waits for the response of one group. NULL: `ret_code` says why. */
static const rd_kafka_group_result_t *wait_for_group(struct group_query *q, rd_kafka_resp_err_t *ret_code)
{
    rd_kafka_event_t *event = q->event = rd_kafka_queue_poll(q->queue, 2 * KAFKA_QUERY_TIMEOUT_MS);
    *ret_code = event == NULL ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(event);
    if (*ret_code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return NULL;
    }
    size_t count = 0;
    const rd_kafka_group_result_t **groups =
        rd_kafka_event_type(event) == RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT
            ? rd_kafka_ListConsumerGroupOffsets_result_groups(
                  rd_kafka_event_ListConsumerGroupOffsets_result(event), &count)
            : rd_kafka_AlterConsumerGroupOffsets_result_groups(
                  rd_kafka_event_AlterConsumerGroupOffsets_result(event), &count);
    const rd_kafka_error_t *error = count == 1 ? rd_kafka_group_result_error(groups[0]) : NULL;
    *ret_code = error != NULL ? rd_kafka_error_code(error)
                : count == 1  ? RD_KAFKA_RESP_ERR_NO_ERROR
                              : RD_KAFKA_RESP_ERR__FAIL;
    return *ret_code == RD_KAFKA_RESP_ERR_NO_ERROR ? groups[0] : NULL;
}

/** Copies what the response says of each partition into the list. Returns the first error. */
static rd_kafka_resp_err_t take_offsets(const rd_kafka_topic_partition_list_t *from,
                                        rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        rd_kafka_topic_partition_t *to = &list->elems[i];
        const rd_kafka_topic_partition_t *found =
            rd_kafka_topic_partition_list_find(from, to->topic, to->partition);
        code = found == NULL ? RD_KAFKA_RESP_ERR__FAIL : found->err;
        to->offset = found == NULL ? to->offset : found->offset;
    }
    return code;
}

rd_kafka_resp_err_t kafka_query_group_offsets(rd_kafka_t *rk, const char *group,
                                              rd_kafka_topic_partition_list_t *list)
{
    if (list->cnt == 0) {
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    struct group_query q;
    begin(rk, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, &q);
    rd_kafka_ListConsumerGroupOffsets_t *request = rd_kafka_ListConsumerGroupOffsets_new(group, list);
    rd_kafka_ListConsumerGroupOffsets(rk, &request, 1, q.options, q.queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
    rd_kafka_resp_err_t code;
    const rd_kafka_group_result_t *result = wait_for_group(&q, &code);
    if (result != NULL) {
        code = take_offsets(rd_kafka_group_result_partitions(result), list);
    }
    end(&q);
    return code;
}

rd_kafka_resp_err_t kafka_query_group_commit(rd_kafka_t *rk, const char *group,
                                             const rd_kafka_topic_partition_list_t *list)
{
    struct group_query q;
    begin(rk, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, &q);
    rd_kafka_AlterConsumerGroupOffsets_t *request = rd_kafka_AlterConsumerGroupOffsets_new(group, list);
    rd_kafka_AlterConsumerGroupOffsets(rk, &request, 1, q.options, q.queue);
    rd_kafka_AlterConsumerGroupOffsets_destroy(request);
    rd_kafka_resp_err_t code;
    const rd_kafka_group_result_t *result = wait_for_group(&q, &code);
    if (result != NULL) {
        rd_kafka_topic_partition_list_t *answer = rd_kafka_topic_partition_list_copy(list);
        code = take_offsets(rd_kafka_group_result_partitions(result), answer);
        rd_kafka_topic_partition_list_destroy(answer);
    }
    end(&q);
    return code;
}
