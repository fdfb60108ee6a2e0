#include "connectors/state_writes.h"

#include <stdlib.h>
#include <utlist.h>

#include "core/base/memory.h"

struct state_write {
    char *key;
    struct bytes value;
    bool is_deleted;
    uint64_t ticket;
    struct state_write *prev;
    struct state_write *next;
};

static struct state_write *append(struct state_writes *w, const char *key, uint64_t ticket)
{
    struct state_write *added = memory_zeroed(1, sizeof(*added));
    added->key = memory_string(key);
    added->ticket = ticket;
    DL_APPEND(w->first, added);
    return added;
}

void state_writes_add(struct state_writes *w, const char *key, struct slice value, uint64_t ticket)
{
    bytes_append_slice(&append(w, key, ticket)->value, value);
}

void state_writes_delete(struct state_writes *w, const char *key)
{
    append(w, key, STATE_WRITES_NOW)->is_deleted = true;
}

bool state_writes_due(const struct state_writes *w, uint64_t first, const char **ret_key,
                      struct slice *ret_value)
{
    const struct state_write *next = w->first;
    if (next == NULL || (next->ticket != STATE_WRITES_NOW && next->ticket >= first)) {
        return false;
    }
    *ret_key = next->key;
    *ret_value = next->is_deleted ? (struct slice){NULL, 0} : bytes_slice(&next->value);
    return true;
}

void state_writes_taken(struct state_writes *w)
{
    struct state_write *taken = w->first;
    DL_DELETE(w->first, taken);
    free(taken->key);
    bytes_clear(&taken->value);
    free(taken);
}

void state_writes_clear(struct state_writes *w)
{
    while (w->first != NULL) {
        state_writes_taken(w);
    }
}
