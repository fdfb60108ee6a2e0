#include "schemas/registry/schema_index.h"

#include "core/base/memory.h"
#include "schemas/registry/schema_identity.h"
#include "schemas/registry/schema_names.h"

static void free_text(struct schema_text *text)
{
    free(text->text);
    free(text->type);
    free(text->identity);
    json_decref(text->references);
    json_decref(text->metadata);
    json_decref(text->rules);
    free(text);
}

// HASH_CLEAR keeps the entries, which are linked to each other.
static void free_context(struct schema_context *context)
{
    struct schema_text *text = context->by_id;
    HASH_CLEAR(hh_identity, context->by_identity);
    HASH_CLEAR(hh, context->by_id);
    while (text != NULL) {
        struct schema_text *next = text->hh.next;
        free_text(text);
        text = next;
    }
    free(context->name);
    free(context);
}

static void free_subject(struct schema_subject *subject)
{
    free(subject->name);
    free(subject->versions);
    free(subject);
}

static void free_setting(struct schema_setting *setting)
{
    free(setting->subject);
    free(setting->mode);
    json_decref(setting->config);
    free(setting);
}

void schema_index_clear(struct schema_index *index)
{
    struct schema_context *context = index->contexts;
    struct schema_subject *subject = index->subjects;
    struct schema_setting *setting = index->settings;
    HASH_CLEAR(hh, index->contexts);
    HASH_CLEAR(hh, index->subjects);
    HASH_CLEAR(hh, index->settings);
    while (context != NULL) {
        struct schema_context *next = context->hh.next;
        free_context(context);
        context = next;
    }
    while (subject != NULL) {
        struct schema_subject *next = subject->hh.next;
        free_subject(subject);
        subject = next;
    }
    while (setting != NULL) {
        struct schema_setting *next = setting->hh.next;
        free_setting(setting);
        setting = next;
    }
}

struct schema_context *schema_index_context(const struct schema_index *index, struct slice name)
{
    struct schema_context *found = NULL;
    HASH_FIND(hh, index->contexts, name.data, name.size, found);
    return found;
}

const struct schema_text *schema_index_by_id(const struct schema_context *context, int32_t id)
{
    struct schema_text *found = NULL;
    if (context != NULL) {
        HASH_FIND(hh, context->by_id, &id, sizeof id, found);
    }
    return found;
}

const struct schema_text *schema_index_any(const struct schema_index *index, int32_t id)
{
    const struct schema_text *found =
        schema_index_by_id(schema_index_context(index, slice_of(SCHEMA_NAMES_DEFAULT)), id);
    const struct schema_context *context = index->contexts;
    for (; found == NULL && context != NULL; context = context->hh.next) {
        found = schema_index_by_id(context, id);
    }
    return found;
}

const char *schema_index_user(const struct schema_index *index, const struct schema_text *schema)
{
    for (const struct schema_subject *s = index->subjects; s != NULL; s = s->hh.next) {
        for (size_t i = 0; i < s->count; i++) {
            if (s->versions[i].schema == schema) {
                return s->name;
            }
        }
    }
    return "";
}

const struct schema_text *schema_index_same(const struct schema_context *context, const char *identity)
{
    struct schema_text *found = NULL;
    if (context != NULL) {
        HASH_FIND(hh_identity, context->by_identity, identity, strlen(identity), found);
    }
    return found;
}

const struct schema_subject *schema_index_subject(const struct schema_index *index, const char *name)
{
    struct schema_subject *found = NULL;
    HASH_FIND_STR(index->subjects, name, found);
    return found;
}

const struct schema_version *schema_index_version(const struct schema_subject *subject, int32_t version,
                                                  bool has_deleted)
{
    for (size_t i = subject != NULL ? subject->count : 0; i > 0; i--) {
        const struct schema_version *v = &subject->versions[i - 1];
        if ((has_deleted || !v->is_deleted) && (version == 0 || v->version == version)) {
            return v;
        }
    }
    return NULL;
}

const struct schema_version *schema_index_find(const struct schema_index *index, const char *subject,
                                               const char *identity)
{
    const struct schema_subject *s = schema_index_subject(index, subject);
    for (size_t i = s != NULL ? s->count : 0; i > 0; i--) {
        const struct schema_version *v = &s->versions[i - 1];
        if (!v->is_deleted && strcmp(v->schema->identity, identity) == 0) {
            return v;
        }
    }
    return NULL;
}

const struct schema_setting *schema_index_setting(const struct schema_index *index, const char *subject)
{
    struct schema_setting *found = NULL;
    HASH_FIND_STR(index->settings, subject, found);
    return found;
}

// Of a context without versions: they are names alone.
static void remove_subjects(struct schema_index *index, const struct schema_context *context)
{
    struct schema_subject *s = NULL;
    struct schema_subject *next = NULL;
    HASH_ITER (hh, index->subjects, s, next) {
        if (s->context == context) {
            HASH_DEL(index->subjects, s);
            free_subject(s);
        }
    }
}

void schema_index_remove_context(struct schema_index *index, struct slice name)
{
    struct schema_context *context = schema_index_context(index, name);
    bool is_default = slice_equal(name, slice_of(SCHEMA_NAMES_DEFAULT));
    if (context != NULL && context->by_id == NULL && !is_default) {
        remove_subjects(index, context);
        HASH_DEL(index->contexts, context);
        free_context(context);
    }
}

struct schema_context *schema_index_make_context(struct schema_index *index, struct slice name)
{
    struct schema_context *context = schema_index_context(index, name);
    if (context == NULL) {
        context = memory_zeroed(1, sizeof *context);
        context->name = slice_to_string(name);
        HASH_ADD_KEYPTR(hh, index->contexts, context->name, name.size, context);
    }
    return context;
}

static struct schema_subject *make_subject(struct schema_index *index, const char *name)
{
    struct schema_subject *subject = NULL;
    HASH_FIND_STR(index->subjects, name, subject);
    if (subject == NULL) {
        subject = memory_zeroed(1, sizeof *subject);
        subject->name = memory_string(name);
        subject->context = schema_index_make_context(index, schema_names_context(name));
        HASH_ADD_KEYPTR(hh, index->subjects, subject->name, strlen(subject->name), subject);
    }
    return subject;
}

// An id keeps its first schema.
static struct schema_text *make_text(struct schema_context *context, int32_t id,
                                     const struct schema_parts *parts)
{
    struct schema_text *entry = NULL;
    HASH_FIND(hh, context->by_id, &id, sizeof id, entry);
    if (entry != NULL) {
        return entry;
    }
    CLEANUP(bytes_clear) struct bytes minified = {0};
    schema_identity_minify(&minified, slice_of(parts->text));
    entry = memory_zeroed(1, sizeof *entry);
    entry->id = id;
    entry->text = memory_string(bytes_text(&minified));
    entry->type = parts->type != NULL ? memory_string(parts->type) : NULL;
    entry->references = json_incref(parts->references);
    entry->metadata = json_incref(parts->metadata);
    entry->rules = json_incref(parts->rules);
    entry->identity = schema_identity_make(parts);
    HASH_ADD(hh, context->by_id, id, sizeof entry->id, entry);
    entry->is_first = schema_index_same(context, entry->identity) == NULL;
    if (entry->is_first) {
        HASH_ADD_KEYPTR(hh_identity, context->by_identity, entry->identity, strlen(entry->identity), entry);
    }
    return entry;
}

// Frees the schema once no version has it.
static void drop_use(struct schema_context *context, struct schema_text *text)
{
    if (--text->uses > 0) {
        return;
    }
    if (text->is_first) {
        HASH_DELETE(hh_identity, context->by_identity, text);
    }
    HASH_DELETE(hh, context->by_id, text);
    free_text(text);
}

static size_t find_place(const struct schema_subject *subject, int32_t version)
{
    size_t at = 0;
    while (at < subject->count && subject->versions[at].version < version) {
        at++;
    }
    return at;
}

void schema_index_set_version(struct schema_index *index, const char *name, int32_t version, int32_t id,
                              bool is_deleted, const struct schema_parts *parts)
{
    struct schema_subject *subject = make_subject(index, name);
    struct schema_text *text = make_text(subject->context, id, parts);
    size_t at = find_place(subject, version);
    text->uses++;
    if (at < subject->count && subject->versions[at].version == version) {
        drop_use(subject->context, subject->versions[at].schema);
    } else {
        subject->versions =
            memory_resize(subject->versions, (subject->count + 1) * sizeof *subject->versions);
        memmove(subject->versions + at + 1, subject->versions + at,
                (subject->count - at) * sizeof *subject->versions);
        subject->count++;
    }
    subject->versions[at] = (struct schema_version){version, id, is_deleted, text};
}

void schema_index_remove_version(struct schema_index *index, const char *name, int32_t version)
{
    struct schema_subject *subject = NULL;
    HASH_FIND_STR(index->subjects, name, subject);
    size_t at = subject != NULL ? find_place(subject, version) : 0;
    if (subject == NULL || at == subject->count || subject->versions[at].version != version) {
        return;
    }
    drop_use(subject->context, subject->versions[at].schema);
    subject->count--;
    memmove(subject->versions + at, subject->versions + at + 1,
            (subject->count - at) * sizeof *subject->versions);
}

void schema_index_delete_versions(struct schema_index *index, const char *name, int64_t up_to)
{
    struct schema_subject *subject = NULL;
    HASH_FIND_STR(index->subjects, name, subject);
    for (size_t i = 0; subject != NULL && i < subject->count; i++) {
        subject->versions[i].is_deleted |= subject->versions[i].version <= up_to;
    }
}

struct schema_setting *schema_index_make_setting(struct schema_index *index, const char *subject)
{
    struct schema_setting *setting = NULL;
    HASH_FIND_STR(index->settings, subject, setting);
    if (setting == NULL) {
        setting = memory_zeroed(1, sizeof *setting);
        setting->subject = memory_string(subject);
        HASH_ADD_KEYPTR(hh, index->settings, setting->subject, strlen(setting->subject), setting);
    }
    return setting;
}
