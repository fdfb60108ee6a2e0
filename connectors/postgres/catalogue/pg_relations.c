#include "connectors/postgres/catalogue/pg_relations.h"

#include <openssl/sha.h>
#include <stdlib.h>

#include "connectors/postgres/catalogue/pg_column_masks.h"
#include "connectors/postgres/catalogue/pg_default.h"
#include "connectors/postgres/catalogue/pg_partition.h"
#include "connectors/postgres/catalogue/pg_retype.h"
#include "connectors/postgres/catalogue/pg_shape.h"
#include "connectors/postgres/catalogue/pg_type_modes.h"
#include "connectors/postgres/catalogue/table_filter.h"
#include "connectors/postgres/values/pg_mask.h"
#include "connectors/table_topic.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "schemas/avro/avro_schema.h"
#include "schemas/avro/type_schema.h"

struct pg_relations {
    const struct connector_config *config;
    const char *component;
    struct pg_column_masks *masks;
    struct pg_unmatched *unmatched;
    struct pg_relation **slots;  // by oid, open addressing, at most half full
    size_t capacity;
    size_t count;
    struct pg_relation *last;  // found last: successive changes are mostly of one table
    struct table **retired;    // old versions, which the change that was given last may still use
    size_t retired_count;
    uint32_t *plain_types;  // types without a rule that were logged
    size_t plain_count;
};

enum { PG_RELATIONS_CAPACITY_MIN = 64 };

struct pg_relations *pg_relations_new(const struct connector_config *config, const char *component)
{
    struct pg_relations *r = memory_zeroed(1, sizeof(*r));
    r->config = config;
    r->component = component;
    r->masks = pg_column_masks_new(config);
    r->unmatched = pg_unmatched_new(config, component);
    r->capacity = PG_RELATIONS_CAPACITY_MIN;
    r->slots = memory_zeroed(r->capacity, sizeof(struct pg_relation *));
    return r;
}

void pg_relations_free(struct pg_relations *r)
{
    if (r == NULL) {
        return;
    }
    for (size_t i = 0; i < r->capacity; i++) {
        if (r->slots[i] != NULL) {
            table_free(r->slots[i]->table);
            text_list_clear(&r->slots[i]->nulled);
            text_list_clear(&r->slots[i]->ancestors);
            pg_column_rules_clear(&r->slots[i]->rules);
            free(r->slots[i]->kept);
            pg_toast_plan_free(r->slots[i]->toast);
            free(r->slots[i]);
        }
    }
    pg_relations_release_retired(r);
    pg_column_masks_free(r->masks);
    pg_unmatched_free(r->unmatched);
    free(r->slots);
    free(r->retired);
    free(r->plain_types);
    free(r);
}

// The slot that has this oid, else the free slot for it.
static struct pg_relation **find_slot(struct pg_relation **slots, size_t capacity, uint32_t oid)
{
    size_t at = (size_t)(oid * UINT32_C(2654435761)) & (capacity - 1);
    while (slots[at] != NULL && slots[at]->oid != oid) {
        at = (at + 1) & (capacity - 1);
    }
    return &slots[at];
}

struct pg_relation *pg_relations_find(struct pg_relations *r, uint32_t oid)
{
    if (r->last == NULL || r->last->oid != oid) {
        struct pg_relation *found = *find_slot(r->slots, r->capacity, oid);
        if (found == NULL) {
            return NULL;
        }
        r->last = found;
    }
    return r->last;
}

static void grow_slots(struct pg_relations *r)
{
    size_t capacity = r->capacity * 2;
    struct pg_relation **slots = memory_zeroed(capacity, sizeof(struct pg_relation *));
    for (size_t i = 0; i < r->capacity; i++) {
        if (r->slots[i] != NULL) {
            *find_slot(slots, capacity, r->slots[i]->oid) = r->slots[i];
        }
    }
    free(r->slots);
    r->slots = slots;
    r->capacity = capacity;
}

static const char *schema_of(const struct pgoutput_relation *message)
{
    return message->schema.size == 0 ? "pg_catalog" : (const char *)message->schema.data;
}

struct pg_relation *pg_relations_see(struct pg_relations *r, const struct pgoutput_relation *message)
{
    struct pg_relation *relation = pg_relations_find(r, message->oid);
    if (relation == NULL) {
        if (2 * (r->count + 1) > r->capacity) {
            grow_slots(r);
        }
        relation = memory_zeroed(1, sizeof(*relation));
        relation->oid = message->oid;
        *find_slot(r->slots, r->capacity, message->oid) = relation;
        r->count++;
        r->last = relation;
    }
    // Decided for each message, because a table can be renamed.
    CLEANUP(memory_free_pointer)
    char *full = memory_format("%s.%s", schema_of(message), (const char *)message->name.data);
    relation->is_wanted = !text_list_name_match(&r->config->tables.exclude, full);
    return relation;
}

static bool would_want(const struct pg_relations *r, const struct pgoutput_relation *message,
                       const struct pg_catalogue *catalogue)
{
    return table_filter_wants(r->config, schema_of(message), (const char *)message->name.data,
                              &catalogue->ancestors);
}

// A partition that was captured and has been detached or dropped since: the stream may still have rows of it.
static bool is_former_partition(const struct pg_relation *relation, const struct pg_catalogue *catalogue)
{
    return relation->ancestors.count > 0 && relation->is_wanted && catalogue->ancestors.count == 0;
}

static void ignore_relation(const struct pg_relations *r, struct pg_relation *relation,
                            const struct pgoutput_relation *message, const struct pg_catalogue *catalogue)
{
    relation->is_wanted = false;
    if (relation->is_passed_over) {
        return;
    }
    relation->is_passed_over = true;
    bool is_gone = catalogue->column_count == 0;
    CLEANUP(memory_free_pointer)
    char *full = memory_format("%s.%s", schema_of(message), (const char *)message->name.data);
    const struct log_value *values = LOG_WITH(LOG_TEXT("table", full));
    if (is_gone) {
        log_warn(
            r->component, "table_passed_over", values,
            "rows of %s are ignored: it does not exist any more and tables.include does not match it, so "
            "whether it was a partition of an included table is not known; include a glob that matches the "
            "partitions' names",
            full);
    } else {
        log_info(r->component, "table_passed_over", values,
                 "rows of %s are in the publication and are ignored, because of tables.include and "
                 "tables.exclude",
                 full);
    }
}

static void log_plain_type(struct pg_relations *r, const struct column *c, const char *type,
                           const struct pg_catalogue *catalogue)
{
    for (size_t i = 0; i < r->plain_count; i++) {
        if (r->plain_types[i] == c->type_oid) {
            return;
        }
    }
    r->plain_types = memory_resize(r->plain_types, (r->plain_count + 1) * sizeof(*r->plain_types));
    r->plain_types[r->plain_count++] = c->type_oid;
    const struct log_value *values = LOG_WITH(LOG_TEXT("type", type), LOG_TEXT("column", c->name));
    if (pg_types_is_too_large(c->type_oid, c->type_modifier, catalogue->types, catalogue->type_count)) {
        log_warn(r->component, "type_as_text", values,
                 "type %s has more than %d types in it, or types more than %d deep: its values are published "
                 "as text",
                 type, PG_TYPES_MAX, PG_TYPES_DEPTH_MAX);
        return;
    }
    log_info(r->component, "type_as_text", values,
             "type %s has no Avro type of its own: its values are published as text", type);
}

static void fill_column(struct pg_relations *r, const struct pgoutput_column *message,
                        const struct pg_catalogue *catalogue, const struct pg_mask *mask,
                        const struct table *previous, struct column *ret)
{
    const char *plain = NULL;
    ret->name = slice_to_string(message->name);
    ret->type_oid = message->type_oid;
    ret->type_modifier = message->type_modifier;
    pg_types_resolve(message->type_oid, message->type_modifier, catalogue->types, catalogue->type_count,
                     &ret->type, &plain);
    pg_type_modes_apply(&ret->type, &r->config->modes);
    if (plain != NULL) {
        log_plain_type(r, ret, plain, catalogue);
    }
    const struct pg_catalogue_column *fact = pg_catalogue_find(catalogue, message->name);
    // A column that was dropped or has another type now is treated as nullable and without default.
    bool is_known = fact != NULL && fact->type_oid == message->type_oid;
    ret->number = is_known ? fact->number : 0;
    ret->is_nullable = !is_known || !fact->is_not_null || ret->type.ops->is_optional;
    if (mask != NULL) {
        pg_mask_apply(&ret->type, mask);
    } else if (is_known && !fact->is_generated) {
        pg_default_set(ret, fact->default_text);
        ret->is_null_default = r->config->null_as_default && ret->default_avro.size > 0;
    }
    ret->takes_text =
        r->config->modes.types == TYPE_MODE_NATIVE && mask == NULL && !type_schema_is_string(&ret->type);
    ret->has_text = ret->takes_text && table_has_text(previous, ret);
}

// The primary key's columns in its order, if the message has all of them.
static size_t list_primary_key(const struct pgoutput_relation *message, const struct pg_catalogue *catalogue,
                               size_t *ret_columns)
{
    size_t count = 0;
    for (size_t i = 0; i < catalogue->column_count; i++) {
        count += catalogue->columns[i].primary_position >= 0 ? 1 : 0;
    }
    size_t found = 0;
    for (size_t i = 0; i < message->column_count; i++) {
        const struct pg_catalogue_column *fact = pg_catalogue_find(catalogue, message->columns[i].name);
        if (fact != NULL && fact->primary_position >= 0 && (size_t)fact->primary_position < count) {
            ret_columns[fact->primary_position] = i;
            found++;
        }
    }
    return found == count ? count : 0;
}

static int identity_position_of(const struct pgoutput_relation *message, const struct pg_catalogue *catalogue,
                                size_t column)
{
    const struct pg_catalogue_column *fact = pg_catalogue_find(catalogue, message->columns[column].name);
    return fact == NULL ? 0 : fact->identity_position;
}

// The replica identity's columns, in the order of its index if the catalogue has it.
static size_t list_identity(const struct pgoutput_relation *message, const struct pg_catalogue *catalogue,
                            size_t *ret_columns)
{
    size_t count = 0;
    for (size_t i = 0; i < message->column_count; i++) {
        if (!message->columns[i].is_identity) {
            continue;
        }
        size_t at = count++;
        int position = identity_position_of(message, catalogue, i);
        for (; at > 0 && identity_position_of(message, catalogue, ret_columns[at - 1]) > position; at--) {
            ret_columns[at] = ret_columns[at - 1];
        }
        ret_columns[at] = i;
    }
    return count;
}

static bool is_in_identity(const struct pgoutput_relation *message, const size_t *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!message->columns[columns[i]].is_identity) {
            return false;
        }
    }
    return true;
}

static const struct text_list *chosen_key(const struct pg_relations *r,
                                          const struct pgoutput_relation *message,
                                          const struct pg_catalogue *catalogue)
{
    if (r->config->keys.count == 0) {
        return NULL;
    }
    CLEANUP(memory_free_pointer)
    char *full = memory_format("%s.%s", schema_of(message), (const char *)message->name.data);
    return connector_config_key(r->config, full, &catalogue->ancestors);
}

static bool find_column(const struct pgoutput_relation *message, const char *name, size_t *ret)
{
    for (size_t i = 0; i < message->column_count; i++) {
        if (slice_equal(message->columns[i].name, slice_of(name))) {
            *ret = i;
            return true;
        }
    }
    return false;
}

// The columns of `keys`, unless old tuples would not have all of them: then the table keeps its key.
static void use_chosen_key(const struct pg_relations *r, const struct pgoutput_relation *message,
                           const struct text_list *chosen, struct table *t)
{
    CLEANUP(memory_free_pointer) size_t *columns = memory_zeroed(chosen->count + 1, sizeof(*columns));
    bool has_index = message->replica_identity == 'd' || message->replica_identity == 'i';
    for (size_t i = 0; i < chosen->count; i++) {
        bool is_found = find_column(message, chosen->items[i], &columns[i]);
        if (is_found && (!has_index || message->columns[columns[i]].is_identity)) {
            continue;
        }
        log_error(r->component, "key_not_used",
                  LOG_WITH(LOG_TEXT("table", t->name), LOG_TEXT("column", chosen->items[i])),
                  is_found ? "keys: column %s of %s.%s is not in the replica identity, so deletes don't have "
                             "it: the table keeps its key; run: ALTER TABLE \"%s\".\"%s\" REPLICA IDENTITY "
                             "FULL;"
                           : "keys: there is no column %s in %s.%s: the table keeps its key; correct keys in "
                             "the connector's file",
                  chosen->items[i], t->schema, t->name, t->schema, t->name);
        return;
    }
    memcpy(t->key_columns, columns, chosen->count * sizeof(*columns));
    t->key_count = chosen->count;
}

// Every old tuple must contain the key, so it must be part of the replica identity: the primary key if it is,
// else the identity's columns. A table without an identity has its primary key as the key, or none.
static void set_key(const struct pg_relations *r, const struct pgoutput_relation *message,
                    const struct pg_catalogue *catalogue, struct table *t)
{
    t->key_columns = memory_zeroed(message->column_count, sizeof(*t->key_columns));
    t->key_count = list_primary_key(message, catalogue, t->key_columns);
    bool has_index = message->replica_identity == 'd' || message->replica_identity == 'i';
    if (has_index) {
        bool is_inside = is_in_identity(message, t->key_columns, t->key_count);
        CLEANUP(memory_free_pointer)
        size_t *identity = memory_zeroed(message->column_count, sizeof(*identity));
        size_t count = list_identity(message, catalogue, identity);
        bool is_same = message->replica_identity == 'i' || count == t->key_count;
        if (t->key_count == 0 || !is_inside || !is_same) {
            memcpy(t->key_columns, identity, count * sizeof(*identity));
            t->key_count = count;
        }
    }
    const struct text_list *chosen = chosen_key(r, message, catalogue);
    if (chosen != NULL) {
        use_chosen_key(r, message, chosen, t);
    }
    for (size_t i = 0; i < t->key_count; i++) {
        t->columns[t->key_columns[i]].is_key = true;
        t->columns[t->key_columns[i]].is_nullable = false;
        t->columns[t->key_columns[i]].takes_text = false;
        t->columns[t->key_columns[i]].has_text = false;
    }
}

static void write_schemas(struct table *t)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    free(TAKE(t->key_schema));
    if (t->key_count > 0) {
        avro_schema_key(&text, t);
        t->key_schema = slice_to_string(bytes_slice(&text));
        bytes_reset(&text);
    }
    avro_schema_envelope(&text, t);
    bytes_append_byte(&text, 0);
    bytes_append_string(&text, t->key_schema == NULL ? "" : t->key_schema);
    (void)SHA256(text.data, text.size, t->schemas_hash);
}

static void note_text_column(struct table *t)
{
    for (size_t i = 0; i < t->column_count && t->text_column == NULL; i++) {
        if (!value_type_is_readable(&t->columns[i].type)) {
            t->text_column = &t->columns[i];
        }
    }
}

static struct table *build_table(struct pg_relations *r, const struct pg_relation *relation,
                                 const struct pgoutput_relation *message,
                                 const struct pg_catalogue *catalogue)
{
    struct table *t = memory_zeroed(1, sizeof(*t));
    t->prefix = memory_string(r->config->topic_prefix);
    t->schema = memory_string(schema_of(message));
    t->name = slice_to_string(message->name);
    t->topic = table_topic_of(r->config, t->schema, t->name);
    t->column_count = message->column_count;
    t->columns = memory_zeroed(t->column_count, sizeof(*t->columns));
    for (size_t i = 0; i < t->column_count; i++) {
        const struct pg_mask *mask =
            pg_column_rules_mask(&relation->rules, relation->kept == NULL ? i : relation->kept[i]);
        fill_column(r, &message->columns[i], catalogue, mask, relation->table, &t->columns[i]);
    }
    set_key(r, message, catalogue, t);
    if (r->config->toast == TOAST_MODE_TYPED) {
        pg_toast_plan_mark(message, catalogue, t);
    }
    pg_partition_set(r->config, message, catalogue, t);
    t->shape = r->config->schema_changes.topic ? pg_shape_make(message, catalogue, t->columns) : NULL;
    note_text_column(t);
    write_schemas(t);
    return t;
}

// Compares two versions. The schema texts contain names, types, nullability, defaults and keys; other members
// are compared one by one.
static bool is_same_version(const struct table *a, const struct table *b)
{
    if (a->column_count != b->column_count || !text_is_same(a->topic, b->topic) ||
        !table_shape_is_same(a->shape, b->shape) || !pg_partition_is_same(a, b) ||
        memcmp(a->schemas_hash, b->schemas_hash, sizeof(a->schemas_hash)) != 0) {
        return false;
    }
    for (size_t i = 0; i < a->column_count; i++) {
        const struct column *x = &a->columns[i];
        const struct column *y = &b->columns[i];
        if (x->type_oid != y->type_oid || x->type_modifier != y->type_modifier ||
            strcmp(x->name, y->name) != 0) {
            return false;
        }
    }
    return a->key_count == b->key_count &&
           (a->key_count == 0 || memcmp(a->key_columns, b->key_columns, a->key_count * sizeof(size_t)) == 0);
}

static void replace_version(struct pg_relations *r, struct pg_relation *relation, struct table *t)
{
    if (relation->table != NULL) {
        r->retired = memory_resize(r->retired, (r->retired_count + 1) * sizeof(struct table *));
        r->retired[r->retired_count++] = relation->table;
        log_info(r->component, "table_changed", LOG_WITH(LOG_TEXT("topic", t->topic)),
                 "the definition of %s.%s has changed: its records get a new schema", t->schema, t->name);
    }
    relation->table = t;
}

void pg_relations_release_retired(struct pg_relations *r)
{
    while (r->retired_count > 0) {
        table_free(r->retired[--r->retired_count]);
    }
}

static void update_rules(const struct pg_relations *r, struct pg_relation *relation,
                         const struct pgoutput_relation *message)
{
    CLEANUP(memory_free_pointer)
    char *full = memory_format("%s.%s", schema_of(message), (const char *)message->name.data);
    pg_unmatched_see(r->unmatched, full, &relation->ancestors, message);
    const struct pg_column_rules_params p = {r->config, r->masks, r->component, full, &relation->ancestors};
    pg_column_rules_update(&relation->rules, &p, message);
}

// The message without the columns that are left out; sets which they are. NULL: there are none. The caller
// frees it.
static struct pgoutput_relation *select_columns(const struct pg_relations *r, struct pg_relation *relation,
                                                const struct pgoutput_relation *message,
                                                const struct pg_catalogue *catalogue)
{
    free(TAKE(relation->kept));
    bool skips_types = r->config->modes.unknown == TYPE_MODE_UNKNOWN_SKIP;
    if (r->config->columns.include.count + r->config->columns.exclude.count == 0 && !skips_types) {
        return NULL;
    }
    struct pgoutput_relation *selected = memory_new(sizeof(*selected));
    *selected = *message;
    uint16_t *kept = memory_zeroed(message->column_count + 1U, sizeof(*kept));
    uint16_t count = 0;
    for (uint16_t i = 0; i < message->column_count; i++) {
        const struct pgoutput_column *column = &message->columns[i];
        const struct pg_catalogue_column *fact = pg_catalogue_find(catalogue, column->name);
        bool is_key = (column->is_identity && message->replica_identity != 'f') ||
                      (fact != NULL && fact->primary_position >= 0);
        bool is_skipped =
            skips_types && pg_types_is_left_out(column->type_oid, catalogue->types, catalogue->type_count);
        if (is_key || (!is_skipped && !pg_column_rules_leave_out(&relation->rules, i))) {
            kept[count] = i;
            selected->columns[count++] = *column;
        }
    }
    selected->column_count = count;
    relation->kept_count = count;
    if (count == message->column_count) {
        free(kept);
        free(selected);
        return NULL;
    }
    relation->kept = kept;
    return selected;
}

void pg_relations_update(struct pg_relations *r, struct pg_relation *relation,
                         const struct pgoutput_relation *message, const struct pg_catalogue *catalogue)
{
    bool is_former = is_former_partition(relation, catalogue);
    if (!is_former && !would_want(r, message, catalogue)) {
        ignore_relation(r, relation, message, catalogue);
        return;
    }
    relation->is_wanted = true;
    if (!is_former) {
        text_list_copy(&relation->ancestors, &catalogue->ancestors);
    }
    update_rules(r, relation, message);
    struct pg_catalogue then = *catalogue;
    then.ancestors = relation->ancestors;
    CLEANUP(memory_free_pointer)
    struct pgoutput_relation *selected = select_columns(r, relation, message, &then);
    const struct pgoutput_relation *described = selected == NULL ? message : selected;
    struct table *t = build_table(r, relation, described, &then);
    pg_toast_plan_renew(&relation->toast, r->config, described, message->column_count, &then);
    if (relation->table != NULL && is_same_version(relation->table, t)) {
        table_free(t);
        return;
    }
    pg_partition_log(r->component, t);
    replace_version(r, relation, t);
}

struct pg_unmatched *pg_relations_unmatched(struct pg_relations *r)
{
    return r->unmatched;
}

struct table *pg_relations_prepare(struct pg_relations *r, const struct pgoutput_relation *message,
                                   const struct pg_catalogue *catalogue)
{
    if (message->column_count == 0 || !would_want(r, message, catalogue)) {
        return NULL;
    }
    struct pg_relation *relation = pg_relations_see(r, message);
    pg_relations_update(r, relation, message, catalogue);
    return relation->table;
}

void pg_relations_widen(struct pg_relations *r, struct pg_relation *relation, size_t column)
{
    struct table *t = table_copy(relation->table);
    t->columns[column].is_nullable = true;
    note_text_column(t);
    write_schemas(t);
    replace_version(r, relation, t);
}

void pg_relations_add_text(struct pg_relations *r, struct pg_relation *relation, size_t column)
{
    struct table *t = table_copy(relation->table);
    t->columns[column].has_text = true;
    log_info(
        r->component, "value_as_text",
        LOG_WITH(LOG_TEXT("topic", t->topic), LOG_TEXT("column", t->columns[column].name)),
        "column %s of %s.%s has a value that its Avro type can't hold: such values are published as text",
        t->columns[column].name, t->schema, t->name);
    note_text_column(t);
    write_schemas(t);
    replace_version(r, relation, t);
}

void pg_relations_retype(struct pg_relations *r, struct pg_relation *relation, const struct pg_type *types,
                         size_t type_count)
{
    struct table *t = table_copy(relation->table);
    pg_retype_columns(t, &r->config->modes, types, type_count);
    note_text_column(t);
    write_schemas(t);
    if (is_same_version(relation->table, t)) {
        table_free(t);
        pg_retype_columns(relation->table, &r->config->modes, types,
                          type_count);  // what a schema does not show
        note_text_column(relation->table);
        return;
    }
    replace_version(r, relation, t);
}

void pg_relations_note_bad_before(struct pg_relations *r, struct pg_relation *relation, const char *reason)
{
    if (relation->has_bad_before) {
        return;
    }
    relation->has_bad_before = true;
    log_warn(r->component, "before_left_out", LOG_WITH(LOG_TEXT("topic", relation->table->topic)),
             "the old values of a row of %s.%s can't be encoded (%s): the change is published without them",
             relation->table->schema, relation->table->name, reason);
}

void pg_relations_note_none(struct pg_relations *r, struct pg_relation *relation, const struct column *c,
                            const char *reason)
{
    for (size_t i = 0; i < relation->nulled.count; i++) {
        if (strcmp(relation->nulled.items[i], c->name) == 0) {
            return;
        }
    }
    text_list_add(&relation->nulled, c->name);
    log_warn(r->component, "value_as_null",
             LOG_WITH(LOG_TEXT("topic", relation->table->topic), LOG_TEXT("column", c->name)),
             "column %s of %s.%s has a value that is published as null: %s", c->name, relation->table->schema,
             relation->table->name, reason);
}
