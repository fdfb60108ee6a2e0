// An entry is JSON:
//
//   {"schema":"public","name":"orders","place":"0000000001A2B3C8-00000002","numbers":[1,2],"definition":{…}}
//
// The definition is that of table_definition. One that is longer than DEFINITION_MAX has only name and
// "hash", and no numbers. The entry of a table whose name another one has taken is kept, as "dropped", until
// no stream can resume before: its rows may come once more.
#include "connectors/known_tables.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#include "connectors/change_record.h"
#include "connectors/table_definition.h"
#include "core/base/memory.h"
#include "core/base/text.h"

enum { DEFINITION_MAX = 2048 };  // every process that has the state topic open has all of them in memory

struct known_table {
    uint32_t oid;
    char *schema;
    char *name;
    struct bytes text;     // the definition, whole or as its hash
    struct bytes numbers;  // of its columns; empty: not known
    struct known_tables_place place;
    bool is_loaded;   // by the state topic, and not set since: the stream may be before the place
    bool is_dropped;  // another table took the name at that place
    UT_hash_handle hh;
};

struct known_tables {
    char *prefix;
    uint32_t session;
    struct known_table *tables;
    struct state_writes writes;
    struct bytes text;     // scratch: the definition that is compared
    struct bytes numbers;  // scratch
    struct bytes effects;  // scratch
};

static void free_table(struct known_tables *k, struct known_table *t)
{
    HASH_DEL(k->tables, t);
    free(t->schema);
    free(t->name);
    bytes_clear(&t->text);
    bytes_clear(&t->numbers);
    free(t);
}

struct known_tables *known_tables_new(const char *connector)
{
    struct known_tables *k = memory_zeroed(1, sizeof(*k));
    k->prefix = memory_format("table/%s/", connector);
    return k;
}

void known_tables_begin(struct known_tables *k)
{
    struct known_table *t;
    struct known_table *next;
    HASH_ITER (hh, k->tables, t, next) {
        free_table(k, t);
    }
    state_writes_clear(&k->writes);
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

struct state_writes *known_tables_writes(struct known_tables *k)
{
    return &k->writes;
}

void known_tables_free(struct known_tables *k)
{
    if (k == NULL) {
        return;
    }
    known_tables_begin(k);
    bytes_clear(&k->text);
    bytes_clear(&k->numbers);
    bytes_clear(&k->effects);
    free(k->prefix);
    free(k);
}

// --- the tables ---

static struct known_table *find(const struct known_tables *k, uint32_t oid)
{
    struct known_table *t;
    HASH_FIND(hh, k->tables, &oid, sizeof(oid), t);
    return t;
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

// The table that had the name before this one, if it was another.
static struct known_table *find_former(const struct known_tables *k, const struct table *t)
{
    struct known_table *former;
    struct known_table *next;
    HASH_ITER (hh, k->tables, former, next) {
        if (former->oid != t->shape->oid && !former->is_dropped && strcmp(former->name, t->name) == 0 &&
            strcmp(former->schema, t->schema) == 0) {
            return former;
        }
    }
    return NULL;
}

static void set_name(struct known_table *known, const char *schema, const char *name)
{
    free(known->schema);
    free(known->name);
    known->schema = memory_string(schema);
    known->name = memory_string(name);
}

// --- entries ---

static char *key_of(const struct known_tables *k, uint32_t oid)
{
    return memory_format("%s%" PRIu32, k->prefix, oid);
}

static void put_entry(struct bytes *out, const struct known_table *t)
{
    char place[RECORD_POSITION_MAX];
    size_t size = change_record_position(place, t->place.commit_lsn, t->place.index);
    bytes_append_string(out, "{\"schema\":");
    text_append_json(out, slice_of(t->schema));
    bytes_append_string(out, ",\"name\":");
    text_append_json(out, slice_of(t->name));
    bytes_format(out, ",\"place\":\"%.*s\"", (int)size, place);
    if (t->is_dropped) {
        bytes_append_string(out, ",\"dropped\":true");
    } else {
        bytes_append_string(out, ",\"numbers\":");
        bytes_append_slice(out, t->numbers.size == 0 ? slice_of("[]") : bytes_slice(&t->numbers));
        bytes_append_string(out, ",\"definition\":");
        bytes_append_slice(out, bytes_slice(&t->text));
    }
    bytes_append_string(out, "}");
}

static void write_entry(struct known_tables *k, const struct known_table *t, uint64_t ticket)
{
    CLEANUP(bytes_clear) struct bytes entry = {0};
    CLEANUP(memory_free_pointer) char *key = key_of(k, t->oid);
    put_entry(&entry, t);
    state_writes_add(&k->writes, key, bytes_slice(&entry), ticket);
}

static void delete_entry(struct known_tables *k, struct known_table *t)
{
    CLEANUP(memory_free_pointer) char *key = key_of(k, t->oid);
    state_writes_delete(&k->writes, key);
    free_table(k, t);
}

// False: there is no place, or a wrong one.
static bool read_place(const json_t *object, struct known_tables_place *ret)
{
    int end = 0;
    const char *text = json_string_value(json_object_get(object, "place"));
    return text != NULL &&
           sscanf(text, "%16" SCNx64 "-%16" SCNx64 "%n", &ret->commit_lsn, &ret->index, &end) == 2 &&
           text[end] == '\0';
}

// The definition as it was written, which is compared as text: the last member. No string in the entry has
// this text, because its quotation marks are escaped there.
static struct slice definition_in(struct slice entry)
{
    static const char member[] = ",\"definition\":";
    const uint8_t *at = memmem(entry.data, entry.size, member, sizeof(member) - 1);
    if (at == NULL) {
        return (struct slice){NULL, 0};
    }
    at += sizeof(member) - 1;
    return slice_make(at, (size_t)((const uint8_t *)entry.data + entry.size - at) - 1);
}

static void read_numbers(const json_t *object, struct bytes *ret)
{
    CLEANUP(memory_free_pointer) char *text = json_dumps(json_object_get(object, "numbers"), JSON_COMPACT);
    bytes_reset(ret);
    bytes_append_string(ret, text == NULL ? "[]" : text);
}

static bool read_entry(const json_t *object, struct known_table *ret)
{
    const char *schema = json_string_value(json_object_get(object, "schema"));
    const char *name = json_string_value(json_object_get(object, "name"));
    bool is_dropped = json_is_true(json_object_get(object, "dropped"));
    if (schema == NULL || name == NULL || !read_place(object, &ret->place) ||
        (!is_dropped && !json_is_object(json_object_get(object, "definition")))) {
        return false;
    }
    set_name(ret, schema, name);
    ret->is_dropped = is_dropped;
    return true;
}

void known_tables_load(struct known_tables *k, const char *key, struct slice value)
{
    char *end = NULL;
    const char *digits = key + strlen(k->prefix);
    unsigned long oid = strtoul(digits, &end, 10);
    CLEANUP(json_decrefp) json_t *object = json_loadb((const char *)value.data, value.size, 0, NULL);
    struct known_table read = {0};
    if (end == digits || *end != '\0' || oid > UINT32_MAX || !read_entry(object, &read)) {
        return;
    }
    struct known_table *known = get(k, (uint32_t)oid);
    set_name(known, read.schema, read.name);
    free(read.schema);
    free(read.name);
    known->place = read.place;
    known->is_dropped = read.is_dropped;
    known->is_loaded = true;
    bytes_reset(&known->text);
    if (!known->is_dropped) {
        bytes_append_slice(&known->text, definition_in(value));
        read_numbers(object, &known->numbers);
    }
}

void known_tables_discard(struct known_tables *k)
{
    struct known_table *t;
    struct known_table *next;
    HASH_ITER (hh, k->tables, t, next) {
        delete_entry(k, t);
    }
}

void known_tables_begin_stream(struct known_tables *k, uint64_t position)
{
    struct known_table *t;
    struct known_table *next;
    HASH_ITER (hh, k->tables, t, next) {
        if (t->is_dropped && t->place.commit_lsn < position) {
            delete_entry(k, t);
        }
    }
}

// --- what a version is, compared with them ---

// Whether the entry was loaded, and its place is not before the row's.
static bool is_beyond(const struct known_table *t, struct known_tables_place place)
{
    return t != NULL && t->is_loaded &&
           (place.commit_lsn < t->place.commit_lsn ||
            (place.commit_lsn == t->place.commit_lsn && place.index <= t->place.index));
}

static bool is_known(const struct known_table *known, const struct table *t, struct slice definition)
{
    if (slice_equal(bytes_slice(&known->text), definition)) {
        return true;
    }
    CLEANUP(bytes_clear) struct bytes hash = {0};
    table_definition_put_hash(&hash, t, definition);
    return slice_equal(bytes_slice(&known->text), bytes_slice(&hash));
}

static json_t *parse(const struct bytes *text)
{
    return json_loadb((const char *)text->data, text->size, 0, NULL);
}

static void write_effects(struct known_tables *k, const struct known_table *known, const struct table *t)
{
    bytes_reset(&k->numbers);
    table_definition_put_numbers(&k->numbers, t);
    CLEANUP(json_decrefp) json_t *before = parse(&known->text);
    CLEANUP(json_decrefp) json_t *before_numbers = parse(&known->numbers);
    CLEANUP(json_decrefp) json_t *after = parse(&k->text);
    CLEANUP(json_decrefp) json_t *after_numbers = parse(&k->numbers);
    const struct table_definition from = {before, before_numbers};
    const struct table_definition to = {after, after_numbers};
    bool is_whole = json_object_get(before, "columns") != NULL && after != NULL;
    CLEANUP(json_decrefp)
    json_t *effects = is_whole ? table_definition_compare(&from, &to) : json_object();
    if (is_whole && json_object_size(effects) == 0) {
        (void)json_object_set_new(effects, "order", json_true());  // of its columns
    }
    CLEANUP(memory_free_pointer) char *text = json_dumps(effects, JSON_COMPACT);
    bytes_reset(&k->effects);
    bytes_append_string(&k->effects, text == NULL ? "{}" : text);
}

struct known_tables_change known_tables_compare(struct known_tables *k, const struct table *t,
                                                struct known_tables_place place)
{
    const struct known_table *known = find(k, t->shape->oid);
    const struct known_table *former = known == NULL || known->is_dropped ? find_former(k, t) : NULL;
    if (is_beyond(known, place) || is_beyond(former, place)) {
        return (struct known_tables_change){.effect = KNOWN_TABLES_SAME, .is_early = true};
    }
    bytes_reset(&k->text);
    table_definition_put(&k->text, t);
    if (known != NULL && !known->is_dropped) {
        if (is_known(known, t, bytes_slice(&k->text))) {
            return (struct known_tables_change){.effect = KNOWN_TABLES_SAME};
        }
        write_effects(k, known, t);
        return (struct known_tables_change){.effect = KNOWN_TABLES_ALTER,
                                            .effects = bytes_slice(&k->effects)};
    }
    return (struct known_tables_change){.effect = KNOWN_TABLES_CREATE,
                                        .effects = slice_of("{}"),
                                        .dropped_schema = former == NULL ? NULL : former->schema,
                                        .dropped_name = former == NULL ? NULL : former->name};
}

static void set_dropped(struct known_tables *k, struct known_table *t, struct known_tables_place place,
                        uint64_t ticket)
{
    t->is_dropped = true;
    t->is_loaded = false;
    t->place = place;
    write_entry(k, t, ticket);
}

void known_tables_set(struct known_tables *k, const struct table *t, struct known_tables_place place,
                      uint64_t ticket)
{
    struct known_table *known = find(k, t->shape->oid);
    struct known_table *former = known == NULL || known->is_dropped ? find_former(k, t) : NULL;
    if (former != NULL) {
        set_dropped(k, former, place, ticket);
    }
    known = get(k, t->shape->oid);
    set_name(known, t->schema, t->name);
    known->place = place;
    known->is_loaded = known->is_dropped = false;
    bytes_reset(&known->text);
    bytes_reset(&known->numbers);
    table_definition_put(&known->text, t);
    table_definition_put_numbers(&known->numbers, t);
    if (known->text.size <= DEFINITION_MAX) {
        write_entry(k, known, ticket);
        return;
    }
    // In this process the whole definition is known; the state topic has its hash.
    struct known_table brief = *known;
    CLEANUP(bytes_clear) struct bytes hash = {0};
    table_definition_put_hash(&hash, t, bytes_slice(&known->text));
    brief.text = hash;
    brief.numbers = (struct bytes){0};
    write_entry(k, &brief, ticket);
}
