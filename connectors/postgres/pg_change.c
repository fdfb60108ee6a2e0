#include "connectors/postgres/pg_change.h"

#include "connectors/postgres/values/pg_mask.h"
#include "core/base/text.h"
#include "core/kafka/murmur2.h"
#include "schemas/avro/avro_type.h"
#include "schemas/json/json_encode.h"

void pg_change_clear(struct pg_change *p)
{
    bytes_clear(&p->key);
    bytes_clear(&p->old_key);
    bytes_clear(&p->before);
    bytes_clear(&p->after);
    bytes_clear(&p->key_json);
    bytes_clear(&p->old_key_json);
    bytes_clear(&p->bad_json);
    bytes_clear(&p->partition);
    bytes_clear(&p->value_text);
    avro_type_free(p->key_type);
    table_free(p->key_table);
    *p = (struct pg_change){0};
}

// A slice whose data is not NULL, even without bytes.
static struct slice as_record(struct bytes *b)
{
    return (struct slice){bytes_reserve(b, 1) - b->size, b->size};
}

static struct slice key_or_null(const struct table *t, struct bytes *key)
{
    return t->key_count == 0 ? (struct slice){NULL, 0} : as_record(key);
}

// Appends the old image: all columns, or those of the replica identity.
static enum pg_row_step append_before(struct pg_change *p, const struct table *t,
                                      const struct pgoutput_row *row, struct fault *f)
{
    if (row->old_kind == 'O') {
        return pg_row_append_value(&p->before, t, &row->old_tuple, NULL, &p->notes, f);
    }
    return pg_row_append_identity(&p->before, t, &row->old_tuple, &p->notes, f);
}

static enum pg_row_step read_old(struct pg_change *p, const struct table *t, const struct pgoutput_row *row,
                                 struct fault *f)
{
    bytes_reset(&p->before);
    bytes_reset(&p->old_key);
    p->has_old_key = p->is_before_bad = false;
    if (row->old_kind == 0) {
        return PG_ROW_DONE;
    }
    p->has_old_key = pg_row_append_key(&p->old_key, t, &row->old_tuple, NULL, f);
    enum pg_row_step step = p->has_old_key ? append_before(p, t, row, f) : PG_ROW_FAULT;
    if (step != PG_ROW_FAULT || f->kind != FAULT_REJECT) {
        return step;
    }
    p->is_before_bad = true;
    bytes_reset(&p->before);
    bool has_key = p->has_old_key && t->key_count > 0;
    if (!row->has_new && !has_key) {
        p->is_bad = true;  // the row that was deleted is unknown
        p->bad = *f;
    }
    return !has_key || pg_row_append_key_only(&p->before, t, &row->old_tuple, f) ? PG_ROW_DONE : PG_ROW_FAULT;
}

static enum pg_row_step read_new(struct pg_change *p, const struct table *t, const struct pgoutput_row *row,
                                 struct fault *f)
{
    bytes_reset(&p->after);
    bytes_reset(&p->key);
    p->has_key = p->is_bad = false;
    if (!row->has_new) {
        return PG_ROW_DONE;
    }
    const struct pgoutput_tuple *old_tuple = row->old_kind == 0 ? NULL : &row->old_tuple;
    enum pg_row_step step = pg_row_append_value(&p->after, t, &row->new_tuple, old_tuple, &p->notes, f);
    if (step == PG_ROW_FAULT && f->kind == FAULT_REJECT) {
        p->is_bad = true;
        p->bad = *f;
    } else if (step != PG_ROW_DONE) {
        return step;
    }
    p->has_key = pg_row_append_key(&p->key, t, &row->new_tuple, old_tuple, f);
    if (!p->has_key && f->kind != FAULT_REJECT) {
        return PG_ROW_FAULT;
    }
    if (!p->has_key && !p->is_bad) {
        p->is_bad = true;
        p->bad = *f;
    }
    return PG_ROW_DONE;
}

static bool key_to_json(struct pg_change *p, struct table *t, const struct bytes *key, struct bytes *out,
                        struct fault *f)
{
    if (p->key_table != t) {
        avro_type_free(p->key_type);
        p->key_type = NULL;
        table_free(TAKE(p->key_table));
        if (!avro_type_parse(slice_of(t->key_schema), &p->key_type, f)) {
            return fault_context(f, "key schema of %s", t->topic);
        }
        table_retain(t);
        p->key_table = t;
    }
    const struct json_options options = {.as_stored = true};
    bytes_reset(out);
    return json_encode_datum(p->key_type, bytes_slice(key), &options, out, f);
}

// A value's text; the hex digits of a value whose binary form is not valid.
static void append_value_json(struct pg_change *p, const struct column *c, const struct pgoutput_value *value)
{
    bytes_reset(&p->value_text);
    if (!pg_row_write_text(&p->value_text, c, value)) {
        bytes_reset(&p->value_text);
        for (size_t i = 0; i < value->size; i++) {
            bytes_format(&p->value_text, "%02x", value->data[i]);
        }
    }
    text_append_json(&p->bad_json, bytes_slice(&p->value_text));
}

// The row as the database shows it, for the dead letter.
static struct slice row_as_text(struct pg_change *p, const struct table *t,
                                const struct pgoutput_tuple *tuple)
{
    bytes_reset(&p->bad_json);
    const char *before = "{";
    for (size_t i = 0; i < t->column_count && i < tuple->count; i++) {
        const struct pgoutput_value *value = &tuple->values[i];
        if (value->kind == PGOUTPUT_VALUE_UNCHANGED) {
            continue;
        }
        bytes_append_string(&p->bad_json, before);
        before = ",";
        text_append_json(&p->bad_json, slice_of(t->columns[i].name));
        bytes_append_byte(&p->bad_json, ':');
        if (value->kind == PGOUTPUT_VALUE_NULL) {
            bytes_append_string(&p->bad_json, "null");
        } else if (pg_mask_is_on(&t->columns[i].type)) {
            text_append_json(&p->bad_json, slice_of("***"));
        } else {
            append_value_json(p, &t->columns[i], value);
        }
    }
    bytes_append_string(&p->bad_json, before[0] == '{' ? "{}" : "}");
    return bytes_slice(&p->bad_json);
}

static uint32_t hash_partition(struct pg_change *p, const struct table *t, const struct pgoutput_tuple *tuple,
                               const struct pgoutput_tuple *old_tuple)
{
    bytes_reset(&p->partition);
    pg_row_append_partition(&p->partition, t, tuple, old_tuple);
    return murmur2(bytes_slice(&p->partition));
}

static void hash_partitions(struct pg_change *p, const struct table *t, const struct pgoutput_row *row)
{
    const struct pgoutput_tuple *old_tuple = row->old_kind == 0 ? NULL : &row->old_tuple;
    p->new_hash = row->has_new ? hash_partition(p, t, &row->new_tuple, old_tuple) : 0;
    p->old_hash = old_tuple != NULL ? hash_partition(p, t, old_tuple, NULL) : p->new_hash;
}

static void put_partition(const struct table *t, uint32_t hash, struct change *io)
{
    io->is_partitioned = t->partition_count > 0;
    io->partition_hash = hash;
}

// Whether the key changed, or what chooses the partition. The old key must be deleted even if the new one
// can't be encoded.
static bool has_moved(const struct pg_change *p, const struct table *t, const struct pgoutput_row *row)
{
    bool is_elsewhere = t->partition_count > 0 && p->old_hash != p->new_hash;
    return row->old_kind != 0 && t->key_count > 0 && p->has_old_key &&
           (is_elsewhere || !p->has_key || !slice_equal(bytes_slice(&p->key), bytes_slice(&p->old_key)));
}

static void put_delete(struct pg_change *p, const struct table *t, const struct pgoutput_message *message,
                       struct change *io)
{
    io->op = CHANGE_DELETE;
    put_partition(t, p->old_hash, io);
    io->key = p->has_old_key ? key_or_null(t, &p->old_key) : (struct slice){NULL, 0};
    if (p->is_bad && !message->row.has_new) {
        io->bad_json = row_as_text(p, t, &message->row.old_tuple);
        io->bad_reason = p->bad.text;
    } else {
        io->before = as_record(&p->before);
    }
}

static void put_row(struct pg_change *p, const struct table *t, const struct pgoutput_message *message,
                    struct change *io)
{
    put_partition(t, p->new_hash, io);
    io->key = p->has_key ? key_or_null(t, &p->key) : (struct slice){NULL, 0};
    if (p->is_bad) {
        io->bad_json = row_as_text(p, t, &message->row.new_tuple);
        io->bad_reason = p->bad.text;
    } else {
        io->after = as_record(&p->after);
    }
}

static bool split_key_change(struct pg_change *p, struct table *t, const struct pgoutput_message *message,
                             struct change *io, struct fault *f)
{
    if ((p->has_key && !key_to_json(p, t, &p->key, &p->key_json, f)) ||
        !key_to_json(p, t, &p->old_key, &p->old_key_json, f)) {
        f->kind = FAULT_FATAL;
        return false;
    }
    p->second = *io;
    p->second.op = CHANGE_CREATE;
    put_row(p, t, message, &p->second);
    p->second.old_key_json = bytes_slice(&p->old_key_json);
    p->has_second = true;
    put_delete(p, t, message, io);
    if (p->has_key) {
        io->new_key_json = bytes_slice(&p->key_json);
    }
    return true;
}

static bool fill_change(struct pg_change *p, struct table *t, const struct pgoutput_message *message,
                        struct change *io, struct fault *f)
{
    const struct pgoutput_row *row = &message->row;
    if (t->partition_count > 0) {
        hash_partitions(p, t, row);
    }
    if (!row->has_new) {
        put_delete(p, t, message, io);
        return true;
    }
    if (has_moved(p, t, row)) {
        return split_key_change(p, t, message, io, f);
    }
    // An old key that can't be encoded was never published: there is nothing to delete or update.
    bool is_new = message->kind == PGOUTPUT_INSERT || (row->old_kind != 0 && !p->has_old_key);
    io->op = is_new ? CHANGE_CREATE : CHANGE_UPDATE;
    put_row(p, t, message, io);
    if (row->old_kind != 0 && !p->is_before_bad && !p->is_bad) {
        io->before = as_record(&p->before);
    }
    return true;
}

static void on_none(void *self, const struct column *c, const struct fault *why)
{
    struct pg_change *p = self;
    pg_relations_note_none(p->relations, p->relation, c, why->text);
}

static void widen(const struct pg_change *p)
{
    if (p->notes.wider == PG_ROW_WIDER_NULL) {
        pg_relations_widen(p->relations, p->relation, p->notes.column);
    } else {
        pg_relations_add_text(p->relations, p->relation, p->notes.column);
    }
}

bool pg_change_make(struct pg_change *p, struct pg_relations *relations, struct pg_relation *relation,
                    struct pgoutput_message *message, struct change *io, struct fault *f)
{
    p->has_second = false;
    io->before = io->after = io->key = (struct slice){NULL, 0};
    io->new_key_json = io->old_key_json = io->bad_json = (struct slice){NULL, 0};
    io->bad_reason = NULL;
    io->is_partitioned = false;
    p->relations = relations;
    p->relation = relation;
    if (p->toast != NULL && !pg_toast_fill(p->toast, relation, &message->row, p->place, f)) {
        return false;
    }
    enum pg_row_step step = PG_ROW_WIDEN;
    while (step == PG_ROW_WIDEN) {
        p->notes = (struct pg_row_notes){.on_none = on_none, .self = p, .takes_unread = p->takes_unread};
        io->table = relation->table;
        step = read_new(p, io->table, &message->row, f);
        if (step == PG_ROW_DONE) {
            step = read_old(p, io->table, &message->row, f);
        }
        if (step == PG_ROW_WIDEN) {
            widen(p);
        }
    }
    if (step == PG_ROW_FAULT ||
        (p->toast != NULL && !pg_toast_keep(p->toast, relation, &message->row, p->place, f))) {
        return false;
    }
    if (p->is_before_bad && !p->is_bad) {
        pg_relations_note_bad_before(relations, relation, f->text);
    }
    return fill_change(p, io->table, message, io, f);
}
