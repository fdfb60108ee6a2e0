#include "connectors/postgres/catalogue/pg_retype.h"

#include "connectors/postgres/catalogue/pg_type_modes.h"
#include "connectors/postgres/values/pg_mask.h"

static bool has_same_fields(const struct value_type *a, const struct value_type *b)
{
    bool is_same = a->field_count == b->field_count;
    for (size_t i = 0; is_same && i < a->field_count; i++) {
        is_same = a->fields[i].oid == b->fields[i].oid && a->fields[i].modifier == b->fields[i].modifier;
    }
    return is_same;
}

// Takes over what can change without a Relation message: an enum's labels, a composite type's columns. The
// functions stay: they are those that the modes choose for `from`, too.
static void take_changes(struct value_type *to, struct value_type *from)
{
    if (from->labels.count > 0) {
        struct text_list labels = to->labels;
        to->labels = from->labels;
        from->labels = labels;
    }
    if (to->element != NULL && from->element != NULL) {
        take_changes(to->element, from->element);
    }
    if (!has_same_fields(to, from)) {
        const struct type_ops *ops = to->ops;
        struct value_type kept = *to;
        *to = *from;
        *from = kept;
        to->ops = ops;
        return;
    }
    for (size_t i = 0; i < to->field_count; i++) {
        take_changes(&to->fields[i], &from->fields[i]);
    }
}

void pg_retype_columns(struct table *t, const struct type_modes *modes, const struct pg_type *types,
                       size_t type_count)
{
    for (size_t i = 0; i < t->column_count; i++) {
        struct column *c = &t->columns[i];
        CLEANUP(value_type_clear) struct value_type type;
        const char *plain;
        pg_types_resolve(c->type_oid, c->type_modifier, types, type_count, &type, &plain);
        pg_type_modes_apply(&type, modes);
        if (plain == NULL && !pg_mask_is_on(&c->type)) {
            take_changes(&c->type, &type);
        }
    }
}
