#include "schemas/registry/schema_references.h"

#include "core/base/memory.h"
#include "schemas/registry/schema_names.h"

enum {
    SCHEMA_REFERENCES_MAX = 1000,
    SCHEMA_REFERENCES_DEPTH_MAX = 50,
};

// The texts that a schema needs, each behind those that it needs itself.
struct collection {
    const struct schema_index *index;
    struct slice texts[SCHEMA_REFERENCES_MAX + 1];
    const struct schema_version *versions[SCHEMA_REFERENCES_MAX];
    size_t count;
    struct fault *f;
};

static bool collect(struct collection *c, const char *subject, const json_t *references, int depth);

static bool has_version(const struct collection *c, const struct schema_version *version)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->versions[i] == version) {
            return true;
        }
    }
    return false;
}

static bool collect_one(struct collection *c, const char *parent, const json_t *reference, int depth)
{
    const char *name = json_string_value(json_object_get(reference, "subject"));
    const json_t *version = json_object_get(reference, "version");
    if (name == NULL || !json_is_integer(version)) {
        return fault_set(c->f, FAULT_REJECT, "a reference needs name, subject and version");
    }
    CLEANUP(memory_free_pointer) char *subject = schema_names_qualify(parent, name);
    json_int_t number = json_integer_value(version);
    bool is_number = number == -1 || (number > 0 && number <= INT32_MAX);
    // A deleted version can still be referred to: what refers to it was registered before.
    const struct schema_version *found =
        is_number ? schema_index_version(schema_index_subject(c->index, subject),
                                         number == -1 ? 0 : (int32_t)number, number != -1)
                  : NULL;
    if (found == NULL) {
        return fault_set(c->f, FAULT_REJECT,
                         "No schema reference found for subject \"%.200s\" and version %lld", subject,
                         (long long)number);
    }
    if (has_version(c, found)) {
        return true;
    }
    if (depth == SCHEMA_REFERENCES_DEPTH_MAX) {
        return fault_set(c->f, FAULT_REJECT, "the references are nested too deep");
    }
    if (!collect(c, subject, found->schema->references, depth + 1)) {
        return false;
    }
    if (c->count == SCHEMA_REFERENCES_MAX) {
        return fault_set(c->f, FAULT_REJECT, "more than %d references", SCHEMA_REFERENCES_MAX);
    }
    c->versions[c->count] = found;
    c->texts[c->count++] = slice_of(found->schema->text);
    return true;
}

static bool collect(struct collection *c, const char *subject, const json_t *references, int depth)
{
    for (size_t i = 0; i < json_array_size(references); i++) {
        if (!collect_one(c, subject, json_array_get(references, i), depth)) {
            return false;
        }
    }
    return true;
}

bool schema_references_parse(const struct schema_index *index, const char *subject, const char *text,
                             const json_t *references, struct avro_parsed_schema **ret, struct fault *f)
{
    CLEANUP(memory_free_pointer) struct collection *c = memory_zeroed(1, sizeof *c);
    c->index = index;
    c->f = f;
    if (!collect(c, subject, references, 0)) {
        return false;
    }
    c->texts[c->count] = slice_of(text);
    return avro_parsed_read(c->texts, c->count + 1, AVRO_PARSED_CLOSED, ret, f);
}

bool schema_references_resolve(const struct schema_index *index, const char *subject,
                               const struct schema_text *schema, struct bytes *out)
{
    struct avro_parsed_schema *parsed = NULL;
    struct fault f;
    if (schema->references == NULL) {
        bytes_append_string(out, schema->text);
        return true;
    }
    if (!schema_references_parse(index, subject, schema->text, schema->references, &parsed, &f)) {
        return false;
    }
    avro_parsed_write(out, parsed);
    avro_parsed_free(parsed);
    return true;
}

bool schema_references_has(const char *from, const json_t *references, const char *subject, int32_t version)
{
    for (size_t i = 0; i < json_array_size(references); i++) {
        const json_t *reference = json_array_get(references, i);
        const char *name = json_string_value(json_object_get(reference, "subject"));
        if (name == NULL || json_integer_value(json_object_get(reference, "version")) != version) {
            continue;
        }
        CLEANUP(memory_free_pointer) char *qualified = schema_names_qualify(from, name);
        if (strcmp(qualified, subject) == 0) {
            return true;
        }
    }
    return false;
}

bool schema_references_is_used(const struct schema_index *index, const char *subject, int32_t version,
                               bool has_deleted, const char *except)
{
    for (const struct schema_subject *s = index->subjects; s != NULL; s = s->hh.next) {
        bool is_looked_at = except == NULL || strcmp(s->name, except) != 0;
        for (size_t i = 0; is_looked_at && i < s->count; i++) {
            const struct schema_version *v = &s->versions[i];
            if ((has_deleted || !v->is_deleted) &&
                schema_references_has(s->name, v->schema->references, subject, version)) {
                return true;
            }
        }
    }
    return false;
}
