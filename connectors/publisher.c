#include "connectors/publisher.h"

#include <stdio.h>

#include "connectors/change_planner.h"
#include "connectors/change_record.h"
#include "connectors/config/connector_topics.h"
#include "connectors/event_topics.h"
#include "connectors/heartbeat.h"
#include "connectors/outbox.h"
#include "connectors/plan_sender.h"
#include "connectors/schema_changes.h"
#include "connectors/snapshot_hold.h"
#include "connectors/topic_check.h"
#include "connectors/transaction_records.h"
#include "core/base/log.h"

struct publisher {
    struct publisher_params params;
    struct topic_routes *routes;
    struct topic_settings *settings;
    struct topic_check *check;
    char *dead_letter_topic;
    struct text_pairs dead_letter_config;
    struct text_list compacted;  // topics that take no records without key
    struct change_planner planner;
    struct outbox *outbox;                  // NULL: none
    struct schema_changes *schema_changes;  // NULL: none are wanted
    struct transaction_records transactions;
    struct heartbeat heartbeat;
    struct snapshot_hold hold;  // with on_bad_row: dead_letter
    struct plan_sender sender;
};

// --- rows ---

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
    return plan_sender_stop(&p->sender, change, table->topic, f);
}

static void note_left_out(struct publisher *p, const struct change *change)
{
    log_warn(
        p->params.component, "truncate_skipped", LOG_WITH(LOG_TEXT("topic", change->table->topic)),
        "no record of the TRUNCATE of %s.%s is published: topic %s is compacted, and the record would have "
        "no key; its rows' records stay, delete the topic's records or set cleanup.policy=delete",
        change->table->schema, change->table->name, change->table->topic);
    metric_add(p->params.metrics->skipped_truncates, 1);
}

// Goes on with what the planner returned.
static enum publisher_step follow(struct publisher *p, enum change_planner_step step,
                                  const struct change *change, struct fault *f)
{
    switch (step) {
    case CHANGE_PLANNED:
        return plan_sender_send_or_hold(&p->sender, change->table, f);
    case CHANGE_LEFT_OUT:
        note_left_out(p, change);
        return PUBLISHER_TAKEN;
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
    if (plan_sender_is_busy(&p->sender)) {
        return plan_sender_send(&p->sender, change->table, f);
    }
    p->sender.missing = NULL;
    return follow(p, change_planner_plan(&p->planner, route, change, &p->sender.plan, f), change, f);
}

static bool is_stopped(const struct publisher *p, const struct change *change)
{
    return plan_sender_is_stopped(&p->sender, change->table->topic);
}

static enum publisher_step send_definition(struct publisher *p, const struct change *change, struct fault *f)
{
    if (plan_sender_is_busy(&p->sender)) {
        return plan_sender_send(&p->sender, change->table, f);
    }
    if (!schema_changes_plan(p->schema_changes, change, &p->sender.plan)) {
        return PUBLISHER_TAKEN;
    }
    return change_planner_refuses_definition(&p->planner, change, &p->sender.plan)
               ? stop_table(p, change, f)
               : plan_sender_send_or_hold(&p->sender, change->table, f);
}

// Publishes the record of a definition before the first record that has it. It waits with its table.
static enum publisher_step record_definition(struct publisher *p, const struct change *change,
                                             struct fault *f)
{
    enum publisher_step taken = send_definition(p, change, f);
    if (taken == PUBLISHER_TAKEN && schema_changes_is_due(p->schema_changes, change) &&
        !is_stopped(p, change)) {
        schema_changes_taken(p->schema_changes, change, change_delivery_ticket(p->params.delivery));
    }
    return taken;
}

static enum publisher_step publish_change(struct publisher *p, const struct topic_route *route,
                                          const struct change *change, struct fault *f)
{
    if (schema_changes_is_due(p->schema_changes, change)) {
        enum publisher_step recorded = record_definition(p, change, f);
        if (recorded != PUBLISHER_TAKEN || is_stopped(p, change)) {
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
    record_plan_reset(&p->sender.plan);
    if (!outbox_row_json(p->outbox, change, p->planner.message_max_bytes, &json, &unread)) {
        bytes_reset(&json);
    }
    enum change_planner_step step =
        change_planner_put_aside(&p->planner, change, reason, problem, bytes_slice(&json), &p->sender.plan);
    return follow(p, step, change, f);
}

static enum publisher_step publish_event(struct publisher *p, const struct change *change, struct fault *f)
{
    if (plan_sender_is_busy(&p->sender)) {
        return plan_sender_send(&p->sender, change->table, f);
    }
    p->sender.missing = NULL;
    enum outbox_step step = outbox_plan(p->outbox, change, &p->sender.plan, f);
    if (step == OUTBOX_BAD_ROW) {
        return put_event_aside(p, change, "undecodable", f->text, f);
    }
    if (step == OUTBOX_LATER) {
        p->sender.missing = p->sender.plan.items[0].route;
        record_plan_reset(&p->sender.plan);
        return PUBLISHER_LATER;
    }
    if (step != OUTBOX_PLANNED) {
        return step == OUTBOX_NOTHING ? PUBLISHER_TAKEN : PUBLISHER_FAULT;
    }
    if (change_planner_refuses(&p->planner, &p->sender.plan)) {
        return put_event_aside(p, change, "oversize", "its record is over message.max.bytes", f);
    }
    return plan_sender_send_or_hold(&p->sender, change->table, f);
}

static enum publisher_step publish_outbox(struct publisher *p, const struct change *change, struct fault *f)
{
    if (is_stopped(p, change)) {
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
    enum publisher_step taken = publish_change(p, route, &p->hold.row, f);
    p->hold.is_held = taken != PUBLISHER_TAKEN;
    return taken;
}

static enum publisher_step put_aside(struct publisher *p, const struct topic_route *route,
                                     const struct change *change, struct fault *f)
{
    if (p->hold.is_held && snapshot_hold_is_last(change->snapshot)) {
        if (!plan_sender_is_busy(&p->sender)) {  // else it is being sent
            add_marker(p, route, &p->hold.row, change->snapshot);
        }
        enum publisher_step taken = publish_held(p, f);
        if (taken != PUBLISHER_TAKEN || is_stopped(p, change)) {
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
    if (taken != PUBLISHER_TAKEN || is_stopped(p, change)) {
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
    if (is_stopped(p, change)) {
        return PUBLISHER_TAKEN;
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
        p->sender.missing = NULL;
    }
    return step;
}

enum publisher_step publisher_publish(struct publisher *p, const struct change *change, struct fault *f)
{
    return settle(p, publish_row(p, change, f));
}

enum publisher_step publisher_send_held(struct publisher *p, struct fault *f)
{
    return plan_sender_send_held(&p->sender, f);
}

void publisher_drop_held(struct publisher *p)
{
    hold_queue_drop(&p->sender.held);
}

// --- transactions, heartbeats ---

enum publisher_step publisher_begin_transaction(struct publisher *p, const struct change *first,
                                                struct fault *f)
{
    return settle(p, transaction_records_begin(&p->transactions, first, f));
}

enum publisher_step publisher_end_transaction(struct publisher *p, const struct change *commit,
                                              struct fault *f)
{
    enum publisher_step taken = p->hold.is_held ? publish_held(p, f) : PUBLISHER_TAKEN;
    if (taken == PUBLISHER_TAKEN) {
        snapshot_hold_end_table(&p->hold);
    }
    bool has_end = taken == PUBLISHER_TAKEN && transaction_counts_total(p->params.counts) > 0;
    return settle(p, has_end ? transaction_records_end(&p->transactions, commit, f) : taken);
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
    return p->sender.stopped.topics.count == 0 ? NULL : p->sender.stopped.text;
}

const char *publisher_obstacle(struct publisher *p, int64_t *ret_age_us)
{
    return plan_sender_obstacle(&p->sender, ret_age_us);
}

size_t publisher_differing(const struct publisher *p)
{
    return topic_check_differing(p->check);
}

size_t publisher_held(const struct publisher *p)
{
    return p->sender.held.records;
}

bool publisher_is_held_up(const struct publisher *p)
{
    return p->sender.missing != NULL;
}

void publisher_detach(struct publisher *p)
{
    hold_queue_drop(&p->sender.held);
    topic_check_attach(p->check, NULL);
    topic_routes_attach(p->routes, NULL);
}

void publisher_attach(struct publisher *p)
{
    struct kafka_sink *sink = change_delivery_sink(p->params.delivery);
    p->planner.message_max_bytes = kafka_sink_message_max_bytes(sink);
    topic_check_attach(p->check, sink);
    topic_routes_attach(p->routes, sink);
}

bool publisher_demand_key(struct publisher *p, const char *topic)
{
    if (text_list_has(&p->compacted, topic)) {
        return false;
    }
    text_list_add(&p->compacted, topic);
    return true;
}

void publisher_begin_session(struct publisher *p)
{
    plan_sender_begin_session(&p->sender);
    snapshot_hold_reset(&p->hold);
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
    p->check = topic_check_new(&(struct topic_check_params){.loop = params->loop,
                                                            .settings = p->settings,
                                                            .component = params->component,
                                                            .differing = params->metrics->differing_topics,
                                                            .on_change = params->on_ready,
                                                            .self = params->self});
    routes.on_made = topic_check_see;
    routes.made = p->check;
    p->routes = topic_routes_new(&routes);
    p->schema_changes = schema_changes_new(config, params->kind, params->component, params->metrics,
                                           params->known, p->routes);
    p->transactions = (struct transaction_records){
        .routes = p->routes, .planner = &p->planner, .counts = params->counts, .sender = &p->sender};
    if (config->transactions.topic) {
        p->transactions.topic = event_topics_transactions(config);
    }
    p->sender = (struct plan_sender){.component = params->component,
                                     .metrics = params->metrics,
                                     .delivery = params->delivery,
                                     .dead_letter_topic = p->dead_letter_topic,
                                     .problem = p->planner.problem};
    plan_sender_init(&p->sender);
    p->heartbeat = (struct heartbeat){.config = config,
                                      .component = params->component,
                                      .routes = p->routes,
                                      .delivery = params->delivery,
                                      .metrics = params->metrics};
    heartbeat_init(&p->heartbeat);
    p->planner = (struct change_planner){.config = config,
                                         .kind = params->kind,
                                         .routes = p->routes,
                                         .compacted = &p->compacted,
                                         .dead_letter_topic = p->dead_letter_topic,
                                         .dead_letter_config = &p->dead_letter_config};
    p->outbox = outbox_new(config, params->component, p->routes, p->check);
    publisher_attach(p);
    return p;
}

void publisher_free(struct publisher *p)
{
    if (p == NULL) {
        return;
    }
    plan_sender_clear(&p->sender);
    snapshot_hold_clear(&p->hold);
    transaction_records_clear(&p->transactions);
    heartbeat_clear(&p->heartbeat);
    schema_changes_free(p->schema_changes);
    outbox_free(p->outbox);
    topic_routes_free(p->routes);
    topic_check_free(p->check);
    topic_settings_free(p->settings);
    change_planner_clear(&p->planner);
    text_list_clear(&p->compacted);
    text_pairs_clear(&p->dead_letter_config);
    free(p->dead_letter_topic);
    free(p);
}
