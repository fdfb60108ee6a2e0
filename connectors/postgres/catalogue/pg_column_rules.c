#include "connectors/postgres/catalogue/pg_column_rules.h"

#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/memory.h"

void pg_column_rules_clear(struct pg_column_rules *r)
{
    for (size_t i = 0; i < r->count; i++) {
        free(r->items[i].name);
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

static void keep_rule(const struct pg_column_rules_params *p, const struct pg_column_rule *was,
                      struct pg_column_rule *io)
{
    if (!has_rule(was) || has_rule(io) || io->is_left_out) {
        return;
    }
    io->mask = was->mask;
    io->is_excluded = was->is_excluded;
    io->is_left_out = was->is_excluded;
    io->is_kept = true;
    if (was->is_kept && strcmp(was->name, io->name) == 0) {
        return;  // logged
    }
    log_error(p->component, "rule_kept",
              LOG_WITH(LOG_TEXT("table", p->table), LOG_TEXT("column", io->name), LOG_TEXT("was", was->name)),
              "column %s of %s is %s as long as the connector runs, as column %s was, which it was before it "
              "or its table was renamed; name it in columns.%s",
              io->name, p->table, was->is_excluded ? "left out" : "masked", was->name,
              was->is_excluded ? "exclude" : "mask, truncate or hash");
}

/** Columns that are in only one of two versions, between the same neighbours: some may be the other's. */
struct gap {
    size_t old_begin;
    size_t old_end;
    size_t new_begin;
    size_t new_end;
};

// As many came as are gone: each may be the one in its place; else each may be any of them.
static void keep_rules_in(const struct pg_column_rules *old, const struct gap *g,
                          const struct pg_column_rules_params *p, struct pg_column_rules *io)
{
    bool is_renamed = g->old_end - g->old_begin == g->new_end - g->new_begin;
    for (size_t i = g->new_begin; i < g->new_end; i++) {
        size_t begin = is_renamed ? g->old_begin + i - g->new_begin : g->old_begin;
        size_t end = is_renamed ? begin + 1 : g->old_end;
        for (size_t j = begin; j < end; j++) {
            keep_rule(p, &old->items[j], &io->items[i]);
        }
    }
}

static void keep_rules(const struct pg_column_rules *old, const struct pg_column_rules_params *p,
                       struct pg_column_rules *io)
{
    struct gap g = {0};
    for (size_t i = 0; i <= io->count; i++) {
        size_t at = i < io->count ? find(old, io->items[i].name, i) : old->count;
        if (at == old->count && i < io->count) {
            continue;
        }
        g.old_end = at;
        g.new_end = i;
        keep_rules_in(old, &g, p, io);
        if (i < io->count) {
            keep_rule(p, &old->items[at], &io->items[i]);
        }
        g = (struct gap){.old_begin = at + 1, .new_begin = i + 1};
    }
}

void pg_column_rules_update(struct pg_column_rules *io, const struct pg_column_rules_params *p,
                            const struct pgoutput_relation *message)
{
    struct pg_column_rules now = {memory_zeroed(message->column_count + 1U, sizeof(*now.items)),
                                  message->column_count};
    bool is_any = false;
    bool has_choice = p->config->columns.include.count + p->config->columns.exclude.count > 0;
    for (size_t i = 0; i < now.count; i++) {
        struct pg_column_rule *c = &now.items[i];
        c->name = slice_to_string(message->columns[i].name);
        c->mask = pg_column_masks_find(p->masks, p->table, p->ancestors, c->name);
        c->is_excluded =
            has_choice && connector_config_excludes_column(p->config, p->table, p->ancestors, c->name);
        c->is_left_out =
            has_choice && !connector_config_has_column(p->config, p->table, p->ancestors, c->name);
    }
    keep_rules(io, p, &now);
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
