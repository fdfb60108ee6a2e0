#include "connectors/kafka/kafka_record.h"

#include <string.h>

#include "connectors/kafka/record_headers.h"

enum {
    RECORD_OVERHEAD = 36,     // librdkafka's upper bound for a record's lengths and deltas
    BATCH_OVERHEAD = 61,      // of the batch, which the broker includes
    HEADER_OVERHEAD = 2 + 2,  // lengths of name and value, below 8 KiB each
};
static const char POSITION_HEADER[] = "millrace.position";
static const char TRACEPARENT[] = "traceparent";
static const char TRACESTATE[] = "tracestate";

static size_t more_bytes(struct slice headers)
{
    size_t bytes = 0;
    const char *name;
    struct slice value;
    while (record_headers_next(&headers, &name, &value)) {
        // Lengths from 8 KiB on take one more byte.
        bytes += strlen(name) + value.size + HEADER_OVERHEAD + (value.size >> 13 > 0 ? 2 : 0);
    }
    return bytes;
}

static size_t header_bytes(size_t name_size, size_t size)
{
    return size == 0 ? 0 : name_size + size + HEADER_OVERHEAD;
}

size_t kafka_record_bytes(const struct accumulator_record *record)
{
    size_t own = header_bytes(sizeof(POSITION_HEADER) - 1, record->position.size) +
                 header_bytes(sizeof(TRACEPARENT) - 1, record->trace.traceparent.size) +
                 header_bytes(sizeof(TRACESTATE) - 1, record->trace.tracestate.size);
    return record->key.size + record->value.size + own + more_bytes(record->headers) + RECORD_OVERHEAD +
           BATCH_OVERHEAD;
}

static void add(rd_kafka_headers_t *headers, const char *name, size_t name_size, struct slice value)
{
    if (value.size > 0) {
        (void)rd_kafka_header_add(headers, name, (ssize_t)name_size, value.data, (ssize_t)value.size);
    }
}

static rd_kafka_headers_t *headers_of(const struct accumulator_record *record)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
    struct slice more = record->headers;
    const char *name;
    struct slice value;
    while (record_headers_next(&more, &name, &value)) {
        (void)rd_kafka_header_add(headers, name, -1, value.data, (ssize_t)value.size);
    }
    add(headers, POSITION_HEADER, sizeof(POSITION_HEADER) - 1, record->position);
    add(headers, TRACEPARENT, sizeof(TRACEPARENT) - 1, record->trace.traceparent);
    add(headers, TRACESTATE, sizeof(TRACESTATE) - 1, record->trace.tracestate);
    return headers;
}

rd_kafka_resp_err_t kafka_record_produce(rd_kafka_t *rk, rd_kafka_topic_t *topic,
                                         const struct accumulator_record *record)
{
    rd_kafka_headers_t *headers = headers_of(record);
    rd_kafka_vu_t arguments[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = record->partition},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = record->timestamp_ms},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)record->key.data, record->key.size}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)record->value.data, record->value.size}},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *)(uintptr_t)record->ticket},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(rk, arguments, COUNT_OF(arguments));
    if (error == NULL) {
        return RD_KAFKA_RESP_ERR_NO_ERROR;  // librdkafka has taken over the headers
    }
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    rd_kafka_headers_destroy(headers);
    return code;
}

// Errors that the operator cures by a change of the configuration.
static const struct {
    rd_kafka_resp_err_t error;
    enum fault_kind kind;
    const char *cure;
} refusals[] = {
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, FAULT_CONFIG,
     "the broker refuses a batch as too large: the topic's max.message.bytes is below our "
     "message.max.bytes; lower kafka: {message.max.bytes: …} or raise the topic's limit"},
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, FAULT_CONFIG,
     "access denied: allow WRITE and DESCRIBE on the topic to millrace's principal"},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, FAULT_CONFIG,
     "the broker refuses a record: with cleanup.policy=compact each needs a key; give the table a primary "
     "key, or the topic cleanup.policy=delete"},
    {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, FAULT_CONFIG,
     "the broker refuses a record's timestamp: raise the topic's message.timestamp.before.max.ms and "
     "message.timestamp.after.max.ms, or take outbox.timestamp out of the file"},
    {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, FAULT_RETRY,
     "it does not have the partition that the row names: add partitions to the topic, or take "
     "outbox.partition out of the file"},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, FAULT_RETRY,
     "it does not exist: make it, or allow CREATE on it to our principal"},
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, FAULT_RETRY,
     "it does not exist: make it, or allow CREATE on it to our principal"},
};

bool kafka_record_undelivered(rd_kafka_resp_err_t error, const char *topic, struct fault *f)
{
    enum fault_kind kind = FAULT_RETRY;
    const char *why = rd_kafka_err2str(error);
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        if (refusals[i].error == error) {
            kind = refusals[i].kind;
            why = refusals[i].cure;
        }
    }
    return fault_from(f, kind, "librdkafka", error, "a record for topic %s was not delivered: %s", topic,
                      why);
}
