#include "connectors/kafka/kafka_reports.h"

struct run {
    uint64_t ticket;
    uint32_t count;
};

static void settle(const struct kafka_reports_reader *reader, struct run *run)
{
    if (run->count > 0) {
        reader->on_settled(reader->self, run->ticket, run->count);
    }
    run->count = 0;
}

// The topic of the last report, and how many reports in a row it had.
struct reported {
    rd_kafka_topic_t *handle;
    uint32_t count;
};

static void tell_reported(const struct kafka_reports_reader *reader, struct reported *topic,
                          rd_kafka_topic_t *next)
{
    if (topic->count > 0) {
        reader->on_reported(reader->self, rd_kafka_topic_name(topic->handle), topic->count);
    }
    *topic = (struct reported){next, 0};
}

void kafka_reports_read(rd_kafka_event_t *event, const struct kafka_reports_reader *reader)
{
    struct run run = {0};
    struct reported topic = {0};
    const rd_kafka_message_t *message;
    while ((message = rd_kafka_event_message_next(event)) != NULL) {
        (*reader->outstanding)--;
        if (message->rkt != topic.handle) {
            tell_reported(reader, &topic, message->rkt);
        }
        topic.count++;
        uint64_t ticket = (uint64_t)(uintptr_t)message->_private;
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            settle(reader, &run);
            reader->on_failed(reader->self, message->err, rd_kafka_topic_name(message->rkt));
            continue;
        }
        if (run.ticket != ticket) {
            settle(reader, &run);
        }
        run.ticket = ticket;
        run.count++;
    }
    settle(reader, &run);
    tell_reported(reader, &topic, NULL);
}
