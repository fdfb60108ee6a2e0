// A definition is written as JSON:
//
//   {"schema":"public","name":"orders","identity":"d","key":["id"],
//    "columns":[["id","int8",0,null,0],["total","numeric(10,2)",1,"0",0]]}
//
// A column is [name, type, nullable, default, generated]. One that is longer than ENTRY_MAX is kept in the
// state topic as {"schema":…,"name":…,"hash":"<SHA-256, hex>"}.
#include "connectors/known_tables.h"

#include <inttypes.h>
#include <jansson.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>
#include <utlist.h>

#include "core/base/memory.h"
#include "core/base/text.h"

enum { ENTRY_MAX = 2048 };  // every process that has the state topic open has all of them in memory

struct known_table {
    uint32_t oid;
    char *schema;
    char *name;
    struct bytes text;  // the definition, whole or as its hash
    UT_hash_handle hh;
};

/** An entry that is to be written. */
struct pending_entry {
    char *key;
    struct bytes value;
    bool is_deleted;
    uint64_t ticket;
    struct pending_entry *prev;
    struct pending_entry *next;
};

struct known_tables {
    char *prefix;
    uint32_t session;
    struct known_table *tables;
    struct pending_entry *pending;
    struct bytes text;     // scratch: the definition that is compared
    struct bytes effects;  // scratch
};

static void clear_tables(struct known_tables *k)
{
    struct known_table *t;
    struct known_table *next;
    HASH_ITER (hh, k->tables, t, next) {
        HASH_DEL(k->tables, t);
        free(t->schema);
        free(t->name);
        bytes_clear(&t->text);
        free(t);
    }
}

static void drop_pending(struct known_tables *k)
{
    struct pending_entry *p = k->pending;
    DL_DELETE(k->pending, p);
    free(p->key);
    bytes_clear(&p->value);
    free(p);
}

struct known_tables *known_tables_new(const char *connector)
{
    struct known_tables *k = memory_zeroed(1, sizeof(*k));
    k->prefix = memory_format("table/%s/", connector);
    return k;
}

void known_tables_begin(struct known_tables *k)
{
    clear_tables(k);
    while (k->pending != NULL) {
        drop_pending(k);
    }
    k->session++;
}

uint32_t known_tables_session(const struct known_tables *k)
{
    return k->session;
}

const char *known_tables_prefix(const struct known_tables *k)
{
    return k->prefix;
}

void known_tables_free(struct known_tables *k)
{
    if (k == NULL) {
        return;
    }
    known_tables_begin(k);
    bytes_clear(&k->text);
    bytes_clear(&k->effects);
    free(k->prefix);
    free(k);
}

// --- the text of a definition ---

static void put_member(struct bytes *out, const char *name, const char *text)
{
    bytes_append_string(out, name);
    text_append_json(out, slice_of(text));
}

static void put_name(struct bytes *out, const struct table *t)
{
    put_member(out, "{\"schema\":", t->schema);
    put_member(out, ",\"name\":", t->name);
}

static void put_column(struct bytes *out, const struct column *c, const struct column_shape *shape)
{
    put_member(out, "[", c->name);
    put_member(out, ",", shape->expression);
    bytes_format(out, ",%d,", c->is_nullable);
    if (shape->default_text == NULL) {
        bytes_append_string(out, "null");
    } else {
        text_append_json(out, slice_of(shape->default_text));
    }
    bytes_format(out, ",%d]", shape->is_generated);
}

static void put_definition(struct bytes *out, const struct table *t)
{
    put_name(out, t);
    bytes_format(out, ",\"identity\":\"%c\",\"key\":[", t->shape->identity);
    for (size_t i = 0; i < t->key_count; i++) {
        put_member(out, i == 0 ? "" : ",", t->columns[t->key_columns[i]].name);
    }
    bytes_append_string(out, "],\"columns\":[");
    for (size_t i = 0; i < t->column_count; i++) {
        bytes_append_string(out, i == 0 ? "" : ",");
        put_column(out, &t->columns[i], &t->shape->columns[i]);
    }
    bytes_append_string(out, "]}");
}

static void put_hash(struct bytes *out, const struct table *t, struct slice definition)
{
    uint8_t hash[SHA256_DIGEST_LENGTH];
    (void)SHA256(definition.data, definition.size, hash);
    put_name(out, t);
    bytes_append_string(out, ",\"hash\":\"");
    text_append_hex(out, slice_make(hash, sizeof(hash)));
    bytes_append_string(out, "\"}");
}

// --- what has changed ---

static const char *column_name(const json_t *column)
{
    return json_string_value(json_array_get(column, 0));
}

static size_t find_column(const json_t *columns, const char *name)
{
    size_t i = 0;
    while (i < json_array_size(columns) && !text_is_same(column_name(json_array_get(columns, i)), name)) {
        i++;
    }
    return i;
}

static void add(json_t *effects, const char *member, const char *name)
{
    json_t *list = json_object_get(effects, member);
    if (list == NULL) {
        list = json_array();
        (void)json_object_set_new(effects, member, list);
    }
    (void)json_array_append_new(list, json_string(name));
}

static void compare_column(const json_t *before, const json_t *after, json_t *effects)
{
    static const char *const members[] = {NULL, "retyped", "nullability", "default", "generated"};
    for (size_t i = 1; i < COUNT_OF(members); i++) {
        if (!json_equal(json_array_get(before, i), json_array_get(after, i))) {
            add(effects, members[i], column_name(after));
        }
    }
}

// PostgreSQL adds columns at the end and renames them in place. So a column that is gone and a new one of
// its type, with a common column behind both, is one that was renamed. At the end of the table it may as well
// have been dropped and another one added: then both are said.
static size_t find_renamed(const json_t *before, size_t gone, const json_t *after)
{
    size_t count = json_array_size(after);
    size_t at = gone == 0 ? 0 : find_column(after, column_name(json_array_get(before, gone - 1))) + 1;
    if (at >= count || gone + 1 >= json_array_size(before)) {
        return count;
    }
    const json_t *candidate = json_array_get(after, at);
    bool is_new = find_column(before, column_name(candidate)) == json_array_size(before);
    bool is_same_type =
        json_equal(json_array_get(json_array_get(before, gone), 1), json_array_get(candidate, 1));
    size_t behind = find_column(after, column_name(json_array_get(before, gone + 1)));
    return is_new && is_same_type && behind == at + 1 ? at : count;
}

static void compare_columns(const json_t *before, const json_t *after, json_t *effects)
{
    size_t before_count = json_array_size(before);
    size_t after_count = json_array_size(after);
    CLEANUP(memory_free_pointer) bool *is_renamed = memory_zeroed(after_count + 1, sizeof(*is_renamed));
    for (size_t i = 0; i < before_count; i++) {
        const json_t *old = json_array_get(before, i);
        size_t at = find_column(after, column_name(old));
        if (at < after_count) {
            compare_column(old, json_array_get(after, at), effects);
            continue;
        }
        at = find_renamed(before, i, after);
        if (at == after_count) {
            add(effects, "dropped", column_name(old));
            continue;
        }
        json_t *names = json_object_get(effects, "renamed");
        names = names == NULL ? json_object() : json_incref(names);
        (void)json_object_set_new(names, column_name(old),
                                  json_string(column_name(json_array_get(after, at))));
        (void)json_object_set_new(effects, "renamed", names);
        compare_column(old, json_array_get(after, at), effects);
        is_renamed[at] = true;
    }
    for (size_t i = 0; i < after_count; i++) {
        const char *name = column_name(json_array_get(after, i));
        if (!is_renamed[i] && find_column(before, name) == before_count) {
            add(effects, "added", name);
        }
    }
}

static void compare_definitions(const json_t *before, const json_t *after, json_t *effects)
{
    compare_columns(json_object_get(before, "columns"), json_object_get(after, "columns"), effects);
    if (!json_equal(json_object_get(before, "key"), json_object_get(after, "key"))) {
        (void)json_object_set(effects, "key", json_object_get(after, "key"));
    }
    if (!json_equal(json_object_get(before, "identity"), json_object_get(after, "identity"))) {
        (void)json_object_set(effects, "identity", json_object_get(after, "identity"));
    }
    if (!json_equal(json_object_get(before, "schema"), json_object_get(after, "schema")) ||
        !json_equal(json_object_get(before, "name"), json_object_get(after, "name"))) {
        (void)json_object_set_new(effects, "renamed_from",
                                  json_sprintf("%s.%s", json_string_value(json_object_get(before, "schema")),
                                               json_string_value(json_object_get(before, "name"))));
    }
    if (json_object_size(effects) == 0) {
        (void)json_object_set_new(effects, "order", json_true());  // of its columns
    }
}

static void write_effects(struct known_tables *k, const struct known_table *known)
{
    CLEANUP(json_decrefp)
    json_t *before = json_loadb((const char *)known->text.data, known->text.size, 0, NULL);
    CLEANUP(json_decrefp) json_t *after = json_loadb((const char *)k->text.data, k->text.size, 0, NULL);
    CLEANUP(json_decrefp) json_t *effects = json_object();
    if (json_object_get(before, "columns") != NULL && after != NULL) {
        compare_definitions(before, after, effects);
    }
    CLEANUP(memory_free_pointer) char *text = json_dumps(effects, JSON_COMPACT);
    bytes_reset(&k->effects);
    bytes_append_string(&k->effects, text == NULL ? "{}" : text);
}

// --- the tables ---

static struct known_table *find(const struct known_tables *k, uint32_t oid)
{
    struct known_table *t;
    HASH_FIND(hh, k->tables, &oid, sizeof(oid), t);
    return t;
}

// The table that had the name before this one, if it was another.
static struct known_table *find_former(const struct known_tables *k, const struct table *t)
{
    struct known_table *former;
    struct known_table *next;
    HASH_ITER (hh, k->tables, former, next) {
        if (former->oid != t->shape->oid && strcmp(former->name, t->name) == 0 &&
            strcmp(former->schema, t->schema) == 0) {
            return former;
        }
    }
    return NULL;
}

static bool is_known(const struct known_table *known, const struct table *t, struct slice definition)
{
    if (slice_equal(bytes_slice(&known->text), definition)) {
        return true;
    }
    CLEANUP(bytes_clear) struct bytes hash = {0};
    put_hash(&hash, t, definition);
    return slice_equal(bytes_slice(&known->text), bytes_slice(&hash));
}

struct known_tables_change known_tables_compare(struct known_tables *k, const struct table *t)
{
    bytes_reset(&k->text);
    put_definition(&k->text, t);
    const struct known_table *known = find(k, t->shape->oid);
    if (known != NULL) {
        if (is_known(known, t, bytes_slice(&k->text))) {
            return (struct known_tables_change){.effect = KNOWN_TABLES_SAME};
        }
        write_effects(k, known);
        return (struct known_tables_change){.effect = KNOWN_TABLES_ALTER,
                                            .effects = bytes_slice(&k->effects)};
    }
    const struct known_table *former = find_former(k, t);
    return (struct known_tables_change){.effect = KNOWN_TABLES_CREATE,
                                        .effects = slice_of("{}"),
                                        .dropped_schema = former == NULL ? NULL : former->schema,
                                        .dropped_name = former == NULL ? NULL : former->name};
}

static void add_pending(struct known_tables *k, uint32_t oid, const struct bytes *value, uint64_t ticket)
{
    struct pending_entry *p = memory_zeroed(1, sizeof(*p));
    p->key = memory_format("%s%" PRIu32, k->prefix, oid);
    p->is_deleted = value == NULL;
    p->ticket = ticket;
    if (value != NULL) {
        bytes_append_slice(&p->value, bytes_slice(value));
    }
    DL_APPEND(k->pending, p);
}

static struct known_table *get(struct known_tables *k, uint32_t oid)
{
    struct known_table *known = find(k, oid);
    if (known == NULL) {
        known = memory_zeroed(1, sizeof(*known));
        known->oid = oid;
        HASH_ADD(hh, k->tables, oid, sizeof(known->oid), known);
    }
    return known;
}

static void set_name(struct known_table *known, const char *schema, const char *name)
{
    free(known->schema);
    free(known->name);
    known->schema = memory_string(schema);
    known->name = memory_string(name);
}

void known_tables_set(struct known_tables *k, const struct table *t, uint64_t ticket)
{
    struct known_table *former = find(k, t->shape->oid) == NULL ? find_former(k, t) : NULL;
    if (former != NULL) {
        add_pending(k, former->oid, NULL, ticket);
        HASH_DEL(k->tables, former);
        free(former->schema);
        free(former->name);
        bytes_clear(&former->text);
        free(former);
    }
    struct known_table *known = get(k, t->shape->oid);
    set_name(known, t->schema, t->name);
    bytes_reset(&known->text);
    put_definition(&known->text, t);
    if (known->text.size <= ENTRY_MAX) {
        add_pending(k, known->oid, &known->text, ticket);
        return;
    }
    CLEANUP(bytes_clear) struct bytes hash = {0};
    put_hash(&hash, t, bytes_slice(&known->text));
    add_pending(k, known->oid, &hash, ticket);
}

void known_tables_load(struct known_tables *k, const char *key, struct slice value)
{
    char *end = NULL;
    const char *digits = key + strlen(k->prefix);
    unsigned long oid = strtoul(digits, &end, 10);
    CLEANUP(json_decrefp) json_t *object = json_loadb((const char *)value.data, value.size, 0, NULL);
    const char *schema = json_string_value(json_object_get(object, "schema"));
    const char *name = json_string_value(json_object_get(object, "name"));
    if (end == digits || *end != '\0' || oid > UINT32_MAX || schema == NULL || name == NULL) {
        return;
    }
    struct known_table *known = get(k, (uint32_t)oid);
    set_name(known, schema, name);
    bytes_reset(&known->text);
    bytes_append_slice(&known->text, value);
}

bool known_tables_due(const struct known_tables *k, uint64_t first, const char **ret_key,
                      struct slice *ret_value)
{
    const struct pending_entry *p = k->pending;
    if (p == NULL || p->ticket >= first) {
        return false;
    }
    *ret_key = p->key;
    *ret_value = p->is_deleted ? (struct slice){NULL, 0} : bytes_slice(&p->value);
    return true;
}

void known_tables_written(struct known_tables *k)
{
    drop_pending(k);
}
