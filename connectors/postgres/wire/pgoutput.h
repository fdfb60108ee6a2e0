// Messages of PostgreSQL's built-in output plugin, decoded without allocation. The format table is in
// pgoutput.c.
#ifndef CONNECTORS_POSTGRES_WIRE_PGOUTPUT_H
#define CONNECTORS_POSTGRES_WIRE_PGOUTPUT_H

#include "core/base/cursor.h"

enum {
    PGOUTPUT_COLUMNS_MAX = 1664,  // MaxTupleAttributeNumber; a table has at most 1600
};

enum pgoutput_kind {
    PGOUTPUT_BEGIN = 'B',
    PGOUTPUT_COMMIT = 'C',
    PGOUTPUT_ORIGIN = 'O',
    PGOUTPUT_RELATION = 'R',
    PGOUTPUT_TYPE = 'Y',
    PGOUTPUT_INSERT = 'I',
    PGOUTPUT_UPDATE = 'U',
    PGOUTPUT_DELETE = 'D',
    PGOUTPUT_TRUNCATE = 'T',
    PGOUTPUT_MESSAGE = 'M',
};

/** One column of a tuple. `data` and `size` are valid if pgoutput_has_value; borrowed from the message. */
struct pgoutput_value {
    const uint8_t *data;
    uint32_t size;
    uint8_t kind;
};

enum {
    PGOUTPUT_VALUE_NULL = 'n',       // in a key tuple also for columns outside the key
    PGOUTPUT_VALUE_UNCHANGED = 'u',  // a TOASTed value that the update did not change: not sent
    PGOUTPUT_VALUE_TEXT = 't',
    PGOUTPUT_VALUE_BINARY = 'b',  // with the option binary, of types that have a send function
};

/** Whether the value was sent, in one of both forms. */
static inline bool pgoutput_has_value(const struct pgoutput_value *v)
{
    return v->kind == PGOUTPUT_VALUE_TEXT || v->kind == PGOUTPUT_VALUE_BINARY;
}

struct pgoutput_tuple {
    uint16_t count;
    struct pgoutput_value values[PGOUTPUT_COLUMNS_MAX];
};

struct pgoutput_begin {
    uint64_t final_lsn;      // start of the commit record
    int64_t commit_time_us;  // Unix microseconds
    uint32_t transaction_id;
};

struct pgoutput_commit {
    uint64_t commit_lsn;
    uint64_t end_lsn;
    int64_t commit_time_us;  // Unix microseconds
};

/** The server from which the transaction was replicated to this one. */
struct pgoutput_origin {
    uint64_t commit_lsn;  // on that server
    struct slice name;    // NUL-terminated in the message
};

struct pgoutput_column {
    struct slice name;  // NUL-terminated in the message
    uint32_t type_oid;
    int32_t type_modifier;
    bool is_identity;  // part of the replica identity
};

struct pgoutput_relation {
    uint32_t oid;
    struct slice schema;  // empty means pg_catalog
    struct slice name;
    uint8_t replica_identity;  // relreplident: d default, n nothing, f full, i index
    uint16_t column_count;
    struct pgoutput_column columns[PGOUTPUT_COLUMNS_MAX];
};

/** The schema's name; the message has none for pg_catalog. Borrowed. */
static inline const char *pgoutput_schema_of(const struct pgoutput_relation *message)
{
    return message->schema.size == 0 ? "pg_catalog" : (const char *)message->schema.data;
}

/** Insert, Update, Delete. */
struct pgoutput_row {
    uint32_t relation_oid;
    uint8_t old_kind;  // 'K': the old tuple has the identity's columns only; 'O': the whole old row; 0: none
    bool has_new;
    struct pgoutput_tuple old_tuple;
    struct pgoutput_tuple new_tuple;
};

/** Several relations at once. */
struct pgoutput_truncate {
    uint32_t count;
    struct slice oids;  // 4 bytes each, big-endian
};

/** A message that pg_logical_emit_message wrote. */
struct pgoutput_logical {
    bool is_transactional;
    uint64_t lsn;         // the end of its WAL record
    struct slice prefix;  // NUL-terminated in the message
    struct slice content;
};

/** About 130 kB, so allocate it once and reuse it. Only the member that belongs to `kind` is valid. */
struct pgoutput_message {
    enum pgoutput_kind kind;
    struct pgoutput_begin begin;
    struct pgoutput_commit commit;
    struct pgoutput_origin origin;
    struct pgoutput_relation relation;
    struct pgoutput_row row;
    struct pgoutput_logical logical;
    struct pgoutput_truncate truncate;
};

/** The relation number `i` of a truncate. */
static inline uint32_t pgoutput_truncated(const struct pgoutput_truncate *t, uint32_t i)
{
    struct cursor c = cursor_over(slice_make(t->oids.data + (size_t)i * 4, 4));
    return cursor_u32(&c);
}

/**
 * Decodes one message of protocol version 1, or 2 without streaming.
 *
 * @param wire  one whole message with its type byte; slices in `ret` point into it
 * @param ret   unspecified on failure
 * @param f     FAULT_FATAL: invalid message
 * Source: PostgreSQL 15, 55.9 Logical Replication Message Formats.
 */
bool pgoutput_decode(struct slice wire, struct pgoutput_message *ret, struct fault *f) MUST_USE;

#endif
