// Entries of the state topic that are to be written before the next state record, in their order.
#ifndef CONNECTORS_STATE_WRITES_H
#define CONNECTORS_STATE_WRITES_H

#include "core/base/bytes.h"
#include "core/base/memory.h"

#define STATE_WRITES_NOW UINT64_MAX  // as a ticket: the entry waits for no record

/** Zero-initialised is empty. */
struct state_writes {
    struct state_write *first;
};

/** Adds an entry, which is copied.
 * @param ticket  the ledger's, of the record that has to be acknowledged before */
void state_writes_add(struct state_writes *w, const char *key, struct slice value, uint64_t ticket);

/** Adds the deletion of the key, which waits for no record. */
void state_writes_delete(struct state_writes *w, const char *key);

/** The next entry, if its ticket is before `first`. Borrowed until state_writes_taken.
 * @param ret_value  data NULL: delete the key */
bool state_writes_due(const struct state_writes *w, uint64_t first, const char **ret_key,
                      struct slice *ret_value) MUST_USE;

/** That entry was written. */
void state_writes_taken(struct state_writes *w);

void state_writes_clear(struct state_writes *w);

#endif
