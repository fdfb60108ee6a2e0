#include "connectors/postgres/pg_toast.h"

#include <stdlib.h>

#include "connectors/postgres/pg_toast_definition.h"
#include "connectors/postgres/pg_toast_identity.h"
#include "connectors/postgres/values/pg_mask.h"
#include "core/base/log.h"

enum {
    ROUND_SIZE = 16 << 20,  // kept in memory before it is committed
    POINTER_SIZE = 24,      // a value up to this size in its row is never stored out of line
};

struct pg_toast {
    char *directory;
    const char *component;
    struct toast_store *store;  // NULL: no session
    uint64_t oldest;            // of the last commit
    struct pg_toast_identity identity;
    struct bytes filled;  // the values of the last fill
    size_t offsets[PGOUTPUT_COLUMNS_MAX];
    uint16_t columns[PGOUTPUT_COLUMNS_MAX];  // that the last fill has filled in
    uint16_t column_count;
    uint64_t unknown;
};

struct pg_toast *pg_toast_new(const struct connector_config *config, const char *state_directory,
                              const char *component)
{
    struct pg_toast *t = memory_zeroed(1, sizeof(*t));
    t->directory = memory_format("%s/%s/toast", state_directory, config->name);
    t->component = component;
    pg_toast_identity_init(&t->identity);
    return t;
}

void pg_toast_free(struct pg_toast *t)
{
    if (t == NULL) {
        return;
    }
    pg_toast_end(t);
    pg_toast_identity_clear(&t->identity);
    bytes_clear(&t->filled);
    free(t->directory);
    free(t);
}

bool pg_toast_begin(struct pg_toast *t, const struct toast_session *session, bool *ret_lacks_rows,
                    struct fault *f)
{
    struct toast_store_params params = {.directory = t->directory};
    pg_toast_end(t);
    if (!toast_store_open(&params, &t->store, f) ||
        !toast_store_begin(t->store, session, ret_lacks_rows, f)) {
        return false;
    }
    if (*ret_lacks_rows) {
        log_warn(
            t->component, "toast_store_empty", LOG_WITH(LOG_TEXT("directory", t->directory)),
            "toast: complete begins without the values of existing rows in %s: until they are read, those "
            "that an update leaves out are published as Debezium's placeholder",
            t->directory);
    }
    return true;
}

bool pg_toast_forget(struct pg_toast *t, const uint32_t *tables, size_t count, struct fault *f)
{
    static const struct toast_definition NONE = {0};
    for (size_t i = 0; t != NULL && t->store != NULL && i < count; i++) {
        if (!toast_store_put_definition(t->store, tables[i], 0, &NONE, f)) {
            return false;
        }
    }
    return true;
}

bool pg_toast_filled(struct pg_toast *t, struct fault *f)
{
    if (!toast_store_filled(t->store, f)) {
        return false;
    }
    log_info(t->component, "toast_store_filled", NULL, "the values of existing rows are read");
    return true;
}

void pg_toast_end(struct pg_toast *t)
{
    toast_store_close(TAKE(t->store));
    t->oldest = 0;
}

// --- rows ---

bool pg_toast_describe(struct pg_toast *t, struct pg_relation *relation, struct toast_position place,
                       struct fault *f)
{
    return t == NULL || t->store == NULL || relation->toast == NULL ||
           pg_toast_definition_check(t->store, relation, place, f);
}

// Whether the relation has values to keep. False: not, or *ret_is_good is false and *f set.
static bool is_concerned(const struct pg_toast *t, struct pg_relation *relation, struct toast_position place,
                         bool *ret_is_good, struct fault *f)
{
    const struct pg_toast_plan *plan = relation->toast;
    *ret_is_good = true;
    if (t->store == NULL || plan == NULL) {
        return false;
    }
    *ret_is_good = pg_toast_definition_check(t->store, relation, place, f);
    return *ret_is_good && plan->is_needed;
}

static void note_unknown(struct pg_toast *t, const struct pg_relation *relation, size_t column)
{
    t->unknown++;
    if (relation->toast->has_logged_unknown) {
        return;
    }
    relation->toast->has_logged_unknown = true;
    log_warn(t->component, "toast_unknown",
             LOG_WITH(LOG_TEXT("topic", relation->table->topic),
                      LOG_TEXT("column", relation->table->columns[column].name)),
             "an update of %s.%s left out an unchanged value of column %s that is not known: Debezium's "
             "placeholder is published; it is known again once an update sets the column itself",
             relation->table->schema, relation->table->name, relation->table->columns[column].name);
}

// --- fill ---

// Whether the column's mask is a text that hides the value: then the value is neither needed nor kept.
static bool is_hidden(const struct pg_relation *relation, size_t column)
{
    const struct value_type *type = &relation->table->columns[column].type;
    return pg_mask_is_on(type) && ((const struct pg_mask *)type->lent)->kind == PG_MASK_TEXT;
}

static bool fill_column(struct pg_toast *t, const struct pg_relation *relation, size_t column,
                        struct toast_key *key, struct toast_position place, struct pgoutput_value *io,
                        struct fault *f)
{
    const struct pg_toast_column *c = &relation->toast->columns[column];
    struct toast_position since = {c->since_lsn, c->since_index};
    struct toast_value value = {0};
    key->column = c->number;
    if (c->may_be_out && !toast_store_get(t->store, key, place, since, &value, f)) {
        return false;
    }
    bool is_readable =
        value.form == TOAST_TEXT ||
        (value.form == TOAST_BINARY && relation->table->columns[column].type.ops->append_binary != NULL);
    if (!is_readable) {
        note_unknown(t, relation, column);
        return true;
    }
    io->kind = (uint8_t)value.form;
    io->size = (uint32_t)value.data.size;
    t->offsets[t->column_count] = t->filled.size;
    t->columns[t->column_count++] = (uint16_t)column;
    bytes_append_slice(&t->filled, value.data);
    return true;
}

static bool is_left_out(const struct pgoutput_row *row, size_t column)
{
    return row->new_tuple.values[column].kind == PGOUTPUT_VALUE_UNCHANGED &&
           (row->old_kind == 0 || column >= row->old_tuple.count ||
            !pgoutput_has_value(&row->old_tuple.values[column]));
}

bool pg_toast_fill(struct pg_toast *t, struct pg_relation *relation, struct pgoutput_row *io_row,
                   struct toast_position place, struct fault *f)
{
    bool is_good;
    struct toast_key key = {.table = relation->oid};
    bool has_key = false;
    t->column_count = 0;
    if (!io_row->has_new || !is_concerned(t, relation, place, &is_good, f)) {
        return io_row->has_new ? is_good : true;
    }
    for (size_t i = 0; i < relation->toast->column_count && i < io_row->new_tuple.count; i++) {
        if (!is_left_out(io_row, i)) {
            continue;
        }
        if (is_hidden(relation, i)) {
            io_row->new_tuple.values[i] =
                (struct pgoutput_value){(const uint8_t *)"", 0, PGOUTPUT_VALUE_TEXT};
            continue;
        }
        if (!has_key) {
            bytes_reset(&t->filled);
            has_key = true;
            const struct pgoutput_tuple *identity =
                io_row->old_kind == 0 ? &io_row->new_tuple : &io_row->old_tuple;
            if (!pg_toast_identity_hash(&t->identity, relation, identity, NULL, key.row, f)) {
                return false;
            }
        }
        if (!fill_column(t, relation, i, &key, place, &io_row->new_tuple.values[i], f)) {
            return false;
        }
    }
    for (uint16_t i = 0; i < t->column_count; i++) {
        io_row->new_tuple.values[t->columns[i]].data =
            bytes_reserve(&t->filled, 1) - t->filled.size + t->offsets[i];
    }
    return true;
}

// --- keep ---

static bool was_filled(const struct pg_toast *t, size_t column)
{
    for (uint16_t i = 0; i < t->column_count; i++) {
        if (t->columns[i] == column) {
            return true;
        }
    }
    return false;
}

// Whether the row may have values out of line: it is large enough, or has one already.
static bool is_row_large(const struct pg_toast *t, const struct pg_toast_plan *plan,
                         const struct pgoutput_tuple *tuple)
{
    size_t size = 32 + plan->column_count / 8;
    if (t->column_count > 0 || !plan->is_whole) {
        return true;
    }
    for (size_t i = 0; i < plan->column_count && i < tuple->count; i++) {
        const struct pgoutput_value *value = &tuple->values[i];
        if (value->kind == PGOUTPUT_VALUE_UNCHANGED) {
            return true;
        }
        size += pgoutput_has_value(value) ? pg_toast_column_size(&plan->columns[i], value->size) : 0;
    }
    return size > plan->out_of_line;
}

static bool remove_column(const struct pg_toast *t, const struct pg_toast_column *c,
                          const struct toast_key *key, struct toast_position place, struct fault *f)
{
    struct toast_value value;
    struct toast_position since = {c->since_lsn, c->since_index};
    if (!toast_store_get(t->store, key, place, since, &value, f)) {
        return false;
    }
    return value.form == TOAST_ABSENT || toast_store_put(t->store, key, place, (struct toast_value){0}, f);
}

static bool keep_column(const struct pg_toast *t, struct pg_toast_plan *plan, const struct toast_key *key,
                        const struct pgoutput_value *value, struct toast_position place, struct fault *f)
{
    plan->has_values = true;
    struct toast_value kept = {(enum toast_form)value->kind, slice_make(value->data, value->size)};
    return toast_store_put(t->store, key, place, kept, f);
}

// The row's values, if it may have some out of line. What it does not have any more is removed: so a value is
// at worst not known.
static bool keep_row(const struct pg_toast *t, const struct pg_relation *relation, struct toast_key *key,
                     const struct pgoutput_tuple *tuple, bool has_moved, struct toast_position place,
                     struct fault *f)
{
    struct pg_toast_plan *plan = relation->toast;
    bool is_large = is_row_large(t, plan, tuple);
    for (size_t i = 0; i < plan->column_count && i < tuple->count; i++) {
        const struct pg_toast_column *c = &plan->columns[i];
        const struct pgoutput_value *value = &tuple->values[i];
        bool is_same = value->kind == PGOUTPUT_VALUE_UNCHANGED || was_filled(t, i);
        if (!c->may_be_out || (is_same && !has_moved) || is_hidden(relation, i)) {
            continue;
        }
        key->column = c->number;
        bool is_kept =
            is_large && pgoutput_has_value(value) && pg_toast_column_size(c, value->size) > POINTER_SIZE;
        if ((is_kept && !keep_column(t, plan, key, value, place, f)) ||
            (!is_kept && plan->has_values && !remove_column(t, c, key, place, f))) {
            return false;
        }
    }
    return true;
}

static bool remove_row(const struct pg_toast *t, const struct pg_toast_plan *plan, struct toast_key *key,
                       struct toast_position place, struct fault *f)
{
    for (size_t i = 0; i < plan->column_count; i++) {
        const struct pg_toast_column *c = &plan->columns[i];
        key->column = c->number;
        if (c->may_be_out && !remove_column(t, c, key, place, f)) {
            return false;
        }
    }
    return true;
}

// The keys of the row before and after. *ret_has_old: it was there under another identity, or is gone.
static bool find_keys(struct pg_toast *t, const struct pg_relation *relation, const struct pgoutput_row *row,
                      struct toast_key *ret_old, struct toast_key *ret_new, bool *ret_has_old,
                      struct fault *f)
{
    *ret_old = *ret_new = (struct toast_key){.table = relation->oid};
    const struct pgoutput_tuple *old_tuple = row->old_kind == 0 ? NULL : &row->old_tuple;
    if ((old_tuple != NULL &&
         !pg_toast_identity_hash(&t->identity, relation, old_tuple, NULL, ret_old->row, f)) ||
        (row->has_new &&
         !pg_toast_identity_hash(&t->identity, relation, &row->new_tuple, old_tuple, ret_new->row, f))) {
        return false;
    }
    *ret_has_old =
        row->old_kind != 0 && (!row->has_new || memcmp(ret_old->row, ret_new->row, TOAST_ROW_SIZE) != 0);
    return true;
}

static bool is_idle(const struct pg_toast *t, const struct pg_toast_plan *plan,
                    const struct pgoutput_row *row)
{
    return !plan->has_values && (!row->has_new || !is_row_large(t, plan, &row->new_tuple));
}

bool pg_toast_keep(struct pg_toast *t, struct pg_relation *relation, const struct pgoutput_row *row,
                   struct toast_position place, struct fault *f)
{
    bool is_good;
    bool has_old;
    struct toast_key before;
    struct toast_key after;
    struct pg_toast_plan *plan = relation->toast;
    if (!is_concerned(t, relation, place, &is_good, f)) {
        return is_good;
    }
    if (is_idle(t, plan, row)) {
        return true;
    }
    if (!find_keys(t, relation, row, &before, &after, &has_old, f) ||
        (has_old && !remove_row(t, plan, &before, place, f)) ||
        (row->has_new && !keep_row(t, relation, &after, &row->new_tuple, has_old, place, f))) {
        return false;
    }
    return toast_store_pending(t->store) < ROUND_SIZE || toast_store_commit(t->store, 0, t->oldest, f);
}

bool pg_toast_commit(struct pg_toast *t, uint64_t position, uint64_t oldest, struct fault *f)
{
    t->oldest = oldest;
    return t->store == NULL || toast_store_commit(t->store, position, oldest, f);
}

uint64_t pg_toast_unknown(const struct pg_toast *t)
{
    return t->unknown;
}
