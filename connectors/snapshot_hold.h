// Debezium marks a table's last row as last_in_data_collection, and that of a snapshot as last. The source
// marks the last row that it reads; if that one is put aside as a bad row, the marker belongs on the last row
// that is published. So each row is held until the next good one comes. The first markers move likewise.
#ifndef CONNECTORS_SNAPSHOT_HOLD_H
#define CONNECTORS_SNAPSHOT_HOLD_H

#include "connectors/change.h"

/** Embedded; zero-initialised: nothing is held. */
struct snapshot_hold {
    bool is_held;
    struct change row;    // with is_held; its key and row are copies
    struct table *table;  // of the row held last; retained
    const char *owed;     // marker of rows put aside, for the next row that is published; NULL: none
    struct bytes key;
    struct bytes after;
};

/** Holds a copy of the row. */
void snapshot_hold_put(struct snapshot_hold *h, const struct change *row);

/** A row was put aside: if it was to be the first one, the next one is. */
void snapshot_hold_skip(struct snapshot_hold *h, const char *marker);

/** The table ends: only "first" is owed beyond it. */
void snapshot_hold_end_table(struct snapshot_hold *h);

/** Drops the held row, and what is owed. */
void snapshot_hold_reset(struct snapshot_hold *h);
void snapshot_hold_clear(struct snapshot_hold *h);

/** "last" or "last_in_data_collection": no other row of the table follows. */
bool snapshot_hold_is_last(const char *marker);

/** The marker of a row that is to have both; NULL for none. */
const char *snapshot_hold_join(const char *a, const char *b);

#endif
