#include "tests/component/connectors/pipeline_seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "schemas/avro/avro_encode.h"

// The marker's place in the envelope is after others of variable size: finds the string with its length.
static const char *marker_in(const rd_kafka_message_t *message)
{
    static const char *const all[] = {
        "last_in_data_collection", "first_in_data_collection", "first", "last", "true", "false"};
    for (size_t i = 0; message->payload != NULL && i < COUNT_OF(all); i++) {
        struct bytes text = {0};
        avro_encode_string(&text, slice_of(all[i]));
        bool has = memmem(message->payload, message->len, text.data, text.size) != NULL;
        bytes_clear(&text);
        if (has) {
            return all[i];
        }
    }
    return "";
}

static void note_trace(struct pipeline_seen *seen, const rd_kafka_headers_t *headers)
{
    const void *parent = "";
    const void *trace_state = "";
    size_t parent_size = 0;
    size_t state_size = 0;
    (void)rd_kafka_header_get_last(headers, "traceparent", &parent, &parent_size);
    (void)rd_kafka_header_get_last(headers, "tracestate", &trace_state, &state_size);
    (void)snprintf(seen->trace, sizeof(seen->trace), "%.*s/%.*s", (int)parent_size, (const char *)parent,
                   (int)state_size, (const char *)trace_state);
}

static void seen_note(struct pipeline_seen *seen, const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    const void *value = NULL;
    size_t size = 0;
    assert_int_equal(rd_kafka_message_headers(message, &headers), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_header_get_last(headers, "millrace.position", &value, &size), 0);
    if (seen->count < PIPELINE_SEEN_MAX) {
        (void)snprintf(seen->positions[seen->count], sizeof(seen->positions[0]), "%.*s", (int)size,
                       (const char *)value);
        (void)snprintf(seen->markers[seen->count], sizeof(seen->markers[0]), "%s", marker_in(message));
    }
    if (rd_kafka_header_get_last(headers, "millrace.dlq.reason", &value, &size) == 0) {
        (void)snprintf(seen->reason, sizeof(seen->reason), "%.*s", (int)size, (const char *)value);
    }
    note_trace(seen, headers);
    if (seen->count == 0) {
        (void)snprintf(seen->first_value, sizeof(seen->first_value), "%.*s", (int)message->len,
                       (const char *)message->payload);
    }
    seen->tombstones += message->payload == NULL ? 1 : 0;
    bytes_reset(&seen->last_value);
    bytes_append(&seen->last_value, message->payload, message->len);
    seen->count++;
}

// Calls back with each record of the topic.
static void read_all(struct pipeline_case *x, const char *topic,
                     void (*on_record)(void *self, const rd_kafka_message_t *m), void *self)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(x->cluster), NULL, 0);
    (void)rd_kafka_conf_set(conf, "group.id", "test", NULL, 0);
    (void)rd_kafka_conf_set(conf, "enable.partition.eof", "true", NULL, 0);
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    assert_int_equal(rd_kafka_assign(consumer, list), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    bool is_end = false;
    while (!is_end) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 30000);
        assert_non_null(message);
        is_end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            on_record(self, message);
        }
        rd_kafka_message_destroy(message);
    }
    (void)rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
}

static void note_seen(void *self, const rd_kafka_message_t *message)
{
    seen_note(self, message);
}

void pipeline_seen_read(struct pipeline_case *x, const char *topic, struct pipeline_seen *seen)
{
    read_all(x, topic, note_seen, seen);
}

static void note_last(void *self, const rd_kafka_message_t *message)
{
    bytes_reset(self);
    bytes_append(self, message->payload, message->len);
}

void pipeline_seen_record(struct pipeline_case *x, struct bytes *ret)
{
    read_all(x, "millrace.state", note_last, ret);
}
