#include "connectors/heartbeat.h"

#include <stdio.h>

#include "connectors/event_topics.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "schemas/avro/event_encode.h"
#include "schemas/avro/framing.h"

void heartbeat_init(struct heartbeat *h)
{
    if (h->config->heartbeat.interval_us > 0) {
        h->table = event_topics_heartbeats(h->config);
    }
}

void heartbeat_clear(struct heartbeat *h)
{
    table_free(TAKE(h->table));
    record_plan_clear(&h->plan);
}

static void plan_beat(struct heartbeat *h, const struct topic_route *route)
{
    struct record_plan *plan = &h->plan;
    record_plan_reset(plan);
    struct record_plan_item *item = record_plan_add(plan, RECORD_HEARTBEAT, route);
    size_t begin = record_plan_begin(plan);
    framing_put(&plan->bytes, route->key_id);
    event_encode_text(&plan->bytes, slice_of(h->config->topic_prefix));
    item->key = record_plan_end(plan, begin);
    begin = record_plan_begin(plan);
    framing_put(&plan->bytes, route->value_id);
    event_encode_heartbeat(&plan->bytes, clock_wall_us() / CLOCK_US_PER_MS);
    item->value = record_plan_end(plan, begin);
    item->partition = 0;  // as Debezium
}

// A refusal is logged once for each reason; what is asked for again logs by itself.
static void leave_out(struct heartbeat *h, const struct topic_route *route)
{
    metric_add(h->metrics->skipped_heartbeats, 1);
    if (route->status != TOPIC_ROUTE_FAILED || strcmp(h->refused, route->fault->text) == 0) {
        return;
    }
    (void)snprintf(h->refused, sizeof(h->refused), "%s", route->fault->text);
    log_error(h->component, "heartbeat_refused", LOG_WITH(LOG_TEXT("topic", route->name)),
              "no heartbeats are published: %s; correct it and restart the connector, or set "
              "heartbeat.interval: 0s",
              h->refused);
}

bool heartbeat_send(struct heartbeat *h, struct fault *f)
{
    const struct topic_route *route = topic_routes_find(h->routes, h->table);
    if (route->status != TOPIC_ROUTE_READY) {
        leave_out(h, route);
        return true;
    }
    plan_beat(h, route);
    struct planned_record planned = record_plan_get(&h->plan, 0);
    struct kafka_sink_record record = planned_record_for_sink(&planned);
    enum sink_step step = change_delivery_put_apart(h->delivery, &record, f);
    if (step == SINK_FULL) {
        metric_add(h->metrics->skipped_heartbeats, 1);
    }
    return step == SINK_TAKEN || step == SINK_FULL;
}
