#include "connectors/publisher.h"

#include <stdio.h>

#include "connectors/bad_row.h"
#include "connectors/kafka/topic_route.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/framing.h"

enum { POSITION_MAX = 16 + 1 + 16, INDEX_DIGITS = 8 };

struct publisher {
    struct publisher_params params;
    struct topic_routes *routes;
    char *dead_letter_topic;
    struct text_pairs dead_letter_config;
    const struct change *change;  // during publisher_publish
    bool is_value_published;  // after LATER: the value of this change was published, only its tombstone is
                              // missing
    struct bytes key;
    struct bytes value;
    char position[POSITION_MAX];
    size_t position_size;
    struct text_list waiting;         // topics of tables that wait at a bad row
    char waiting_text[480];           // the error of the newest one
    const struct topic_route *route;  // that the current change needs and that is not READY; NULL: none
    char obstacle[480];
};

static void put_hex(char *at, uint64_t value, int count)
{
    static const char digits[] = "0123456789abcdef";
    for (int i = count - 1; i >= 0; i--, value >>= 4) {
        at[i] = digits[value & 15];
    }
}

// The event id: 16 hex digits, '-', 8 hex digits; more from row 2^32 of a transaction on. printf would be
// slower.
static void write_position(struct publisher *p)
{
    int count = INDEX_DIGITS;
    for (uint64_t rest = p->change->index >> (4 * INDEX_DIGITS); rest > 0; rest >>= 4) {
        count++;
    }
    put_hex(p->position, p->change->commit_lsn, 16);
    p->position[16] = '-';
    put_hex(p->position + 17, p->change->index, count);
    p->position_size = 17 + (size_t)count;
}

static struct slice encode_key(struct publisher *p, const struct topic_route *route)
{
    if (p->change->key.data == NULL) {
        return (struct slice){NULL, 0};
    }
    bytes_reset(&p->key);
    framing_put(&p->key, route->key_id);
    bytes_append_slice(&p->key, p->change->key);
    return bytes_slice(&p->key);
}

static void encode_value(struct publisher *p, const struct topic_route *route, struct slice before,
                         struct slice after)
{
    const struct change *c = p->change;
    struct avro_envelope envelope = {
        .version = MILLRACE_VERSION,
        .connector = p->params.kind,
        .table = c->table,
        .database = c->database,
        .snapshot = c->snapshot,
        .op = (char)c->op,
        .commit_time_us = c->commit_time_us,
        .transaction_id = c->transaction_id,
        .lsn = c->lsn,
        .last_commit_lsn = c->last_commit_lsn,
        .origin = c->origin,
        .origin_lsn = c->origin_lsn,
        .now_ns = clock_wall_ns(),
        .before = before,
        .after = after,
    };
    bytes_reset(&p->value);
    framing_put(&p->value, route->value_id);
    avro_encode_envelope(&p->value, &envelope);
}

// Headers besides the position: only the records of a key change have any, including its tombstone.
static rd_kafka_headers_t *key_change_headers(const struct change *c)
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

static bool is_ready(struct publisher *p, const struct topic_route *route, struct fault *f)
{
    bool is_ready = route->status == TOPIC_ROUTE_READY;
    p->route = is_ready ? NULL : route;
    if (!is_ready) {
        *f = route->fault;
    }
    return is_ready;
}

static enum sink_step put(struct publisher *p, struct kafka_sink_record *record, struct fault *f)
{
    record->position = slice_make(p->position, p->position_size);
    return change_delivery_put(p->params.delivery, record, f);
}

// --- rows that can't be published ---

static bool is_waiting(const struct publisher *p, const char *topic)
{
    for (size_t i = 0; i < p->waiting.count; i++) {
        if (strcmp(p->waiting.items[i], topic) == 0) {
            return true;
        }
    }
    return false;
}

// The table waits; the others go on. No position at or after the row is confirmed, so the next start of the
// connector reads all of the table's changes again. A row of the first snapshot fails the connector,
// because that snapshot could not end.
static enum publisher_step stop_table(struct publisher *p, const char *message, const char *cure,
                                      struct fault *f)
{
    const struct table *table = p->change->table;
    (void)fault_set(f, FAULT_CONFIG, "a row of table %s.%s can't be published (event %.*s): %s; %s",
                    table->schema, table->name, (int)p->position_size, p->position, message, cure);
    if (p->change->op == CHANGE_READ && !change_delivery_is_snapshot_done(p->params.delivery)) {
        return PUBLISHER_FAULT;
    }
    text_list_add(&p->waiting, table->topic);
    (void)snprintf(p->waiting_text, sizeof(p->waiting_text), "%s", f->text);
    log_error(p->params.component, "table_waiting", LOG_WITH(LOG_TEXT("table", table->topic)),
              "%s. Until then this table is not published; the others are, but no position after this row is "
              "confirmed: the server keeps its WAL, and a restart publishes the others' changes again",
              f->text);
    metric_set(p->params.metrics->waiting_tables, (double)p->waiting.count);
    change_delivery_withhold(p->params.delivery);
    return PUBLISHER_TAKEN;
}

static const char RAISE[] = "raise message.max.bytes under kafka: and the topic's max.message.bytes";

static bool shrink(struct publisher *p, const struct topic_route *route, struct fault *f)
{
    const struct change *c = p->change;
    size_t limit = kafka_sink_message_max_bytes(change_delivery_sink(p->params.delivery));
    size_t column_max = limit / (4 * (c->table->column_count + 1));
    CLEANUP(bytes_clear) struct bytes before = {0};
    CLEANUP(bytes_clear) struct bytes after = {0};
    if ((c->before.data != NULL && !bad_row_shrink(c->table, c->before, column_max, &before, f)) ||
        (c->after.data != NULL && !bad_row_shrink(c->table, c->after, column_max, &after, f))) {
        return false;
    }
    encode_value(p, route, c->before.data == NULL ? c->before : bytes_slice(&before),
                 c->after.data == NULL ? c->after : bytes_slice(&after));
    return true;
}

// Publishes p->value to the connector's dead-letter topic.
static enum publisher_step dead_letter(struct publisher *p, const char *reason, const char *message,
                                       struct slice key, struct fault *f)
{
    const struct topic_route *route =
        topic_routes_find_schemaless(p->routes, p->dead_letter_topic, &p->dead_letter_config);
    if (!is_ready(p, route, f)) {
        return route->status == TOPIC_ROUTE_FAILED ? PUBLISHER_FAULT : PUBLISHER_LATER;
    }
    rd_kafka_headers_t *headers = bad_row_headers(p->params.config->name, reason, message, p->change);
    struct kafka_sink_record record = {
        .topic = route->topic, .key = key, .value = bytes_slice(&p->value), .headers = headers};
    enum sink_step step = put(p, &record, f);
    rd_kafka_headers_destroy(headers);
    switch (step) {
    case SINK_TAKEN:
        log_warn(
            p->params.component, "row_dead_lettered",
            LOG_WITH(LOG_TEXT("topic", p->dead_letter_topic), LOG_TEXT("table", p->change->table->topic)),
            "%s", message);
        metric_add(p->params.metrics->dead_letters, 1);
        return PUBLISHER_TAKEN;
    case SINK_FULL:
        return PUBLISHER_LATER;
    case SINK_TOO_LARGE:
        return stop_table(p, "not even its key and small columns fit message.max.bytes", RAISE, f);
    case SINK_FAULT:
        return PUBLISHER_FAULT;
    }
    return PUBLISHER_FAULT;
}

static enum publisher_step publish_too_large(struct publisher *p, const struct topic_route *route,
                                             const struct kafka_sink_record *record, struct fault *f)
{
    char message[160];
    (void)snprintf(message, sizeof(message), "its record of %zu bytes is over message.max.bytes (%zu)",
                   kafka_sink_record_bytes(record),
                   kafka_sink_message_max_bytes(change_delivery_sink(p->params.delivery)));
    if (p->params.config->on_bad_row == CONNECTOR_BAD_ROW_STOP) {
        return stop_table(p, message,
                          "raise it under kafka: and the topic's max.message.bytes, or set on_bad_row: "
                          "dead_letter to put such rows aside and go on",
                          f);
    }
    return shrink(p, route, f) ? dead_letter(p, "oversize", message, record->key, f) : PUBLISHER_FAULT;
}

static enum publisher_step publish_unreadable(struct publisher *p, struct slice key, struct fault *f)
{
    if (p->params.config->on_bad_row == CONNECTOR_BAD_ROW_STOP) {
        bool is_read = p->change->op == CHANGE_READ;
        return stop_table(
            p, p->change->bad_reason,
            is_read
                ? "change the row in the database, or set on_bad_row: dead_letter to put such rows aside and "
                  "go on"
                : "the WAL keeps it as it was, whatever the table says now: set on_bad_row: dead_letter to "
                  "put such rows aside and go on",
            f);
    }
    bytes_reset(&p->value);
    bytes_append_slice(&p->value, p->change->bad_json);
    return dead_letter(p, "undecodable", p->change->bad_reason, key, f);
}

// --- rows ---

static enum publisher_step publish_value(struct publisher *p, const struct topic_route *route,
                                         struct slice key, struct fault *f)
{
    rd_kafka_headers_t *headers = key_change_headers(p->change);
    encode_value(p, route, p->change->before, p->change->after);
    struct kafka_sink_record record = {
        .topic = route->topic, .key = key, .value = bytes_slice(&p->value), .headers = headers};
    enum sink_step step = put(p, &record, f);
    enum publisher_step taken = PUBLISHER_FAULT;
    switch (step) {
    case SINK_TAKEN:
        taken = PUBLISHER_TAKEN;
        break;
    case SINK_FULL:
        taken = PUBLISHER_LATER;
        break;
    case SINK_TOO_LARGE:
        taken = publish_too_large(p, route, &record, f);
        break;
    case SINK_FAULT:
        break;
    }
    if (headers != NULL) {
        rd_kafka_headers_destroy(headers);
    }
    return taken;
}

// After a delete: key and null, so that compaction removes the row.
static enum publisher_step publish_tombstone(struct publisher *p, const struct topic_route *route,
                                             struct slice key, struct fault *f)
{
    rd_kafka_headers_t *headers = key_change_headers(p->change);
    struct kafka_sink_record record = {.topic = route->topic, .key = key, .headers = headers};
    enum sink_step step = put(p, &record, f);
    if (headers != NULL) {
        rd_kafka_headers_destroy(headers);
    }
    switch (step) {
    case SINK_TAKEN:
        return PUBLISHER_TAKEN;
    case SINK_FULL:
        return PUBLISHER_LATER;
    case SINK_TOO_LARGE:
        return stop_table(p, "its key is over message.max.bytes", RAISE, f);
    case SINK_FAULT:
        return PUBLISHER_FAULT;
    }
    return PUBLISHER_FAULT;
}

static enum publisher_step publish_records(struct publisher *p, const struct topic_route *route,
                                           struct fault *f)
{
    struct slice key = encode_key(p, route);
    if (!p->is_value_published) {
        enum publisher_step taken = p->change->bad_json.data == NULL ? publish_value(p, route, key, f)
                                                                     : publish_unreadable(p, key, f);
        if (taken != PUBLISHER_TAKEN) {
            return taken;
        }
        p->is_value_published = true;
    }
    bool has_tombstone = p->change->op == CHANGE_DELETE && key.data != NULL;
    if (has_tombstone && !is_waiting(p, p->change->table->topic)) {
        return publish_tombstone(p, route, key, f);
    }
    return PUBLISHER_TAKEN;
}

enum publisher_step publisher_publish(struct publisher *p, const struct change *change, struct fault *f)
{
    const struct topic_route *route = topic_routes_find(p->routes, change->table);
    if (is_waiting(p, change->table->topic)) {
        return PUBLISHER_TAKEN;
    }
    if (!is_ready(p, route, f)) {
        return route->status == TOPIC_ROUTE_FAILED ? PUBLISHER_FAULT : PUBLISHER_LATER;
    }
    p->change = change;
    write_position(p);
    enum publisher_step taken = publish_records(p, route, f);
    if (taken == PUBLISHER_TAKEN) {
        p->is_value_published = false;
        metric_add(pipeline_metrics_changes(p->params.metrics, change->op), 1);
    }
    return taken;
}

// --- lifecycle ---

void publisher_prepare(struct publisher *p, const char *topic)
{
    (void)topic_routes_find_schemaless(p->routes, topic, &p->params.config->topics.config);
}

const char *publisher_waiting(const struct publisher *p)
{
    return p->waiting.count == 0 ? NULL : p->waiting_text;
}

const char *publisher_obstacle(struct publisher *p, int64_t *ret_age_us)
{
    if (p->route == NULL || !p->route->outage.is_on) {
        return NULL;
    }
    *ret_age_us = outage_age_us(&p->route->outage);
    (void)snprintf(p->obstacle, sizeof(p->obstacle), "topic %s is not ready: %s", p->route->name,
                   p->route->outage.text);
    return p->obstacle;
}

void publisher_detach(struct publisher *p)
{
    topic_routes_attach(p->routes, NULL);
}

void publisher_attach(struct publisher *p)
{
    topic_routes_attach(p->routes, change_delivery_sink(p->params.delivery));
}

void publisher_begin_session(struct publisher *p)
{
    p->is_value_published = false;
    p->route = NULL;
    text_list_clear(&p->waiting);
    metric_set(p->params.metrics->waiting_tables, 0);
}

struct publisher *publisher_new(const struct publisher_params *params)
{
    const struct connector_config *config = params->config;
    struct topic_routes_params routes = {.loop = params->loop,
                                         .registry = params->registry,
                                         .partitions = (int)config->topics.partitions,
                                         .replication = (int)config->topics.replication,
                                         .config = &config->topics.config,
                                         .component = params->component,
                                         .on_change = params->on_ready,
                                         .self = params->self};
    struct publisher *p = memory_zeroed(1, sizeof(*p));
    p->params = *params;
    // A function's name has no dot, so no function has this dead-letter topic.
    p->dead_letter_topic = memory_format("millrace.dlq.connector.%s", config->name);
    text_pairs_set(&p->dead_letter_config, "retention.ms", "-1");
    p->routes = topic_routes_new(&routes);
    publisher_attach(p);
    return p;
}

void publisher_free(struct publisher *p)
{
    if (p == NULL) {
        return;
    }
    topic_routes_free(p->routes);
    bytes_clear(&p->key);
    bytes_clear(&p->value);
    text_list_clear(&p->waiting);
    text_pairs_clear(&p->dead_letter_config);
    free(p->dead_letter_topic);
    free(p);
}
