#include "bridge/filter/avro_event.h"

#include "core/base/memory.h"

uint32_t avro_event_add(struct avro_event *e, struct avro_slot slot)
{
    if (e->count == e->capacity) {
        e->capacity = e->capacity == 0 ? 32 : e->capacity * 2;
        e->slots = memory_resize(e->slots, e->capacity * sizeof *e->slots);
    }
    e->slots[e->count] = slot;
    return e->count++;
}

void avro_event_fail(struct avro_event *e)
{
    e->bad = e->bad == NULL ? "the value ends too soon or does not match its schema" : e->bad;
}

struct avro_slot avro_slot_at(struct cursor *c, const struct avro_type *type)
{
    const struct avro_type *branch = avro_read_branch(c, type);
    return (struct avro_slot){.kind = branch->kind == AVRO_KIND_NULL ? AVRO_SLOT_NULL
                                      : branch->is_unchanged         ? AVRO_SLOT_UNCHANGED
                                                                     : AVRO_SLOT_VALUE,
                              .type = branch,
                              .bytes = slice_make(c->at, cursor_left(c))};
}

// The scan keeps its place in a plain pointer: most of an evaluation's time is spent here. It returns NULL if
// the bytes do not match the schema.

static const uint8_t *scan(struct avro_event *e, const struct plan_record *record, const uint8_t *at,
                           const uint8_t *end);

/** Moves behind a value, which is not null, and notes the places of what is wanted in it. */
static inline const uint8_t *pass_value(struct avro_event *e, const struct plan_field *field,
                                        const struct avro_type *type, const uint8_t *at, const uint8_t *end)
{
    if (field->pass.kind != AVRO_PASS_ANY) {
        return avro_pass_value(&field->pass, at, end);
    }
    return field->inner != NULL ? scan(e, field->inner, at, end)
           : field->is_whole    ? avro_pass_whole(type, at, end)
                                : avro_pass_any(type, at, end);
}

/** Reads the branch of a union that is more than a type and null. NULL: it has no such branch. */
static const struct avro_type *read_union(const struct avro_type *type, const uint8_t **at,
                                          const uint8_t *end)
{
    struct cursor c = {*at, end, false};
    const struct avro_type *branch = avro_read_branch(&c, type);
    *at = c.at;
    return c.is_short ? NULL : branch;
}

static const uint8_t *scan(struct avro_event *e, const struct plan_record *record, const uint8_t *at,
                           const uint8_t *end)
{
    const struct plan_field *behind = record->fields + record->count;
    for (const struct plan_field *field = record->fields; field < behind && at != NULL; field++) {
        const struct avro_type *type = field->pass.type;
        bool is_null;
        if ((at = avro_pass_branch(&field->pass, at, end, &is_null)) == NULL) {
            return NULL;
        }
        if (field->slot != PLAN_NO_SLOT) {
            if (type->kind == AVRO_KIND_UNION && (type = read_union(type, &at, end)) == NULL) {
                return NULL;
            }
            struct avro_slot *slot = &e->slots[field->slot];
            is_null = is_null || type->kind == AVRO_KIND_NULL;
            slot->kind = is_null              ? AVRO_SLOT_NULL
                         : type->is_unchanged ? AVRO_SLOT_UNCHANGED
                                              : AVRO_SLOT_VALUE;
            slot->type = type;
            slot->bytes = slice_make(at, (size_t)(end - at));
        }
        at = is_null ? at : pass_value(e, field, type, at, end);
    }
    return at;
}

/** Sets the members of the event that the value's schema does not have. */
static void set_members(struct avro_event *e)
{
    const struct avro_plan *plan = e->plan;
    bool is_envelope = plan->value_type->is_envelope;
    if (!is_envelope) {
        e->slots[plan->op_slot] = (struct avro_slot){.kind = AVRO_SLOT_TEXT, .bytes = slice_of("c")};
    }
    for (uint32_t i = 0; i < plan->step_count; i++) {
        struct avro_slot *slot = &e->slots[i];
        switch (plan->steps[i].member) {
        case PLAN_MEMBER_BEFORE:
        case PLAN_MEMBER_SOURCE:
            slot->kind = !is_envelope || (plan->steps[i].member == PLAN_MEMBER_SOURCE && !plan->has_source)
                             ? AVRO_SLOT_NULL
                             : slot->kind;
            break;
        case PLAN_MEMBER_AFTER:
            if (!is_envelope) {
                struct cursor c = cursor_over(e->source.value);
                *slot = avro_slot_at(&c, plan->value_type);
            }
            break;
        case PLAN_MEMBER_KEY:
            slot->kind = e->source.has_key ? AVRO_SLOT_TEXT : AVRO_SLOT_ABSENT;
            slot->bytes = e->source.raw_key;
            break;
        case PLAN_MEMBER_HEADERS:
            slot->kind = AVRO_SLOT_HEADERS;
            break;
        case PLAN_MEMBER_NONE:
        case PLAN_MEMBER_OP:
            break;
        }
    }
}

/** A key that is not the Avro that it looked like is text. */
static void read_key(struct avro_event *e)
{
    const struct avro_plan *plan = e->plan;
    for (uint32_t i = 0; i < plan->step_count; i++) {
        if (plan->steps[i].member != PLAN_MEMBER_KEY || plan->key_type == NULL) {
            continue;
        }
        struct cursor whole = cursor_over(e->source.key);
        avro_read_skip(&whole, plan->key_type);
        if (whole.is_short || cursor_left(&whole) > 0) {
            return;
        }
        struct cursor c = cursor_over(e->source.key);
        e->slots[i] = avro_slot_at(&c, plan->key_type);
        if (plan->key != NULL && e->slots[i].kind == AVRO_SLOT_VALUE) {
            (void)scan(e, plan->key, c.at, c.end);
        }
    }
}

void avro_event_close_trees(struct avro_event *e, uint32_t from)
{
    while (e->tree_count > from) {
        json_tree_clear(e->trees[--e->tree_count]);
    }
}

static void reset(struct avro_event *e, const struct avro_plan *plan, const struct avro_source *source)
{
    avro_event_close_trees(e, 0);
    e->plan = plan;
    e->source = *source;
    e->bad = NULL;
    e->count = plan->step_count + 1;
    if (e->capacity < e->count) {
        e->capacity = e->count * 2;
        e->slots = memory_resize(e->slots, e->capacity * sizeof *e->slots);
    }
    memset(e->slots, 0, e->count * sizeof *e->slots);  // AVRO_SLOT_ABSENT
}

static bool has_good_op(const struct avro_event *e)
{
    char op = avro_event_op(e);
    return op >= 'a' && op <= 'z';
}

bool avro_event_read(struct avro_event *e, const struct avro_plan *plan, const struct avro_source *source,
                     struct fault *f)
{
    reset(e, plan, source);
    set_members(e);
    struct cursor c = cursor_over(source->value);
    (void)avro_read_branch(&c, plan->value_type);
    bool is_read = !c.is_short && (plan->value == NULL || scan(e, plan->value, c.at, c.end) != NULL);
    if (!is_read || !has_good_op(e)) {
        return fault_set(f, FAULT_REJECT, "Avro data: the value ends too soon or does not match its schema");
    }
    read_key(e);
    return true;
}

char avro_event_op(const struct avro_event *e)
{
    const struct avro_slot *slot = &e->slots[e->plan->op_slot];
    struct slice text = slot->bytes;
    if (slot->kind == AVRO_SLOT_VALUE) {
        struct cursor c = cursor_over(slot->bytes);
        bool is_text = slot->type->kind == AVRO_KIND_STRING;
        text = is_text ? avro_read_bytes(&c) : (struct slice){NULL, 0};
    } else if (slot->kind != AVRO_SLOT_TEXT) {
        return '\0';
    }
    return text.size == 1 ? (char)text.data[0] : '\0';
}

bool avro_event_lacks_before(const struct avro_event *e)
{
    return e->plan->before_slot != PLAN_NO_SLOT && e->slots[e->plan->before_slot].kind == AVRO_SLOT_NULL &&
           avro_event_op(e) == 'u';
}

bool avro_event_finish(const struct avro_event *e, struct fault *f)
{
    return e->bad == NULL || fault_set(f, FAULT_REJECT, "Avro data: %s", e->bad);
}

void avro_event_clear(struct avro_event *e)
{
    avro_event_close_trees(e, 0);
    for (uint32_t i = 0; i < e->tree_capacity; i++) {
        free(e->trees[i]);
    }
    free(e->trees);
    free(e->slots);
    *e = (struct avro_event){0};
}
