#include "connectors/publisher.h"

#include <stdio.h>

#include "connectors/bad_row.h"
#include "connectors/change_record.h"
#include "connectors/kafka/topic_route.h"
#include "connectors/snapshot_hold.h"
#include "core/base/log.h"
#include "core/base/text.h"

// An envelope without its row images is smaller.
enum { ENVELOPE_MAX = 4096 };

struct publisher {
    struct publisher_params params;
    struct topic_routes *routes;
    char *dead_letter_topic;
    struct text_pairs dead_letter_config;
    const struct change *change;  // during publisher_publish
    bool is_value_published;  // after LATER: the value of this change was published, only its tombstone is
                              // missing
    struct change_record record;      // of `change`
    struct snapshot_hold hold;        // with on_bad_row: dead_letter
    struct text_list waiting;         // topics of tables that wait at a bad row
    char waiting_text[480];           // the error of the newest one
    const struct topic_route *route;  // that the current change needs and that is not READY; NULL: none
    char obstacle[480];
};

static bool is_ready(struct publisher *p, const struct topic_route *route, struct fault *f)
{
    bool is_ready = route->status == TOPIC_ROUTE_READY;
    p->route = is_ready ? NULL : route;
    if (route->fault != NULL) {
        *f = *route->fault;
    }
    return is_ready;
}

static enum sink_step put(struct publisher *p, struct kafka_sink_record *record, struct fault *f)
{
    record->position = slice_make(p->record.position, p->record.position_size);
    record->trace = p->change->trace;
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
                    table->schema, table->name, (int)p->record.position_size, p->record.position, message,
                    cure);
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
    (void)change_record_value(&p->record, c, route->value_id,
                              c->before.data == NULL ? c->before : bytes_slice(&before),
                              c->after.data == NULL ? c->after : bytes_slice(&after));
    return true;
}

// Publishes p->record.value to the connector's dead-letter topic.
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
        .topic = route->topic, .key = key, .value = bytes_slice(&p->record.value), .headers = headers};
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
    bytes_reset(&p->record.value);
    bytes_append_slice(&p->record.value, p->change->bad_json);
    return dead_letter(p, "undecodable", p->change->bad_reason, key, f);
}

// --- rows ---

static enum publisher_step publish_value(struct publisher *p, const struct topic_route *route,
                                         struct slice key, struct fault *f)
{
    rd_kafka_headers_t *headers = change_record_headers(p->change);
    struct kafka_sink_record record = {
        .topic = route->topic,
        .key = key,
        .value =
            change_record_value(&p->record, p->change, route->value_id, p->change->before, p->change->after),
        .headers = headers,
    };
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
    rd_kafka_headers_t *headers = change_record_headers(p->change);
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
    struct slice key = change_record_key(&p->record, p->change, route->key_id);
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

static enum publisher_step publish_change(struct publisher *p, const struct topic_route *route,
                                          const struct change *change, struct fault *f)
{
    p->change = change;
    (void)change_record_position(&p->record, change);
    enum publisher_step taken = publish_records(p, route, f);
    if (taken == PUBLISHER_TAKEN) {
        p->is_value_published = false;
        metric_add(pipeline_metrics_changes(p->params.metrics, change->op), 1);
    }
    return taken;
}

// --- rows of a snapshot, of which some may be put aside ---

static bool is_too_large(struct publisher *p, const struct topic_route *route, const struct change *change)
{
    size_t limit = kafka_sink_message_max_bytes(change_delivery_sink(p->params.delivery));
    if (change->key.size + change->after.size + ENVELOPE_MAX <= limit) {
        return false;
    }
    struct kafka_sink_record record = {
        .topic = route->topic,
        .key = change_record_key(&p->record, change, route->key_id),
        .value = change_record_value(&p->record, change, route->value_id, change->before, change->after),
        .position = change_record_position(&p->record, change),
        .trace = change->trace,
    };
    return kafka_sink_record_bytes(&record) > limit;
}

// Gives the row a marker besides its own, unless that makes it too large.
static void add_marker(struct publisher *p, const struct topic_route *route, struct change *row,
                       const char *marker)
{
    const char *own = row->snapshot;
    row->snapshot = snapshot_hold_join(own, marker);
    if (row->snapshot != own && is_too_large(p, route, row)) {
        row->snapshot = own;
    }
}

static enum publisher_step publish_held(struct publisher *p, struct fault *f)
{
    const struct topic_route *route = topic_routes_find(p->routes, p->hold.row.table);
    if (!is_ready(p, route, f)) {
        return route->status == TOPIC_ROUTE_FAILED ? PUBLISHER_FAULT : PUBLISHER_LATER;
    }
    enum publisher_step taken = publish_change(p, route, &p->hold.row, f);
    p->hold.is_held = taken != PUBLISHER_TAKEN;
    return taken;
}

static enum publisher_step put_aside(struct publisher *p, const struct topic_route *route,
                                     const struct change *change, struct fault *f)
{
    if (p->hold.is_held && snapshot_hold_is_last(change->snapshot)) {
        add_marker(p, route, &p->hold.row, change->snapshot);
        enum publisher_step taken = publish_held(p, f);
        if (taken != PUBLISHER_TAKEN) {
            return taken;
        }
    }
    enum publisher_step taken = publish_change(p, route, change, f);
    if (taken == PUBLISHER_TAKEN) {
        snapshot_hold_skip(&p->hold, change->snapshot);
    }
    return taken;
}

static enum publisher_step publish_read(struct publisher *p, const struct topic_route *route,
                                        const struct change *change, struct fault *f)
{
    if (change->bad_json.data != NULL || is_too_large(p, route, change)) {
        return put_aside(p, route, change, f);
    }
    enum publisher_step taken = p->hold.is_held ? publish_held(p, f) : PUBLISHER_TAKEN;
    if (taken != PUBLISHER_TAKEN) {
        return taken;
    }
    struct change row = *change;
    add_marker(p, route, &row, p->hold.owed);
    snapshot_hold_put(&p->hold, &row);
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
    bool may_hold =
        change->op == CHANGE_READ && p->params.config->on_bad_row == CONNECTOR_BAD_ROW_DEAD_LETTER;
    return may_hold ? publish_read(p, route, change, f) : publish_change(p, route, change, f);
}

enum publisher_step publisher_end_transaction(struct publisher *p, struct fault *f)
{
    enum publisher_step taken = p->hold.is_held ? publish_held(p, f) : PUBLISHER_TAKEN;
    if (taken == PUBLISHER_TAKEN) {
        snapshot_hold_end_table(&p->hold);
    }
    return taken;
}

// --- lifecycle ---

void publisher_prepare_version(struct publisher *p, struct table *table)
{
    topic_routes_prepare(p->routes, table);
}

void publisher_prepare(struct publisher *p, const char *topic)
{
    topic_routes_prepare_topic(p->routes, topic);
}

const char *publisher_waiting(const struct publisher *p)
{
    return p->waiting.count == 0 ? NULL : p->waiting_text;
}

const char *publisher_obstacle(struct publisher *p, int64_t *ret_age_us)
{
    if (p->route == NULL || p->route->outage == NULL || !p->route->outage->is_on) {
        return NULL;
    }
    *ret_age_us = outage_age_us(p->route->outage);
    (void)snprintf(p->obstacle, sizeof(p->obstacle), "topic %s is not ready: %s", p->route->name,
                   p->route->outage->text);
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
    snapshot_hold_reset(&p->hold);
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
    p->record.kind = params->kind;
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
    change_record_clear(&p->record);
    snapshot_hold_clear(&p->hold);
    text_list_clear(&p->waiting);
    text_pairs_clear(&p->dead_letter_config);
    free(p->dead_letter_topic);
    free(p);
}
