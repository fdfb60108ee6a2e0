#include "connectors/postgres/catalogue/pg_column_rules.h"

#include <stdlib.h>

#include "connectors/postgres/catalogue/pg_column_numbers.h"
#include "core/base/log.h"
#include "core/base/memory.h"

void pg_column_rules_clear(struct pg_column_rules *r)
{
    for (size_t i = 0; i < r->count; i++) {
        free(r->items[i].name);
        text_list_clear(&r->items[i].names);
    }
    free(r->items);
    *r = (struct pg_column_rules){0};
}

static size_t find(const struct pg_column_rules *r, const char *name, size_t from)
{
    for (size_t i = 0; i < r->count; i++) {
        size_t at = (from + i) % r->count;  // columns are mostly where they were
        if (strcmp(r->items[at].name, name) == 0) {
            return at;
        }
    }
    return r->count;
}

static bool has_rule(const struct pg_column_rule *c)
{
    return c->mask != NULL || c->is_excluded;
}

static bool has_rule_for(const struct pg_column_rules_params *p, const char *name)
{
    return pg_column_masks_find_name(p->masks, name) != NULL ||
           text_list_name_match(&p->config->columns.exclude, name);
}

// --- one column ---

/** A column of a message, and what it was before. */
struct now {
    const struct pg_column_rules_params *params;
    const struct pg_column_rules *old;  // of the last message
    struct pg_column_rules *io;
    uint32_t table;
    size_t column;
};

static void log_kept(const struct now *n, const struct pg_column_rule *c, const char *former)
{
    size_t at = find(n->old, c->name, n->column);
    if (at < n->old->count && n->old->items[at].is_kept) {
        return;  // logged
    }
    const struct pg_column_rules_params *p = n->params;
    log_error(
        p->component, "rule_kept",
        LOG_WITH(LOG_TEXT("table", p->table), LOG_TEXT("column", c->name), LOG_TEXT("was", former)),
        "column %s of %s stays %s, as %s was, which it was before it or its table was renamed; name it in "
        "columns.%s",
        c->name, p->table, c->is_excluded ? "left out" : "masked", former,
        c->is_excluded ? "exclude" : "mask, truncate or hash");
}

// The column had this name, under which it had a rule. The configuration may have changed since.
static void keep_name(const struct now *n, const char *former)
{
    const struct pg_column_rules_params *p = n->params;
    struct pg_column_rule *c = &n->io->items[n->column];
    const struct pg_mask *mask = pg_column_masks_find_name(p->masks, former);
    bool is_excluded = text_list_name_match(&p->config->columns.exclude, former);
    if (text_list_has(&c->names, former) || (mask == NULL && !is_excluded)) {
        return;
    }
    text_list_add(&c->names, former);
    mask = pg_column_masks_stricter(c->mask, mask);
    if (mask == c->mask && (c->is_excluded || !is_excluded)) {
        return;
    }
    c->mask = mask;
    c->is_excluded = c->is_excluded || is_excluded;
    c->is_left_out = c->is_left_out || is_excluded;
    log_kept(n, c, former);
    c->is_kept = true;
}

static bool is_gone(const struct now *n)
{
    return n->params->catalogue->column_count == 0;
}

// Whether it is known by its number which column had the name: see keep_by_number.
static bool is_remembered(const struct now *n, const char *name)
{
    size_t count;
    const struct remembered_column *all = column_memory_of(n->params->memory, n->table, &count);
    for (size_t i = 0; i < count; i++) {
        if (text_list_has(&all[i].names, name)) {
            return true;
        }
    }
    return false;
}

static void keep_rule(struct now *n, size_t old, size_t column)
{
    n->column = column;
    for (size_t i = 0; i < n->old->items[old].names.count; i++) {
        const char *name = n->old->items[old].names.items[i];
        if (is_gone(n) || !is_remembered(n, name)) {
            keep_name(n, name);
        }
    }
}

// --- by what the last message had ---

/** Columns that are in only one of two versions, between the same neighbours: some may be the other's. */
struct gap {
    size_t old_begin;
    size_t old_end;
    size_t new_begin;
    size_t new_end;
};

// As many came as are gone: each may be the one in its place; else each may be any of them.
static void keep_rules_in(struct now *n, const struct gap *g)
{
    bool is_renamed = g->old_end - g->old_begin == g->new_end - g->new_begin;
    for (size_t i = g->new_begin; i < g->new_end; i++) {
        size_t begin = is_renamed ? g->old_begin + i - g->new_begin : g->old_begin;
        size_t end = is_renamed ? begin + 1 : g->old_end;
        for (size_t j = begin; j < end; j++) {
            keep_rule(n, j, i);
        }
    }
}

// Columns are never moved: if their names were, they were exchanged. Of each column whose name is not where
// it was all rules are kept that may be its own, as a column's place only falls.
static void keep_exchanged(struct now *n)
{
    size_t last = 0;
    bool is_in_order = true;
    for (size_t i = 0; i < n->io->count; i++) {
        size_t at = find(n->old, n->io->items[i].name, i);
        is_in_order = is_in_order && (at == n->old->count || at >= last);
        last = at == n->old->count ? last : at;
    }
    for (size_t i = 0; i < n->io->count && !is_in_order; i++) {
        bool is_same = find(n->old, n->io->items[i].name, i) == i;
        bool is_renamed = n->io->count == n->old->count;
        for (size_t j = i; j < n->old->count && !is_same && (j == i || !is_renamed); j++) {
            keep_rule(n, j, i);
        }
    }
}

static void keep_by_last_message(struct now *n)
{
    struct gap g = {0};
    for (size_t i = 0; i <= n->io->count; i++) {
        size_t at = i < n->io->count ? find(n->old, n->io->items[i].name, i) : n->old->count;
        if (at == n->old->count && i < n->io->count) {
            continue;
        }
        g.old_end = at;
        g.new_end = i;
        keep_rules_in(n, &g);
        if (i < n->io->count) {
            keep_rule(n, at, i);
        }
        g = (struct gap){.old_begin = at + 1, .new_begin = i + 1};
    }
    keep_exchanged(n);
}

// --- by number ---

// Whether the remembered column is in the message under a name that it had: then it is that one.
static bool has_name(const struct now *n, const struct remembered_column *c)
{
    for (size_t i = 0; i < n->io->count; i++) {
        for (size_t j = 0; j < n->io->items[i].names.count; j++) {
            if (text_list_has(&c->names, n->io->items[i].names.items[j])) {
                return true;
            }
        }
    }
    return false;
}

// Of a table that is gone only the last message tells anything; without one each column may be any.
static void keep_by_number(struct now *n, const struct pg_column_range *ranges)
{
    size_t count;
    const struct remembered_column *all = column_memory_of(n->params->memory, n->table, &count);
    for (size_t r = 0; r < count; r++) {
        bool is_found = is_gone(n) && (n->old->count > 0 || has_name(n, &all[r]));
        for (size_t i = 0; i < n->io->count && !is_found; i++) {
            bool may_be = all[r].number >= ranges[i].low && all[r].number <= ranges[i].high;
            n->column = i;
            for (size_t j = 0; j < all[r].names.count && may_be; j++) {
                keep_name(n, all[r].names.items[j]);
            }
        }
    }
}

// Of the message's columns whose number is known the names that they have, and those that they had if no
// number is known for them yet; and of the catalogue's columns, if they are not the same.
static void remember(const struct now *n, const struct pg_column_range *ranges)
{
    const struct pg_column_rules_params *p = n->params;
    for (size_t i = 0; i < n->io->count; i++) {
        const struct pg_column_rule *c = &n->io->items[i];
        for (size_t j = 0; j < c->names.count && pg_column_range_is_exact(&ranges[i]); j++) {
            if (j < c->own_count || !is_remembered(n, c->names.items[j])) {
                column_memory_add_name(p->memory, n->table, ranges[i].low, c->names.items[j]);
            }
        }
    }
    for (size_t i = 0; i < p->catalogue->column_count && !n->io->is_numbered; i++) {
        const struct pg_catalogue_column *c = &p->catalogue->columns[i];
        CLEANUP(memory_free_pointer) char *name = memory_format("%s.%s", p->table, c->name);
        if (has_rule_for(p, name)) {
            column_memory_add_name(p->memory, n->table, c->number, name);
        }
    }
}

// --- all of them ---

// The names that have a rule: the column's in its table, and in those that this is a partition of.
static void add_names(const struct pg_column_rules_params *p, struct pg_column_rule *c)
{
    for (size_t i = 0; i <= p->ancestors->count; i++) {
        CLEANUP(memory_free_pointer)
        char *name = memory_format("%s.%s", i == 0 ? p->table : p->ancestors->items[i - 1], c->name);
        if (has_rule_for(p, name)) {
            text_list_add(&c->names, name);
        }
    }
    c->own_count = c->names.count;
}

static void keep_rules(struct now *n, const struct pgoutput_relation *message)
{
    const struct pg_column_rules_params *p = n->params;
    bool was_numbered = n->old->is_numbered;
    if (p->memory == NULL) {
        keep_by_last_message(n);
        return;
    }
    CLEANUP(memory_free_pointer)
    struct pg_column_range *ranges = memory_zeroed(n->io->count + 1U, sizeof(*ranges));
    n->io->is_numbered = pg_column_numbers_find(message, p->catalogue, ranges);
    if (!was_numbered || !n->io->is_numbered) {
        keep_by_last_message(n);
    }
    keep_by_number(n, ranges);
    remember(n, ranges);
}

void pg_column_rules_update(struct pg_column_rules *io, const struct pg_column_rules_params *p,
                            const struct pgoutput_relation *message)
{
    struct pg_column_rules now = {memory_zeroed(message->column_count + 1U, sizeof(*now.items)),
                                  message->column_count, false};
    bool is_any = false;
    bool has_choice = p->config->columns.include.count + p->config->columns.exclude.count > 0;
    bool has_rules = p->config->columns.exclude.count > 0 || pg_column_masks_is_any(p->masks);
    for (size_t i = 0; i < now.count; i++) {
        struct pg_column_rule *c = &now.items[i];
        c->name = slice_to_string(message->columns[i].name);
        c->mask = pg_column_masks_find(p->masks, p->table, p->ancestors, c->name);
        c->is_excluded =
            has_choice && connector_config_excludes_column(p->config, p->table, p->ancestors, c->name);
        c->is_left_out =
            has_choice && !connector_config_has_column(p->config, p->table, p->ancestors, c->name);
        if (has_rules) {
            add_names(p, c);
        }
    }
    if (has_rules) {
        struct now n = {p, io, &now, message->oid, 0};
        keep_rules(&n, message);
    }
    for (size_t i = 0; i < now.count; i++) {
        is_any = is_any || has_rule(&now.items[i]) || now.items[i].is_left_out;
    }
    pg_column_rules_clear(io);
    *io = now;
    if (!is_any) {
        pg_column_rules_clear(io);
    }
}

const struct pg_mask *pg_column_rules_mask(const struct pg_column_rules *r, size_t column)
{
    return r->count == 0 ? NULL : r->items[column].mask;
}

bool pg_column_rules_leave_out(const struct pg_column_rules *r, size_t column)
{
    return r->count > 0 && r->items[column].is_left_out;
}
