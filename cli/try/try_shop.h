// The small shop whose changes `millrace try` follows: its tables, what is in them, and what happens in it.
#ifndef CLI_TRY_TRY_SHOP_H
#define CLI_TRY_TRY_SHOP_H

#include <libpq-fe.h>
#include <uv.h>

#include "core/base/bytes.h"
#include "core/base/fault.h"

/** One row change: what must arrive at the function. */
struct try_shop_change {
    char op;            // the envelope's letter: r c u d
    const char *table;  // "orders"; static
    int64_t id;         // primary key
};

typedef void (*try_shop_on_change)(void *self, const struct try_shop_change *change);

/** The tables, NULL-ended, without their schema. */
extern const char *const TRY_SHOP_TABLES[];

/** Appends the SQL that makes schema, tables and first rows; gives each row as a change with op 'r'. */
void try_shop_tables(const char *schema, struct bytes *sql, try_shop_on_change on_row, void *self);

/**
 * Appends the SQL of the transaction that begins with change number `first`, cut off before change `end`.
 *
 * @param on_change  gets each change of it, in order
 * @return           how many changes it makes, at least 1
 */
int64_t try_shop_transaction(int64_t first, int64_t end, const char *schema, struct bytes *sql,
                             try_shop_on_change on_change, void *self);

struct try_shop_params {
    uv_loop_t *loop;
    PGconn *conn;  // lent; idle
    const char *schema;
    int64_t changes;
    try_shop_on_change on_change;  // just before it is sent
    void (*on_end)(void *self,
                   const struct fault *f);  // all are committed (NULL), or the database refused. Once.
    void *self;
};

/** Makes the changes on the loop, some milliseconds apart as people do. */
struct try_shop;
struct try_shop *try_shop_start(const struct try_shop_params *params);

/** Accepts NULL. The memory goes when the loop has closed its handles. */
void try_shop_stop(struct try_shop *s);

#endif
