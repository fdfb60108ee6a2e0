#include "bridge/filter/avro_plan.h"

#include "core/base/memory.h"

/** What a record's fields are wanted for: the steps below `parent`, or the members of an envelope. */
struct target {
    struct avro_plan *plan;
    uint32_t parent;
    bool is_envelope;
};

/** Whether its fields can be found before its value is read. */
static bool is_record(const struct avro_type *type)
{
    return type->kind == AVRO_KIND_RECORD && type->meaning == AVRO_MEANING_NONE;
}

static enum plan_member member_of_role(enum avro_role role)
{
    return role == AVRO_ROLE_OP       ? PLAN_MEMBER_OP
           : role == AVRO_ROLE_BEFORE ? PLAN_MEMBER_BEFORE
           : role == AVRO_ROLE_AFTER  ? PLAN_MEMBER_AFTER
           : role == AVRO_ROLE_SOURCE ? PLAN_MEMBER_SOURCE
                                      : PLAN_MEMBER_NONE;
}

static uint32_t step_of_member(const struct avro_plan *plan, enum plan_member member)
{
    for (uint32_t i = 0; i < plan->step_count; i++) {
        if (member != PLAN_MEMBER_NONE && plan->steps[i].member == member) {
            return i;
        }
    }
    return PLAN_NO_SLOT;
}

/** The step that the field is, or PLAN_NO_SLOT. */
static uint32_t step_of_field(const struct target *t, const struct avro_field *field)
{
    if (t->is_envelope) {
        return step_of_member(t->plan, member_of_role(field->role));
    }
    struct slice name = avro_field_name(field);
    for (uint32_t i = 0; i < t->plan->step_count; i++) {
        const struct pattern_step *step = pattern_step(t->plan->pattern, i);
        if (step->parent == t->parent && slice_equal(step->name, name)) {
            return i;
        }
    }
    return PLAN_NO_SLOT;
}

static uint32_t slot_of(const struct target *t, const struct avro_field *field, uint32_t step)
{
    return t->is_envelope && field->role == AVRO_ROLE_OP ? t->plan->op_slot : step;
}

static bool has_steps_below(const struct avro_plan *plan, uint32_t parent)
{
    for (uint32_t i = 0; i < plan->step_count; i++) {
        if (pattern_step(plan->pattern, i)->parent == parent) {
            return true;
        }
    }
    return false;
}

static struct plan_record *make_record(const struct target *t, const struct avro_type *type);

/** Every step below the parent is found by the scan, or missing in the schema. */
static void settle_steps(struct avro_plan *plan, uint32_t parent, const struct plan_record *record)
{
    for (uint32_t i = 0; i < plan->step_count; i++) {
        if (pattern_step(plan->pattern, i)->parent != parent) {
            continue;
        }
        plan->steps[i].is_static = true;
        plan->steps[i].is_missing = true;
        for (size_t k = 0; k < record->count; k++) {
            plan->steps[i].is_missing = plan->steps[i].is_missing && record->fields[k].slot != i;
        }
        plan->missing_count += plan->steps[i].is_missing ? 1 : 0;
    }
}

/** What is wanted of a record, which is no union here; NULL: nothing of its fields. */
static struct plan_record *make_inner(struct avro_plan *plan, uint32_t step, const struct avro_type *type)
{
    if (step == PLAN_NO_SLOT || !is_record(type) || !has_steps_below(plan, step)) {
        return NULL;
    }
    const struct target inner = {plan, step, false};
    return make_record(&inner, type);
}

/** Cuts off the fields behind the last one that is wanted. */
static void cut(struct plan_record *r)
{
    while (r->count > 0 && r->fields[r->count - 1].slot == PLAN_NO_SLOT) {
        r->count--;
    }
    if (r->count > 0 && r->fields[r->count - 1].inner != NULL) {
        cut(r->fields[r->count - 1].inner);  // whatever follows its last field is not read
    }
}

static struct plan_record *make_record(const struct target *t, const struct avro_type *type)
{
    struct plan_record *r = memory_zeroed(1, sizeof *r);
    r->type = type;
    r->fields = memory_zeroed(type->count + 1, sizeof *r->fields);
    for (size_t i = 0; i < type->count; i++) {
        const struct avro_field *field = &type->fields[i];
        uint32_t step = step_of_field(t, field);
        struct plan_field *f = &r->fields[r->count++];
        *f = (struct plan_field){.pass = field->pass, .slot = slot_of(t, field, step)};
        f->inner = make_inner(t->plan, step, field->pass.type);
        f->is_whole = t->is_envelope && field->pass.type->kind == AVRO_KIND_RECORD;
    }
    if (!t->is_envelope) {
        settle_steps(t->plan, t->parent, r);
    }
    return r;
}

static void free_record(struct plan_record *r)
{
    if (r == NULL) {
        return;
    }
    for (size_t i = 0; r->fields != NULL && r->fields[i].pass.type != NULL; i++) {
        free_record(r->fields[i].inner);
    }
    free(r->fields);
    free(r);
}

static enum plan_member member_of_name(struct slice name)
{
    static const struct {
        const char *name;
        enum plan_member member;
    } members[] = {{"key", PLAN_MEMBER_KEY},     {"headers", PLAN_MEMBER_HEADERS},
                   {"op", PLAN_MEMBER_OP},       {"before", PLAN_MEMBER_BEFORE},
                   {"after", PLAN_MEMBER_AFTER}, {"source", PLAN_MEMBER_SOURCE}};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        if (slice_equal(name, slice_of(members[i].name))) {
            return members[i].member;
        }
    }
    return PLAN_MEMBER_NONE;
}

static void make_steps(struct avro_plan *plan)
{
    static const char prefix[] = "headers.";
    for (uint32_t i = 0; i < plan->step_count; i++) {
        const struct pattern_step *step = pattern_step(plan->pattern, i);
        if (step->parent == STEP_EVENT) {
            plan->steps[i].member = member_of_name(step->name);
        } else if (step->path.size >= sizeof prefix - 1 &&
                   memcmp(step->path.data, prefix, sizeof prefix - 1) == 0) {
            plan->steps[i].header = slice_to_string(
                slice_make(step->path.data + sizeof prefix - 1, step->path.size - sizeof prefix + 1));
            plan->steps[i].has_longer = has_steps_below(plan, i);
        }
    }
}

/** A record that is no envelope is the row after a create. */
static void make_value(struct avro_plan *plan)
{
    const struct avro_type *type = plan->value_type;
    if (type->is_envelope) {
        const struct target envelope = {plan, STEP_EVENT, true};
        plan->value = make_record(&envelope, type);
        for (size_t i = 0; i < type->count; i++) {
            plan->has_source = plan->has_source || type->fields[i].role == AVRO_ROLE_SOURCE;
        }
    } else {
        plan->value = make_inner(plan, step_of_member(plan, PLAN_MEMBER_AFTER), type);
    }
    if (plan->value != NULL) {
        cut(plan->value);
    }
}

struct avro_plan *avro_plan_new(const struct pattern *p, const struct avro_type *value_type,
                                const struct avro_type *key_type)
{
    struct avro_plan *plan = memory_zeroed(1, sizeof *plan);
    plan->pattern = p;
    plan->value_type = value_type;
    plan->key_type = key_type;
    plan->step_count = p == NULL ? 0 : (uint32_t)pattern_step_count(p);
    plan->steps = memory_zeroed(plan->step_count + 1, sizeof *plan->steps);
    plan->op_slot = plan->step_count;
    plan->asks_changes = p != NULL && pattern_asks_changes(p);
    make_steps(plan);
    plan->before_slot = step_of_member(plan, PLAN_MEMBER_BEFORE);
    make_value(plan);
    if (key_type != NULL) {
        plan->key = make_inner(plan, step_of_member(plan, PLAN_MEMBER_KEY), key_type);
    }
    if (plan->key != NULL) {
        cut(plan->key);
    }
    return plan;
}

void avro_plan_free(struct avro_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    for (uint32_t i = 0; i < plan->step_count; i++) {
        free(plan->steps[i].header);
    }
    free(plan->steps);
    free_record(plan->value);
    free_record(plan->key);
    free(plan);
}
