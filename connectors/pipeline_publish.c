// One row change into Kafka: the value, the tombstone after a delete, or what can be kept of a row that
// doesn't fit.
#include <stdio.h>

#include "connectors/bad_row.h"
#include "connectors/pipeline_private.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/framing.h"

// 16 hex digits, '-', 8 hex digits: the event id, written without printf.
static struct slice pipeline_position(struct pipeline *p)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t lsn = p->change.commit_lsn;
    for (int i = 15; i >= 0; i--, lsn >>= 4) {
        p->position[i] = digits[lsn & 15];
    }
    p->position[16] = '-';
    uint32_t index = p->change.index;
    for (int i = 24; i >= 17; i--, index >>= 4) {
        p->position[i] = digits[index & 15];
    }
    return slice_make(p->position, PIPELINE_POSITION_SIZE);
}

static struct slice pipeline_encode_key(struct pipeline *p, const struct topic_route *route)
{
    if (p->change.key.data == NULL) {
        return (struct slice){NULL, 0};
    }
    bytes_reset(&p->key);
    framing_put(&p->key, route->key_id);
    bytes_append_slice(&p->key, p->change.key);
    return bytes_slice(&p->key);
}

static struct slice pipeline_encode_value(struct pipeline *p, const struct topic_route *route)
{
    const struct change *c = &p->change;
    struct avro_envelope envelope = {
        .version = MILLRACE_VERSION,
        .connector = p->source_type->kind,
        .table = c->table,
        .database = c->database,
        .snapshot = c->snapshot,
        .op = (char)c->op,
        .commit_time_us = c->commit_time_us,
        .transaction_id = c->transaction_id,
        .lsn = c->lsn,
        .last_commit_lsn = c->last_commit_lsn,
        .now_ns = clock_wall_ns(),
        .before = c->before,
        .after = c->after,
    };
    bytes_reset(&p->value);
    framing_put(&p->value, route->value_id);
    avro_encode_envelope(&p->value, &envelope);
    return bytes_slice(&p->value);
}

// The headers beside the position: only the records of a key change have any, its tombstone too.
static rd_kafka_headers_t *pipeline_key_change_headers(const struct change *c)
{
    bool is_old = c->new_key_json.data != NULL;
    if (!is_old && c->old_key_json.data == NULL) {
        return NULL;
    }
    struct slice other = is_old ? c->new_key_json : c->old_key_json;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(2);
    (void)rd_kafka_header_add(headers, is_old ? "__debezium.newkey" : "__debezium.oldkey", -1, other.data,
                              (ssize_t)other.size);
    return headers;
}

static enum sink_step pipeline_send(struct pipeline *p, struct kafka_sink_record *record, struct fault *f)
{
    record->ticket = p->ticket;
    record->position = pipeline_position(p);
    enum sink_step step = kafka_sink_publish(p->sink, record, f);
    if (step == SINK_TAKEN) {
        watermark_hold(&p->watermark, p->ticket);
    }
    return step;
}

// `cure`: what helps. A row of the stream can't be mended, it is in the WAL as it is.
static enum pipeline_take pipeline_stop_at_bad_row(const struct pipeline *p, const char *message,
                                                   const char *cure, struct fault *f)
{
    (void)fault_set(f, FAULT_CONFIG, "a row of table %s.%s can't be published (event %.*s): %s; %s",
                    p->change.table->schema, p->change.table->name, PIPELINE_POSITION_SIZE, p->position,
                    message, cure);
    return PIPELINE_FAULT;
}

static const char PIPELINE_RAISE[] = "raise message.max.bytes under kafka: and the topic's max.message.bytes";

static bool pipeline_shrink(struct pipeline *p, const struct topic_route *route, struct fault *f)
{
    struct change *c = &p->change;
    size_t column_max = kafka_sink_message_max_bytes(p->sink) / (4 * (c->table->column_count + 1));
    struct bytes before CLEANUP(bytes_clear) = {0};
    struct bytes after CLEANUP(bytes_clear) = {0};
    if (c->before.data != NULL && !bad_row_shrink(c->table, c->before, column_max, &before, f)) {
        return false;
    }
    if (c->after.data != NULL && !bad_row_shrink(c->table, c->after, column_max, &after, f)) {
        return false;
    }
    struct slice whole_before = c->before;
    struct slice whole_after = c->after;
    c->before = c->before.data == NULL ? c->before : bytes_slice(&before);
    c->after = c->after.data == NULL ? c->after : bytes_slice(&after);
    (void)pipeline_encode_value(p, route);
    c->before = whole_before;
    c->after = whole_after;
    return true;
}

// Publishes what can be kept of the row to millrace.dlq.<connector>. `value` is in p->value, or empty.
static enum pipeline_take pipeline_dead_letter(struct pipeline *p, const char *reason, const char *message,
                                               struct slice key, struct fault *f)
{
    char *topic CLEANUP(memory_free_pointer) = memory_format("millrace.dlq.%s", p->params.config->name);
    const struct topic_route *route = topic_routes_find_bare(p->routes, topic, &p->dead_letter_config);
    if (route->status != TOPIC_ROUTE_READY) {
        *f = route->fault;
        return route->status == TOPIC_ROUTE_FAILED ? PIPELINE_FAULT : PIPELINE_LATER;
    }
    rd_kafka_headers_t *headers = bad_row_headers(p->params.config->name, reason, message, &p->change);
    struct kafka_sink_record record = {
        .topic = route->topic, .key = key, .value = bytes_slice(&p->value), .headers = headers};
    enum sink_step step = pipeline_send(p, &record, f);
    rd_kafka_headers_destroy(headers);
    if (step == SINK_FULL) {
        return PIPELINE_LATER;
    }
    if (step == SINK_TOO_LARGE) {
        return pipeline_stop_at_bad_row(p, "not even its key and small columns fit message.max.bytes",
                                        PIPELINE_RAISE, f);
    }
    if (step == SINK_TAKEN) {
        log_warn(p->component, "row_dead_lettered",
                 LOG_WITH(LOG_TEXT("topic", topic), LOG_TEXT("table", p->change.table->topic)), "%s",
                 message);
        metric_add(p->metrics.dead_letters, 1);
    }
    return step == SINK_TAKEN ? PIPELINE_TAKEN : PIPELINE_FAULT;
}

static enum pipeline_take pipeline_too_large(struct pipeline *p, const struct topic_route *route,
                                             struct slice key, struct fault *f)
{
    char message[160];
    (void)snprintf(message, sizeof(message), "its record of %zu bytes is over message.max.bytes (%zu)",
                   p->value.size + key.size, kafka_sink_message_max_bytes(p->sink));
    if (p->params.config->on_bad_row == CONNECTOR_BAD_ROW_STOP) {
        return pipeline_stop_at_bad_row(
            p, message,
            "raise it under kafka: and the topic's max.message.bytes, or set on_bad_row: dead_letter to put "
            "such rows aside and go on",
            f);
    }
    return pipeline_shrink(p, route, f) ? pipeline_dead_letter(p, "oversize", message, key, f)
                                        : PIPELINE_FAULT;
}

static enum pipeline_take pipeline_publish_value(struct pipeline *p, const struct topic_route *route,
                                                 struct slice key, struct fault *f)
{
    rd_kafka_headers_t *headers = pipeline_key_change_headers(&p->change);
    struct kafka_sink_record record = {
        .topic = route->topic, .key = key, .value = pipeline_encode_value(p, route), .headers = headers};
    enum sink_step step = pipeline_send(p, &record, f);
    if (headers != NULL) {
        rd_kafka_headers_destroy(headers);
    }
    switch (step) {
    case SINK_TAKEN:
        return PIPELINE_TAKEN;
    case SINK_FULL:
        return PIPELINE_LATER;
    case SINK_TOO_LARGE:
        return pipeline_too_large(p, route, key, f);
    case SINK_FAULT:
        return PIPELINE_FAULT;
    }
    return PIPELINE_FAULT;
}

// After a delete: key and null, so that a compacted topic forgets the row.
static enum pipeline_take pipeline_publish_tombstone(struct pipeline *p, const struct topic_route *route,
                                                     struct slice key, struct fault *f)
{
    rd_kafka_headers_t *headers = pipeline_key_change_headers(&p->change);
    struct kafka_sink_record record = {.topic = route->topic, .key = key, .headers = headers};
    enum sink_step step = pipeline_send(p, &record, f);
    if (headers != NULL) {
        rd_kafka_headers_destroy(headers);
    }
    switch (step) {
    case SINK_TAKEN:
        return PIPELINE_TAKEN;
    case SINK_FULL:
        return PIPELINE_LATER;
    case SINK_TOO_LARGE:
        return pipeline_stop_at_bad_row(p, "its key is over message.max.bytes", PIPELINE_RAISE, f);
    case SINK_FAULT:
        return PIPELINE_FAULT;
    }
    return PIPELINE_FAULT;
}

static enum pipeline_take pipeline_publish_unreadable(struct pipeline *p, struct slice key, struct fault *f)
{
    if (p->params.config->on_bad_row == CONNECTOR_BAD_ROW_STOP) {
        (void)pipeline_position(p);
        bool is_read = p->change.op == CHANGE_READ;
        return pipeline_stop_at_bad_row(
            p, p->change.bad_reason,
            is_read
                ? "change the row in the database, or set on_bad_row: dead_letter to put such rows aside and "
                  "go on"
                : "the WAL keeps it as it was, whatever the table says now: set on_bad_row: dead_letter to "
                  "put such rows aside and go on",
            f);
    }
    bytes_reset(&p->value);
    bytes_append_slice(&p->value, p->change.bad_json);
    return pipeline_dead_letter(p, "undecodable", p->change.bad_reason, key, f);
}

enum pipeline_take pipeline_publish(struct pipeline *p, struct fault *f)
{
    const struct topic_route *route = topic_routes_find(p->routes, p->change.table);
    if (route->status != TOPIC_ROUTE_READY) {
        *f = route->fault;
        return route->status == TOPIC_ROUTE_FAILED ? PIPELINE_FAULT : PIPELINE_LATER;
    }
    struct slice key = pipeline_encode_key(p, route);
    if (!p->is_value_published) {
        enum pipeline_take taken = p->change.bad_json.data == NULL ? pipeline_publish_value(p, route, key, f)
                                                                   : pipeline_publish_unreadable(p, key, f);
        if (taken != PIPELINE_TAKEN) {
            return taken;
        }
        p->is_value_published = true;
    }
    if (p->change.op == CHANGE_DELETE && key.data != NULL) {
        enum pipeline_take taken = pipeline_publish_tombstone(p, route, key, f);
        if (taken != PIPELINE_TAKEN) {
            return taken;
        }
    }
    metric_add(pipeline_metrics_changes(&p->metrics, p->change.op), 1);
    return PIPELINE_TAKEN;
}
