#include "connectors/snapshot_hold.h"

#include <string.h>

// The higher one is kept when a row is to have two.
static const char *const ranks[] = {"false", "true", "first_in_data_collection", "last_in_data_collection",
                                    "first", "last"};

static size_t rank_of(const char *marker)
{
    for (size_t i = COUNT_OF(ranks); i > 0; i--) {
        if (strcmp(ranks[i - 1], marker) == 0) {
            return i;
        }
    }
    return 0;
}

const char *snapshot_hold_join(const char *a, const char *b)
{
    if (a == NULL || b == NULL) {
        return a == NULL ? b : a;
    }
    return rank_of(a) > rank_of(b) ? a : b;
}

bool snapshot_hold_is_last(const char *marker)
{
    return strncmp(marker, "last", 4) == 0;
}

static struct slice copy(struct bytes *to, struct slice from)
{
    bytes_reset(to);
    if (from.data == NULL) {
        return from;
    }
    (void)bytes_reserve(to, 1);  // data NULL would mean none
    bytes_append_slice(to, from);
    return bytes_slice(to);
}

void snapshot_hold_put(struct snapshot_hold *h, const struct change *row)
{
    table_retain(row->table);
    table_free(h->table);
    h->table = row->table;
    h->row = *row;
    h->row.key = copy(&h->key, row->key);
    h->row.after = copy(&h->after, row->after);
    h->is_held = true;
    h->owed = NULL;
}

void snapshot_hold_skip(struct snapshot_hold *h, const char *marker)
{
    if (strncmp(marker, "first", 5) == 0) {
        h->owed = snapshot_hold_join(h->owed, marker);
    }
}

void snapshot_hold_end_table(struct snapshot_hold *h)
{
    if (h->owed != NULL && strcmp(h->owed, "first") != 0) {
        h->owed = NULL;
    }
}

void snapshot_hold_reset(struct snapshot_hold *h)
{
    table_free(TAKE(h->table));
    h->is_held = false;
    h->owed = NULL;
}

void snapshot_hold_clear(struct snapshot_hold *h)
{
    table_free(TAKE(h->table));
    bytes_clear(&h->key);
    bytes_clear(&h->after);
}
