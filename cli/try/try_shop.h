// The sample database of `millrace try`, a small shop: its tables, their initial rows, and its changes.
#ifndef CLI_TRY_TRY_SHOP_H
#define CLI_TRY_TRY_SHOP_H

#include <libpq-fe.h>
#include <uv.h>

#include "core/base/bytes.h"
#include "core/base/fault.h"

/** One row change, which must arrive at the function. */
struct try_shop_change {
    char op;            // the envelope's op: r c u d
    const char *table;  // "orders"; static
    int64_t id;         // primary key
};

typedef void (*try_shop_on_change)(void *self, const struct try_shop_change *change);

/** The tables, NULL-ended, without their schema. */
extern const char *const TRY_SHOP_TABLES[];

/** Appends the SQL that creates schema, tables and initial rows; calls on_row for each row, with op 'r'. */
void try_shop_tables(const char *schema, struct bytes *sql, try_shop_on_change on_row, void *self);

/**
 * Appends the SQL of the transaction that begins with change number `first`, without changes from `end` on.
 *
 * @param on_change  called for each of its changes, in order
 * @return           the number of its changes, at least 1
 */
int64_t try_shop_transaction(int64_t first, int64_t end, const char *schema, struct bytes *sql,
                             try_shop_on_change on_change, void *self);

struct try_shop_params {
    uv_loop_t *loop;
    PGconn *conn;  // lent; must be idle
    const char *schema;
    int64_t changes;
    try_shop_on_change on_change;  // called before the change is sent
    void (*on_end)(
        void *self,
        const struct fault *f);  // once: all changes are committed (NULL), or the database refused one
    void *self;
};

/** Makes the changes on the loop, some milliseconds apart. */
struct try_shop;
struct try_shop *try_shop_start(const struct try_shop_params *params);

/** Accepts NULL. The memory is freed when the loop has closed the handles. */
void try_shop_stop(struct try_shop *s);

#endif
