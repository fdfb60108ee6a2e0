// Records, as Confluent's registry writes them to `_schemas`:
//
//   {"keytype":"SCHEMA","subject":"s","version":1,"magic":1}
//       {"subject":"s","version":1,"id":1,"schema":"…","deleted":false}; a null value removes the version
//   {"keytype":"DELETE_SUBJECT","subject":"s","magic":0}   {"subject":"s","version":3}: versions up to 3 are
//   deleted
//   {"keytype":"CONFIG" | "MODE" | "CONTEXT" | "NOOP" | "CLEAR_SUBJECT" …}: nothing that changes what an id
//   means
//
// Source: confluentinc/schema-registry, storage/SchemaKey, SchemaValue, DeleteSubjectValue.
#include "schemas/registry/schema_index.h"

#include <jansson.h>
#include <openssl/sha.h>

#include "core/base/memory.h"

#define SCHEMA_INDEX_ID_MAX (INT32_C(1) << 30)

static void decref(json_t **json)
{
    json_decref(*json);
}

void schema_index_clear(struct schema_index *index)
{
    // HASH_CLEAR keeps the entries, which are linked to each other.
    struct schema_text *text = index->by_id;
    struct schema_subject *subject = index->subjects;
    HASH_CLEAR(hh_text, index->by_text);
    HASH_CLEAR(hh, index->by_id);
    HASH_CLEAR(hh, index->subjects);
    while (text != NULL) {
        struct schema_text *next = text->hh.next;
        free(text->text);
        free(text->canonical);
        free(text);
        text = next;
    }
    while (subject != NULL) {
        struct schema_subject *next = subject->hh.next;
        free(subject->name);
        free(subject->versions);
        free(subject);
        subject = next;
    }
}

static struct schema_text *find_by_id(const struct schema_index *index, int32_t id)
{
    struct schema_text *found = NULL;
    HASH_FIND(hh, index->by_id, &id, sizeof id, found);
    return found;
}

char *schema_index_canonical(const char *text)
{
    json_t *json CLEANUP(decref) = json_loads(text, JSON_DECODE_ANY, NULL);
    char *canonical = json == NULL ? NULL : json_dumps(json, JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_COMPACT);
    return canonical == NULL ? memory_string(text) : canonical;
}

static struct schema_text *find_by_text(const struct schema_index *index, const char *text)
{
    struct schema_text *found = NULL;
    CLEANUP(memory_free_pointer) char *canonical = schema_index_canonical(text);
    HASH_FIND(hh_text, index->by_text, canonical, strlen(canonical), found);
    return found;
}

const char *schema_index_text(const struct schema_index *index, int32_t id)
{
    const struct schema_text *found = find_by_id(index, id);
    return found != NULL ? found->text : NULL;
}

int32_t schema_index_id(const struct schema_index *index, const char *text)
{
    const struct schema_text *found = find_by_text(index, text);
    return found != NULL ? found->id : 0;
}

const struct schema_subject *schema_index_subject(const struct schema_index *index, const char *name)
{
    struct schema_subject *found = NULL;
    HASH_FIND_STR(index->subjects, name, found);
    return found;
}

const struct schema_version *schema_index_version(const struct schema_subject *subject, int32_t version)
{
    for (size_t i = subject != NULL ? subject->count : 0; i > 0; i--) {
        const struct schema_version *v = &subject->versions[i - 1];
        if (!v->is_deleted && (version == 0 || v->version == version)) {
            return v;
        }
    }
    return NULL;
}

const struct schema_version *schema_index_find(const struct schema_index *index, const char *subject,
                                               const char *text)
{
    const struct schema_subject *s = schema_index_subject(index, subject);
    int32_t id = schema_index_id(index, text);
    for (size_t i = s != NULL && id != 0 ? s->count : 0; i > 0; i--) {
        if (!s->versions[i - 1].is_deleted && s->versions[i - 1].id == id) {
            return &s->versions[i - 1];
        }
    }
    return NULL;
}

// An id keeps its first text. A text that was read with several ids is registered under the first of them.
static void set_text(struct schema_index *index, int32_t id, const char *text)
{
    if (find_by_id(index, id) != NULL) {
        return;
    }
    struct bytes minified = {0};
    schema_index_minify(&minified, slice_of(text));
    struct schema_text *entry = memory_zeroed(1, sizeof *entry);
    entry->id = id;
    entry->text = memory_string(bytes_text(&minified));
    bytes_clear(&minified);
    HASH_ADD(hh, index->by_id, id, sizeof entry->id, entry);
    entry->canonical = schema_index_canonical(entry->text);
    if (find_by_text(index, entry->text) == NULL) {
        HASH_ADD_KEYPTR(hh_text, index->by_text, entry->canonical, strlen(entry->canonical), entry);
    }
}

static struct schema_subject *make_subject(struct schema_index *index, const char *name)
{
    struct schema_subject *subject = NULL;
    HASH_FIND_STR(index->subjects, name, subject);
    if (subject == NULL) {
        subject = memory_zeroed(1, sizeof *subject);
        subject->name = memory_string(name);
        HASH_ADD_KEYPTR(hh, index->subjects, subject->name, strlen(subject->name), subject);
    }
    return subject;
}

static void set_version(struct schema_subject *subject, struct schema_version version)
{
    size_t at = 0;
    while (at < subject->count && subject->versions[at].version < version.version) {
        at++;
    }
    if (at == subject->count || subject->versions[at].version != version.version) {
        subject->versions =
            memory_resize(subject->versions, (subject->count + 1) * sizeof *subject->versions);
        memmove(subject->versions + at + 1, subject->versions + at,
                (subject->count - at) * sizeof *subject->versions);
        subject->count++;
    }
    subject->versions[at] = version;
}

static bool is_int(const json_t *json)
{
    return json_is_integer(json) && json_integer_value(json) > 0 && json_integer_value(json) <= INT32_MAX;
}

static bool apply_schema(struct schema_index *index, const char *name, const json_t *key, const json_t *value)
{
    const json_t *version = json_object_get(key, "version");
    if (!is_int(version)) {
        return false;
    }
    struct schema_version entry = {(int32_t)json_integer_value(version), 0, true};
    if (value == NULL) {
        const struct schema_version *old =
            schema_index_version(schema_index_subject(index, name), entry.version);
        if (old != NULL) {
            entry.id = old->id;
            set_version(make_subject(index, name), entry);
        }
        return true;
    }
    const json_t *id = json_object_get(value, "id");
    const char *text = json_string_value(json_object_get(value, "schema"));
    if (!is_int(id) || text == NULL) {
        return false;
    }
    entry.id = (int32_t)json_integer_value(id);
    entry.is_deleted = json_is_true(json_object_get(value, "deleted"));
    set_text(index, entry.id, text);
    set_version(make_subject(index, name), entry);
    return true;
}

static void delete_subject(struct schema_index *index, const char *name, const json_t *value)
{
    struct schema_subject *subject = make_subject(index, name);
    json_int_t up_to = json_integer_value(json_object_get(value, "version"));
    for (size_t i = 0; i < subject->count; i++) {
        subject->versions[i].is_deleted |= subject->versions[i].version <= up_to;
    }
}

bool schema_index_apply(struct schema_index *index, struct slice key, struct slice value)
{
    json_t *key_json CLEANUP(decref) = json_loadb((const char *)key.data, key.size, 0, NULL);
    json_t *value_json CLEANUP(decref) =
        value.data != NULL ? json_loadb((const char *)value.data, value.size, 0, NULL) : NULL;
    const char *type = json_string_value(json_object_get(key_json, "keytype"));
    const char *subject = json_string_value(json_object_get(key_json, "subject"));
    if (type == NULL || (value.data != NULL && value_json == NULL)) {
        return false;
    }
    if (strcmp(type, "SCHEMA") == 0) {
        return subject != NULL && apply_schema(index, subject, key_json, value_json);
    }
    if (strcmp(type, "DELETE_SUBJECT") == 0 && subject != NULL && value_json != NULL) {
        delete_subject(index, subject, value_json);
    }
    return true;
}

void schema_index_minify(struct bytes *out, struct slice text)
{
    bool is_inside = false;
    uint8_t *place = bytes_reserve(out, text.size + 1);
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        bool is_space = byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
        if (is_space && !is_inside) {
            continue;
        }
        *place++ = byte;
        out->size++;
        if (byte == '"') {
            is_inside = !is_inside;
        } else if (byte == '\\' && is_inside && i + 1 < text.size) {
            *place++ = text.data[++i];
            out->size++;
        }
    }
}

int32_t schema_index_content_id(const char *text)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    (void)SHA256((const uint8_t *)text, strlen(text), digest);
    uint32_t top = 0;
    memcpy(&top, digest, sizeof top);
    return (int32_t)(__builtin_bswap32(top) >> 2) + 1;
}

int32_t schema_index_next_id(int32_t id)
{
    return id >= SCHEMA_INDEX_ID_MAX ? 1 : id + 1;
}
