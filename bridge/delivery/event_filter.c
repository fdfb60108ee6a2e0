#include "bridge/delivery/event_filter.h"

#include "bridge/filter/avro_event.h"
#include "bridge/filter/json_event.h"
#include "bridge/filter/match.h"
#include "core/base/log.h"
#include "schemas/avro/framing.h"

/** A plan, and what was logged of its schema. */
struct known_schema {
    struct avro_plan *plan;
    bool is_before_logged;
    struct known_schema *next;
};

struct event_filter {
    const struct pattern *pattern;  // lent; NULL: only operations
    uint32_t operations;
    const char *component;             // lent
    struct function_metrics *metrics;  // lent
    struct known_schema *schemas;      // the one of the last record first
    struct avro_event event;
    struct bytes scratch;
    struct bytes json;  // an event whose value is JSON
};

enum { ALL_OPERATIONS = FUNCTION_CREATE | FUNCTION_READ | FUNCTION_UPDATE | FUNCTION_DELETE };

struct event_filter *event_filter_new(const struct function_config *config, const char *component,
                                      struct function_metrics *metrics)
{
    if (config->filter.pattern == NULL && config->source.operations == ALL_OPERATIONS) {
        return NULL;
    }
    struct event_filter *e = memory_zeroed(1, sizeof *e);
    e->pattern = config->filter.pattern;
    e->operations = config->source.operations;
    e->component = component;
    e->metrics = metrics;
    return e;
}

void event_filter_free(struct event_filter *e)
{
    if (e == NULL) {
        return;
    }
    for (struct known_schema *s = e->schemas, *next; s != NULL; s = next) {
        next = s->next;
        avro_plan_free(s->plan);
        free(s);
    }
    avro_event_clear(&e->event);
    bytes_clear(&e->scratch);
    bytes_clear(&e->json);
    free(e);
}

/** A new version of a table may lack a column: its field then counts as absent. */
static void log_missing(const struct event_filter *e, const struct avro_plan *plan)
{
    const char *schema = plan->value_type->full_name;
    for (uint32_t i = 0; i < plan->step_count; i++) {
        if (!plan->steps[i].is_missing) {
            continue;
        }
        const struct pattern_step *step = pattern_step(e->pattern, i);
        CLEANUP(memory_free_pointer) char *path = slice_to_string(step->path);
        log_warn(e->component, "filter_field_missing",
                 LOG_WITH(LOG_TEXT("field", path), LOG_TEXT("schema", schema == NULL ? "" : schema),
                          LOG_NUMBER("line", step->place.line), LOG_NUMBER("column", step->place.column)),
                 "the filter looks at a field that this schema does not have: it counts as absent");
    }
}

static struct known_schema *find_schema(struct event_filter *e, const struct record *r)
{
    struct known_schema **at = &e->schemas;
    while (*at != NULL &&
           ((*at)->plan->value_type != r->value_type || (*at)->plan->key_type != r->key_type)) {
        at = &(*at)->next;
    }
    struct known_schema *s = *at;
    if (s == NULL) {
        s = memory_zeroed(1, sizeof *s);
        s->plan = avro_plan_new(e->pattern, r->value_type, r->key_type);
        log_missing(e, s->plan);
    } else {
        *at = s->next;
    }
    s->next = e->schemas;
    e->schemas = s;
    return s;
}

/** Without the row before, nobody knows what an update changed. */
static void note_before(struct event_filter *e, struct known_schema *s)
{
    if (!s->plan->asks_changes || s->is_before_logged || !avro_event_lacks_before(&e->event)) {
        return;
    }
    s->is_before_logged = true;
    const char *schema = s->plan->value_type->full_name;
    log_warn(
        e->component, "filter_without_before", LOG_WITH(LOG_TEXT("schema", schema == NULL ? "" : schema)),
        "updates come without the row before, so every column counts as changed; set REPLICA IDENTITY FULL "
        "on the table");
}

static struct slice without_frame(struct slice wire)
{
    return wire.size < FRAMING_SIZE ? (struct slice){NULL, 0}
                                    : slice_make(wire.data + FRAMING_SIZE, wire.size - FRAMING_SIZE);
}

/** A value that is JSON is the row after a create, as payloads have it. */
static bool refuses_json(struct event_filter *e, const struct record *r)
{
    struct fault f;
    struct filter_value event;
    CLEANUP(json_tree_clear) struct json_tree tree = {0};
    const struct json_options options = {0};
    if (!function_config_wants(e->operations, 'c')) {
        return true;
    }
    if (e->pattern == NULL) {
        return false;
    }
    CLEANUP(bytes_clear) struct bytes key = {0};
    record_decode_key(r, &options, &key);
    bytes_reset(&e->json);
    json_event_append_record(&e->json, bytes_slice(&key), r->headers, r->value);
    return json_event_parse(bytes_slice(&e->json), (struct json_place){1, 1}, &tree, &event, &f) &&
           !match_event(e->pattern, &JSON_EVENT_OPS, event, &e->scratch);
}

bool event_filter_refuses(struct event_filter *e, const struct record *r)
{
    struct fault f;
    if (e == NULL || r->reject_reason != NULL) {
        return false;
    }
    if (r->is_json) {
        return refuses_json(e, r);
    }
    if (r->value_type == NULL) {
        return false;
    }
    struct known_schema *s = find_schema(e, r);
    const struct avro_source source = {
        .value = without_frame(r->value),
        .key = r->key_type == NULL ? r->key : without_frame(r->key),
        .raw_key = r->key,
        .has_key = r->has_key,
        .headers = r->headers,
    };
    if (!avro_event_read(&e->event, s->plan, &source, &f)) {
        return false;
    }
    if (!function_config_wants(e->operations, avro_event_op(&e->event))) {
        return true;
    }
    if (e->pattern == NULL) {
        return false;
    }
    if (s->plan->missing_count > 0) {
        metric_add(e->metrics->filter_fields_missing, 1);
    }
    note_before(e, s);
    bool is_match = match_event(e->pattern, &AVRO_EVENT_OPS, avro_event_root(&e->event), &e->scratch);
    return avro_event_finish(&e->event, &f) && !is_match;
}
