#include "connectors/config/connector_config.h"

#include "connectors/config/dsn_parts.h"

#include "core/base/memory.h"

char *connector_config_slot(const char *connector)
{
    char *name = memory_format("millrace_%s", connector);
    for (char *c = name; *c != '\0'; c++) {
        if (*c == '-') {
            *c = '_';
        }
    }
    return name;
}

bool connector_config_same_database(const struct connector_config *a, const struct connector_config *b)
{
    static const char *const parts[] = {"service", "host", "hostaddr", "port", "dbname"};
    if (a->postgres.dsn == NULL || b->postgres.dsn == NULL) {
        return false;
    }
    CLEANUP(dsn_parts_free) PQconninfoOption *left = PQconninfoParse(a->postgres.dsn, NULL);
    CLEANUP(dsn_parts_free) PQconninfoOption *right = PQconninfoParse(b->postgres.dsn, NULL);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        const char *one = dsn_parts_get(left, parts[i]);
        const char *other = dsn_parts_get(right, parts[i]);
        if ((one == NULL) != (other == NULL) || (one != NULL && strcmp(one, other) != 0)) {
            return false;
        }
    }
    return true;
}

static bool glob_matches(const char *glob, const char *table, const struct text_list *ancestors)
{
    bool is_match = text_name_match(glob, table);
    for (size_t i = 0; i < ancestors->count && !is_match; i++) {
        is_match = text_name_match(glob, ancestors->items[i]);
    }
    return is_match;
}

static bool is_column_listed(const struct text_list *globs, const char *table,
                             const struct text_list *ancestors, const char *column)
{
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", table, column);
    bool is_listed = text_list_name_match(globs, full);
    for (size_t i = 0; i < ancestors->count && !is_listed; i++) {
        CLEANUP(memory_free_pointer) char *above = memory_format("%s.%s", ancestors->items[i], column);
        is_listed = text_list_name_match(globs, above);
    }
    return is_listed;
}

bool connector_config_has_column(const struct connector_config *c, const char *table,
                                 const struct text_list *ancestors, const char *column)
{
    return (c->columns.include.count == 0 ||
            is_column_listed(&c->columns.include, table, ancestors, column)) &&
           !is_column_listed(&c->columns.exclude, table, ancestors, column);
}

bool connector_config_excludes_column(const struct connector_config *c, const char *table,
                                      const struct text_list *ancestors, const char *column)
{
    return is_column_listed(&c->columns.exclude, table, ancestors, column);
}

const char *connector_config_row_filter(const struct connector_config *c, const char *table)
{
    for (size_t i = 0; i < c->rows.count; i++) {
        if (text_name_match(c->rows.items[i].key, table)) {
            return c->rows.items[i].value;
        }
    }
    return NULL;
}

static const struct text_list *find_columns(const struct connector_key *items, size_t count,
                                            const char *table, const struct text_list *ancestors)
{
    for (size_t i = 0; i < count; i++) {
        if (glob_matches(items[i].table, table, ancestors)) {
            return &items[i].columns;
        }
    }
    return NULL;
}

const struct text_list *connector_config_key(const struct connector_config *c, const char *table,
                                             const struct text_list *ancestors)
{
    return find_columns(c->keys.items, c->keys.count, table, ancestors);
}

const struct text_list *connector_config_partition_by(const struct connector_config *c, const char *table,
                                                      const struct text_list *ancestors)
{
    return find_columns(c->partition_by.items, c->partition_by.count, table, ancestors);
}

const char *connector_config_digest(const struct connector_config *c)
{
    static const char *const names[] = {"sha256", "sha512", "sha1", "md5"};
    return names[c->columns.hash.algorithm];
}

static void clear_keys(struct connector_key *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(items[i].table);
        text_list_clear(&items[i].columns);
    }
    free(items);
}

static void clear_trees(struct connector_config *c)
{
    clear_keys(c->keys.items, c->keys.count);
    clear_keys(c->partition_by.items, c->partition_by.count);
    for (size_t i = 0; i < c->routes.count; i++) {
        free(c->routes.items[i].match);
        free(c->routes.items[i].topic);
    }
    free(c->routes.items);
    for (size_t i = 0; i < c->topics.groups.count; i++) {
        free(c->topics.groups.items[i].match);
        text_pairs_clear(&c->topics.groups.items[i].config);
    }
    free(c->topics.groups.items);
}

void connector_config_clear(struct connector_config *c)
{
    if (c == NULL) {
        return;
    }
    clear_trees(c);
    config_clear(connector_config_kind.options, c);
    free(c->name);
    *c = (struct connector_config){0};
}
