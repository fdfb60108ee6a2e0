// An entry is JSON: {"names":["public.people.phone"],"nullable":true,"text":true}
#include "connectors/column_memory.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#include "core/base/memory.h"

enum { NAMES_MAX = 16 };  // of a column; the state topic gives entries of at most 4 KB

struct remembered_table {
    uint32_t oid;
    struct remembered_column *columns;
    size_t count;
    UT_hash_handle hh;
};

struct column_memory {
    char *prefix;
    struct remembered_table *tables;
    struct state_writes writes;
};

struct column_memory *column_memory_new(const char *connector)
{
    struct column_memory *m = memory_zeroed(1, sizeof(*m));
    m->prefix = memory_format("column/%s/", connector);
    return m;
}

static void forget(struct column_memory *m)
{
    struct remembered_table *t;
    struct remembered_table *next;
    HASH_ITER (hh, m->tables, t, next) {
        HASH_DEL(m->tables, t);
        for (size_t i = 0; i < t->count; i++) {
            text_list_clear(&t->columns[i].names);
        }
        free(t->columns);
        free(t);
    }
}

void column_memory_free(struct column_memory *m)
{
    if (m == NULL) {
        return;
    }
    forget(m);
    state_writes_clear(&m->writes);
    free(m->prefix);
    free(m);
}

const char *column_memory_prefix(const struct column_memory *m)
{
    return m->prefix;
}

struct state_writes *column_memory_writes(struct column_memory *m)
{
    return &m->writes;
}

// --- the columns ---

static struct remembered_table *find_table(const struct column_memory *m, uint32_t oid)
{
    struct remembered_table *t = NULL;
    if (m != NULL) {
        HASH_FIND(hh, m->tables, &oid, sizeof(oid), t);
    }
    return t;
}

static struct remembered_column *find_column(const struct remembered_table *t, uint16_t number)
{
    for (size_t i = 0; t != NULL && i < t->count; i++) {
        if (t->columns[i].number == number) {
            return &t->columns[i];
        }
    }
    return NULL;
}

const struct remembered_column *column_memory_of(const struct column_memory *m, uint32_t table,
                                                 size_t *ret_count)
{
    const struct remembered_table *t = find_table(m, table);
    *ret_count = t == NULL ? 0 : t->count;
    return t == NULL ? NULL : t->columns;
}

const struct remembered_column *column_memory_find(const struct column_memory *m, uint32_t table,
                                                   uint16_t number)
{
    return find_column(find_table(m, table), number);
}

static struct remembered_column *get(struct column_memory *m, uint32_t table, uint16_t number)
{
    struct remembered_table *t = find_table(m, table);
    if (t == NULL) {
        t = memory_zeroed(1, sizeof(*t));
        t->oid = table;
        HASH_ADD(hh, m->tables, oid, sizeof(t->oid), t);
    }
    struct remembered_column *known = find_column(t, number);
    if (known != NULL) {
        return known;
    }
    t->columns = memory_resize(t->columns, (t->count + 1) * sizeof(*t->columns));
    t->columns[t->count] = (struct remembered_column){.number = number};
    return &t->columns[t->count++];
}

static bool add_name(struct remembered_column *c, const char *name)
{
    bool is_new = c->names.count < NAMES_MAX && !text_list_has(&c->names, name);
    if (is_new) {
        text_list_add(&c->names, name);
    }
    return is_new;
}

// --- entries ---

static char *key_of(const struct column_memory *m, uint32_t table, uint16_t number)
{
    return memory_format("%s%" PRIu32 "/%u", m->prefix, table, number);
}

static void write_entry(struct column_memory *m, uint32_t table, const struct remembered_column *c)
{
    CLEANUP(memory_free_pointer) char *key = key_of(m, table, c->number);
    CLEANUP(bytes_clear) struct bytes entry = {0};
    bytes_append_string(&entry, "{\"names\":[");
    for (size_t i = 0; i < c->names.count; i++) {
        bytes_append_string(&entry, i == 0 ? "" : ",");
        text_append_json(&entry, slice_of(c->names.items[i]));
    }
    bytes_format(&entry, "]%s%s}", c->is_nullable ? ",\"nullable\":true" : "",
                 c->has_text ? ",\"text\":true" : "");
    state_writes_add(&m->writes, key, bytes_slice(&entry), STATE_WRITES_NOW);
}

void column_memory_load(struct column_memory *m, const char *key, struct slice value)
{
    uint32_t table;
    uint16_t number;
    int end = 0;
    const char *digits = key + strlen(m->prefix);
    bool is_key = sscanf(digits, "%" SCNu32 "/%" SCNu16 "%n", &table, &number, &end) == 2;
    CLEANUP(json_decrefp) json_t *object = json_loadb((const char *)value.data, value.size, 0, NULL);
    if (!is_key || digits[end] != '\0' || !json_is_object(object)) {
        return;
    }
    struct remembered_column *c = get(m, table, number);
    const json_t *names = json_object_get(object, "names");
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        (void)(name != NULL && add_name(c, name));
    }
    c->is_nullable = c->is_nullable || json_is_true(json_object_get(object, "nullable"));
    c->has_text = c->has_text || json_is_true(json_object_get(object, "text"));
}

void column_memory_discard(struct column_memory *m)
{
    struct remembered_table *t;
    struct remembered_table *next;
    state_writes_clear(&m->writes);
    HASH_ITER (hh, m->tables, t, next) {
        for (size_t i = 0; i < t->count; i++) {
            CLEANUP(memory_free_pointer) char *key = key_of(m, t->oid, t->columns[i].number);
            state_writes_delete(&m->writes, key);
        }
    }
    forget(m);
}

// --- what is added ---

void column_memory_add_name(struct column_memory *m, uint32_t table, uint16_t number, const char *name)
{
    struct remembered_column *c = get(m, table, number);
    if (add_name(c, name)) {
        write_entry(m, table, c);
    }
}

static void set_flag(struct column_memory *m, uint32_t table, uint16_t number, bool is_null)
{
    if (m == NULL || number == 0) {
        return;
    }
    struct remembered_column *c = get(m, table, number);
    bool *flag = is_null ? &c->is_nullable : &c->has_text;
    if (!*flag) {
        *flag = true;
        write_entry(m, table, c);
    }
}

void column_memory_add_null(struct column_memory *m, uint32_t table, uint16_t number)
{
    set_flag(m, table, number, true);
}

void column_memory_add_text(struct column_memory *m, uint32_t table, uint16_t number)
{
    set_flag(m, table, number, false);
}
