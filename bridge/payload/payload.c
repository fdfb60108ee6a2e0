#include "bridge/payload/payload.h"

#include <stdlib.h>

#include "core/base/memory.h"
#include "schemas/json/connect_schema.h"

const struct payload_type *payload_type_of(enum function_payload kind)
{
    static const struct payload_type *const TYPES[] = {
        [FUNCTION_PAYLOAD_CLOUDEVENTS] = &payload_cloudevents,
        [FUNCTION_PAYLOAD_CLOUDEVENTS_STRUCTURED] = &payload_cloudevents_structured,
        [FUNCTION_PAYLOAD_CLOUDEVENTS_BATCH] = &payload_cloudevents_batch,
        [FUNCTION_PAYLOAD_ROW] = &payload_row,
        [FUNCTION_PAYLOAD_LAMBDA_KAFKA] = &payload_lambda_kafka,
        [FUNCTION_PAYLOAD_DYNAMODB_STREAM] = &payload_dynamodb_stream,
        [FUNCTION_PAYLOAD_DEBEZIUM] = &payload_debezium,
        [FUNCTION_PAYLOAD_TEMPLATE] = &payload_template,
    };
    INVARIANT((size_t)kind < COUNT_OF(TYPES));
    return TYPES[kind];
}

static struct payload_plans *plans_of(const struct function_config *config, const char *component)
{
    bool has_columns = config->columns.include.count + config->columns.exclude.count > 0;
    const struct template_config *t = &config->template;
    bool has_templates = t->compiled != NULL || t->target != NULL || t->header_count > 0;
    bool has_schemas = config->payload == FUNCTION_PAYLOAD_DEBEZIUM && config->debezium.has_schemas;
    if (!has_columns && !has_templates && !has_schemas) {
        return NULL;
    }
    struct payload_plans *plans = memory_zeroed(1, sizeof(*plans));
    plans->columns =
        has_columns ? event_columns_new(&config->columns.include, &config->columns.exclude, component) : NULL;
    plans->values = has_templates ? template_values_new(&t->refs, component) : NULL;
    bool is_base64 = config->debezium.decimals == FUNCTION_DECIMALS_BASE64;
    plans->schemas = has_schemas ? connect_schemas_new(is_base64) : NULL;
    return plans;
}

void payload_options_clear(struct payload_options *o)
{
    if (o->plans != NULL) {
        event_columns_free(o->plans->columns);
        template_values_free(o->plans->values);
        connect_schemas_free(o->plans->schemas);
        free(o->plans);
    }
    *o = (struct payload_options){0};
}

const char *payload_content_type(const struct payload_options *o)
{
    return o->kind == FUNCTION_PAYLOAD_TEMPLATE ? o->templates->content_type
                                                : payload_type_of(o->kind)->content_type;
}

struct payload_options payload_options_of(const struct function_config *config, const char *component)
{
    const struct payload_type *type = payload_type_of(config->payload);
    return (struct payload_options){
        .kind = config->payload,
        .operations = config->source.operations,
        .is_batch = type->is_always_batch || (type->can_batch && config->delivery.batch.events > 1),
        .bytes_max = (size_t)config->delivery.batch.bytes,
        .kafka_encoding = config->lambda_kafka.encoding,
        .kafka_format = config->lambda_kafka.format,
        .view = config->dynamodb_stream.view,
        .region = config->dynamodb_stream.region,
        .decimals = config->debezium.decimals,
        .templates = &config->template,
        .plans = plans_of(config, component),
        .json = {.int64_as_string = config->int64_as_string},
    };
}

void payload_begin(struct payload *p, const struct payload_options *options)
{
    p->options = options;
    bytes_reset(&p->body);
    bytes_reset(&p->lines);
    bytes_reset(&p->route.target);
    bytes_reset(&p->route.lines);
    groups_reset(&p->groups);
    p->event_count = 0;
    p->reject_reason = NULL;
}

void payload_clear(struct payload *p)
{
    bytes_clear(&p->body);
    bytes_clear(&p->lines);
    bytes_clear(&p->key);
    bytes_clear(&p->spare);
    bytes_clear(&p->columns);
    template_buffers_clear(&p->buffers);
    route_clear(&p->route);
    route_clear(&p->next_route);
    groups_clear(&p->groups);
}

void payload_trim(struct payload *p, size_t kept)
{
    const struct bytes *const buffers[] = {
        &p->body,
        &p->lines,
        &p->key,
        &p->spare,
        &p->columns,
        &p->buffers.json,
        &p->buffers.text,
        &p->route.target,
        &p->route.lines,
        &p->next_route.target,
        &p->next_route.lines,
    };
    for (size_t i = 0; i < COUNT_OF(buffers); i++) {
        if (buffers[i]->capacity > kept) {
            payload_clear(p);
            return;
        }
    }
}

static enum payload_step refuse(struct payload *p, const char *reason)
{
    p->reject_reason = reason;
    return PAYLOAD_REJECTED;
}

enum payload_step payload_add(struct payload *p, struct record *r, struct fault *f)
{
    struct event_view e;
    if (!record_view(r, &e, f)) {
        return refuse(p, "undecodable");
    }
    return payload_add_event(p, r, &e, f);
}

/** Appends the event; returns the size of the body that it makes, 0 when it can't be decoded. */
static size_t append(struct payload *p, const struct record *r, const struct event_view *e, struct fault *f)
{
    const struct payload_type *type = payload_type_of(p->options->kind);
    if (type->open != NULL) {
        type->open(p, r);
    } else if (p->options->is_batch) {
        bytes_append_string(&p->body, p->event_count == 0 ? type->opening : ",");
    }
    if (!type->render(p, r, e, f)) {
        (void)fault_context(f, "value");
        return 0;
    }
    return p->body.size + (p->options->is_batch ? strlen(type->closing) : 0);
}

/** Applies `columns` to the event, and finds where it goes. ADDED: it can be appended. */
static enum payload_step prepare(struct payload *p, const struct record *r, const struct event_view *e,
                                 struct event_view *cut, struct fault *f)
{
    const struct payload_options *o = p->options;
    const struct payload_plans *plans = o->plans;
    if (plans->columns != NULL && !event_columns_apply(plans->columns, e, &p->columns, cut, f)) {
        return refuse(p, "undecodable");
    }
    if (plans->values == NULL) {
        return PAYLOAD_ADDED;
    }
    if (!template_values_read(plans->values, r, e, cut, f)) {
        return refuse(p, "undecodable");
    }
    if (!route_render(o->templates, plans->values, &o->json, &p->buffers, &p->next_route, f)) {
        return refuse(p, "unrenderable");
    }
    return p->event_count > 0 && !route_equal(&p->route, &p->next_route) ? PAYLOAD_FULL : PAYLOAD_ADDED;
}

static void take_route(struct payload *p)
{
    struct route next = p->next_route;
    p->next_route = p->route;
    p->route = next;
}

static enum payload_step add(struct payload *p, const struct record *r, const struct event_view *e,
                             struct fault *f)
{
    size_t body_size = p->body.size;
    size_t lines_size = p->lines.size;
    struct groups_mark mark = groups_mark(&p->groups);
    size_t size = append(p, r, e, f);
    if (size > 0 && size <= p->options->bytes_max) {
        p->event_count++;
        return PAYLOAD_ADDED;
    }
    // Remove all of it: the next event would be sent with its attributes.
    p->body.size = body_size;
    p->lines.size = lines_size;
    groups_rewind(&p->groups, mark);
    if (size == 0) {
        return refuse(p, "undecodable");
    }
    if (p->event_count > 0) {
        return PAYLOAD_FULL;
    }
    (void)fault_set(f, FAULT_REJECT, "a body of %zu bytes is over the limit of %zu: %s", size,
                    p->options->bytes_max,
                    p->options->is_endpoint_limit ? "its endpoint takes no more" : "batch.bytes");
    return refuse(p, "oversize");
}

enum payload_step payload_add_event(struct payload *p, const struct record *r, const struct event_view *e,
                                    struct fault *f)
{
    INVARIANT(p->event_count == 0 || p->options->is_batch);
    if (!function_config_wants(p->options->operations, e->op)) {
        return PAYLOAD_FILTERED;
    }
    if (p->options->plans == NULL) {
        return add(p, r, e, f);
    }
    struct event_view cut = *e;
    enum payload_step step = prepare(p, r, e, &cut, f);
    step = step == PAYLOAD_ADDED ? add(p, r, &cut, f) : step;
    if (step == PAYLOAD_ADDED) {
        take_route(p);
    }
    return step;
}

const char *payload_target(const struct payload *p)
{
    return p->route.target.size > 0 ? (const char *)p->route.target.data : NULL;
}

void payload_finish(struct payload *p)
{
    if (p->route.lines.size > 0) {
        bytes_append_string(&p->lines, p->lines.size > 0 ? "\r\n" : "");
        bytes_append_slice(&p->lines, bytes_slice(&p->route.lines));
    }
    const struct payload_type *type = payload_type_of(p->options->kind);
    if (type->close != NULL) {
        type->close(p);
    }
    if (p->options->is_batch) {
        bytes_append_string(&p->body, type->closing);
    }
}
