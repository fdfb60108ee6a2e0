#include "bridge/payload/template_values.h"

#include <stdlib.h>

#include "bridge/payload/payload_text.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "schemas/avro/avro_pass.h"
#include "schemas/json/json_check.h"
#include "schemas/json/json_member.h"
#include "schemas/json/json_text.h"

#define NO_REF UINT32_MAX

/** Which fields of a record type are referred to, as members of one part of events. */
struct plan {
    const struct avro_type *type;
    enum template_root root;
    uint32_t *first;  // by field: the first reference to it; NO_REF: none
    size_t count;     // fields up to the last one that is referred to
    struct plan *next;
};

struct template_values {
    const struct template_refs *refs;
    const char *component;
    struct event_value *values;               // by reference; of members the first name's value
    uint32_t *same;                           // by reference: the next one to the same field; NO_REF: none
    struct plan *plans[TEMPLATE_SOURCE + 1];  // by root; the one of the last event first
    bool is_used[TEMPLATE_SOURCE + 1];        // by root: it has references to members
    const struct record *record;
    const struct event_view *event;
    const struct event_view *cut;
};

static bool is_member(const struct template_ref *ref)
{
    return ref->root <= TEMPLATE_SOURCE && ref->depth > 0;
}

struct template_values *template_values_new(const struct template_refs *refs, const char *component)
{
    struct template_values *v = memory_zeroed(1, sizeof(*v));
    v->refs = refs;
    v->component = component;
    v->values = memory_zeroed(refs->count + 1, sizeof(*v->values));
    v->same = memory_zeroed(refs->count + 1, sizeof(*v->same));
    for (uint32_t i = 0; i < refs->count; i++) {
        const struct template_ref *ref = &refs->items[i];
        v->same[i] = NO_REF;
        if (!is_member(ref)) {
            continue;
        }
        v->is_used[ref->root] = true;
        for (uint32_t k = 0; k < i; k++) {
            const struct template_ref *other = &refs->items[k];
            if (is_member(other) && other->root == ref->root && slice_equal(other->names[0], ref->names[0])) {
                v->same[i] = k;  // the last one before it, which links to those before
            }
        }
    }
    return v;
}

void template_values_free(struct template_values *v)
{
    if (v == NULL) {
        return;
    }
    for (size_t root = 0; root < COUNT_OF(v->plans); root++) {
        for (struct plan *plan = v->plans[root], *next; plan != NULL; plan = next) {
            next = plan->next;
            free(plan->first);
            free(plan);
        }
    }
    free(v->values);
    free(v->same);
    free(v);
}

const struct template_refs *template_values_refs(const struct template_values *v)
{
    return v->refs;
}

/** The last reference to a member of that name: the others are linked to it. */
static uint32_t find_ref(const struct template_refs *refs, enum template_root root, struct slice name)
{
    for (uint32_t i = (uint32_t)refs->count; i > 0; i--) {
        const struct template_ref *ref = &refs->items[i - 1];
        if (is_member(ref) && ref->root == root && slice_equal(ref->names[0], name)) {
            return i - 1;
        }
    }
    return NO_REF;
}

static bool has_field(const struct avro_type *type, struct slice name)
{
    for (size_t i = 0; i < type->count; i++) {
        if (slice_equal(avro_field_name(&type->fields[i]), name)) {
            return true;
        }
    }
    return false;
}

static void log_missing(const struct template_values *v, const struct plan *plan)
{
    for (size_t i = 0; i < v->refs->count && v->component != NULL; i++) {
        const struct template_ref *ref = &v->refs->items[i];
        if (!is_member(ref) || ref->root != plan->root || has_field(plan->type, ref->names[0])) {
            continue;
        }
        CLEANUP(memory_free_pointer) char *name = slice_to_string(ref->names[0]);
        const char *schema = plan->type->full_name;
        log_warn(v->component, "template_field_missing",
                 LOG_WITH(LOG_TEXT("field", name), LOG_TEXT("schema", schema == NULL ? "" : schema)),
                 "a template refers to a field that this schema does not have: it counts as absent");
    }
}

static struct plan *add_plan(struct template_values *v, enum template_root root, const struct avro_type *type)
{
    struct plan *plan = memory_zeroed(1, sizeof(*plan));
    plan->type = type;
    plan->root = root;
    plan->first = memory_new((type->count + 1) * sizeof(*plan->first));
    for (size_t i = 0; i < type->count; i++) {
        plan->first[i] = find_ref(v->refs, root, avro_field_name(&type->fields[i]));
        plan->count = plan->first[i] == NO_REF ? plan->count : i + 1;
    }
    log_missing(v, plan);
    return plan;
}

static const struct plan *plan_of(struct template_values *v, enum template_root root,
                                  const struct avro_type *type)
{
    struct plan **at = &v->plans[root];
    while (*at != NULL && (*at)->type != type) {
        at = &(*at)->next;
    }
    struct plan *plan = *at;
    if (plan == NULL) {
        plan = add_plan(v, root, type);
    } else {
        *at = plan->next;
    }
    plan->next = v->plans[root];
    v->plans[root] = plan;
    return plan;
}

/** Moves behind a field and gives its value. NULL: the bytes do not match. */
static const uint8_t *pass_field(const struct avro_field *field, const uint8_t *at, const uint8_t *end,
                                 struct event_value *ret)
{
    bool is_null;
    *ret = (struct event_value){0};
    at = avro_pass_branch(&field->pass, at, end, &is_null);
    if (at == NULL || is_null) {
        return at;
    }
    struct cursor c = {at, end, false};
    const struct avro_type *type = avro_read_branch(&c, field->pass.type);
    if (c.is_short) {
        return NULL;
    }
    const uint8_t *behind = avro_pass_value(&field->pass, at, end);
    if (behind != NULL && type->kind != AVRO_KIND_NULL) {
        *ret = (struct event_value){EVENT_VALUE_AVRO, type, slice_make(c.at, (size_t)(behind - c.at))};
    }
    return behind;
}

static bool scan(struct template_values *v, const struct plan *plan, struct slice avro)
{
    const uint8_t *at = avro.data;
    const uint8_t *end = avro.size > 0 ? at + avro.size : at;
    for (size_t i = 0; i < plan->count && at != NULL; i++) {
        if (plan->first[i] == NO_REF) {
            at = avro_pass_field(&plan->type->fields[i], at, end);
            continue;
        }
        struct event_value value;
        at = pass_field(&plan->type->fields[i], at, end, &value);
        for (uint32_t ref = plan->first[i]; ref != NO_REF; ref = v->same[ref]) {
            v->values[ref] = value;
        }
    }
    return at != NULL;
}

static bool is_record(const struct event_value *value)
{
    return value->kind == EVENT_VALUE_AVRO && value->type->kind == AVRO_KIND_RECORD &&
           value->type->meaning == AVRO_MEANING_NONE;
}

/** The value of an absent part is absent. */
static const struct event_value *part_of(const struct event_view *e, enum template_root root)
{
    const struct event_value *const PARTS[] = {
        [TEMPLATE_KEY] = &e->key,
        [TEMPLATE_BEFORE] = &e->before,
        [TEMPLATE_AFTER] = &e->after,
        [TEMPLATE_ROW] = e->after.kind == EVENT_VALUE_NULL ? &e->before : &e->after,
        [TEMPLATE_SOURCE] = &e->source,
    };
    INVARIANT((size_t)root < COUNT_OF(PARTS));
    return PARTS[root];
}

bool template_values_read(struct template_values *v, const struct record *r, const struct event_view *e,
                          const struct event_view *cut, struct fault *f)
{
    v->record = r;
    v->event = e;
    v->cut = cut;
    memset(v->values, 0, v->refs->count * sizeof(*v->values));
    for (enum template_root root = TEMPLATE_KEY; root <= TEMPLATE_SOURCE; root++) {
        const struct event_value *part = part_of(e, root);
        // The parts of a row are passed, not checked; a key that is no Avro is none of its schema's.
        if (v->is_used[root] && is_record(part) && !scan(v, plan_of(v, root, part->type), part->bytes) &&
            root != TEMPLATE_KEY) {
            return fault_set(f, FAULT_REJECT, "Avro data: it ends too soon, or does not match its schema");
        }
    }
    return true;
}

/** The text of a value that has JSON inside; false: it has none. */
static bool json_of(const struct event_value *value, struct slice *ret)
{
    struct slice text = value->bytes;
    if (value->kind == EVENT_VALUE_AVRO && value->type->meaning == AVRO_MEANING_JSON) {
        struct cursor c = cursor_over(value->bytes);
        text = avro_read_bytes(&c);
    } else if (value->kind != EVENT_VALUE_JSON && value->kind != EVENT_VALUE_TEXT) {
        return false;
    }
    *ret = text;
    return json_check_value(text);
}

/** A member of a value; what has none gives an absent one. */
static struct event_value member_of(const struct event_value *value, struct slice name)
{
    struct event_value ret = {0};
    struct slice json;
    if (is_record(value)) {
        const uint8_t *at = value->bytes.data;
        const uint8_t *end = at + value->bytes.size;
        for (size_t i = 0; i < value->type->count && at != NULL; i++) {
            const struct avro_field *field = &value->type->fields[i];
            bool is_it = slice_equal(avro_field_name(field), name);
            at = is_it ? pass_field(field, at, end, &ret) : avro_pass_field(field, at, end);
            if (is_it) {
                return ret;
            }
        }
        return ret;
    }
    if (json_of(value, &json) && json_member_find(json, name, &ret.bytes)) {
        ret.kind = EVENT_VALUE_JSON;
    }
    return ret;
}

/** Of a part that is no Avro record, its members are looked up by name; so are those of a column. */
static struct event_value column_of(const struct template_values *v, uint32_t index)
{
    const struct template_ref *ref = &v->refs->items[index];
    const struct event_value *part = part_of(v->event, ref->root);
    bool is_scanned = is_record(part);
    struct event_value value = is_scanned ? v->values[index] : *part;
    for (size_t i = is_scanned ? 1 : 0; i < ref->depth; i++) {
        value = member_of(&value, ref->names[i]);
    }
    return value;
}

static void append_header(const struct record *r, struct slice name, struct bytes *out)
{
    struct slice value = record_header(r, (const char *)name.data);
    if (value.data == NULL) {
        bytes_append(out, "null", 4);
        return;
    }
    text_append_json(out, value);
}

static void append_time(const struct template_values *v, struct bytes *out)
{
    int64_t time_us = payload_time_us(v->record, v->event);
    if (time_us == 0) {
        bytes_append(out, "null", 4);
        return;
    }
    bytes_append_byte(out, '"');
    payload_append_time(out, time_us);
    bytes_append_byte(out, '"');
}

/** A key that only looked like Avro is a string. */
static bool append_part(const struct template_values *v, const struct template_ref *ref,
                        const struct json_options *options, struct bytes *out, struct fault *f)
{
    if (event_value_append(out, part_of(v->cut, ref->root), options, f)) {
        return true;
    }
    if (ref->root == TEMPLATE_KEY) {
        text_append_json(out, v->record->key);
    }
    return ref->root == TEMPLATE_KEY;
}

bool template_values_append(struct template_values *v, uint32_t index, const struct json_options *options,
                            struct bytes *out, struct fault *f)
{
    const struct template_ref *ref = &v->refs->items[index];
    switch (ref->root) {
    case TEMPLATE_KEY:
    case TEMPLATE_BEFORE:
    case TEMPLATE_AFTER:
    case TEMPLATE_ROW:
    case TEMPLATE_SOURCE:
        if (ref->depth > 0) {
            struct event_value value = column_of(v, index);
            return event_value_append(out, &value, options, f);
        }
        return append_part(v, ref, options, out, f);
    case TEMPLATE_HEADERS:
        append_header(v->record, ref->names[0], out);
        return true;
    case TEMPLATE_OP:
        text_append_json(out, slice_make(&v->event->op, 1));
        return true;
    case TEMPLATE_OPERATION:
        text_append_json(out, slice_of(payload_operation_name(v->event->op)));
        return true;
    case TEMPLATE_ID:
        text_append_json(out, v->record->id);
        return true;
    case TEMPLATE_TOPIC:
        text_append_json(out, slice_of(record_origin(v->record)));
        return true;
    case TEMPLATE_PARTITION:
        json_text_integer(out, record_place(v->record).partition);
        return true;
    case TEMPLATE_OFFSET:
        json_text_integer(out, record_place(v->record).offset);
        return true;
    case TEMPLATE_TIME:
        append_time(v, out);
        return true;
    }
    return true;
}
