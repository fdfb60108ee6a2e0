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
    return (struct avro_slot){.kind = branch->kind == AVRO_KIND_NULL ? AVRO_SLOT_NULL : AVRO_SLOT_VALUE,
                              .type = branch,
                              .bytes = slice_make(c->at, cursor_left(c))};
}

static inline void skip_field(struct cursor *c, const struct plan_field *field)
{
    switch (field->skip) {
    case PLAN_SKIP_NULLABLE_LONG:
        if (avro_read_index(c, 2) == field->null_branch) {
            return;
        }
        // fall through
    case PLAN_SKIP_LONG:
        (void)avro_read_long(c);
        return;
    case PLAN_SKIP_NULLABLE_BYTES:
        if (avro_read_index(c, 2) == field->null_branch) {
            return;
        }
        // fall through
    case PLAN_SKIP_BYTES:
        (void)avro_read_bytes(c);
        return;
    case PLAN_SKIP_NULLABLE_SIZE:
        if (avro_read_index(c, 2) == field->null_branch) {
            return;
        }
        // fall through
    case PLAN_SKIP_SIZE:
        (void)cursor_take(c, field->size);
        return;
    case PLAN_SKIP_ANY:
        avro_read_skip(c, field->type);
        return;
    }
}

static void scan(struct avro_event *e, const struct plan_record *record, struct cursor *c)
{
    for (size_t i = 0; i < record->count && !c->is_short; i++) {
        const struct plan_field *field = &record->fields[i];
        if (field->slot == PLAN_NO_SLOT) {
            skip_field(c, field);
            continue;
        }
        struct cursor start = *c;
        struct avro_slot *slot = &e->slots[field->slot];
        *slot = avro_slot_at(&start, field->type);
        c->is_short = c->is_short || start.is_short;
        if (field->inner != NULL && slot->kind == AVRO_SLOT_VALUE) {
            c->at = start.at;
            scan(e, field->inner, c);
        } else {
            skip_field(c, field);
        }
    }
}

/** The members of an event whose schema has them not. */
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
            scan(e, plan->key, &c);
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
    e->count = 0;
    while (e->count <= plan->step_count) {
        (void)avro_event_add(e, (struct avro_slot){.kind = AVRO_SLOT_ABSENT});
    }
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
    if (plan->value != NULL) {
        if (!plan->value_type->is_envelope) {
            (void)avro_read_branch(&c, plan->value_type);
        }
        scan(e, plan->value, &c);
    }
    if (c.is_short || !has_good_op(e)) {
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
