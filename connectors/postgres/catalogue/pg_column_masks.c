#include "connectors/postgres/catalogue/pg_column_masks.h"

#include <stdlib.h>

#include "core/base/memory.h"

struct column_mask {
    const char *glob;
    struct pg_mask mask;
};

// A hash comes before a mask, and both before the text's beginning: the first that matches counts.
struct pg_column_masks {
    struct column_mask *items;
    size_t count;
};

struct pg_column_masks *pg_column_masks_new(const struct connector_config *config)
{
    struct pg_column_masks *m = memory_zeroed(1, sizeof(*m));
    const struct text_list *hashed = &config->columns.hash.columns;
    const struct text_pairs *masked = &config->columns.mask;
    const struct text_pairs *truncated = &config->columns.truncate;
    m->items = memory_zeroed(hashed->count + masked->count + truncated->count + 1, sizeof(*m->items));
    for (size_t i = 0; i < hashed->count; i++) {
        m->items[m->count++] =
            (struct column_mask){hashed->items[i],
                                 {.kind = PG_MASK_HASH,
                                  .text = config->columns.hash.salt == NULL ? "" : config->columns.hash.salt,
                                  .algorithm = EVP_get_digestbyname(connector_config_digest(config)),
                                  .digest = EVP_MD_CTX_new()}};
    }
    for (size_t i = 0; i < masked->count; i++) {
        m->items[m->count++] = (struct column_mask){masked->items[i].key,
                                                    {.kind = PG_MASK_TEXT, .text = masked->items[i].value}};
    }
    for (size_t i = 0; i < truncated->count; i++) {
        m->items[m->count++] =
            (struct column_mask){truncated->items[i].key,
                                 {.kind = PG_MASK_TRUNCATE,
                                  .text = "",
                                  .limit = (size_t)strtoull(truncated->items[i].value, NULL, 10)}};
    }
    return m;
}

void pg_column_masks_free(struct pg_column_masks *m)
{
    if (m == NULL) {
        return;
    }
    for (size_t i = 0; i < m->count; i++) {
        EVP_MD_CTX_free(m->items[i].mask.digest);
    }
    free(m->items);
    free(m);
}

bool pg_column_masks_is_any(const struct pg_column_masks *m)
{
    return m->count > 0;
}

const struct pg_mask *pg_column_masks_find_name(const struct pg_column_masks *m, const char *name)
{
    for (size_t i = 0; i < m->count; i++) {
        if (text_name_match(m->items[i].glob, name)) {
            return &m->items[i].mask;
        }
    }
    return NULL;
}

static const struct pg_mask *find(const struct pg_column_masks *m, const char *table, const char *column)
{
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", table, column);
    return pg_column_masks_find_name(m, full);
}

const struct pg_mask *pg_column_masks_find(const struct pg_column_masks *m, const char *table,
                                           const struct text_list *ancestors, const char *column)
{
    const struct pg_mask *found = m->count == 0 ? NULL : find(m, table, column);
    for (size_t i = 0; i < ancestors->count && found == NULL && m->count > 0; i++) {
        found = find(m, ancestors->items[i], column);
    }
    return found;
}

const struct pg_mask *pg_column_masks_stricter(const struct pg_mask *a, const struct pg_mask *b)
{
    if (a == NULL || b == NULL) {
        return a == NULL ? b : a;
    }
    if (a->kind == PG_MASK_TRUNCATE && b->kind == PG_MASK_TRUNCATE) {
        return b->limit < a->limit ? b : a;
    }
    return a->kind == PG_MASK_TRUNCATE ? b : a;
}
