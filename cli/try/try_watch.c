#include "cli/try/try_watch.h"

#include <stdio.h>

#include "core/kafka/kafka_client.h"

enum { EVENT_ID_BYTES_MAX = 64 };

struct try_watch {
    rd_kafka_t *consumer;
    rd_kafka_queue_t *queue;
    struct kafka_watch *watch;
    try_watch_on_record on_record;
    void *self;
};

static void take_record(struct try_watch *w, const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    const void *value = NULL;
    size_t size = 0;
    // A tombstone follows its delete and has the same id: only the delete is shown.
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR || message->payload == NULL ||
        rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, "millrace.position", &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        size >= EVENT_ID_BYTES_MAX) {
        return;
    }
    char id[EVENT_ID_BYTES_MAX];
    snprintf(id, sizeof id, "%.*s", (int)size, (const char *)value);
    struct try_watch_record record = {
        .event_id = id,
        .topic = rd_kafka_topic_name(message->rkt),
        .partition = message->partition,
        .offset = message->offset,
    };
    w->on_record(w->self, &record);
}

static void on_ready(void *self)
{
    struct try_watch *w = self;
    rd_kafka_message_t *message = NULL;
    while ((message = rd_kafka_consume_queue(w->queue, 0)) != NULL) {
        take_record(w, message);
        rd_kafka_message_destroy(message);
    }
}

static bool assign(struct try_watch *w, const struct try_watch_params *params, struct fault *f)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    for (const char *const *topic = params->topics; *topic != NULL; topic++) {
        for (int32_t partition = 0; partition < params->partitions; partition++) {
            rd_kafka_topic_partition_list_add(list, *topic, partition)->offset = RD_KAFKA_OFFSET_BEGINNING;
        }
    }
    rd_kafka_resp_err_t error = rd_kafka_assign(w->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    return error == RD_KAFKA_RESP_ERR_NO_ERROR ||
           fault_from(f, FAULT_FATAL, "librdkafka", error, "can't watch the topics: %s",
                      rd_kafka_err2str(error));
}

bool try_watch_start(const struct try_watch_params *params, struct try_watch **ret, struct fault *f)
{
    // librdkafka requires a group.id for assigned partitions; no group is joined and nothing committed.
    const char *const extra[] = {"group.id", params->name, NULL};
    rd_kafka_conf_t *conf = NULL;
    rd_kafka_t *consumer = NULL;
    if (!kafka_client_conf(params->settings, KAFKA_CONSUMER, extra, &conf, f) ||
        !kafka_client_open(conf, KAFKA_CONSUMER, &consumer, f)) {
        return false;
    }
    struct try_watch *w = memory_zeroed(1, sizeof *w);
    w->consumer = consumer;
    w->on_record = params->on_record;
    w->self = params->self;
    rd_kafka_poll_set_consumer(consumer);
    w->queue = rd_kafka_queue_get_consumer(consumer);
    w->watch = kafka_watch_start(params->loop, w->queue, on_ready, w);
    if (!assign(w, params, f)) {
        try_watch_stop(w);
        return false;
    }
    *ret = w;
    return true;
}

void try_watch_stop(struct try_watch *w)
{
    if (w == NULL) {
        return;
    }
    kafka_watch_stop(w->watch);
    rd_kafka_queue_destroy(w->queue);
    rd_kafka_consumer_close(w->consumer);
    rd_kafka_destroy(w->consumer);
    free(w);
}
