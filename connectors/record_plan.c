#include "connectors/record_plan.h"

#include "core/kafka/murmur2.h"

void record_plan_reset(struct record_plan *p)
{
    p->count = 0;
    p->next = 0;
    bytes_reset(&p->bytes);
}

void record_plan_clear(struct record_plan *p)
{
    record_plan_reset(p);
    bytes_clear(&p->bytes);
}

struct record_plan_item *record_plan_add(struct record_plan *p, enum record_kind kind,
                                         const struct topic_route *route)
{
    INVARIANT(p->count < RECORD_PLAN_MAX);
    struct record_plan_item *item = &p->items[p->count++];
    item->kind = kind;
    item->route = item->key_ids = item->value_ids = route;
    item->key = item->value = (struct record_part){0, RECORD_NULL};
    item->headers = (struct record_part){0, 0};
    item->trace = (struct trace_headers){{NULL, 0}, {NULL, 0}};
    item->partition = RECORD_BY_KEY;
    item->timestamp_ms = 0;
    item->hash = 0;
    item->position_size = 0;
    return item;
}

static inline struct slice slice_of_part(const struct record_plan *p, struct record_part part)
{
    return part.size == RECORD_NULL ? (struct slice){NULL, 0}
                                    : slice_make(p->bytes.data + part.at, part.size);
}

struct planned_record record_plan_get(const struct record_plan *p, size_t i)
{
    INVARIANT(i < p->count);
    const struct record_plan_item *item = &p->items[i];
    bool has_position = item->position_size > 0;
    return (struct planned_record){
        .kind = item->kind,
        .route = item->route,
        .key = slice_of_part(p, item->key),
        .value = slice_of_part(p, item->value),
        .headers = slice_of_part(p, item->headers),
        .position = slice_make(has_position ? item->position : NULL, item->position_size),
        .trace = item->trace,
        .partition = item->partition,
        .timestamp_ms = item->timestamp_ms,
        .hash = item->hash,
    };
}

const struct topic_route *record_plan_item_missing(const struct record_plan_item *item)
{
    const struct topic_route *routes[] = {item->route, item->key_ids, item->value_ids};
    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        if (routes[i]->status != TOPIC_ROUTE_READY) {
            return routes[i];
        }
    }
    bool has_partition = item->partition != RECORD_BY_HASH || topic_route_partitions(item->route) > 0;
    return has_partition ? NULL : item->route;
}

static int32_t partition_of(const struct planned_record *record)
{
    int32_t count = record->partition == RECORD_BY_HASH && record->route->topic != NULL
                        ? kafka_sink_partitions(record->route->topic)
                        : 0;
    return record->partition != RECORD_BY_HASH ? record->partition
           : count > 0                         ? murmur2_partition(record->hash, count)
                                               : RECORD_BY_KEY;  // to be measured only
}

struct kafka_sink_record planned_record_for_sink(const struct planned_record *record)
{
    return (struct kafka_sink_record){
        .topic = record->route->topic,
        .key = record->key,
        .value = record->value,
        .position = record->position,
        .trace = record->trace,
        .headers = record->headers,
        .timestamp_ms = record->timestamp_ms,
        .partition = partition_of(record),
    };
}
