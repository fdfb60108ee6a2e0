#include "schemas/json/event_columns.h"

#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/memory.h"
#include "schemas/avro/avro_pass.h"
#include "schemas/json/json_member.h"
#include "schemas/json/json_text.h"

/** A record type of rows, and the type of what is left of one. */
struct row_type {
    const struct avro_type *full;
    struct avro_type *cut;  // its fields' types are those of `full`
    bool *keeps;            // by field of `full`
    struct row_type *next;
};

/** A type around rows: an envelope, or a union with null. */
struct outer_type {
    const struct avro_type *full;
    struct avro_type *cut;
    struct outer_type *next;
};

struct event_columns {
    const struct text_list *include;
    const struct text_list *exclude;
    const char *component;
    struct row_type *rows;  // the one of the last event first
    struct outer_type *outers;
};

struct event_columns *event_columns_new(const struct text_list *include, const struct text_list *exclude,
                                        const char *component)
{
    struct event_columns *c = memory_zeroed(1, sizeof(*c));
    c->include = include;
    c->exclude = exclude;
    c->component = component;
    return c;
}

void event_columns_free(struct event_columns *c)
{
    if (c == NULL) {
        return;
    }
    for (struct row_type *row = c->rows, *next; row != NULL; row = next) {
        next = row->next;
        free(row->cut->fields);
        free(row->cut);
        free(row->keeps);
        free(row);
    }
    for (struct outer_type *outer = c->outers, *next; outer != NULL; outer = next) {
        next = outer->next;
        free(outer->cut->fields);
        free(outer->cut->branches);
        free(outer->cut);
        free(outer);
    }
    free(c);
}

static bool is_chosen(const struct event_columns *c, struct slice name)
{
    char buffer[128];
    CLEANUP(memory_free_pointer) char *large = name.size < sizeof(buffer) ? NULL : slice_to_string(name);
    if (large == NULL) {
        memcpy(buffer, name.data, name.size);
        buffer[name.size] = '\0';
    }
    const char *text = large == NULL ? buffer : large;
    return (c->include->count == 0 || text_list_glob_match(c->include, text)) &&
           !text_list_glob_match(c->exclude, text);
}

static bool has_column(const struct avro_type *row, const char *glob)
{
    for (size_t i = 0; i < row->count; i++) {
        CLEANUP(memory_free_pointer) char *name = slice_to_string(avro_field_name(&row->fields[i]));
        if (text_glob_match(glob, name)) {
            return true;
        }
    }
    return false;
}

static void log_missing(const struct event_columns *c, const struct avro_type *row,
                        const struct text_list *names)
{
    for (size_t i = 0; i < names->count; i++) {
        if (!has_column(row, names->items[i])) {
            log_warn(c->component, "column_missing",
                     LOG_WITH(LOG_TEXT("column", names->items[i]),
                              LOG_TEXT("schema", row->full_name == NULL ? "" : row->full_name)),
                     "columns names a column that this table does not have");
        }
    }
}

/** Another version of the table's schema is known. */
static bool is_table_known(const struct event_columns *c, const struct avro_type *row)
{
    for (const struct row_type *known = c->rows; known != NULL; known = known->next) {
        if (known->full->full_name != NULL && row->full_name != NULL &&
            strcmp(known->full->full_name, row->full_name) == 0) {
            return true;
        }
    }
    return false;
}

static struct row_type *add_row(struct event_columns *c, const struct avro_type *full)
{
    if (c->component != NULL && !is_table_known(c, full)) {
        log_missing(c, full, c->include);
        log_missing(c, full, c->exclude);
    }
    struct row_type *row = memory_zeroed(1, sizeof(*row));
    row->full = full;
    row->keeps = memory_zeroed(full->count + 1, sizeof(*row->keeps));
    row->cut = memory_new(sizeof(*row->cut));
    *row->cut = *full;
    row->cut->fields = memory_zeroed(full->count + 1, sizeof(*row->cut->fields));
    row->cut->count = 0;
    for (size_t i = 0; i < full->count; i++) {
        row->keeps[i] = is_chosen(c, avro_field_name(&full->fields[i]));
        if (row->keeps[i]) {
            row->cut->fields[row->cut->count++] = full->fields[i];
        }
    }
    return row;
}

static struct row_type *row_of(struct event_columns *c, const struct avro_type *full)
{
    struct row_type **at = &c->rows;
    while (*at != NULL && (*at)->full != full) {
        at = &(*at)->next;
    }
    struct row_type *row = *at;
    if (row == NULL) {
        row = add_row(c, full);
    } else {
        *at = row->next;
    }
    row->next = c->rows;
    c->rows = row;
    return row;
}

/** A union whose branch, or an envelope one of whose fields, is `full`: `cut` in its place. */
static struct avro_type *add_outer(struct event_columns *c, const struct avro_type *type)
{
    struct outer_type *outer = memory_zeroed(1, sizeof(*outer));
    outer->full = type;
    outer->cut = memory_new(sizeof(*outer->cut));
    *outer->cut = *type;
    outer->next = c->outers;
    c->outers = outer;
    if (type->kind == AVRO_KIND_UNION) {
        outer->cut->branches = memory_new(type->count * sizeof(struct avro_type *));
        memcpy(outer->cut->branches, type->branches, type->count * sizeof(struct avro_type *));
    } else {
        outer->cut->fields = memory_new(type->count * sizeof(struct avro_field));
        memcpy(outer->cut->fields, type->fields, type->count * sizeof(struct avro_field));
    }
    return outer->cut;
}

static struct avro_type *find_outer(const struct event_columns *c, const struct avro_type *type)
{
    for (const struct outer_type *outer = c->outers; outer != NULL; outer = outer->next) {
        if (outer->full == type) {
            return outer->cut;
        }
    }
    return NULL;
}

static bool is_row(const struct avro_type *type)
{
    return type->kind == AVRO_KIND_RECORD && type->meaning == AVRO_MEANING_NONE;
}

/** The type of a field of rows: a row, or a union with rows. */
static struct avro_type *cut_type(struct event_columns *c, struct avro_type *type)
{
    if (is_row(type)) {
        return row_of(c, type)->cut;
    }
    struct avro_type *cut = type->kind == AVRO_KIND_UNION ? find_outer(c, type) : type;
    if (cut != NULL) {
        return cut;
    }
    cut = add_outer(c, type);
    for (size_t i = 0; i < cut->count; i++) {
        cut->branches[i] = is_row(cut->branches[i]) ? row_of(c, cut->branches[i])->cut : cut->branches[i];
    }
    return cut;
}

static const struct avro_type *cut_envelope(struct event_columns *c, const struct avro_type *envelope)
{
    struct avro_type *cut = find_outer(c, envelope);
    if (cut != NULL) {
        return cut;
    }
    cut = add_outer(c, envelope);
    for (size_t i = 0; i < cut->count; i++) {
        struct avro_field *field = &cut->fields[i];
        if (field->role == AVRO_ROLE_BEFORE || field->role == AVRO_ROLE_AFTER) {
            const struct avro_type *passed = field->pass.type;
            field->type = cut_type(c, field->type);
            field->pass.type = is_row(passed) ? row_of(c, passed)->cut : passed;
            field->pass.kind = is_row(passed) ? AVRO_PASS_ANY : field->pass.kind;
        }
    }
    return cut;
}

static bool cut_avro(struct event_columns *c, const struct event_value *value, struct bytes *memory,
                     struct event_value *ret, struct fault *f)
{
    const struct row_type *row = row_of(c, value->type);
    const uint8_t *at = value->bytes.data;
    const uint8_t *end = value->bytes.size > 0 ? at + value->bytes.size : at;
    const uint8_t *run = at;  // of fields that are kept
    size_t begin = memory->size;
    for (size_t i = 0; i < row->full->count; i++) {
        const uint8_t *behind = avro_pass_field(&row->full->fields[i], at, end);
        if (behind == NULL) {
            return fault_set(f, FAULT_REJECT, "Avro data: a row ends too soon, or does not match its schema");
        }
        if (!row->keeps[i]) {
            bytes_append(memory, run, (size_t)(at - run));
            run = behind;
        }
        at = behind;
    }
    bytes_append(memory, run, (size_t)(at - run));
    *ret = (struct event_value){EVENT_VALUE_AVRO, row->cut,
                                slice_make(memory->data + begin, memory->size - begin)};
    return true;
}

static void cut_json(const struct event_columns *c, const struct event_value *value, struct bytes *memory,
                     struct event_value *ret)
{
    CLEANUP(bytes_clear) struct bytes name = {0};
    struct json_members members = {.text = value->bytes};
    struct json_member member;
    size_t begin = memory->size;
    bytes_append_byte(memory, '{');
    while (json_members_next(&members, &member)) {
        bytes_reset(&name);
        json_text_unescape(&name, member.name);
        if (name.size == 0 || !is_chosen(c, bytes_slice(&name))) {
            continue;
        }
        if (memory->size > begin + 1) {
            bytes_append_byte(memory, ',');
        }
        bytes_append_byte(memory, '"');
        bytes_append_slice(memory, member.name);
        bytes_append(memory, "\":", 2);
        bytes_append_slice(memory, member.value);
    }
    bytes_append_byte(memory, '}');
    *ret =
        (struct event_value){EVENT_VALUE_JSON, NULL, slice_make(memory->data + begin, memory->size - begin)};
}

static bool is_json_object(const struct event_value *value)
{
    size_t at = 0;
    while (at < value->bytes.size && strchr(" \t\r\n", value->bytes.data[at]) != NULL) {
        at++;
    }
    return value->kind == EVENT_VALUE_JSON && at < value->bytes.size && value->bytes.data[at] == '{';
}

static bool cut_value(struct event_columns *c, struct event_value *value, struct bytes *memory,
                      struct fault *f)
{
    const struct event_value full = *value;
    if (full.kind == EVENT_VALUE_AVRO && is_row(full.type)) {
        return cut_avro(c, &full, memory, value, f);
    }
    if (is_json_object(&full)) {
        cut_json(c, &full, memory, value);
    }
    return true;
}

/** The bytes of the whole, with those of a part replaced; returns behind the part. */
static const uint8_t *splice(struct bytes *memory, const uint8_t *at, const struct event_value *full,
                             const struct event_value *cut)
{
    if (full->kind == EVENT_VALUE_NULL) {
        return at;
    }
    bytes_append(memory, at, (size_t)(full->bytes.data - at));
    bytes_append_slice(memory, cut->bytes);
    return full->bytes.data + full->bytes.size;
}

/** `before` and `after` lie in the whole, in any order. */
static void cut_whole(struct event_columns *c, const struct event_view *full, struct bytes *memory,
                      struct event_view *cut)
{
    struct slice whole = full->whole.bytes;
    if (full->whole.kind != EVENT_VALUE_AVRO) {
        cut->whole = full->whole.kind == EVENT_VALUE_JSON ? cut->after : full->whole;
        return;
    }
    if (!full->is_envelope) {
        cut->whole = cut->after;
        return;
    }
    size_t begin = memory->size;
    const uint8_t *at = whole.data;
    bool is_before_first =
        full->after.kind == EVENT_VALUE_NULL ||
        (full->before.kind != EVENT_VALUE_NULL && full->before.bytes.data < full->after.bytes.data);
    if (is_before_first) {
        at = splice(memory, at, &full->before, &cut->before);
        at = splice(memory, at, &full->after, &cut->after);
    } else {
        at = splice(memory, at, &full->after, &cut->after);
        at = splice(memory, at, &full->before, &cut->before);
    }
    bytes_append(memory, at, (size_t)(whole.data + whole.size - at));
    cut->whole.type = cut_envelope(c, full->whole.type);
    cut->whole.bytes = slice_make(memory->data + begin, memory->size - begin);
}

bool event_columns_apply(struct event_columns *c, const struct event_view *e, struct bytes *memory,
                         struct event_view *ret, struct fault *f)
{
    bytes_reset(memory);
    // All of it must have room: its places are kept while more is appended.
    (void)bytes_reserve(memory, (e->before.bytes.size + e->after.bytes.size) * 2 + e->whole.bytes.size + 8);
    const uint8_t *place = memory->data;
    *ret = *e;
    bool is_good = cut_value(c, &ret->before, memory, f) && cut_value(c, &ret->after, memory, f);
    if (is_good) {
        cut_whole(c, e, memory, ret);
    }
    INVARIANT(memory->data == place);
    return is_good;
}
