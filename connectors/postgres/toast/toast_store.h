// The values that the database may leave out of an update (unchanged TOAST), on the local disk: for each row
// and column the value as of each position that the stream can still begin at. Knows no rows and no
// connection.
//
// A version is a fact: "from this position on the column had this value". In one history of a database facts
// stay true, so that a stream which begins again at a lower position writes the same versions again, and a
// look-up at a position never returns a later one. Versions that no look-up can need are removed once the
// server can't begin before the version that replaced them.
#ifndef CONNECTORS_POSTGRES_TOAST_TOAST_STORE_H
#define CONNECTORS_POSTGRES_TOAST_TOAST_STORE_H

#include "core/base/bytes.h"
#include "core/base/fault.h"

struct toast_store;

enum { TOAST_ROW_SIZE = 24, TOAST_IDENTITY_MAX = 160 };

/** A change's place: its transaction's commit LSN, and its index in it. */
struct toast_position {
    uint64_t lsn;
    uint64_t index;
};

static inline bool toast_position_is_before(struct toast_position a, struct toast_position b)
{
    return a.lsn < b.lsn || (a.lsn == b.lsn && a.index < b.index);
}

struct toast_key {
    uint32_t table;
    uint16_t column;              // its number in the database, which no other column of the table ever gets
    uint8_t row[TOAST_ROW_SIZE];  // a hash of the row's identity
};

/** The form that the database sent a value in. */
enum toast_form { TOAST_ABSENT = 0, TOAST_TEXT = 't', TOAST_BINARY = 'b' };

struct toast_value {
    enum toast_form form;  // ABSENT: not known
    struct slice data;     // lent until the next call
};

/** What is remembered of a column's definition, or of a table's. Plain data. */
struct toast_definition {
    struct toast_position since;  // versions before it say nothing about the column as it is now
    uint64_t fingerprint;         // of the definition that the versions belong to
    uint32_t is_settled;          // the definition was not newer than `since`: 1 or 0
    uint32_t reserved;
};

struct toast_store_params {
    const char *directory;  // made if it is missing, with those above it
    size_t map_size;        // the greatest size of the file; 0: as much as the address space has room for
};

/**
 * Opens the store, empty if there is none or it is damaged. One process at a time can have it.
 *
 * @param f  FAULT_RETRY: another process has it, or the disk fails; FAULT_CONFIG: the directory can't be used
 */
bool toast_store_open(const struct toast_store_params *params, struct toast_store **ret,
                      struct fault *f) MUST_USE;

/** What was not committed is gone. Accepts NULL. */
void toast_store_close(struct toast_store *s);

/** Where the stream begins. */
struct toast_session {
    const char *identity;  // the database and the slot; another one: all is removed
    uint32_t timeline;     // another one: versions from `position` on are removed, as they may be of WAL that
                           // is not in this timeline
    uint64_t position;     // beyond the position of the last commit: changes are missing, all is removed
    uint64_t end;          // of the database's WAL; before the position of the last commit: the database was
                           // restored to an earlier time, all is removed
    bool is_new;           // the rows follow in a snapshot: all is removed
};

/** Begins a session; drops what was not committed. *ret_lacks_rows: what the rows had before it was emptied
 * is missing, until toast_store_filled. */
bool toast_store_begin(struct toast_store *s, const struct toast_session *session, bool *ret_lacks_rows,
                       struct fault *f) MUST_USE;

/** The rows that were there were read and put. Commits. */
bool toast_store_filled(struct toast_store *s, struct fault *f) MUST_USE;

/** A version of the value. TOAST_ABSENT: from here on it is not known, or the row is gone. */
bool toast_store_put(struct toast_store *s, const struct toast_key *key, struct toast_position position,
                     struct toast_value value, struct fault *f) MUST_USE;

/** The newest version before the position, if it is not before `since`; else *ret is TOAST_ABSENT. */
bool toast_store_get(struct toast_store *s, const struct toast_key *key, struct toast_position before,
                     struct toast_position since, struct toast_value *ret, struct fault *f) MUST_USE;

/** Zero if it is not known. @param column  0: the table */
bool toast_store_get_definition(struct toast_store *s, uint32_t table, uint16_t column,
                                struct toast_definition *ret, struct fault *f) MUST_USE;
bool toast_store_put_definition(struct toast_store *s, uint32_t table, uint16_t column,
                                const struct toast_definition *value, struct fault *f) MUST_USE;

/** Whether there is any version of the table. */
bool toast_store_has_table(struct toast_store *s, uint32_t table, bool *ret, struct fault *f) MUST_USE;

/** How many bytes of values were put since the last commit: commit at some size, to bound memory. */
size_t toast_store_pending(const struct toast_store *s);

/**
 * Makes all that was put durable. Blocks for the disk.
 *
 * @param position  all changes of transactions that end up to here were put; never falls in a session
 * @param oldest    the server begins at no transaction that ends before it: removes versions that only such
 *                  streams would need, a bounded number at each call
 */
bool toast_store_commit(struct toast_store *s, uint64_t position, uint64_t oldest, struct fault *f) MUST_USE;

/** How many versions there are. */
size_t toast_store_count(const struct toast_store *s);

#endif
