#include "connectors/transaction_counts.h"

#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#include "core/base/memory.h"
#include "core/base/text.h"

enum { TABLES_KEPT = 65536 };  // names of former tables are forgotten when there are more

static const char MESSAGES[] = "LOGICAL_DECODING_MESSAGE";  // as Debezium identifies them

/** One table; kept from transaction to transaction. */
struct counted {
    char *name;
    uint64_t transaction;  // of the last event, as a number of our own
    size_t at;             // in that transaction's tables
    UT_hash_handle hh;
};

struct transaction_counts {
    struct counted *all;
    struct counted *last;        // of the last event; NULL: none
    struct event_count *tables;  // of this transaction
    size_t count;
    size_t capacity;
    uint64_t transaction;
    uint64_t total;
    struct bytes name;
    char id[40];
    size_t id_size;
};

struct transaction_counts *transaction_counts_new(void)
{
    return memory_zeroed(1, sizeof(struct transaction_counts));
}

static void forget(struct transaction_counts *t)
{
    struct counted *c;
    struct counted *next;
    HASH_ITER (hh, t->all, c, next) {
        HASH_DEL(t->all, c);
        free(c->name);
        free(c);
    }
    t->last = NULL;
}

static void begin(struct transaction_counts *t, const struct change *change)
{
    if (HASH_COUNT(t->all) > TABLES_KEPT) {
        forget(t);
    }
    t->transaction++;
    t->total = 0;
    t->count = 0;
    t->id_size = (size_t)snprintf(t->id, sizeof(t->id), "%u:%lu", change->transaction_id, change->commit_lsn);
}

static struct counted *find(struct transaction_counts *t, const struct change *change)
{
    bytes_reset(&t->name);
    if (change->op == CHANGE_MESSAGE) {
        bytes_append_string(&t->name, MESSAGES);
    } else {
        bytes_append_string(&t->name, change->table->schema);
        bytes_append_byte(&t->name, '.');
        bytes_append_string(&t->name, change->table->name);
    }
    if (t->last != NULL && slice_equal(bytes_slice(&t->name), slice_of(t->last->name))) {
        return t->last;
    }
    struct counted *c = NULL;
    HASH_FIND(hh, t->all, t->name.data, t->name.size, c);
    if (c == NULL) {
        c = memory_zeroed(1, sizeof(*c));
        c->name = slice_to_string(bytes_slice(&t->name));
        HASH_ADD_KEYPTR(hh, t->all, c->name, t->name.size, c);
    }
    t->last = c;
    return c;
}

static void add_table(struct transaction_counts *t, struct counted *c)
{
    if (t->count == t->capacity) {
        t->capacity = t->capacity == 0 ? 16 : 2 * t->capacity;
        t->tables = memory_resize(t->tables, t->capacity * sizeof(*t->tables));
    }
    c->transaction = t->transaction;
    c->at = t->count;
    t->tables[t->count++] = (struct event_count){.collection = c->name};
}

static void count(struct transaction_counts *t, struct change *io)
{
    struct counted *c = find(t, io);
    if (c->transaction != t->transaction) {
        add_table(t, c);
    }
    io->order = (struct change_order){
        .id = slice_make(t->id, t->id_size), .total = ++t->total, .of_table = ++t->tables[c->at].count};
}

void transaction_counts_see(struct transaction_counts *t, struct change *io)
{
    if (t == NULL) {
        return;
    }
    if (io->kind == CHANGE_BEGIN) {
        begin(t, io);
    } else if (io->kind == CHANGE_ROW && io->op != CHANGE_READ && io->transaction_id != 0) {
        count(t, io);
    }
}

uint64_t transaction_counts_total(const struct transaction_counts *t)
{
    return t == NULL ? 0 : t->total;
}

struct slice transaction_counts_id(const struct transaction_counts *t)
{
    return slice_make(t->id, t->id_size);
}

const struct event_count *transaction_counts_tables(const struct transaction_counts *t, size_t *ret_count)
{
    *ret_count = t->count;
    return t->tables;
}

void transaction_counts_free(struct transaction_counts *t)
{
    if (t == NULL) {
        return;
    }
    forget(t);
    free(t->tables);
    bytes_clear(&t->name);
    free(t);
}
