// The producer around the flow: opening, acknowledgements, refusals, closing. Publishing:
// kafka_sink_publish.c.
#include "connectors/kafka/kafka_sink_private.h"

#include <uthash.h>

#include "core/base/log.h"

struct sink_run {
    uint64_t ticket;
    uint32_t count;
};

static void kafka_sink_fail(struct kafka_sink *s, const struct fault *f)
{
    if (!s->is_failed) {
        s->is_failed = true;
        s->listener.on_fault(s->listener.self, f);
    }
}

// What somebody has to change at the broker, or here.
static const struct {
    rd_kafka_resp_err_t error;
    enum fault_kind kind;
    const char *cure;
} kafka_sink_refusals[] = {
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, FAULT_CONFIG,
     "the broker refuses a batch as too large: the topic's max.message.bytes is below our "
     "message.max.bytes; lower kafka: {message.max.bytes: …} or raise the topic's limit"},
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, FAULT_CONFIG,
     "we may not write to it: allow WRITE and DESCRIBE on it to our principal"},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, FAULT_CONFIG,
     "the broker refuses a record: with cleanup.policy=compact each needs a key; give the table a primary "
     "key, or the topic cleanup.policy=delete"},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, FAULT_RETRY,
     "it does not exist: make it, or allow CREATE on it to our principal"},
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, FAULT_RETRY,
     "it does not exist: make it, or allow CREATE on it to our principal"},
};

static void kafka_sink_fail_delivery(struct kafka_sink *s, rd_kafka_resp_err_t error, const char *topic)
{
    enum fault_kind kind = FAULT_RETRY;
    const char *why = rd_kafka_err2str(error);
    for (size_t i = 0; i < COUNT_OF(kafka_sink_refusals); i++) {
        if (kafka_sink_refusals[i].error == error) {
            kind = kafka_sink_refusals[i].kind;
            why = kafka_sink_refusals[i].cure;
        }
    }
    struct fault f;
    (void)fault_from(&f, kind, "librdkafka", error, "a record for topic %s was not delivered: %s", topic,
                     why);
    kafka_sink_fail(s, &f);
}

static void kafka_sink_settle(struct kafka_sink *s, const struct sink_run *run)
{
    if (run->count > 0 && !s->is_failed) {
        s->listener.on_settled(s->listener.self, run->ticket, run->count);
    }
}

// One event holds a whole batch's reports. Runs of records of one transaction are settled in one call.
static void kafka_sink_on_reports(struct kafka_sink *s, rd_kafka_event_t *event)
{
    struct sink_run run = {0};
    const rd_kafka_message_t *message;
    while ((message = rd_kafka_event_message_next(event)) != NULL) {
        s->in_flight--;
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            kafka_sink_settle(s, &run);
            run.count = 0;
            kafka_sink_fail_delivery(s, message->err, rd_kafka_topic_name(message->rkt));
            continue;
        }
        uint64_t ticket = (uint64_t)(uintptr_t)message->_private;
        if (run.count > 0 && run.ticket != ticket) {
            kafka_sink_settle(s, &run);
            run.count = 0;
        }
        run.ticket = ticket;
        run.count++;
    }
    kafka_sink_settle(s, &run);
}

static void kafka_sink_on_error(struct kafka_sink *s, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t error = rd_kafka_event_error(event);
    if (error != RD_KAFKA_RESP_ERR__FATAL) {
        log_warn("kafka", "kafka_error", LOG_WITH(LOG_TEXT("code", rd_kafka_err2name(error))), "%s",
                 rd_kafka_event_error_string(event));
        return;
    }
    char text[256];
    rd_kafka_resp_err_t cause = rd_kafka_fatal_error(s->producer, text, sizeof(text));
    struct fault f;
    (void)fault_from(&f, FAULT_RETRY, "librdkafka", cause, "the producer can't go on: %s", text);
    kafka_sink_fail(s, &f);
}

// What waits here goes on before the listener publishes more.
static void kafka_sink_go_on(struct kafka_sink *s)
{
    if (s->is_failed || s->is_closed) {
        return;
    }
    struct fault f;
    switch (kafka_sink_flush(s, &f)) {
    case SINK_TAKEN:
        if (s->owes_room) {
            s->owes_room = false;
            s->listener.on_room(s->listener.self);
        }
        return;
    case SINK_FULL:
        return;
    case SINK_TOO_LARGE:
    case SINK_FAULT:
        kafka_sink_fail(s, &f);
    }
}

static void kafka_sink_free(struct kafka_sink *s);

static void kafka_sink_on_ready(void *self)
{
    struct kafka_sink *s = self;
    s->is_draining = true;
    bool has_reports = false;
    rd_kafka_event_t *event;
    // The wake-up comes only when the queue was empty: drain it to the end. It is bounded by the producer's
    // queue.
    while (!s->is_closed && (event = rd_kafka_queue_poll(s->queue, 0)) != NULL) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
            kafka_sink_on_reports(s, event);
            has_reports = true;
        } else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR) {
            kafka_sink_on_error(s, event);
        }
        rd_kafka_event_destroy(event);
    }
    if (has_reports && !s->is_failed && !s->is_closed) {
        s->listener.on_batch(s->listener.self);
    }
    kafka_sink_go_on(s);
    s->is_draining = false;
    if (s->is_closed) {
        kafka_sink_free(s);
    }
}

bool kafka_sink_open(uv_loop_t *loop, const struct settings *settings,
                     const struct kafka_sink_listener *listener, struct kafka_sink **ret, struct fault *f)
{
    rd_kafka_conf_t *conf = NULL;
    if (!kafka_client_conf(settings, KAFKA_PRODUCER, NULL, &conf, f)) {
        return false;
    }
    size_t message_max_bytes = kafka_client_message_max_bytes(conf);
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    rd_kafka_t *producer = NULL;
    if (!kafka_client_open(conf, KAFKA_PRODUCER, &producer, f)) {
        return false;
    }
    struct kafka_sink *s = memory_zeroed(1, sizeof(*s));
    s->loop = loop;
    s->listener = *listener;
    s->producer = producer;
    s->message_max_bytes = message_max_bytes;
    s->queue = rd_kafka_queue_get_main(producer);
    s->watch = kafka_watch_start(loop, s->queue, kafka_sink_on_ready, s);
    *ret = s;
    return true;
}

struct kafka_sink_topic *kafka_sink_topic(struct kafka_sink *s, const char *name)
{
    struct kafka_sink_topic *topic = NULL;
    HASH_FIND_STR(s->topics, name, topic);
    if (topic == NULL) {
        topic = memory_zeroed(1, sizeof(*topic));
        topic->name = memory_string(name);
        topic->handle = rd_kafka_topic_new(s->producer, name, NULL);
        INVARIANT(topic->handle != NULL);
        HASH_ADD_KEYPTR(hh, s->topics, topic->name, strlen(topic->name), topic);
    }
    return topic;
}

size_t kafka_sink_in_flight(const struct kafka_sink *s)
{
    return s->in_flight;
}

size_t kafka_sink_message_max_bytes(const struct kafka_sink *s)
{
    return s->message_max_bytes;
}

rd_kafka_t *kafka_sink_handle(struct kafka_sink *s)
{
    return s->producer;
}

struct sink_closing {
    uv_work_t work;
    rd_kafka_t *producer;
};

static void kafka_sink_destroy_producer(uv_work_t *work)
{
    struct sink_closing *closing = CONTAINER_OF(work, struct sink_closing, work);
    (void)rd_kafka_purge(closing->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy(closing->producer);
}

static void kafka_sink_on_destroyed(uv_work_t *work, int status)
{
    (void)status;
    free(CONTAINER_OF(work, struct sink_closing, work));
}

static void kafka_sink_free(struct kafka_sink *s)
{
    kafka_watch_stop(s->watch);
    rd_kafka_queue_destroy(s->queue);
    struct kafka_sink_topic *topic;
    struct kafka_sink_topic *next;
    HASH_ITER (hh, s->topics, topic, next) {
        HASH_DEL(s->topics, topic);
        rd_kafka_topic_destroy(topic->handle);
        gather_clear(&topic->waiting);
        free(topic->name);
        free(topic);
    }
    struct sink_closing *closing = memory_zeroed(1, sizeof(*closing));
    closing->producer = s->producer;
    int error = uv_queue_work(s->loop, &closing->work, kafka_sink_destroy_producer, kafka_sink_on_destroyed);
    INVARIANT(error == 0);
    free(s);
}

void kafka_sink_close(struct kafka_sink *s)
{
    if (s == NULL || s->is_closed) {
        return;
    }
    s->is_closed = true;
    if (!s->is_draining) {
        kafka_sink_free(s);
    }
}
