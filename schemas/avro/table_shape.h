// What a record of the schema-change topic says of a table besides its schemas. Immutable, and shared by the
// versions of a table that differ in other things.
#ifndef SCHEMAS_AVRO_TABLE_SHAPE_H
#define SCHEMAS_AVRO_TABLE_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COLUMN_SHAPE_NONE = -1 };  // as length or scale: the type has none

struct column_shape {
    char *type;          // the database's name of it: "numeric", "_int4"
    char *expression;    // with its parameters: "numeric(10,2)"
    char *default_text;  // the default's expression; NULL: none, or not known
    int32_t jdbc_type;   // java.sql.Types
    int32_t length;
    int32_t scale;
    bool is_nullable;  // in the database; the schema may be nullable for other reasons too
    bool is_generated;
};

struct table_shape {
    uint32_t oid;   // of the table
    char identity;  // its replica identity: d, n, f, i
    size_t count;   // of the columns, which are the table version's
    size_t uses;    // users besides the first
    struct column_shape columns[];
};

/** Without types: the caller fills them in. */
struct table_shape *table_shape_new(uint32_t oid, char identity, size_t count);

/** One more user, who calls table_shape_free too. Accepts and returns NULL. */
struct table_shape *table_shape_retain(struct table_shape *s);

/** One user less; the last one frees it. Accepts NULL. */
void table_shape_free(struct table_shape *s);

/** Whether both say the same; both may be NULL. */
bool table_shape_is_same(const struct table_shape *a, const struct table_shape *b);

#endif
