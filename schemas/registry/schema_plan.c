// Source: confluentinc/schema-registry, KafkaSchemaRegistry.deleteSchemaVersion, deleteSubject, setMode,
// deleteSubjectMode, updateConfig.
#include "schemas/registry/schema_plan.h"

#include <strings.h>

#include "core/base/memory.h"
#include "schemas/avro/avro_parsed.h"
#include "schemas/registry/schema_names.h"
#include "schemas/registry/schema_references.h"
#include "schemas/registry/schema_scope.h"

static bool check_writable(const struct schema_index *index, struct schema_change *change)
{
    enum schema_mode mode = schema_scope_mode(index, change->subject);
    CLEANUP(memory_free_pointer) char *context = schema_names_context_subject(change->subject);
    if (mode == SCHEMA_MODE_READONLY || mode == SCHEMA_MODE_READONLY_OVERRIDE) {
        schema_change_refuse(change, REGISTRY_ERROR_NOT_PERMITTED,
                             "Subject %s in context %s is in read-only mode", change->subject, context);
        return false;
    }
    return true;
}

static void refuse_reference(struct schema_change *change, int32_t version)
{
    schema_change_refuse(change, REGISTRY_ERROR_REFERENCE_EXISTS,
                         "One or more references exist to the schema "
                         "{magic=1,keytype=SCHEMA,subject=%s,version=%d}.",
                         change->subject, version);
}

static void remove_settings(struct schema_batch *batch, const struct schema_index *index, const char *subject)
{
    const struct schema_setting *setting = schema_index_setting(index, subject);
    if (setting != NULL && setting->mode != NULL) {
        schema_batch_add_mode(batch, subject, NULL);
    }
    if (setting != NULL && setting->config != NULL) {
        schema_batch_add_config(batch, subject, NULL);
    }
}

// The version to delete; NULL, with the error, when it can't be deleted.
static const struct schema_version *find_version(const struct schema_index *index,
                                                 struct schema_change *change)
{
    const struct schema_subject *subject = schema_index_subject(index, change->subject);
    const struct schema_version *found = schema_index_version(subject, change->version, true);
    if (change->version == 0) {
        found = schema_index_version(subject, 0, change->is_permanent);
    }
    if (schema_index_version(subject, 0, true) == NULL ||
        (!change->is_permanent && schema_index_version(subject, 0, false) == NULL && found == NULL)) {
        schema_change_refuse(change, REGISTRY_ERROR_SUBJECT, "Subject '%s' not found.", change->subject);
    } else if (found == NULL) {
        schema_change_refuse(change, REGISTRY_ERROR_VERSION, "Version %d not found.",
                             change->version == 0 ? -1 : change->version);
    } else if (found->is_deleted && !change->is_permanent) {
        schema_change_refuse(change, REGISTRY_ERROR_VERSION_SOFT_DELETED,
                             "Subject '%s' Version %d was soft deleted.Set permanent=true to delete "
                             "permanently",
                             change->subject, found->version);
    } else if (!found->is_deleted && change->is_permanent) {
        schema_change_refuse(change, REGISTRY_ERROR_VERSION_NOT_SOFT_DELETED,
                             "Subject '%s' Version %d was not deleted first before being permanently deleted",
                             change->subject, found->version);
    } else if (schema_references_is_used(index, change->subject, found->version, change->is_permanent,
                                         NULL)) {
        refuse_reference(change, found->version);
    } else {
        return found;
    }
    return NULL;
}

static enum schema_plan delete_version(struct schema_batch *batch, const struct schema_index *index,
                                       struct schema_change *change)
{
    const struct schema_version *found = find_version(index, change);
    if (found == NULL || !check_writable(index, change)) {
        return SCHEMA_PLAN_DONE;
    }
    if (!change->is_permanent) {
        schema_batch_add_schema(batch, change->subject, found->version, found->id, true, found->schema);
    } else {
        schema_batch_add_tombstone(batch, change->subject, found->version);
        if (schema_index_subject(index, change->subject)->count == 1) {
            remove_settings(batch, index, change->subject);
        }
    }
    bytes_format(&change->answer, "%d", found->version);
    return SCHEMA_PLAN_WRITE;
}

// Whether no version stands in the way; appends the versions to delete.
static bool list_deleted(const struct schema_index *index, struct schema_change *change,
                         const struct schema_subject *subject, int32_t *ret_last)
{
    struct bytes list CLEANUP(bytes_clear) = {0};
    bytes_append_byte(&list, '[');
    for (size_t i = 0; i < subject->count; i++) {
        const struct schema_version *v = &subject->versions[i];
        if (v->is_deleted && !change->is_permanent) {
            continue;
        }
        if (change->is_permanent && !v->is_deleted) {
            schema_change_refuse(change, REGISTRY_ERROR_SUBJECT_NOT_SOFT_DELETED,
                                 "Subject '%s' was not deleted first before being permanently deleted",
                                 change->subject);
            return false;
        }
        if (schema_references_is_used(index, change->subject, v->version, change->is_permanent,
                                      change->subject)) {
            refuse_reference(change, v->version);
            return false;
        }
        bytes_format(&list, list.size == 1 ? "%d" : ",%d", v->version);
        *ret_last = v->version;
    }
    bytes_append_byte(&list, ']');
    bytes_append_slice(&change->answer, bytes_slice(&list));
    return true;
}

static enum schema_plan delete_subject(struct schema_batch *batch, const struct schema_index *index,
                                       struct schema_change *change)
{
    const struct schema_subject *subject = schema_index_subject(index, change->subject);
    int32_t last = 0;
    if (schema_index_version(subject, 0, true) == NULL) {
        schema_change_refuse(change, REGISTRY_ERROR_SUBJECT, "Subject '%s' not found.", change->subject);
        return SCHEMA_PLAN_DONE;
    }
    if (!change->is_permanent && schema_index_version(subject, 0, false) == NULL) {
        schema_change_refuse(change, REGISTRY_ERROR_SUBJECT_SOFT_DELETED,
                             "Subject '%s' was soft deleted.Set permanent=true to delete permanently",
                             change->subject);
        return SCHEMA_PLAN_DONE;
    }
    if (!check_writable(index, change) || !list_deleted(index, change, subject, &last)) {
        return SCHEMA_PLAN_DONE;
    }
    if (!change->is_permanent) {
        schema_batch_add_delete(batch, change->subject, last);
        return SCHEMA_PLAN_WRITE;
    }
    for (size_t i = subject->count; i > 0; i--) {
        schema_batch_add_tombstone(batch, change->subject, subject->versions[i - 1].version);
    }
    remove_settings(batch, index, change->subject);
    return SCHEMA_PLAN_WRITE;
}

static bool check_subject(struct schema_change *change)
{
    if (!schema_names_is_valid(change->subject, true)) {
        schema_change_refuse(change, REGISTRY_ERROR_INVALID_SUBJECT,
                             "The specified subject '%s' is not a valid.", change->subject);
        return false;
    }
    return true;
}

// Takes one member of the request's body into the configuration; false, with the error, when it can't be.
static bool take_member(struct schema_change *change, json_t *config, const char *name, json_t *value)
{
    bool is_level = strcmp(name, "compatibility") == 0 || strcmp(name, "compatibilityLevel") == 0;
    if (json_is_null(value)) {
        (void)json_object_del(config, is_level ? "compatibilityLevel" : name);
        return true;
    }
    if (is_level) {
        enum schema_level level = schema_scope_read_level(json_string_value(value));
        if (level == SCHEMA_LEVEL_UNKNOWN) {
            schema_change_refuse(change, REGISTRY_ERROR_INVALID_LEVEL,
                                 "Invalid compatibility level. Valid values are none, backward, forward, "
                                 "full, backward_transitive, forward_transitive, and full_transitive");
            return false;
        }
        (void)json_object_set_new(config, "compatibilityLevel", json_string(schema_scope_level_name(level)));
        return true;
    }
    bool is_group = strcmp(name, "compatibilityGroup") == 0 && json_is_string(value);
    if (is_group || (strcmp(name, "normalize") == 0 && json_is_boolean(value))) {
        (void)json_object_set(config, name, value);
        return true;
    }
    // What asks for nothing that is not so anyway.
    if (json_is_false(value)) {
        return true;
    }
    schema_change_refuse(change, REGISTRY_ERROR_NOT_PERMITTED,
                         "this registry has no configuration \"%s\"; it has compatibility, "
                         "compatibilityGroup and normalize",
                         name);
    return false;
}

static enum schema_plan set_config(struct schema_batch *batch, const struct schema_index *index,
                                   struct schema_change *change)
{
    const struct schema_setting *setting = schema_index_setting(index, change->subject);
    json_t *config CLEANUP(json_decrefp) =
        setting != NULL && setting->config != NULL ? json_copy(setting->config) : json_object();
    const char *name = NULL;
    json_t *value = NULL;
    if (!check_subject(change)) {
        return SCHEMA_PLAN_DONE;
    }
    json_object_foreach(change->setting, name, value)
    {
        if (!take_member(change, config, name, value)) {
            return SCHEMA_PLAN_DONE;
        }
    }
    schema_batch_add_config(batch, change->subject, config);
    avro_parsed_write_json(&change->answer, change->setting);
    return SCHEMA_PLAN_WRITE;
}

static enum schema_plan delete_config(struct schema_batch *batch, const struct schema_index *index,
                                      struct schema_change *change)
{
    json_t *config CLEANUP(json_decrefp) = schema_scope_own_config(index, change->subject);
    if (config == NULL) {
        schema_change_refuse(change, REGISTRY_ERROR_SUBJECT, "Subject '%s' not found.", change->subject);
        return SCHEMA_PLAN_DONE;
    }
    schema_batch_add_config(batch, change->subject, NULL);
    avro_parsed_write_json(&change->answer, config);
    return SCHEMA_PLAN_WRITE;
}

// Whether the subject is the one, is in the context, or all subjects are meant.
static bool is_meant(const char *setting, const char *subject)
{
    return strcmp(setting, subject) == 0 || strcmp(setting, SCHEMA_NAMES_GLOBAL) == 0 ||
           (schema_names_bare(setting)[0] == '\0' &&
            slice_equal(schema_names_context(setting), schema_names_context(subject)));
}

// IMPORT begins with nothing: schemas that exist refuse it, deleted ones are removed.
static bool clear_for_import(struct schema_batch *batch, const struct schema_index *index,
                             struct schema_change *change)
{
    for (const struct schema_subject *s = index->subjects; s != NULL; s = s->hh.next) {
        if (!is_meant(change->subject, s->name)) {
            continue;
        }
        if (schema_index_version(s, 0, false) != NULL) {
            schema_change_refuse(change, REGISTRY_ERROR_NOT_PERMITTED,
                                 "Cannot import since found existing subjects");
            return false;
        }
        for (size_t i = 0; i < s->count; i++) {
            schema_batch_add_tombstone(batch, s->name, s->versions[i].version);
        }
    }
    schema_batch_add_clear(batch, change->subject);
    return true;
}

static enum schema_plan set_mode(struct schema_batch *batch, const struct schema_index *index,
                                 struct schema_change *change)
{
    const json_t *value = json_object_get(change->setting, "mode");
    enum schema_mode mode = schema_scope_read_mode(json_string_value(value));
    if (!check_subject(change)) {
        return SCHEMA_PLAN_DONE;
    }
    if (mode == SCHEMA_MODE_NONE) {
        schema_change_refuse(
            change, REGISTRY_ERROR_INVALID_MODE,
            "Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE and IMPORT.");
        return SCHEMA_PLAN_DONE;
    }
    size_t before = batch->count;
    if (mode == SCHEMA_MODE_IMPORT && !change->is_forced &&
        schema_scope_mode(index, change->subject) != SCHEMA_MODE_IMPORT &&
        !clear_for_import(batch, index, change)) {
        INVARIANT(before == 0);
        schema_batch_clear(batch);
        return SCHEMA_PLAN_DONE;
    }
    schema_batch_add_mode(batch, change->subject, schema_scope_mode_name(mode));
    bytes_format(&change->answer, "{\"mode\":\"%s\"}", schema_scope_mode_name(mode));
    return SCHEMA_PLAN_WRITE;
}

static enum schema_plan delete_mode(struct schema_batch *batch, const struct schema_index *index,
                                    struct schema_change *change)
{
    enum schema_mode mode = schema_scope_own_mode(index, change->subject);
    if (mode == SCHEMA_MODE_NONE) {
        schema_change_refuse(change, REGISTRY_ERROR_SUBJECT, "Subject '%s' not found.", change->subject);
        return SCHEMA_PLAN_DONE;
    }
    schema_batch_add_mode(batch, change->subject, NULL);
    for (const struct schema_setting *s = index->settings; s != NULL; s = s->hh.next) {
        if (change->is_recursive && s->mode != NULL && strcmp(s->subject, change->subject) != 0 &&
            is_meant(change->subject, s->subject)) {
            schema_batch_add_mode(batch, s->subject, NULL);
        }
    }
    bytes_format(&change->answer, "{\"mode\":\"%s\"}", schema_scope_mode_name(mode));
    return SCHEMA_PLAN_WRITE;
}

// A context with no version, deleted or not; one that is not there is gone.
static enum schema_plan delete_context(struct schema_batch *batch, const struct schema_index *index,
                                       struct schema_change *change)
{
    struct slice context = schema_names_context(change->subject);
    const struct schema_context *known = schema_index_context(index, context);
    if (known != NULL && known->by_id != NULL) {
        schema_change_refuse(change, REGISTRY_ERROR_CONTEXT_NOT_EMPTY,
                             "The specified context '%s' is not empty.", change->subject);
        return SCHEMA_PLAN_DONE;
    }
    if (known == NULL || slice_equal(context, slice_of(SCHEMA_NAMES_DEFAULT))) {
        return SCHEMA_PLAN_DONE;
    }
    schema_batch_add_context_tombstone(batch, context);
    return SCHEMA_PLAN_WRITE;
}

static enum schema_plan plan(struct schema_batch *batch, const struct schema_index *index,
                             struct schema_change *change)
{
    switch (change->kind) {
    case SCHEMA_CHANGE_REGISTER:
        return schema_plan_register(batch, index, change);
    case SCHEMA_CHANGE_DELETE_VERSION:
        return delete_version(batch, index, change);
    case SCHEMA_CHANGE_DELETE_SUBJECT:
        return delete_subject(batch, index, change);
    case SCHEMA_CHANGE_SET_CONFIG:
        return set_config(batch, index, change);
    case SCHEMA_CHANGE_DELETE_CONFIG:
        return delete_config(batch, index, change);
    case SCHEMA_CHANGE_SET_MODE:
        return set_mode(batch, index, change);
    case SCHEMA_CHANGE_DELETE_MODE:
        return delete_mode(batch, index, change);
    case SCHEMA_CHANGE_DELETE_CONTEXT:
        return delete_context(batch, index, change);
    }
    return SCHEMA_PLAN_DONE;
}

enum schema_plan schema_plan_make(struct schema_batch *batch, const struct schema_index *index,
                                  struct schema_change *change)
{
    bool is_alone = change->kind != SCHEMA_CHANGE_REGISTER || change->references != NULL;
    if (batch->is_closed || (is_alone && batch->count > 0) ||
        text_list_has(&batch->subjects, change->subject)) {
        return SCHEMA_PLAN_LATER;
    }
    change->error = REGISTRY_ERROR_NONE;
    bytes_reset(&change->answer);
    enum schema_plan made = plan(batch, index, change);
    batch->is_closed = batch->is_closed || (is_alone && made == SCHEMA_PLAN_WRITE);
    return made;
}
