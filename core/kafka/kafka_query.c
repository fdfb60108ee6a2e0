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
