// Debezium's markers say whether a row is the last of its table or of all. So each row is held back until the
// next one, or the end, has come.
#include "connectors/postgres/snapshot/pg_snapshot.h"

#include <stdlib.h>

#include "connectors/postgres/snapshot/pg_copy_text.h"
#include "connectors/postgres/snapshot/pg_snapshot_private.h"

enum { KEPT_AT_ONCE = 1000 };

static void free_row(struct pg_snapshot_row *row)
{
    if (row->line != NULL) {
        PQfreemem(row->line);
    }
    *row = (struct pg_snapshot_row){0};
}

void pg_snapshot_free(struct pg_snapshot *s)
{
    if (s == NULL) {
        return;
    }
    free_row(&s->held);
    free_row(&s->incoming);
    for (size_t i = 0; i < s->table_count; i++) {
        free(s->tables[i].schema);
        free(s->tables[i].name);
        free(s->tables[i].row_filter);
    }
    free(s->tables);
    free(s->publications);
    free(s->only);
    free(s->skipped);
    free(s->message);
    free(s);
}

struct pg_snapshot *pg_snapshot_start(const struct pg_snapshot_params *params)
{
    struct pg_snapshot *s = memory_zeroed(1, sizeof(*s));
    s->params = *params;
    s->params.only = NULL;
    s->params.publication_names = NULL;
    s->publications = memory_string(params->publication_names);
    s->message = memory_zeroed(1, sizeof(*s->message));
    s->message->kind = PGOUTPUT_INSERT;
    s->message->row.has_new = true;
    if (params->only_count > 0) {
        s->only_count = params->only_count;
        s->only = memory_new(s->only_count * sizeof(*s->only));
        memcpy(s->only, params->only, s->only_count * sizeof(*s->only));
    }
    pg_snapshot_begin(s);
    return s;
}

// Reads the next row into `incoming`, if it has come.
static enum pg_snapshot_step read_row(struct pg_snapshot *s, struct fault *f)
{
    if (!s->is_copying) {
        return PG_SNAPSHOT_NOTHING;
    }
    char *line = NULL;
    int size = pg_conn_read_copy(s->params.conn, &line, f);
    if (size > 0) {
        struct pg_snapshot_table *t = &s->tables[s->at];
        s->incoming = (struct pg_snapshot_row){line, (size_t)size, s->at, t->rows == 0};
        t->rows++;
        return PG_SNAPSHOT_CHANGE;
    }
    if (size == -1) {
        s->is_copying = false;
        pg_snapshot_end_copy(s);
    }
    return size == -2 ? PG_SNAPSHOT_FAULT : PG_SNAPSHOT_NOTHING;
}

static const char *marker_of(const struct pg_snapshot *s, bool is_last_of_table)
{
    if (s->incoming.line == NULL) {
        return "last";
    }
    if (s->held.is_first && s->index == 0) {
        return "first";
    }
    if (is_last_of_table) {
        return "last_in_data_collection";
    }
    return s->held.is_first ? "first_in_data_collection" : "true";
}

static void fill_change(const struct pg_snapshot *s, struct change *ret, enum change_kind kind)
{
    *ret = (struct change){.kind = kind};
    // Records are aligned, so no commit record has this LSN, and no event of the stream has the same id.
    ret->commit_lsn = s->lsn - 1;
    ret->commit_time_us = s->time_us;
    ret->transaction_id = s->transaction_id;
    ret->lsn = s->lsn;
}

static enum pg_snapshot_step give_commit(struct pg_snapshot *s, struct change *ret)
{
    s->must_commit = false;
    s->has_begun = false;
    fill_change(s, ret, CHANGE_COMMIT);
    ret->position = s->params.position;
    return PG_SNAPSHOT_CHANGE;
}

static enum pg_snapshot_step give_row(struct pg_snapshot *s, struct change *ret, struct fault *f)
{
    struct pg_snapshot_table *t = &s->tables[s->held.table];
    bool is_last = s->incoming.line == NULL || s->incoming.table != s->held.table;
    fill_change(s, ret, CHANGE_ROW);
    ret->snapshot = marker_of(s, is_last);
    ret->index = s->index++;
    struct pgoutput_tuple *tuple = &s->message->row.new_tuple;
    // Behind all that the stream has given, and before all that follows.
    s->params.changes->place = (struct toast_position){s->params.position - 1, ret->index};
    s->params.changes->takes_unread = true;  // its transaction's catalogue knows no better
    if (!pg_copy_text_split(s->held.line, s->held.size, t->relation->table->column_count, tuple, f) ||
        !pg_change_make(s->params.changes, s->params.relations, t->relation, s->message, ret, f)) {
        return PG_SNAPSHOT_FAULT;
    }
    ret->op = CHANGE_READ;
    s->must_commit = is_last;
    free_row(&s->held);  // the change does not point into the line
    return PG_SNAPSHOT_CHANGE;
}

static bool keep_row(struct pg_snapshot *s, struct fault *f)
{
    const struct pg_snapshot_table *t = &s->tables[s->incoming.table];
    struct pgoutput_row *row = &s->message->row;
    struct toast_position place = {s->params.position - 1, s->index++};
    struct pg_toast *toast = s->params.changes->toast;
    return pg_copy_text_split(s->incoming.line, s->incoming.size, t->relation->table->column_count,
                              &row->new_tuple, f) &&
           pg_toast_fill(toast, t->relation, row, place, f) &&
           pg_toast_keep(toast, t->relation, row, place, f);
}

static enum pg_snapshot_step keep_rows(struct pg_snapshot *s, struct fault *f)
{
    for (int i = 0; i < KEPT_AT_ONCE; i++) {
        enum pg_snapshot_step step = s->is_over ? PG_SNAPSHOT_END : read_row(s, f);
        if (step != PG_SNAPSHOT_CHANGE) {
            return step;
        }
        bool is_kept = keep_row(s, f);
        free_row(&s->incoming);
        if (!is_kept) {
            return PG_SNAPSHOT_FAULT;
        }
    }
    return PG_SNAPSHOT_YIELD;
}

enum pg_snapshot_step pg_snapshot_next(struct pg_snapshot *s, struct change *ret, struct fault *f)
{
    if (s->params.is_for_toast) {
        return keep_rows(s, f);
    }
    if (s->must_commit) {
        return give_commit(s, ret);
    }
    if (s->held.line == NULL) {
        s->held = s->incoming;
        s->incoming = (struct pg_snapshot_row){0};
    }
    if (s->incoming.line == NULL && !s->is_over) {
        enum pg_snapshot_step step = read_row(s, f);
        if (step != PG_SNAPSHOT_CHANGE) {
            return step;
        }
        if (s->held.line == NULL) {
            return pg_snapshot_next(s, ret, f);  // recurses at most once: held is set in the second call
        }
    }
    if (s->held.line == NULL) {
        return PG_SNAPSHOT_END;
    }
    if (!s->has_begun) {
        s->has_begun = true;
        fill_change(s, ret, CHANGE_BEGIN);
        return PG_SNAPSHOT_CHANGE;
    }
    return give_row(s, ret, f);
}

const uint32_t *pg_snapshot_skipped(const struct pg_snapshot *s, size_t *ret_count)
{
    // Partitions are skipped one by one; more of them than a state record holds are all read again.
    bool has_too_many = s->skipped_count > s->params.skipped_max;
    *ret_count = has_too_many ? s->only_count : s->skipped_count;
    return has_too_many ? s->only : s->skipped;
}

bool pg_snapshot_was_locked(const struct pg_snapshot *s)
{
    return s->was_locked;
}
