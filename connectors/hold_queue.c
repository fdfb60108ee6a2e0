#include "connectors/hold_queue.h"

#include <utlist.h>

#include "schemas/avro/framing.h"

// One allocation: the records, then their bytes.
struct held_change {
    struct table *table;  // retained
    uint64_t ticket;
    size_t bytes;  // of the allocation
    size_t next_record;
    struct held_change *prev;
    struct held_change *next;
    size_t data_size;
    size_t count;
    struct record_plan_item items[];
};

static uint8_t *data_of(struct held_change *c)
{
    return (uint8_t *)(void *)&c->items[c->count];
}

static struct held_table *find(const struct hold_queue *q, const char *topic)
{
    struct held_table *t = NULL;
    HASH_FIND_STR(q->tables, topic, t);
    return t;
}

bool hold_queue_has(const struct hold_queue *q, const char *topic)
{
    return q->tables != NULL && find(q, topic) != NULL;
}

bool hold_queue_has_room(const struct hold_queue *q, const char *topic)
{
    const struct held_table *t = find(q, topic);
    return q->bytes < HOLD_QUEUE_ALL_BYTES && (t == NULL || t->bytes < HOLD_QUEUE_TABLE_BYTES);
}

static struct slice copy_after(uint8_t *to, struct slice from)
{
    if (from.size > 0) {
        memcpy(to, from.data, from.size);
    }
    return slice_make(from.data == NULL ? NULL : to, from.size);
}

static struct held_change *copy_plan(const struct record_plan *plan)
{
    struct trace_headers trace = plan->items[0].trace;  // the transaction's: that of all its records
    size_t size = plan->bytes.size + trace.traceparent.size + trace.tracestate.size;
    size_t whole = sizeof(struct held_change) + plan->count * sizeof(plan->items[0]) + size;
    struct held_change *c = memory_zeroed(1, whole);
    c->bytes = whole;
    c->count = plan->count;
    c->data_size = plan->bytes.size;
    memcpy(c->items, plan->items, plan->count * sizeof(plan->items[0]));
    uint8_t *data = data_of(c);
    (void)copy_after(data, bytes_slice(&plan->bytes));
    struct trace_headers copy;
    copy.traceparent = copy_after(data + plan->bytes.size, trace.traceparent);
    copy.tracestate = copy_after(data + plan->bytes.size + trace.traceparent.size, trace.tracestate);
    for (size_t i = 0; i < c->count; i++) {
        c->items[i].trace = c->items[i].trace.traceparent.data == NULL ? c->items[i].trace : copy;
    }
    return c;
}

void hold_queue_put(struct hold_queue *q, struct table *table, const struct record_plan *plan,
                    uint64_t ticket)
{
    struct held_table *t = find(q, table->topic);
    if (t == NULL) {
        t = memory_zeroed(1, sizeof(*t));
        t->topic = memory_string(table->topic);
        HASH_ADD_KEYPTR(hh, q->tables, t->topic, strlen(t->topic), t);
    }
    struct held_change *c = copy_plan(plan);
    table_retain(table);
    c->table = table;
    c->ticket = ticket;
    DL_APPEND(t->changes, c);
    t->bytes += c->bytes;
    q->bytes += c->bytes;
    q->records += c->count;
}

static const struct topic_route *missing_route(const struct held_change *c)
{
    for (size_t i = c->next_record; i < c->count; i++) {
        const struct topic_route *missing = record_plan_item_missing(&c->items[i]);
        if (missing != NULL) {
            return missing;
        }
    }
    return NULL;
}

const struct topic_route *hold_queue_missing(const struct held_table *t)
{
    return missing_route(t->changes);
}

const struct topic_route *hold_queue_worst(const struct hold_queue *q, const struct topic_route *first,
                                           size_t *ret_tables)
{
    const struct topic_route *worst = first;
    *ret_tables = 0;
    const struct held_table *t;
    for (t = q->tables; t != NULL; t = t->hh.next) {
        const struct topic_route *route = hold_queue_missing(t);
        bool is_failing = route != NULL && route->outage != NULL && route->outage->is_on;
        bool has_worse = worst != NULL && worst->outage != NULL && worst->outage->is_on &&
                         (!is_failing || worst->outage->since_us <= route->outage->since_us);
        worst = is_failing && !has_worse ? route : worst;
        *ret_tables += is_failing;
    }
    return worst == NULL || worst->outage == NULL || !worst->outage->is_on ? NULL : worst;
}

static void drop_change(struct hold_queue *q, struct held_table *t)
{
    struct held_change *c = t->changes;
    DL_DELETE(t->changes, c);
    t->bytes -= c->bytes;
    q->bytes -= c->bytes;
    q->records -= c->count;
    table_free(c->table);
    free(c);
}

void hold_queue_drop_table(struct hold_queue *q, struct held_table *t)
{
    while (t->changes != NULL) {
        drop_change(q, t);
    }
    HASH_DEL(q->tables, t);
    free(t->topic);
    free(t);
}

void hold_queue_drop(struct hold_queue *q)
{
    struct held_table *t;
    struct held_table *next;
    HASH_ITER (hh, q->tables, t, next) {
        hold_queue_drop_table(q, t);
    }
}

void hold_queue_clear(struct hold_queue *q)
{
    hold_queue_drop(q);
    record_plan_clear(&q->scratch);
}

// Writes the schema's id, which was not known when the record was planned.
static void put_id(struct bytes *bytes, struct record_part part, int32_t id)
{
    if (id != 0 && part.size != RECORD_NULL) {
        struct bytes frame = {.data = bytes->data + part.at, .capacity = FRAMING_SIZE};
        framing_put(&frame, id);
    }
}

static void fill_scratch(struct hold_queue *q, struct held_change *c)
{
    struct record_plan *plan = &q->scratch;
    record_plan_reset(plan);
    bytes_append(&plan->bytes, data_of(c), c->data_size);
    memcpy(plan->items, c->items, c->count * sizeof(c->items[0]));
    plan->count = c->count;
    for (size_t i = 0; i < c->count; i++) {
        put_id(&plan->bytes, c->items[i].key, c->items[i].key_ids->key_id);
        put_id(&plan->bytes, c->items[i].value, c->items[i].value_ids->value_id);
    }
}

static enum sink_step send_change(struct hold_queue *q, struct held_change *c,
                                  struct change_delivery *delivery, struct fault *f)
{
    fill_scratch(q, c);
    for (; c->next_record < c->count; c->next_record++) {
        struct planned_record planned = record_plan_get(&q->scratch, c->next_record);
        struct kafka_sink_record record = planned_record_for_sink(&planned);
        enum sink_step step = change_delivery_put_held(delivery, &record, c->ticket, f);
        if (step != SINK_TAKEN) {
            return step;
        }
    }
    return SINK_TAKEN;
}

static enum sink_step send_table(struct hold_queue *q, struct held_table *t, struct change_delivery *delivery,
                                 struct fault *f)
{
    while (t->changes != NULL && missing_route(t->changes) == NULL) {
        enum sink_step step = send_change(q, t->changes, delivery, f);
        if (step != SINK_TAKEN) {
            return step;
        }
        drop_change(q, t);
    }
    return SINK_TAKEN;
}

enum sink_step hold_queue_send(struct hold_queue *q, struct change_delivery *delivery, struct fault *f)
{
    struct held_table *t;
    struct held_table *next;
    HASH_ITER (hh, q->tables, t, next) {
        enum sink_step step = send_table(q, t, delivery, f);
        if (t->changes == NULL) {
            hold_queue_drop_table(q, t);
        }
        if (step != SINK_TAKEN) {
            return step;
        }
    }
    return SINK_TAKEN;
}
