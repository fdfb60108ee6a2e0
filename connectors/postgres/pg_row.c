// A nullable column is the union ["null", T], or [T, "null"] if it has a default. A branch for text is behind
// them. The branch's index comes first, as a long.
#include "connectors/postgres/pg_row.h"

#include "connectors/postgres/values/pg_write.h"
#include "core/base/text.h"
#include "schemas/avro/avro_encode.h"

static inline void append_branch(struct bytes *out, const struct column *c, bool is_null)
{
    if (c->is_nullable) {
        bool has_default = c->default_json.size > 0;
        bytes_append_byte(out, is_null == has_default ? 2 : 0);  // zig-zag of 1 and 0
    } else if (c->has_marker || c->has_text) {
        bytes_append_byte(out, 0);
    }
}

static void append_null(struct bytes *out, const struct column *c)
{
    append_branch(out, c, !c->is_null_default);
    if (c->is_null_default) {
        bytes_append_slice(out, bytes_slice(&c->default_avro));
    }
}

// VALUE_UNCHANGED, the last branch: its field is true.
static inline void append_marker(struct bytes *out, const struct column *c)
{
    bytes_append_byte(out, c->is_nullable ? 4 : 2);  // zig-zag of 2 and 1
    bytes_append_byte(out, 1);
}

static bool is_matching(const struct table *t, const struct pgoutput_tuple *tuple, struct fault *f)
{
    if (__builtin_expect(tuple->count != t->column_count, 0)) {
        return fault_set(f, FAULT_FATAL, "%s.%s: a row has %u columns, its relation %zu", t->schema, t->name,
                         (unsigned)tuple->count, t->column_count);
    }
    return true;
}

// As Debezium: a value that its Avro type can't represent is null, if the column is nullable. A key's never
// is: its columns are nullable only in a version for a row that had none.
static enum pg_row_step append_null_instead(struct bytes *out, const struct table *t, const struct column *c,
                                            const struct pg_row_notes *notes, struct fault *f)
{
    if (!c->is_nullable || notes->on_none == NULL) {
        (void)fault_context(f, "%s.%s column %s", t->schema, t->name, c->name);
        return PG_ROW_FAULT;
    }
    append_null(out, c);
    notes->on_none(notes->self, c, f);
    return PG_ROW_DONE;
}

static enum pg_row_step append_text_instead(struct bytes *out, const struct table *t, const struct column *c,
                                            const struct pgoutput_value *value, struct pg_row_notes *notes,
                                            struct fault *f)
{
    if (!c->has_text) {
        notes->column = (size_t)(c - t->columns);
        notes->wider = PG_ROW_WIDER_TEXT;
        return PG_ROW_WIDEN;
    }
    avro_encode_long(out, 1 + (c->is_nullable ? 1 : 0) + (c->has_marker ? 1 : 0));
    size_t begin = out->size;
    if (!pg_row_write_text(out, c, value)) {
        (void)fault_context(f, "%s.%s column %s", t->schema, t->name, c->name);
        return PG_ROW_FAULT;
    }
    pg_write_length(out, begin);
    return PG_ROW_DONE;
}

static void note_stale(struct pg_row_notes *notes, struct slice value)
{
    notes->is_stale = true;
    notes->stale_hash = notes->stale_hash * 31 + text_hash(value);  // two equal ones are not as none
}

// Whether the type may be altered without a Relation message: it is not built in. A masked column's is below.
static bool is_altered_alone(const struct value_type *t)
{
    return t->name != NULL || (t->element != NULL && t->element->name != NULL);
}

// The stream must have been text: pg_frames checks it before each row.
static enum value_step refuse_binary(struct fault *f)
{
    (void)fault_set(f, FAULT_FATAL, "the value is in binary form, which can't be read for its type");
    return VALUE_FAULT;
}

// What becomes of a value that could not be appended.
static enum pg_row_step append_instead(struct bytes *out, const struct table *t, const struct column *c,
                                       const struct pgoutput_value *value, enum value_step step,
                                       struct pg_row_notes *notes, struct fault *f)
{
    bool is_unread = step == VALUE_FAULT && is_altered_alone(&c->type);
    bool takes_text = c->takes_text && !c->is_key;
    if (is_unread) {
        note_stale(notes, (struct slice){value->data, value->size});
    }
    if (is_unread && value->kind == PGOUTPUT_VALUE_BINARY) {
        notes->unread = c;
    } else if (is_unread && takes_text && notes->takes_unread) {
        step = VALUE_NONE;
    }
    if (step == VALUE_NONE) {
        return takes_text ? append_text_instead(out, t, c, value, notes, f)
                          : append_null_instead(out, t, c, notes, f);
    }
    (void)fault_context(f, "%s.%s column %s", t->schema, t->name, c->name);
    return PG_ROW_FAULT;
}

// Appends the union branch and the value.
static enum pg_row_step append_column(struct bytes *out, const struct table *t, const struct column *c,
                                      const struct pgoutput_value *value, struct pg_row_notes *notes,
                                      struct fault *f)
{
    struct slice data = {value->data, value->size};
    size_t begin = out->size;
    append_branch(out, c, false);
    const struct type_ops *ops = c->type.ops;
    enum value_step step = value->kind == PGOUTPUT_VALUE_TEXT ? ops->append_text(out, &c->type, data, f)
                           : ops->append_binary != NULL       ? ops->append_binary(out, &c->type, data, f)
                                                              : refuse_binary(f);
    if (__builtin_expect(step == VALUE_DONE, 1)) {
        return PG_ROW_DONE;
    }
    if (step == VALUE_STALE) {
        note_stale(notes, data);
        return PG_ROW_DONE;
    }
    out->size = begin;
    return append_instead(out, t, c, value, step, notes, f);
}

// The value of column `i`: the old tuple's if the new one has an unchanged TOAST value.
static inline const struct pgoutput_value *pick_value(const struct pgoutput_tuple *tuple,
                                                      const struct pgoutput_tuple *old_tuple, size_t i)
{
    const struct pgoutput_value *value = &tuple->values[i];
    if (value->kind == PGOUTPUT_VALUE_UNCHANGED && old_tuple != NULL && i < old_tuple->count &&
        pgoutput_has_value(&old_tuple->values[i])) {
        return &old_tuple->values[i];
    }
    return value;
}

// NULL, or an unchanged TOAST value whose type has no placeholder: both need a nullable column.
static bool is_null_value(const struct column *c, const struct pgoutput_value *value)
{
    return value->kind == PGOUTPUT_VALUE_NULL ||
           (value->kind == PGOUTPUT_VALUE_UNCHANGED && c->type.ops->append_placeholder == NULL);
}

enum pg_row_step pg_row_append_value(struct bytes *out, const struct table *t,
                                     const struct pgoutput_tuple *tuple,
                                     const struct pgoutput_tuple *old_tuple, struct pg_row_notes *notes,
                                     struct fault *f)
{
    if (!is_matching(t, tuple, f)) {
        return PG_ROW_FAULT;
    }
    for (size_t i = 0; i < t->column_count; i++) {
        const struct column *c = &t->columns[i];
        const struct pgoutput_value *value = pick_value(tuple, old_tuple, i);
        if (pgoutput_has_value(value)) {
            enum pg_row_step step = append_column(out, t, c, value, notes, f);
            if (__builtin_expect(step != PG_ROW_DONE, 0)) {
                return step;
            }
        } else if (value->kind == PGOUTPUT_VALUE_UNCHANGED && c->has_marker) {
            append_marker(out, c);
        } else if (!is_null_value(c, value)) {
            append_branch(out, c, false);
            c->type.ops->append_placeholder(out, &c->type);
        } else if (c->is_nullable) {
            append_null(out, c);
        } else {
            notes->column = i;
            notes->wider = PG_ROW_WIDER_NULL;
            return PG_ROW_WIDEN;
        }
    }
    return PG_ROW_DONE;
}

static void append_absent(struct bytes *out, const struct column *c)
{
    if (c->is_nullable) {
        append_null(out, c);
        return;
    }
    append_branch(out, c, false);
    if (c->default_avro.size > 0) {
        bytes_append_slice(out, bytes_slice(&c->default_avro));
    } else {
        c->type.ops->append_zero(out, &c->type);
    }
}

static enum pg_row_step append_part(struct bytes *out, const struct table *t,
                                    const struct pgoutput_tuple *tuple, bool is_key_only,
                                    struct pg_row_notes *notes, struct fault *f)
{
    if (!is_matching(t, tuple, f)) {
        return PG_ROW_FAULT;
    }
    for (size_t i = 0; i < t->column_count; i++) {
        const struct column *c = &t->columns[i];
        if (!pgoutput_has_value(&tuple->values[i]) || (is_key_only && !c->is_key)) {
            append_absent(out, c);
            continue;
        }
        enum pg_row_step step = append_column(out, t, c, &tuple->values[i], notes, f);
        if (step != PG_ROW_DONE) {
            return step;
        }
    }
    return PG_ROW_DONE;
}

enum pg_row_step pg_row_append_identity(struct bytes *out, const struct table *t,
                                        const struct pgoutput_tuple *tuple, struct pg_row_notes *notes,
                                        struct fault *f)
{
    return append_part(out, t, tuple, false, notes, f);
}

bool pg_row_append_key_only(struct bytes *out, const struct table *t, const struct pgoutput_tuple *tuple,
                            struct fault *f)
{
    struct pg_row_notes none = {0};  // a key has no null in place of a value
    return append_part(out, t, tuple, true, &none, f) == PG_ROW_DONE;
}

bool pg_row_append_key(struct bytes *out, const struct table *t, const struct pgoutput_tuple *tuple,
                       const struct pgoutput_tuple *old_tuple, struct fault *f)
{
    if (!is_matching(t, tuple, f)) {
        return false;
    }
    struct pg_row_notes none = {0};  // a key has no null in place of a value
    for (size_t i = 0; i < t->key_count; i++) {
        const struct column *c = &t->columns[t->key_columns[i]];
        const struct pgoutput_value *value = pick_value(tuple, old_tuple, t->key_columns[i]);
        if (!pgoutput_has_value(value)) {
            return fault_set(f, FAULT_REJECT, "%s.%s: the key column %s has no value in this row", t->schema,
                             t->name, c->name);
        }
        if (append_column(out, t, c, value, &none, f) != PG_ROW_DONE) {
            return false;
        }
    }
    return true;
}

void pg_row_append_partition(struct bytes *out, const struct table *t, const struct pgoutput_tuple *tuple,
                             const struct pgoutput_tuple *old_tuple)
{
    for (size_t i = 0; i < t->partition_count; i++) {
        const struct column *c = &t->columns[t->partition_columns[i]];
        const struct pgoutput_value *value = pick_value(tuple, old_tuple, t->partition_columns[i]);
        struct slice data = {value->data, value->size};
        size_t begin = out->size;
        struct fault f;
        enum value_step step = VALUE_NONE;
        if (value->kind == PGOUTPUT_VALUE_TEXT) {
            step = c->type.ops->append_text(out, &c->type, data, &f);
        } else if (value->kind == PGOUTPUT_VALUE_BINARY && c->type.ops->append_binary != NULL) {
            step = c->type.ops->append_binary(out, &c->type, data, &f);
        }
        out->size = step == VALUE_DONE || step == VALUE_STALE ? out->size : begin;
    }
}

bool pg_row_write_text(struct bytes *out, const struct column *c, const struct pgoutput_value *value)
{
    struct slice data = {value->data, value->size};
    struct fault f;
    if (value->kind == PGOUTPUT_VALUE_TEXT) {
        bytes_append_slice(out, data);
        return true;
    }
    return value->kind == PGOUTPUT_VALUE_BINARY && c->type.ops->write_text != NULL &&
           c->type.ops->write_text(out, &c->type, data, &f) == VALUE_DONE;
}
