#include "connectors/postgres/pg_toast_definition.h"

// Takes over a definition of the table (column 0) or of a column; `io_since` rises to the change from which
// on values of it can be used. Those of another definition can't: a rewrite may have changed them, and sends
// no changes. A definition that may be newer than the rows of the stream ends them again at the next
// description.
static bool check_definition(struct toast_store *store, const struct pg_relation *relation, uint16_t column,
                             uint64_t fingerprint, struct toast_position place,
                             struct toast_position *io_since, struct fault *f)
{
    const struct pg_toast_plan *plan = relation->toast;
    struct toast_definition known;
    if (!toast_store_get_definition(store, relation->oid, column, &known, f)) {
        return false;
    }
    if (known.fingerprint != fingerprint || (fingerprint != 0 && known.is_settled == 0)) {
        known = (struct toast_definition){place, fingerprint, plan->is_settled ? 1 : 0, 0};
        if (!toast_store_put_definition(store, relation->oid, column, &known, f)) {
            return false;
        }
    }
    if (toast_position_is_before(*io_since, known.since)) {
        *io_since = known.since;
    }
    return true;
}

bool pg_toast_definition_check(struct toast_store *store, struct pg_relation *relation,
                               struct toast_position place, struct fault *f)
{
    struct pg_toast_plan *plan = relation->toast;
    if (plan->is_checked) {
        return true;
    }
    struct toast_position since = {0, 0};
    // Of a table whose changes are not kept the definition is none, so that it is another one afterwards.
    uint64_t fingerprint = plan->is_needed ? plan->fingerprint : 0;
    if (!check_definition(store, relation, 0, fingerprint, place, &since, f)) {
        return false;
    }
    for (size_t i = 0; plan->is_needed && i < plan->column_count; i++) {
        struct pg_toast_column *c = &plan->columns[i];
        struct toast_position of_column = since;
        if (!c->may_be_out) {
            continue;
        }
        if (!check_definition(store, relation, c->number, c->fingerprint, place, &of_column, f)) {
            return false;
        }
        c->since_lsn = of_column.lsn;
        c->since_index = of_column.index;
    }
    plan->is_checked = true;
    return toast_store_has_table(store, relation->oid, &plan->has_values, f);
}
