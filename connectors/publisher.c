#include "connectors/publisher.h"

#include <stdio.h>

#include "connectors/change_planner.h"
#include "connectors/change_record.h"
#include "connectors/config/connector_topics.h"
#include "connectors/event_topics.h"
#include "connectors/heartbeat.h"
#include "connectors/hold_queue.h"
#include "connectors/kafka/route_refusal.h"
#include "connectors/outbox.h"
#include "connectors/schema_changes.h"
#include "connectors/snapshot_hold.h"
#include "connectors/stopped_tables.h"
#include "connectors/topic_settings.h"
#include "core/base/log.h"

struct publisher {
    struct publisher_params params;
    struct topic_routes *routes;
    struct topic_settings *settings;
    char *dead_letter_topic;
    struct text_pairs dead_letter_config;
    struct change_planner planner;
    struct outbox *outbox;                  // NULL: none
    struct schema_changes *schema_changes;  // NULL: none are wanted
    struct record_plan plan;                // of the change that is being published; empty: not planned yet
    struct table *transactions;             // the topic of BEGIN and END; NULL: none is wanted
    struct heartbeat heartbeat;
    struct hold_queue held;     // changes of tables whose topic or schemas are not ready
    struct snapshot_hold hold;  // with on_bad_row: dead_letter
    struct stopped_tables stopped;
    const struct topic_route *route;  // that the current change needs and that is not READY; NULL: none
    char obstacle[640];
};

// --- tables that wait ---

// A row of the first snapshot fails the connector, because that snapshot could not end.
static bool may_wait(const struct publisher *p, const struct change *change)
{
    return change->op != CHANGE_READ || change_delivery_is_snapshot_done(p->params.delivery);
}

// What is left of the plan would be sent in place of the next change.
static enum publisher_step stop(struct publisher *p, const char *topic, const struct fault *why)
{
    record_plan_reset(&p->plan);
    stopped_tables_add(&p->stopped, topic, why);
    change_delivery_withhold(p->params.delivery);
    return PUBLISHER_TAKEN;
}

static enum publisher_step stop_table(struct publisher *p, const struct change *change, struct fault *f)
{
    const struct table *table = change->table;
    char id[RECORD_POSITION_MAX];
    int id_size = (int)change_record_position(id, change->commit_lsn, change->index);
    bool is_message = change->op == CHANGE_MESSAGE;
    (void)fault_set(f, FAULT_CONFIG, "a %s %s%s%s can't be published (%s, event %.*s): %s; %s",
                    is_message ? "message for" : "row of table", is_message ? "topic " : table->schema,
                    is_message ? "" : ".", is_message ? table->topic : table->name,
                    bytes_text(&p->planner.place), id_size, id, p->planner.problem, p->planner.cure);
    if (!may_wait(p, change)) {
        return PUBLISHER_FAULT;
    }
    return stop(p, table->topic, f);
}

static enum publisher_step stop_refused(struct publisher *p, const struct topic_route *route,
                                        const struct change *change, struct fault *f)
{
    route_refusal_explain(route->name, route->fault, f);
    if (!route->is_refused || !may_wait(p, change)) {
        return PUBLISHER_FAULT;
    }
    return stop(p, change->table->topic, f);
}

// --- rows ---

// A record was sent, or is held back.
static void note_record(struct publisher *p, enum record_kind kind, const struct table *table)
{
    if (kind == RECORD_DEAD_LETTER) {
        log_warn(p->params.component, "row_dead_lettered",
                 LOG_WITH(LOG_TEXT("topic", p->dead_letter_topic), LOG_TEXT("table", table->topic)), "%s",
                 p->planner.problem);
        metric_add(p->params.metrics->dead_letters, 1);
    }
}

// Sends the records of the plan from the first one that was not sent.
static enum publisher_step send_plan(struct publisher *p, const struct change *change, struct fault *f)
{
    for (; p->plan.next < p->plan.count; p->plan.next++) {
        struct planned_record planned = record_plan_get(&p->plan, p->plan.next);
        struct kafka_sink_record record = planned_record_for_sink(&planned);
        switch (change_delivery_put(p->params.delivery, &record, f)) {
        case SINK_TAKEN:
            note_record(p, planned.kind, change->table);
            break;
        case SINK_FULL:
            return PUBLISHER_LATER;
        case SINK_TOO_LARGE:  // the planner measures as librdkafka does
            (void)fault_set(f, FAULT_CONFIG, "a record for topic %s is over message.max.bytes",
                            planned.route->name);
            return PUBLISHER_FAULT;
        case SINK_FAULT:
            return PUBLISHER_FAULT;
        }
    }
    record_plan_reset(&p->plan);
    return PUBLISHER_TAKEN;
}

// Whether the planned records must wait for a topic, for a schema's id, or behind the table's earlier ones.
static bool must_wait(const struct publisher *p, const struct table *table)
{
    bool must = hold_queue_has(&p->held, table->topic);
    for (size_t i = 0; i < p->plan.count && !must; i++) {
        must = !record_plan_item_is_ready(&p->plan.items[i]);
    }
    return must;
}

static enum publisher_step hold_plan(struct publisher *p, const struct topic_route *route,
                                     struct table *table)
{
    bool has_room = hold_queue_has_room(&p->held, table->topic);
    if (has_room) {
        for (size_t i = 0; i < p->plan.count; i++) {
            note_record(p, p->plan.items[i].kind, table);
        }
        uint64_t ticket = change_delivery_hold(p->params.delivery, p->plan.count);
        hold_queue_put(&p->held, table, &p->plan, ticket);
    }
    p->route = has_room ? NULL : route;
    record_plan_reset(&p->plan);
    return has_room ? PUBLISHER_TAKEN : PUBLISHER_LATER;
}

// A dead letter's frames have the ids of another route than its own: it is not held back.
static bool is_letter_without_ids(const struct publisher *p, const struct topic_route *route)
{
    return p->plan.items[0].kind == RECORD_DEAD_LETTER && route->status != TOPIC_ROUTE_READY;
}

// Sends what is planned, or holds it back.
static enum publisher_step send_or_hold(struct publisher *p, const struct topic_route *route,
                                        const struct change *change, struct table *table, struct fault *f)
{
    return must_wait(p, table) ? hold_plan(p, route, table) : send_plan(p, change, f);
}

// Goes on with what the planner returned; route is that of the planned records.
static enum publisher_step follow(struct publisher *p, enum change_planner_step step,
                                  const struct topic_route *route, const struct change *change,
                                  struct fault *f)
{
    switch (step) {
    case CHANGE_PLANNED:
        if (is_letter_without_ids(p, route)) {
            record_plan_reset(&p->plan);
            p->route = route;
            return PUBLISHER_LATER;
        }
        return send_or_hold(p, route, change, change->table, f);
    case CHANGE_PLAN_LATER:
        p->route = p->planner.missing;
        return PUBLISHER_LATER;
    case CHANGE_UNPUBLISHABLE:
        return stop_table(p, change, f);
    case CHANGE_PLAN_FAULT:
        break;
    }
    return PUBLISHER_FAULT;
}

static enum publisher_step plan_and_send(struct publisher *p, const struct topic_route *route,
                                         const struct change *change, struct fault *f)
{
    if (p->plan.count > 0) {
        return send_plan(p, change, f);
    }
    p->route = NULL;
    return follow(p, change_planner_plan(&p->planner, route, change, &p->plan, f), route, change, f);
}

// Publishes the record of a definition before the first record that has it. It waits with its table.
static enum publisher_step record_definition(struct publisher *p, const struct change *change,
                                             struct fault *f)
{
    const struct topic_route *route = schema_changes_route(p->schema_changes);
    if (p->plan.count == 0 && !schema_changes_plan(p->schema_changes, change, &p->plan)) {
        return PUBLISHER_TAKEN;
    }
    if (route->status == TOPIC_ROUTE_FAILED) {
        record_plan_reset(&p->plan);
        return stop_refused(p, route, change, f);
    }
    if (change_planner_refuses_definition(&p->planner, change, &p->plan)) {
        record_plan_reset(&p->plan);
        return stop_table(p, change, f);
    }
    enum publisher_step taken = send_or_hold(p, route, change, change->table, f);
    if (taken == PUBLISHER_TAKEN) {
        schema_changes_taken(p->schema_changes, change, change_delivery_ticket(p->params.delivery));
    }
    return taken;
}

static enum publisher_step publish_change(struct publisher *p, const struct topic_route *route,
                                          const struct change *change, struct fault *f)
{
    if (schema_changes_is_due(p->schema_changes, change)) {
        enum publisher_step recorded = record_definition(p, change, f);
        if (recorded != PUBLISHER_TAKEN || stopped_tables_has(&p->stopped, change->table->topic)) {
            return recorded;
        }
    }
    enum publisher_step taken = plan_and_send(p, route, change, f);
    if (taken == PUBLISHER_TAKEN) {
        metric_add(pipeline_metrics_changes(p->params.metrics, change->op), 1);
    }
    return taken;
}

// --- the outbox ---

// A row that can't become an event follows on_bad_row, as JSON.
static enum publisher_step put_event_aside(struct publisher *p, const struct change *change,
                                           const char *reason, const char *problem, struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes json = {0};
    struct fault unread;
    record_plan_reset(&p->plan);
    if (!outbox_row_json(p->outbox, change, p->planner.message_max_bytes, &json, &unread)) {
        bytes_reset(&json);
    }
    enum change_planner_step step =
        change_planner_put_aside(&p->planner, change, reason, problem, bytes_slice(&json), &p->plan, f);
    return follow(p, step, step == CHANGE_PLANNED ? p->plan.items[0].route : NULL, change, f);
}

static enum publisher_step publish_event(struct publisher *p, const struct change *change, struct fault *f)
{
    if (p->plan.count > 0) {
        return send_plan(p, change, f);
    }
    p->route = NULL;
    enum outbox_step step = outbox_plan(p->outbox, change, &p->plan, f);
    if (step == OUTBOX_BAD_ROW) {
        return put_event_aside(p, change, "undecodable", f->text, f);
    }
    if (step != OUTBOX_PLANNED) {
        return step == OUTBOX_NOTHING ? PUBLISHER_TAKEN : PUBLISHER_FAULT;
    }
    const struct topic_route *route = p->plan.items[0].route;
    if (route->status == TOPIC_ROUTE_FAILED && !hold_queue_has(&p->held, change->table->topic)) {
        record_plan_reset(&p->plan);
        return stop_refused(p, route, change, f);
    }
    if (change_planner_refuses(&p->planner, &p->plan)) {
        return put_event_aside(p, change, "oversize", "its record is over message.max.bytes", f);
    }
    return send_or_hold(p, route, change, change->table, f);
}

static enum publisher_step publish_outbox(struct publisher *p, const struct change *change, struct fault *f)
{
    if (stopped_tables_has(&p->stopped, change->table->topic)) {
        return PUBLISHER_TAKEN;
    }
    enum publisher_step taken = publish_event(p, change, f);
    if (taken == PUBLISHER_TAKEN) {
        metric_add(pipeline_metrics_changes(p->params.metrics, change->op), 1);
    }
    return taken;
}

// --- rows of a snapshot, of which some may be put aside ---

// Gives the row a marker besides its own, unless that makes it too large.
static void add_marker(struct publisher *p, const struct topic_route *route, struct change *row,
                       const char *marker)
{
    const char *own = row->snapshot;
    row->snapshot = snapshot_hold_join(own, marker);
    if (row->snapshot != own && change_planner_is_too_large(&p->planner, route, row)) {
        row->snapshot = own;
    }
}

static enum publisher_step publish_held(struct publisher *p, struct fault *f)
{
    const struct topic_route *route = topic_routes_find(p->routes, p->hold.row.table);
    enum publisher_step taken = route->status == TOPIC_ROUTE_FAILED
                                    ? stop_refused(p, route, &p->hold.row, f)
                                    : publish_change(p, route, &p->hold.row, f);
    p->hold.is_held = taken != PUBLISHER_TAKEN;
    return taken;
}

static enum publisher_step put_aside(struct publisher *p, const struct topic_route *route,
                                     const struct change *change, struct fault *f)
{
    if (p->hold.is_held && snapshot_hold_is_last(change->snapshot)) {
        if (p->plan.count == 0) {  // else it is being sent
            add_marker(p, route, &p->hold.row, change->snapshot);
        }
        enum publisher_step taken = publish_held(p, f);
        if (taken != PUBLISHER_TAKEN || stopped_tables_has(&p->stopped, change->table->topic)) {
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
    if (change->bad_json.data != NULL || change_planner_is_too_large(&p->planner, route, change)) {
        return put_aside(p, route, change, f);
    }
    enum publisher_step taken = p->hold.is_held ? publish_held(p, f) : PUBLISHER_TAKEN;
    if (taken != PUBLISHER_TAKEN || stopped_tables_has(&p->stopped, change->table->topic)) {
        return taken;
    }
    struct change row = *change;
    add_marker(p, route, &row, p->hold.owed);
    snapshot_hold_put(&p->hold, &row);
    return PUBLISHER_TAKEN;
}

static enum publisher_step publish_row(struct publisher *p, const struct change *change, struct fault *f)
{
    if (outbox_has(p->outbox, change->table)) {
        return publish_outbox(p, change, f);
    }
    const struct topic_route *route = topic_routes_find(p->routes, change->table);
    if (stopped_tables_has(&p->stopped, change->table->topic)) {
        return PUBLISHER_TAKEN;
    }
    if (route->status == TOPIC_ROUTE_FAILED && !hold_queue_has(&p->held, change->table->topic)) {
        return stop_refused(p, route, change, f);
    }
    if (!change_planner_has_partition(&p->planner, change)) {
        return stop_table(p, change, f);
    }
    bool may_hold =
        change->op == CHANGE_READ && p->params.config->on_bad_row == CONNECTOR_BAD_ROW_DEAD_LETTER;
    return may_hold ? publish_read(p, route, change, f) : publish_change(p, route, change, f);
}

// A change that was taken waits for no route, which may be freed with its table's version.
static enum publisher_step settle(struct publisher *p, enum publisher_step step)
{
    if (step == PUBLISHER_TAKEN) {
        p->route = NULL;
    }
    return step;
}

enum publisher_step publisher_publish(struct publisher *p, const struct change *change, struct fault *f)
{
    return settle(p, publish_row(p, change, f));
}

// Ends the waiting of tables whose topic can't be made, or whose schemas are refused.
static enum publisher_step stop_refused_held(struct publisher *p, struct fault *f)
{
    struct held_table *t;
    struct held_table *next;
    HASH_ITER (hh, p->held.tables, t, next) {
        const struct topic_route *route = hold_queue_missing(t);
        if (route == NULL || route->status != TOPIC_ROUTE_FAILED) {
            continue;
        }
        route_refusal_explain(route->name, route->fault, f);
        if (!route->is_refused || !change_delivery_is_snapshot_done(p->params.delivery)) {
            return PUBLISHER_FAULT;
        }
        stopped_tables_add(&p->stopped, t->topic, f);
        change_delivery_withhold_held(p->params.delivery);
        hold_queue_drop_table(&p->held, t);
    }
    return PUBLISHER_TAKEN;
}

enum publisher_step publisher_send_held(struct publisher *p, struct fault *f)
{
    if (p->held.tables == NULL) {
        return PUBLISHER_TAKEN;
    }
    switch (hold_queue_send(&p->held, p->params.delivery, f)) {
    case SINK_TAKEN:
        return stop_refused_held(p, f);
    case SINK_FULL:
        return PUBLISHER_LATER;
    case SINK_TOO_LARGE:
    case SINK_FAULT:
        break;
    }
    return PUBLISHER_FAULT;
}

void publisher_drop_held(struct publisher *p)
{
    hold_queue_drop(&p->held);
}

// --- transactions, heartbeats ---

// Whether there is a BEGIN or END to plan and send. Without its topic or schemas none is sent for good, and
// no position after it is confirmed; rows go on.
static bool may_send_status(struct publisher *p, const struct topic_route *route, enum publisher_step *ret,
                            struct fault *f)
{
    *ret = PUBLISHER_TAKEN;
    if (stopped_tables_has(&p->stopped, p->transactions->topic)) {
        return false;
    }
    if (route->status != TOPIC_ROUTE_FAILED || hold_queue_has(&p->held, p->transactions->topic)) {
        return true;
    }
    route_refusal_explain(route->name, route->fault, f);
    *ret = route->is_refused ? stop(p, p->transactions->topic, f) : PUBLISHER_FAULT;
    return false;
}

enum publisher_step publisher_begin_transaction(struct publisher *p, const struct change *first,
                                                struct fault *f)
{
    const struct topic_route *route = topic_routes_find(p->routes, p->transactions);
    enum publisher_step step;
    if (!may_send_status(p, route, &step, f)) {
        return step;
    }
    if (p->plan.count > 0) {
        return send_plan(p, first, f);
    }
    change_planner_plan_begin(route, first, &p->plan);
    return settle(p, send_or_hold(p, route, first, p->transactions, f));
}

static enum publisher_step publish_end(struct publisher *p, const struct change *commit, struct fault *f)
{
    const struct topic_route *route = topic_routes_find(p->routes, p->transactions);
    enum publisher_step step;
    if (!may_send_status(p, route, &step, f)) {
        return step;
    }
    if (p->plan.count > 0) {
        return send_plan(p, commit, f);
    }
    change_planner_plan_end(&p->planner, route, p->params.counts, commit, &p->plan);
    return send_or_hold(p, route, commit, p->transactions, f);
}

enum publisher_step publisher_end_transaction(struct publisher *p, const struct change *commit,
                                              struct fault *f)
{
    enum publisher_step taken = p->hold.is_held ? publish_held(p, f) : PUBLISHER_TAKEN;
    if (taken == PUBLISHER_TAKEN) {
        snapshot_hold_end_table(&p->hold);
    }
    bool has_end = taken == PUBLISHER_TAKEN && transaction_counts_total(p->params.counts) > 0;
    return settle(p, has_end ? publish_end(p, commit, f) : taken);
}

bool publisher_heartbeat(struct publisher *p, struct fault *f)
{
    return heartbeat_send(&p->heartbeat, f);
}

// --- lifecycle ---

void publisher_prepare_version(struct publisher *p, struct table *table)
{
    if (!outbox_has(p->outbox, table)) {
        topic_routes_prepare(p->routes, table);
    }
}

void publisher_prepare(struct publisher *p, const char *topic)
{
    if (!outbox_is_topic(p->outbox, topic)) {
        topic_routes_prepare_topic(p->routes, topic);
    }
}

const char *publisher_waiting(const struct publisher *p)
{
    return p->stopped.topics.count == 0 ? NULL : p->stopped.text;
}

const char *publisher_obstacle(struct publisher *p, int64_t *ret_age_us)
{
    size_t tables;
    const struct topic_route *route = hold_queue_worst(&p->held, p->route, &tables);
    metric_set(p->params.metrics->unready_tables, (double)tables);
    if (route == NULL) {
        return NULL;
    }
    *ret_age_us = outage_age_us(route->outage);
    if (p->route != NULL) {
        (void)snprintf(p->obstacle, sizeof(p->obstacle), "topic %s is not ready: %s", route->name,
                       route->outage->text);
    } else {
        (void)snprintf(p->obstacle, sizeof(p->obstacle),
                       "topic %s is not ready: %s; %zu table%s wait%s (%zu kB held), the others go on",
                       route->name, route->outage->text, tables, tables == 1 ? "" : "s",
                       tables == 1 ? "s" : "", p->held.bytes / 1000);
    }
    return p->obstacle;
}

size_t publisher_held(const struct publisher *p)
{
    return p->held.records;
}

bool publisher_is_held_up(const struct publisher *p)
{
    return p->route != NULL;
}

void publisher_detach(struct publisher *p)
{
    hold_queue_drop(&p->held);
    topic_routes_attach(p->routes, NULL);
}

void publisher_attach(struct publisher *p)
{
    struct kafka_sink *sink = change_delivery_sink(p->params.delivery);
    p->planner.message_max_bytes = kafka_sink_message_max_bytes(sink);
    topic_routes_attach(p->routes, sink);
}

void publisher_begin_session(struct publisher *p)
{
    hold_queue_drop(&p->held);
    record_plan_reset(&p->plan);
    p->route = NULL;
    snapshot_hold_reset(&p->hold);
    stopped_tables_reset(&p->stopped);
    metric_set(p->params.metrics->unready_tables, 0);
}

struct publisher *publisher_new(const struct publisher_params *params)
{
    const struct connector_config *config = params->config;
    struct topic_routes_params routes = {.loop = params->loop,
                                         .registry = params->registry,
                                         .on_settings = topic_settings_apply,
                                         .forks = config->on_incompatible == CONNECTOR_INCOMPATIBLE_FORK,
                                         .component = params->component,
                                         .on_change = params->on_ready,
                                         .self = params->self};
    struct publisher *p = memory_zeroed(1, sizeof(*p));
    p->params = *params;
    p->dead_letter_topic = connector_topics_name(config, CONNECTOR_DEAD_LETTERS);
    text_pairs_set(&p->dead_letter_config, "retention.ms", "-1");
    p->settings = topic_settings_new(config);
    routes.settings = p->settings;
    p->routes = topic_routes_new(&routes);
    p->schema_changes = schema_changes_new(config, params->kind, params->component, params->metrics,
                                           params->known, p->routes);
    if (config->transactions.topic) {
        p->transactions = event_topics_transactions(config);
    }
    p->stopped = (struct stopped_tables){.component = params->component, .metrics = params->metrics};
    p->heartbeat = (struct heartbeat){.config = config,
                                      .component = params->component,
                                      .routes = p->routes,
                                      .delivery = params->delivery,
                                      .metrics = params->metrics};
    heartbeat_init(&p->heartbeat);
    p->planner = (struct change_planner){.config = config,
                                         .kind = params->kind,
                                         .routes = p->routes,
                                         .dead_letter_topic = p->dead_letter_topic,
                                         .dead_letter_config = &p->dead_letter_config};
    p->outbox = outbox_new(config, params->component, p->routes);
    publisher_attach(p);
    return p;
}

void publisher_free(struct publisher *p)
{
    if (p == NULL) {
        return;
    }
    hold_queue_clear(&p->held);
    snapshot_hold_clear(&p->hold);
    table_free(p->transactions);
    heartbeat_clear(&p->heartbeat);
    schema_changes_free(p->schema_changes);
    outbox_free(p->outbox);
    topic_routes_free(p->routes);
    topic_settings_free(p->settings);
    record_plan_clear(&p->plan);
    change_planner_clear(&p->planner);
    text_list_clear(&p->stopped.topics);
    text_pairs_clear(&p->dead_letter_config);
    free(p->dead_letter_topic);
    free(p);
}
