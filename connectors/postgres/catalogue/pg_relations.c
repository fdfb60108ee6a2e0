#include "connectors/postgres/catalogue/pg_relations.h"

#include <stdlib.h>

#include "connectors/postgres/catalogue/pg_column_masks.h"
#include "connectors/postgres/catalogue/pg_partition.h"
#include "connectors/postgres/catalogue/pg_retype.h"
#include "connectors/postgres/catalogue/pg_table_version.h"
#include "connectors/postgres/catalogue/table_filter.h"
#include "core/base/log.h"
#include "core/base/text.h"

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
    struct pg_table_versions versions;
};

enum { PG_RELATIONS_CAPACITY_MIN = 64 };

struct pg_relations *pg_relations_new(const struct connector_config *config, const char *component,
                                      struct column_memory *memory)
{
    struct pg_relations *r = memory_zeroed(1, sizeof(*r));
    r->config = config;
    r->component = component;
    r->versions = (struct pg_table_versions){.config = config, .component = component, .memory = memory};
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
    pg_table_versions_clear(&r->versions);
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
    char *full = memory_format("%s.%s", pgoutput_schema_of(message), (const char *)message->name.data);
    relation->is_wanted = !text_list_name_match(&r->config->tables.exclude, full);
    return relation;
}

static bool would_want(const struct pg_relations *r, const struct pgoutput_relation *message,
                       const struct pg_catalogue *catalogue)
{
    return table_filter_wants(r->config, pgoutput_schema_of(message), (const char *)message->name.data,
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
    char *full = memory_format("%s.%s", pgoutput_schema_of(message), (const char *)message->name.data);
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
                         const struct pgoutput_relation *message, const struct pg_catalogue *catalogue)
{
    CLEANUP(memory_free_pointer)
    char *full = memory_format("%s.%s", pgoutput_schema_of(message), (const char *)message->name.data);
    pg_unmatched_see(r->unmatched, full, &relation->ancestors, message);
    const struct pg_column_rules_params p = {
        r->config, r->masks, r->component, full, &relation->ancestors, catalogue, r->versions.memory};
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
    update_rules(r, relation, message, catalogue);
    struct pg_catalogue then = *catalogue;
    then.ancestors = relation->ancestors;
    CLEANUP(memory_free_pointer)
    struct pgoutput_relation *selected = select_columns(r, relation, message, &then);
    const struct pgoutput_relation *described = selected == NULL ? message : selected;
    const struct pg_table_version_source from = {described, &then, &relation->rules, relation->kept,
                                                 relation->table};
    struct table *t = pg_table_version_make(&r->versions, &from);
    pg_toast_plan_renew(&relation->toast, r->config, described, message->column_count, &then);
    if (relation->table != NULL && pg_table_version_is_same(relation->table, t)) {
        table_take_numbers(relation->table, t);
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
    column_memory_add_null(r->versions.memory, relation->oid, t->columns[column].number);
    pg_table_version_finish(t);
    replace_version(r, relation, t);
}

void pg_relations_add_text(struct pg_relations *r, struct pg_relation *relation, size_t column)
{
    struct table *t = table_copy(relation->table);
    t->columns[column].has_text = true;
    column_memory_add_text(r->versions.memory, relation->oid, t->columns[column].number);
    log_info(
        r->component, "value_as_text",
        LOG_WITH(LOG_TEXT("topic", t->topic), LOG_TEXT("column", t->columns[column].name)),
        "column %s of %s.%s has a value that its Avro type can't hold: such values are published as text",
        t->columns[column].name, t->schema, t->name);
    pg_table_version_finish(t);
    replace_version(r, relation, t);
}

void pg_relations_retype(struct pg_relations *r, struct pg_relation *relation, const struct pg_type *types,
                         size_t type_count)
{
    struct table *t = table_copy(relation->table);
    pg_retype_columns(t, &r->config->modes, types, type_count);
    pg_table_version_finish(t);
    if (pg_table_version_is_same(relation->table, t)) {
        table_free(t);
        pg_retype_columns(relation->table, &r->config->modes, types,
                          type_count);  // what a schema does not show
        pg_table_version_note_text(relation->table);
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
