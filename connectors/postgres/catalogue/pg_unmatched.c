#include "connectors/postgres/catalogue/pg_unmatched.h"

#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/memory.h"

struct entry {
    const char *key;  // of the configuration
    const char *glob;
    bool is_of_columns;
};

// Entries that something has matched are taken out.
struct pg_unmatched {
    const char *component;
    struct entry *entries;
    size_t count;
    bool is_reported;
};

static void add(struct pg_unmatched *u, const char *key, const char *glob, bool is_of_columns)
{
    if (glob != NULL) {
        u->entries = memory_resize(u->entries, (u->count + 1) * sizeof(*u->entries));
        u->entries[u->count++] = (struct entry){key, glob, is_of_columns};
    }
}

static void add_list(struct pg_unmatched *u, const char *key, const struct text_list *globs)
{
    for (size_t i = 0; i < globs->count; i++) {
        add(u, key, globs->items[i], true);
    }
}

static void add_pairs(struct pg_unmatched *u, const char *key, const struct text_pairs *pairs,
                      bool is_of_columns)
{
    for (size_t i = 0; i < pairs->count; i++) {
        add(u, key, pairs->items[i].key, is_of_columns);
    }
}

struct pg_unmatched *pg_unmatched_new(const struct connector_config *config, const char *component)
{
    struct pg_unmatched *u = memory_zeroed(1, sizeof(*u));
    u->component = component;
    add_list(u, "columns.include", &config->columns.include);
    add_list(u, "columns.exclude", &config->columns.exclude);
    add_pairs(u, "columns.mask", &config->columns.mask, true);
    add_pairs(u, "columns.truncate", &config->columns.truncate, true);
    add_list(u, "columns.hash", &config->columns.hash.columns);
    add_pairs(u, "rows", &config->rows, false);
    for (size_t i = 0; i < config->keys.count; i++) {
        add(u, "keys", config->keys.items[i].table, false);
    }
    for (size_t i = 0; i < config->partition_by.count; i++) {
        add(u, "partition_by", config->partition_by.items[i].table, false);
    }
    for (size_t i = 0; i < config->routes.count; i++) {
        add(u, "routes", config->routes.items[i].match, false);
    }
    return u;
}

void pg_unmatched_free(struct pg_unmatched *u)
{
    if (u != NULL) {
        free(u->entries);
        free(u);
    }
}

static bool matches_column(const char *glob, const char *table, const struct pgoutput_relation *message)
{
    CLEANUP(bytes_clear) struct bytes full = {0};
    bytes_format(&full, "%s.", table);
    size_t size = full.size;
    bool is_match = false;
    for (size_t i = 0; i < message->column_count && !is_match; i++) {
        full.size = size;
        bytes_append_slice(&full, message->columns[i].name);
        is_match = text_name_match(glob, bytes_text(&full));
    }
    return is_match;
}

static bool matches(const struct entry *e, const char *table, const struct pgoutput_relation *message)
{
    return e->is_of_columns ? matches_column(e->glob, table, message) : text_name_match(e->glob, table);
}

void pg_unmatched_see(struct pg_unmatched *u, const char *table, const struct text_list *ancestors,
                      const struct pgoutput_relation *message)
{
    size_t left = 0;
    for (size_t i = 0; i < u->count; i++) {
        bool is_match = matches(&u->entries[i], table, message);
        for (size_t k = 0; k < ancestors->count && !is_match; k++) {
            is_match = matches(&u->entries[i], ancestors->items[k], message);
        }
        if (!is_match) {
            u->entries[left++] = u->entries[i];
        }
    }
    u->count = left;
}

void pg_unmatched_report(struct pg_unmatched *u)
{
    for (size_t i = 0; i < u->count && !u->is_reported; i++) {
        const struct entry *e = &u->entries[i];
        log_warn(u->component, "nothing_matched",
                 LOG_WITH(LOG_TEXT("key", e->key), LOG_TEXT("entry", e->glob)),
                 "%s: %s matches no %s of the captured tables: it has no effect; was it renamed, or is it "
                 "misspelled?",
                 e->key, e->glob, e->is_of_columns ? "column" : "name");
    }
    u->is_reported = true;
}

size_t pg_unmatched_count(const struct pg_unmatched *u)
{
    return u->is_reported ? u->count : 0;
}
