#include "connectors/change_planner.h"

#include <stdio.h>

#include "connectors/bad_row.h"
#include "connectors/change_record.h"
#include "core/base/clock.h"
#include "schemas/avro/framing.h"

// An envelope without its row images is smaller.
enum { ENVELOPE_MAX = 4096 };
// What a record has besides the plan's bytes is smaller: trace, event id, overhead.
enum { OVERHEAD_MAX = 1024 };
enum { INDEX_DIGITS = 8 };  // that end an event id

static const char RAISE[] = "raise message.max.bytes under kafka: and the topic's max.message.bytes";

static struct record_plan_item *add(struct record_plan *plan, enum record_kind kind,
                                    const struct topic_route *route, const struct change *change)
{
    struct record_plan_item *item = record_plan_add(plan, kind, route);
    item->position_size = (uint8_t)change_record_position(item->position, change->commit_lsn, change->index);
    item->trace = change->trace;
    return item;
}

static void choose_partition(struct record_plan_item *item, const struct change *change)
{
    if (change->is_partitioned) {
        item->partition = RECORD_BY_HASH;
        item->hash = change->partition_hash;
    }
}

// The size of the record as message.max.bytes counts it.
static size_t bytes_of(const struct record_plan *plan, size_t i)
{
    struct planned_record record = record_plan_get(plan, i);
    struct kafka_sink_record sized = planned_record_for_sink(&record);
    return kafka_sink_record_bytes(&sized);
}

static bool is_last_too_large(const struct change_planner *r, const struct record_plan *plan)
{
    return plan->bytes.size + OVERHEAD_MAX > r->message_max_bytes &&
           bytes_of(plan, plan->count - 1) > r->message_max_bytes;
}

static enum change_planner_step unpublishable(struct change_planner *r, const char *problem, const char *cure)
{
    if (problem != r->problem) {
        (void)snprintf(r->problem, sizeof(r->problem), "%s", problem);
    }
    r->cure = cure;
    return CHANGE_UNPUBLISHABLE;
}

// --- dead letters ---

static bool shrink(struct change_planner *r, const struct change *c, struct fault *f)
{
    size_t column_max = r->message_max_bytes / (4 * (c->table->column_count + 1));
    bytes_reset(&r->before);
    bytes_reset(&r->after);
    return (c->before.data == NULL || bad_row_shrink(c->table, c->before, column_max, &r->before, f)) &&
           (c->after.data == NULL || bad_row_shrink(c->table, c->after, column_max, &r->after, f));
}

static void note_place(struct change_planner *r, const struct change *c)
{
    bytes_reset(&r->place);
    bad_row_place(&r->place, c);
}

// Begins a dead letter with the change's key, if the source has schemas; its value follows.
static void begin_dead_letter(struct change_planner *r, const struct topic_route *source,
                              const struct change *c, const char *reason, struct record_plan *plan)
{
    const struct topic_route *route =
        topic_routes_find_schemaless(r->routes, r->dead_letter_topic, r->dead_letter_config);
    record_plan_reset(plan);
    struct record_plan_item *item = add(plan, RECORD_DEAD_LETTER, route, c);
    if (source != NULL) {
        item->key_ids = source;
        item->key = change_record_key(plan, c, source->key_id);
    }
    size_t begin = record_plan_begin(plan);
    bad_row_headers(&plan->bytes, r->config->name, reason, r->problem, c);
    item->headers = record_plan_end(plan, begin);
}

static enum change_planner_step end_dead_letter(struct change_planner *r, const struct record_plan *plan)
{
    return is_last_too_large(r, plan)
               ? unpublishable(r, "not even its key and small columns fit message.max.bytes", RAISE)
               : CHANGE_PLANNED;
}

static enum change_planner_step plan_too_large(struct change_planner *r, const struct topic_route *route,
                                               const struct change *c, struct record_plan *plan,
                                               struct fault *f)
{
    size_t size;
    const struct column *largest =
        bad_row_largest(c->table, c->after.data != NULL ? c->after : c->before, &size);
    CLEANUP(memory_free_pointer)
    char *column = largest == NULL ? memory_string("")
                                   : memory_format("%s.%s column %s: %zu bytes; ", c->table->schema,
                                                   c->table->name, largest->name, size);
    note_place(r, c);
    (void)snprintf(r->problem, sizeof(r->problem),
                   "%sits record of %zu bytes is over message.max.bytes (%zu)", column,
                   bytes_of(plan, plan->count - 1), r->message_max_bytes);
    if (r->config->on_bad_row == CONNECTOR_BAD_ROW_STOP) {
        return unpublishable(r, r->problem,
                             "raise it under kafka: and the topic's max.message.bytes, or set on_bad_row: "
                             "dead_letter to put such rows aside and go on");
    }
    if (!shrink(r, c, f)) {
        return CHANGE_PLAN_FAULT;
    }
    begin_dead_letter(r, route, c, "oversize", plan);
    struct record_plan_item *item = &plan->items[0];
    item->value_ids = route;
    item->value = c->op == CHANGE_MESSAGE
                      ? change_record_message(plan, r->kind, c, route->value_id, (struct slice){NULL, 0})
                      : change_record_value(plan, r->kind, c, route->value_id,
                                            c->before.data == NULL ? c->before : bytes_slice(&r->before),
                                            c->after.data == NULL ? c->after : bytes_slice(&r->after));
    return end_dead_letter(r, plan);
}

static enum change_planner_step plan_unreadable(struct change_planner *r, const struct topic_route *route,
                                                const struct change *c, struct record_plan *plan)
{
    note_place(r, c);
    if (r->config->on_bad_row == CONNECTOR_BAD_ROW_STOP) {
        return unpublishable(
            r, c->bad_reason,
            c->op == CHANGE_READ
                ? "change the row in the database, or set on_bad_row: dead_letter to put such rows aside and "
                  "go on"
                : "the WAL keeps it as it was, whatever the table says now: set on_bad_row: dead_letter to "
                  "put such rows aside and go on");
    }
    (void)snprintf(r->problem, sizeof(r->problem), "%s", c->bad_reason);
    begin_dead_letter(r, route, c, "undecodable", plan);
    size_t begin = record_plan_begin(plan);
    bytes_append_slice(&plan->bytes, c->bad_json);
    plan->items[0].value = record_plan_end(plan, begin);
    return end_dead_letter(r, plan);
}

// --- rows ---

static void add_value(const struct change_planner *r, const struct topic_route *route, const struct change *c,
                      struct record_plan *plan)
{
    struct record_plan_item *item = add(plan, RECORD_VALUE, route, c);
    choose_partition(item, c);
    item->key = change_record_key(plan, c, route->key_id);
    item->value = c->op == CHANGE_MESSAGE
                      ? change_record_message(plan, r->kind, c, route->value_id, c->message_content)
                      : change_record_value(plan, r->kind, c, route->value_id, c->before, c->after);
    item->headers = change_record_headers(plan, c);
}

static enum change_planner_step plan_value(struct change_planner *r, const struct topic_route *route,
                                           const struct change *c, struct record_plan *plan, struct fault *f)
{
    if (c->bad_json.data != NULL) {
        return plan_unreadable(r, route, c, plan);
    }
    add_value(r, route, c, plan);
    return is_last_too_large(r, plan) ? plan_too_large(r, route, c, plan, f) : CHANGE_PLANNED;
}

// After a delete: key and null, so that compaction removes the row.
static enum change_planner_step plan_tombstone(struct change_planner *r, const struct topic_route *route,
                                               const struct change *c, struct record_plan *plan)
{
    struct record_part key = plan->items[0].key;
    struct record_plan_item *item = add(plan, RECORD_TOMBSTONE, route, c);
    choose_partition(item, c);
    item->key = key;
    item->headers = change_record_headers(plan, c);
    if (!is_last_too_large(r, plan)) {
        return CHANGE_PLANNED;
    }
    note_place(r, c);
    return unpublishable(r, "its key is over message.max.bytes", RAISE);
}

bool change_planner_refuses_definition(struct change_planner *r, const struct change *change,
                                       const struct record_plan *plan)
{
    if (!is_last_too_large(r, plan)) {
        return false;
    }
    note_place(r, change);
    (void)snprintf(r->problem, sizeof(r->problem),
                   "the record of its definition for topic %s is over message.max.bytes",
                   plan->items[plan->count - 1].route->name);
    (void)unpublishable(r, r->problem, RAISE);
    return true;
}

bool change_planner_has_partition(struct change_planner *r, const struct change *change)
{
    const struct table *t = change->table;
    bool is_old = change->op == CHANGE_UPDATE || change->op == CHANGE_DELETE;
    if (t->partition_problem == NULL || (t->partition_count > 0 && !is_old)) {
        return true;
    }
    note_place(r, change);
    if (t->partition_count == 0) {
        (void)unpublishable(r, t->partition_problem, "correct partition_by in the connector's file");
        return false;
    }
    (void)snprintf(r->problem, sizeof(r->problem), "%s; run ALTER TABLE \"%s\".\"%s\" REPLICA IDENTITY FULL",
                   t->partition_problem, t->schema, t->name);
    (void)unpublishable(r, r->problem, "to publish what was changed before, leave it out of partition_by");
    return false;
}

// A record without key, for a topic that takes none.
static enum change_planner_step refuse_keyless(struct change_planner *r, const struct change *change)
{
    if (change->op == CHANGE_TRUNCATE) {
        return CHANGE_LEFT_OUT;
    }
    note_place(r, change);
    (void)snprintf(r->problem, sizeof(r->problem), "topic %s is compacted, and the record has no key",
                   change->table->topic);
    return unpublishable(
        r, r->problem,
        "give the table a primary key or a key under keys:, or set cleanup.policy=delete for "
        "the topic, and restart the connector");
}

enum change_planner_step change_planner_plan(struct change_planner *r, const struct topic_route *route,
                                             const struct change *change, struct record_plan *plan,
                                             struct fault *f)
{
    if (change->key.data == NULL && r->compacted->count > 0 && text_list_has(r->compacted, route->name)) {
        return refuse_keyless(r, change);
    }
    bool has_tombstone = change->op == CHANGE_DELETE && change->key.data != NULL && r->config->tombstones;
    enum change_planner_step step = plan_value(r, route, change, plan, f);
    if (step == CHANGE_PLANNED && has_tombstone) {
        step = plan_tombstone(r, route, change, plan);
    }
    if (step != CHANGE_PLANNED) {
        record_plan_reset(plan);
    }
    return step;
}

// Adds a BEGIN or END, whose value follows. Its event id is that of no row.
static struct record_plan_item *add_status(const struct topic_route *route, const char *name, struct slice id,
                                           uint64_t commit_lsn, struct record_plan *plan)
{
    struct record_plan_item *item = record_plan_add(plan, RECORD_TRANSACTION, route);
    size_t size = change_record_position(item->position, commit_lsn, 0);
    size_t begin = record_plan_begin(plan);
    size_t name_size = strlen(name);
    memcpy(item->position + size - INDEX_DIGITS, name, name_size);
    item->position_size = (uint8_t)(size - INDEX_DIGITS + name_size);
    framing_put(&plan->bytes, route->key_id);
    event_encode_text(&plan->bytes, id);
    item->key = record_plan_end(plan, begin);
    return item;
}

void change_planner_plan_begin(const struct topic_route *route, const struct change *first,
                               struct record_plan *plan)
{
    struct record_plan_item *item = add_status(route, "begin", first->order.id, first->commit_lsn, plan);
    size_t begin = record_plan_begin(plan);
    framing_put(&plan->bytes, route->value_id);
    event_encode_begin(&plan->bytes, first->order.id, first->commit_time_us / CLOCK_US_PER_MS);
    item->value = record_plan_end(plan, begin);
}

static void add_end(const struct topic_route *route, const struct transaction_counts *counts,
                    const struct change *commit, bool has_tables, struct record_plan *plan)
{
    struct slice id = transaction_counts_id(counts);
    struct record_plan_item *item = add_status(route, "end", id, commit->commit_lsn, plan);
    size_t count;
    const struct event_count *tables = transaction_counts_tables(counts, &count);
    size_t begin = record_plan_begin(plan);
    framing_put(&plan->bytes, route->value_id);
    event_encode_end(&plan->bytes, id, commit->commit_time_us / CLOCK_US_PER_MS,
                     transaction_counts_total(counts), has_tables ? tables : NULL, count);
    item->value = record_plan_end(plan, begin);
}

void change_planner_plan_end(struct change_planner *r, const struct topic_route *route,
                             const struct transaction_counts *counts, const struct change *commit,
                             struct record_plan *plan)
{
    add_end(route, counts, commit, true, plan);
    if (is_last_too_large(r, plan)) {  // of a transaction over very many tables
        record_plan_reset(plan);
        add_end(route, counts, commit, false, plan);
    }
}

bool change_planner_is_too_large(struct change_planner *r, const struct topic_route *route,
                                 const struct change *change)
{
    if (change->key.size + change->after.size + ENVELOPE_MAX <= r->message_max_bytes) {
        return false;
    }
    record_plan_reset(&r->scratch);
    add_value(r, route, change, &r->scratch);
    return is_last_too_large(r, &r->scratch);
}

bool change_planner_refuses(const struct change_planner *r, const struct record_plan *plan)
{
    return is_last_too_large(r, plan);
}

enum change_planner_step change_planner_put_aside(struct change_planner *r, const struct change *change,
                                                  const char *reason, const char *problem, struct slice json,
                                                  struct record_plan *plan)
{
    note_place(r, change);
    (void)snprintf(r->problem, sizeof(r->problem), "%s", problem);
    if (r->config->on_bad_row == CONNECTOR_BAD_ROW_STOP) {
        return unpublishable(r, r->problem, "set on_bad_row: dead_letter to put such rows aside and go on");
    }
    begin_dead_letter(r, NULL, change, reason, plan);
    size_t begin = record_plan_begin(plan);
    bytes_append_slice(&plan->bytes, json);
    plan->items[0].value = record_plan_end(plan, begin);
    enum change_planner_step step = end_dead_letter(r, plan);
    if (step != CHANGE_PLANNED) {
        record_plan_reset(plan);
    }
    return step;
}

void change_planner_clear(struct change_planner *r)
{
    record_plan_clear(&r->scratch);
    bytes_clear(&r->place);
    bytes_clear(&r->before);
    bytes_clear(&r->after);
}
