#include "connectors/schema_changes.h"

#include <stdlib.h>

#include "connectors/change_record.h"
#include "connectors/event_topics.h"
#include "connectors/kafka/record_headers.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "schemas/avro/framing.h"

static const char EFFECTS_HEADER[] = "millrace.effects";

struct schema_changes {
    const char *kind;
    const char *component;
    struct pipeline_metrics *metrics;
    struct known_tables *known;
    struct topic_routes *routes;
    struct table *table;  // of the topic
};

struct schema_changes *schema_changes_new(const struct connector_config *config, const char *kind,
                                          const char *component, struct pipeline_metrics *metrics,
                                          struct known_tables *known, struct topic_routes *routes)
{
    if (!config->schema_changes.topic) {
        return NULL;
    }
    struct schema_changes *s = memory_zeroed(1, sizeof(*s));
    s->kind = kind;
    s->component = component;
    s->metrics = metrics;
    s->known = known;
    s->routes = routes;
    s->table = event_topics_schema_changes(config);
    return s;
}

bool schema_changes_is_due(const struct schema_changes *s, const struct change *change)
{
    const struct table *t = change->table;
    return s != NULL && t->shape != NULL && t->recorded != known_tables_session(s->known);
}

static const char *name_of(enum known_tables_effect effect)
{
    return effect == KNOWN_TABLES_CREATE ? "CREATE" : "ALTER";
}

// The id is the row's with an s before its index: that of no row, and equal when it is published again.
static uint8_t write_position(char ret_position[RECORD_POSITION_MAX], const struct change *c)
{
    char id[RECORD_POSITION_MAX];
    size_t size = change_record_position(id, c->commit_lsn, c->index);
    size_t at = 17;  // of the index
    size = size == RECORD_POSITION_MAX ? size - 1 : size;
    memcpy(ret_position, id, at);
    ret_position[at] = 's';
    memcpy(ret_position + at + 1, id + at, size - at);
    return (uint8_t)(size + 1);
}

static void plan_record(struct schema_changes *s, const struct change *c,
                        const struct known_tables_change *what, struct record_plan *plan)
{
    const struct topic_route *route = topic_routes_find(s->routes, s->table);
    struct record_plan_item *item = record_plan_add(plan, RECORD_SCHEMA_CHANGE, route);
    struct schema_change change = {name_of(what->effect), what->dropped_schema, what->dropped_name};
    item->position_size = write_position(item->position, c);
    item->trace = c->trace;
    item->partition = 0;
    size_t begin = record_plan_begin(plan);
    framing_put(&plan->bytes, route->key_id);
    schema_change_encode_key(&plan->bytes, c->database);
    item->key = record_plan_end(plan, begin);
    item->value = change_record_schema_change(plan, s->kind, c, route->value_id, &change);
    if (what->effect == KNOWN_TABLES_ALTER) {
        begin = record_plan_begin(plan);
        record_headers_add(&plan->bytes, EFFECTS_HEADER, what->effects);
        item->headers = record_plan_end(plan, begin);
    }
}

static struct known_tables_place place_of(const struct change *c)
{
    return (struct known_tables_place){c->commit_lsn, c->index};
}

bool schema_changes_plan(struct schema_changes *s, const struct change *change, struct record_plan *plan)
{
    struct known_tables_change what = known_tables_compare(s->known, change->table, place_of(change));
    if (what.effect == KNOWN_TABLES_SAME) {
        change->table->recorded = what.is_early ? 0 : known_tables_session(s->known);
        return false;
    }
    plan_record(s, change, &what, plan);
    return true;
}

void schema_changes_taken(struct schema_changes *s, const struct change *change, uint64_t ticket)
{
    struct table *t = change->table;
    struct known_tables_change what = known_tables_compare(s->known, t, place_of(change));
    if (what.effect == KNOWN_TABLES_SAME) {
        return;  // nothing was planned
    }
    CLEANUP(memory_free_pointer) char *effects = slice_to_string(what.effects);
    log_info(s->component, "schema_change",
             LOG_WITH(LOG_TEXT("type", name_of(what.effect)), LOG_TEXT("effects", effects)),
             "recorded a definition of %s.%s in topic %s", t->schema, t->name, s->table->topic);
    metric_add(s->metrics->schema_changes, 1);
    known_tables_set(s->known, t, place_of(change), ticket);
    t->recorded = known_tables_session(s->known);
}

void schema_changes_free(struct schema_changes *s)
{
    if (s != NULL) {
        table_free(s->table);
        free(s);
    }
}
