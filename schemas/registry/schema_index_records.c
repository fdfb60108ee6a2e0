// Records, as Confluent's registry writes them to `_schemas`; a null value removes what the key names:
//
//   {"keytype":"SCHEMA","subject":"s","version":1,"magic":1}
//       {"subject":"s","version":1,"id":1,"schema":"…","deleted":false}, with schemaType, references,
//       metadata and ruleSet if there are any
//   {"keytype":"DELETE_SUBJECT","subject":"s","magic":0}   {"subject":"s","version":3}: versions up to 3 are
//       deleted
//   {"keytype":"CLEAR_SUBJECT","subject":"s","magic":0}    {"subject":"s"}: its deleted versions are removed
//   {"keytype":"CONFIG","subject":"s","magic":0}           {"subject":"s","compatibilityLevel":"FULL"}
//   {"keytype":"MODE","subject":"s","magic":0}             {"subject":"s","mode":"IMPORT"}
//   {"keytype":"CONTEXT","tenant":"default","context":".c"}  {"tenant":"default","context":".c"}
//   {"keytype":"NOOP","magic":0}: nothing
//
// Settings of all subjects have no subject.
// Source: confluentinc/schema-registry, core/storage/*Key.java and *Value.java.
#include "core/base/memory.h"
#include "schemas/registry/schema_index.h"
#include "schemas/registry/schema_names.h"

static bool is_int(const json_t *json)
{
    return json_is_integer(json) && json_integer_value(json) > 0 && json_integer_value(json) <= INT32_MAX;
}

// A part without members is as good as none.
static json_t *get_part(const json_t *value, const char *name)
{
    json_t *part = json_object_get(value, name);
    return json_object_size(part) + json_array_size(part) > 0 ? part : NULL;
}

static bool apply_schema(struct schema_index *index, const char *subject, const json_t *key, json_t *value)
{
    const json_t *version = json_object_get(key, "version");
    if (subject == NULL || !is_int(version)) {
        return false;
    }
    if (value == NULL) {
        schema_index_remove_version(index, subject, (int32_t)json_integer_value(version));
        return true;
    }
    const json_t *id = json_object_get(value, "id");
    const char *type = json_string_value(json_object_get(value, "schemaType"));
    const struct schema_parts parts = {
        .text = json_string_value(json_object_get(value, "schema")),
        .type = type == NULL || strcmp(type, "AVRO") == 0 ? NULL : type,
        .references = get_part(value, "references"),
        .metadata = get_part(value, "metadata"),
        .rules = get_part(value, "ruleSet"),
    };
    if (!is_int(id) || parts.text == NULL) {
        return false;
    }
    schema_index_set_version(index, subject, (int32_t)json_integer_value(version),
                             (int32_t)json_integer_value(id), json_is_true(json_object_get(value, "deleted")),
                             &parts);
    return true;
}

static bool apply_delete(struct schema_index *index, const char *subject, const json_t *value)
{
    if (subject != NULL && value != NULL) {
        schema_index_delete_versions(index, subject, json_integer_value(json_object_get(value, "version")));
    }
    return true;
}

// Of the subject, of the context's subjects, or of all.
static bool apply_clear(struct schema_index *index, const char *subject)
{
    for (struct schema_subject *s = index->subjects; s != NULL; s = s->hh.next) {
        bool is_meant = subject == NULL || strcmp(s->name, subject) == 0 ||
                        (schema_names_bare(subject)[0] == '\0' &&
                         slice_equal(schema_names_context(subject), schema_names_context(s->name)));
        for (size_t i = is_meant ? s->count : 0; i > 0; i--) {
            if (s->versions[i - 1].is_deleted) {
                schema_index_remove_version(index, s->name, s->versions[i - 1].version);
            }
        }
    }
    return true;
}

static bool apply_config(struct schema_index *index, const char *subject, json_t *value)
{
    struct schema_setting *setting = schema_index_make_setting(index, subject != NULL ? subject : "");
    json_decref(setting->config);
    setting->config = json_incref(value);
    if (value != NULL) {
        (void)json_object_del(value, "subject");
    }
    return true;
}

static bool apply_mode(struct schema_index *index, const char *subject, const json_t *value)
{
    const char *mode = json_string_value(json_object_get(value, "mode"));
    if (value != NULL && mode == NULL) {
        return false;
    }
    struct schema_setting *setting = schema_index_make_setting(index, subject != NULL ? subject : "");
    free(setting->mode);
    setting->mode = mode != NULL ? memory_string(mode) : NULL;
    return true;
}

static bool apply_context(struct schema_index *index, const json_t *key, const json_t *value)
{
    const char *name = json_string_value(json_object_get(key, "context"));
    if (name != NULL && value != NULL) {
        (void)schema_index_make_context(index, slice_of(name));
    } else if (name != NULL) {
        schema_index_remove_context(index, slice_of(name));
    }
    return name != NULL;
}

bool schema_index_apply(struct schema_index *index, struct slice key, struct slice value)
{
    json_t *key_json CLEANUP(json_decrefp) = json_loadb((const char *)key.data, key.size, 0, NULL);
    json_t *value_json CLEANUP(json_decrefp) =
        value.data != NULL ? json_loadb((const char *)value.data, value.size, 0, NULL) : NULL;
    const char *type = json_string_value(json_object_get(key_json, "keytype"));
    const char *subject = json_string_value(json_object_get(key_json, "subject"));
    if (type == NULL || (value.data != NULL && !json_is_object(value_json))) {
        return false;
    }
    if (strcmp(type, "SCHEMA") == 0) {
        return apply_schema(index, subject, key_json, value_json);
    }
    if (strcmp(type, "DELETE_SUBJECT") == 0) {
        return apply_delete(index, subject, value_json);
    }
    if (strcmp(type, "CLEAR_SUBJECT") == 0) {
        return apply_clear(index, subject);
    }
    if (strcmp(type, "CONFIG") == 0) {
        return apply_config(index, subject, value_json);
    }
    if (strcmp(type, "MODE") == 0) {
        return apply_mode(index, subject, value_json);
    }
    if (strcmp(type, "CONTEXT") == 0) {
        return apply_context(index, key_json, value_json);
    }
    return true;
}
