// What a connector remembers of columns beyond its process, by the number that the database has given to the
// column, which it keeps when it or its table is renamed: under which names the configuration had a rule for
// it, and what its schemas have permitted besides its type. It is kept in the state topic, key
// `column/<connector>/<table's oid>/<number>`, and only grows, until the connector's state record is removed.
#ifndef CONNECTORS_COLUMN_MEMORY_H
#define CONNECTORS_COLUMN_MEMORY_H

#include "connectors/state_writes.h"
#include "core/base/text.h"

struct remembered_column {
    uint16_t number;
    struct text_list names;  // "schema.table.column"
    bool is_nullable;        // a schema had null for it although the database did not permit it any more
    bool has_text;           // a schema had a branch for text
};

struct column_memory;

/** @param connector  its name; copied */
struct column_memory *column_memory_new(const char *connector);

/** What the keys of all of the connector's columns begin with. */
const char *column_memory_prefix(const struct column_memory *m);

/** An entry of the state topic is added to what is remembered; what is not valid is ignored. */
void column_memory_load(struct column_memory *m, const char *key, struct slice value);

/** All that was loaded is a former connector's of the same name: deletes it. */
void column_memory_discard(struct column_memory *m);

/** The columns of a table, by their number. @param ret_count  may be 0 */
const struct remembered_column *column_memory_of(const struct column_memory *m, uint32_t table,
                                                 size_t *ret_count);

/** NULL: nothing is remembered of it, or m is NULL. */
const struct remembered_column *column_memory_find(const struct column_memory *m, uint32_t table,
                                                   uint16_t number);

/** The configuration has a rule for this name of the column. */
void column_memory_add_name(struct column_memory *m, uint32_t table, uint16_t number, const char *name);

/** The column's schemas permit null from now on, or text. Does nothing for number 0: it is not known. */
void column_memory_add_null(struct column_memory *m, uint32_t table, uint16_t number);
void column_memory_add_text(struct column_memory *m, uint32_t table, uint16_t number);

/** The entries to be written to the state topic; lent. */
struct state_writes *column_memory_writes(struct column_memory *m);

/** Accepts NULL. */
void column_memory_free(struct column_memory *m);

#endif
