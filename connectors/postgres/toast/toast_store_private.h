// Four databases of an LMDB environment, with keys in big-endian order:
//
//   versions  table 4, row 24, column 2, ~lsn 8, ~index 8    form 1, checksum 8, the value
//   log       lsn 8, index 8, table 4, row 24, column 2      empty
//   definitions  table 4, column 2                           struct toast_definition
//   about     "session"                                      struct toast_about
//
// The newest version of a value is the first of its prefix. The log has a version's key in the order of
// positions, until the versions before it were removed.
//
// One write transaction is open from the first call to the commit. LMDB's own locks are off: a file lock
// keeps other processes out, and a lock that a stopped process holds would block the loop.
#ifndef CONNECTORS_POSTGRES_TOAST_TOAST_STORE_PRIVATE_H
#define CONNECTORS_POSTGRES_TOAST_TOAST_STORE_PRIVATE_H

#include <lmdb.h>

#include "connectors/postgres/toast/toast_store.h"

enum {
    TOAST_PREFIX_SIZE = 4 + TOAST_ROW_SIZE + 2,
    TOAST_POSITION_SIZE = 16,
    TOAST_DEFINITION_SIZE = 4 + 2,
    TOAST_KEY_SIZE = TOAST_PREFIX_SIZE + TOAST_POSITION_SIZE,
    TOAST_DATABASES = 4,
    TOAST_HEADER_SIZE = 1 + 8,  // of a value: its form, and the hash of the rest
};
struct toast_about {
    char identity[TOAST_IDENTITY_MAX];
    uint64_t position;
    uint32_t timeline;
    uint32_t format;
    uint32_t lacks_rows;  // 1 or 0
    uint32_t reserved;
};
enum { TOAST_FORMAT = 3 };

struct toast_store {
    char *directory;
    int lock;
    MDB_env *env;
    MDB_txn *txn;  // NULL: none is open
    MDB_cursor *versions_cursor;
    MDB_cursor *log_cursor;
    MDB_dbi versions;
    MDB_dbi log;
    MDB_dbi definitions;
    MDB_dbi about_dbi;
    struct toast_about about;
    struct bytes scratch;
    size_t pending;
    size_t puts;  // since the last commit
};

/** What the file says of itself that is no fault of the disk: its contents can't be used. */
bool toast_store_is_damage(int code);

/** A FAULT_RETRY with LMDB's code; a file that is found damaged is removed, so that the next session begins
 * anew. */
bool toast_store_fail(const struct toast_store *s, int code, const char *what, struct fault *f);

/** As toast_store_fail, for a transaction that met an error: it can only be dropped. */
bool toast_store_fail_transaction(struct toast_store *s, int code, const char *what, struct fault *f);

/** Begins the write transaction unless one is open. */
bool toast_store_begin_transaction(struct toast_store *s, struct fault *f) MUST_USE;
void toast_store_drop_transaction(struct toast_store *s);

static inline uint8_t *toast_write_u64(uint8_t *at, uint64_t number)
{
    for (int i = 0; i < 8; i++) {
        at[i] = (uint8_t)(number >> (56 - 8 * i));
    }
    return at + 8;
}

static inline uint64_t toast_read_u64(const uint8_t *at)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++) {
        number = number << 8 | at[i];
    }
    return number;
}

/** The place of a version, from its key. */
static inline struct toast_position toast_position_of_version(const uint8_t *key)
{
    return (struct toast_position){~toast_read_u64(key + TOAST_PREFIX_SIZE),
                                   ~toast_read_u64(key + TOAST_PREFIX_SIZE + 8)};
}

static inline bool toast_has_prefix(const MDB_val *key, const uint8_t *prefix)
{
    return key->mv_size == TOAST_KEY_SIZE && memcmp(key->mv_data, prefix, TOAST_PREFIX_SIZE) == 0;
}

#endif
