#include "connectors/plan_sender.h"

#include <stdio.h>

#include "connectors/kafka/route_refusal.h"
#include "core/base/log.h"

void plan_sender_init(struct plan_sender *s)
{
    s->stopped = (struct stopped_tables){.component = s->component, .metrics = s->metrics};
}

void plan_sender_clear(struct plan_sender *s)
{
    hold_queue_clear(&s->held);
    record_plan_clear(&s->plan);
    text_list_clear(&s->stopped.topics);
}

void plan_sender_begin_session(struct plan_sender *s)
{
    hold_queue_drop(&s->held);
    record_plan_reset(&s->plan);
    s->missing = NULL;
    stopped_tables_reset(&s->stopped);
    metric_set(s->metrics->unready_tables, 0);
}

// --- sending ---

// A record was sent, or is held back.
static void note_record(struct plan_sender *s, enum record_kind kind, const struct table *table)
{
    if (kind == RECORD_DEAD_LETTER) {
        log_warn(s->component, "row_dead_lettered",
                 LOG_WITH(LOG_TEXT("topic", s->dead_letter_topic), LOG_TEXT("table", table->topic)), "%s",
                 s->problem);
        metric_add(s->metrics->dead_letters, 1);
    }
}

bool plan_sender_is_busy(const struct plan_sender *s)
{
    return s->plan.count > 0;
}

enum publisher_step plan_sender_send(struct plan_sender *s, const struct table *table, struct fault *f)
{
    for (; s->plan.next < s->plan.count; s->plan.next++) {
        struct planned_record planned = record_plan_get(&s->plan, s->plan.next);
        struct kafka_sink_record record = planned_record_for_sink(&planned);
        switch (change_delivery_put(s->delivery, &record, f)) {
        case SINK_TAKEN:
            note_record(s, planned.kind, table);
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
    record_plan_reset(&s->plan);
    return PUBLISHER_TAKEN;
}

// What the planned records wait for; NULL: nothing.
static const struct topic_route *missing_of(const struct record_plan *plan)
{
    const struct topic_route *missing = NULL;
    for (size_t i = 0; i < plan->count && missing == NULL; i++) {
        missing = record_plan_item_missing(&plan->items[i]);
    }
    return missing;
}

static bool is_row_of_snapshot(const struct change *change)
{
    return change->kind == CHANGE_ROW && change->op == CHANGE_READ;
}

// `missing` may be NULL: earlier records of the table wait.
static enum publisher_step hold(struct plan_sender *s, const struct topic_route *missing, struct table *table)
{
    bool has_room = hold_queue_has_room(&s->held, table->topic);
    if (has_room) {
        for (size_t i = 0; i < s->plan.count; i++) {
            note_record(s, s->plan.items[i].kind, table);
        }
        uint64_t ticket = change_delivery_hold(s->delivery, s->plan.count);
        hold_queue_put(&s->held, table, &s->plan, ticket);
    }
    s->missing = has_room ? NULL : missing == NULL ? s->plan.items[0].route : missing;
    record_plan_reset(&s->plan);
    return has_room ? PUBLISHER_TAKEN : PUBLISHER_LATER;
}

// --- tables that are stopped ---

// Of a row of the first snapshot too: the state record that it has ended waits for all its rows, so the next
// start reads them again.
static void stop(struct plan_sender *s, const char *topic, const struct fault *why)
{
    stopped_tables_add(&s->stopped, topic, why);
    change_delivery_withhold(s->delivery);
}

enum publisher_step plan_sender_stop(struct plan_sender *s, const struct change *change, const char *topic,
                                     const struct fault *why)
{
    record_plan_reset(&s->plan);  // what is left of it would be sent in place of the next change
    if (is_row_of_snapshot(change) && !change_delivery_is_snapshot_done(s->delivery)) {
        return PUBLISHER_FAULT;
    }
    stop(s, topic, why);
    return PUBLISHER_TAKEN;
}

static enum publisher_step stop_refused(struct plan_sender *s, const struct topic_route *route,
                                        const char *topic, struct fault *f)
{
    record_plan_reset(&s->plan);
    route_refusal_explain(route->name, route->fault, f);
    if (!route->is_refused) {
        return PUBLISHER_FAULT;
    }
    stop(s, topic, f);
    return PUBLISHER_TAKEN;
}

enum publisher_step plan_sender_send_or_hold(struct plan_sender *s, struct table *table, struct fault *f)
{
    const struct topic_route *missing = missing_of(&s->plan);
    if (hold_queue_has(&s->held, table->topic)) {
        return hold(s, missing, table);
    }
    if (missing == NULL) {
        return plan_sender_send(s, table, f);
    }
    return missing->status == TOPIC_ROUTE_FAILED ? stop_refused(s, missing, table->topic, f)
                                                 : hold(s, missing, table);
}

bool plan_sender_is_stopped(const struct plan_sender *s, const char *topic)
{
    return stopped_tables_has(&s->stopped, topic);
}

// Ends the waiting of tables whose topic can't be made, or whose schemas are refused.
static enum publisher_step stop_refused_held(struct plan_sender *s, struct fault *f)
{
    struct held_table *t;
    struct held_table *next;
    HASH_ITER (hh, s->held.tables, t, next) {
        const struct topic_route *route = hold_queue_missing(t);
        if (route == NULL || route->status != TOPIC_ROUTE_FAILED) {
            continue;
        }
        route_refusal_explain(route->name, route->fault, f);
        if (!route->is_refused) {
            return PUBLISHER_FAULT;
        }
        stopped_tables_add(&s->stopped, t->topic, f);
        change_delivery_withhold_held(s->delivery);
        hold_queue_drop_table(&s->held, t);
    }
    return PUBLISHER_TAKEN;
}

enum publisher_step plan_sender_send_held(struct plan_sender *s, struct fault *f)
{
    if (s->held.tables == NULL) {
        return PUBLISHER_TAKEN;
    }
    switch (hold_queue_send(&s->held, s->delivery, f)) {
    case SINK_TAKEN:
        return stop_refused_held(s, f);
    case SINK_FULL:
        return PUBLISHER_LATER;
    case SINK_TOO_LARGE:
    case SINK_FAULT:
        break;
    }
    return PUBLISHER_FAULT;
}

const char *plan_sender_obstacle(struct plan_sender *s, int64_t *ret_age_us)
{
    size_t tables;
    const struct topic_route *route = hold_queue_worst(&s->held, s->missing, &tables);
    metric_set(s->metrics->unready_tables, (double)tables);
    if (route == NULL) {
        return NULL;
    }
    *ret_age_us = outage_age_us(route->outage);
    if (s->missing != NULL) {
        (void)snprintf(s->obstacle, sizeof(s->obstacle), "topic %s is not ready: %s", route->name,
                       route->outage->text);
    } else {
        (void)snprintf(s->obstacle, sizeof(s->obstacle),
                       "topic %s is not ready: %s; %zu table%s wait%s (%zu kB held), the others go on",
                       route->name, route->outage->text, tables, tables == 1 ? "" : "s",
                       tables == 1 ? "s" : "", s->held.bytes / 1000);
    }
    return s->obstacle;
}
