#include "connectors/postgres/pg_unread.h"

#include <string.h>

bool pg_unread_is_same(const struct source_state *a, const struct source_state *b)
{
    return a->is_snapshot_done == b->is_snapshot_done && a->unread_count == b->unread_count &&
           memcmp(a->unread, b->unread, a->unread_count * sizeof(*a->unread)) == 0;
}

void pg_unread_set(struct source_state *state, const uint32_t *oids, size_t count)
{
    state->unread_count = count < SOURCE_UNREAD_MAX ? count : SOURCE_UNREAD_MAX;
    if (state->unread_count > 0) {
        memcpy(state->unread, oids, state->unread_count * sizeof(*oids));
    }
}

static bool has(const struct source_state *state, uint32_t oid)
{
    for (size_t i = 0; i < state->unread_count; i++) {
        if (state->unread[i] == oid) {
            return true;
        }
    }
    return false;
}

bool pg_unread_add(struct source_state *known, const struct source_state *fresh,
                   const struct source_state *record)
{
    bool has_added = false;
    for (size_t i = 0; i < fresh->unread_count; i++) {
        if (has(known, fresh->unread[i])) {
            continue;
        }
        has_added = true;
        if (known->unread_count == SOURCE_UNREAD_MAX) {
            // Too many partitions could not be read: read again all that the record has.
            pg_unread_set(known, record->unread, record->unread_count);
            break;
        }
        known->unread[known->unread_count++] = fresh->unread[i];
    }
    return has_added;
}
