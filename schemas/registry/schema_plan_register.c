// Source: confluentinc/schema-registry, KafkaSchemaRegistry.register, ParsedSchema.canLookup.
#include "core/base/memory.h"
#include "schemas/registry/schema_check.h"
#include "schemas/registry/schema_identity.h"
#include "schemas/registry/schema_names.h"
#include "schemas/registry/schema_plan.h"
#include "schemas/registry/schema_references.h"

static void set_normal(struct schema_change *change)
{
    struct avro_parsed_schema *open = NULL;
    struct fault f;
    struct slice text = slice_of(change->text);
    struct bytes normal = {0};
    // What it refers to stays a reference.
    if (avro_parsed_read(&text, 1, AVRO_PARSED_OPEN, &open, &f)) {
        avro_parsed_write(&normal, open);
        avro_parsed_free(open);
        free(change->text);
        change->text = memory_string(bytes_text(&normal));
        bytes_clear(&normal);
    }
}

static struct schema_parts parts_of(const struct schema_change *change)
{
    return (struct schema_parts){change->text, change->type, change->references, change->metadata,
                                 change->rules};
}

bool schema_plan_identify(const struct schema_index *index, struct schema_change *change,
                          struct avro_parsed_schema **ret_parsed, char **ret_identity)
{
    struct fault f;
    if (change->type != NULL) {
        schema_change_refuse(change, REGISTRY_ERROR_INVALID_SCHEMA, "Invalid schema type %s: only AVRO",
                             change->type);
        return false;
    }
    if (!schema_references_parse(index, change->subject, change->text, change->references, ret_parsed, &f)) {
        schema_change_refuse(change, REGISTRY_ERROR_INVALID_SCHEMA,
                             "Invalid schema of type AVRO, details: %s", f.text);
        return false;
    }
    if (change->is_normal || schema_scope_is_normal(index, change->subject)) {
        set_normal(change);
    }
    struct schema_parts parts = parts_of(change);
    *ret_identity = schema_identity_make(&parts);
    return true;
}

const struct schema_version *schema_plan_find(const struct schema_index *index,
                                              const struct schema_change *change,
                                              const struct avro_parsed_schema *parsed, const char *identity,
                                              bool has_deleted)
{
    const struct schema_subject *subject = schema_index_subject(index, change->subject);
    CLEANUP(bytes_clear) struct bytes whole = {0};
    for (size_t i = subject != NULL ? subject->count : 0; i > 0; i--) {
        const struct schema_version *v = &subject->versions[i - 1];
        if (v->is_deleted && !has_deleted) {
            continue;
        }
        if (strcmp(v->schema->identity, identity) == 0) {
            return v;
        }
        if (change->references != NULL || v->schema->references == NULL) {
            continue;
        }
        CLEANUP(bytes_clear) struct bytes resolved = {0};
        if (whole.size == 0) {
            avro_parsed_write(&whole, parsed);
        }
        if (schema_references_resolve(index, change->subject, v->schema, &resolved) &&
            slice_equal(bytes_slice(&resolved), bytes_slice(&whole))) {
            return v;
        }
    }
    return NULL;
}

static bool check_mode(const struct schema_index *index, struct schema_change *change)
{
    enum schema_mode mode = schema_scope_mode(index, change->subject);
    CLEANUP(memory_free_pointer) char *context = schema_names_context_subject(change->subject);
    const char *wanted = NULL;
    if (mode == SCHEMA_MODE_READONLY || mode == SCHEMA_MODE_READONLY_OVERRIDE) {
        wanted = "is in read-only mode";
    } else if (change->id > 0 && mode != SCHEMA_MODE_IMPORT) {
        wanted = "is not in import mode";
    } else if (change->id == 0 && mode != SCHEMA_MODE_READWRITE) {
        wanted = "is not in read-write mode";
    }
    if (wanted != NULL) {
        schema_change_refuse(change, REGISTRY_ERROR_NOT_PERMITTED, "Subject %s in context %s %s",
                             change->subject, context, wanted);
    }
    return wanted == NULL;
}

static void answer(struct schema_change *change, int32_t id, int32_t version)
{
    change->result_id = id;
    bytes_reset(&change->answer);
    bytes_format(&change->answer, "{\"id\":%d,\"version\":%d}", id, version);
}

// 0: the subject has the last one.
static int32_t next_version(const struct schema_subject *subject)
{
    int32_t newest =
        subject != NULL && subject->count > 0 ? subject->versions[subject->count - 1].version : 0;
    return newest < INT32_MAX ? newest + 1 : 0;
}

static bool check_version(struct schema_change *change, int32_t next, bool is_import)
{
    if (change->version <= 0 && next == 0) {
        schema_change_refuse(change, REGISTRY_ERROR_INVALID_VERSION,
                             "Subject '%s' has version %d: there is none after it", change->subject,
                             INT32_MAX);
        return false;
    }
    bool is_next = change->version <= 0 || change->version == next;
    if (!is_next && !is_import) {
        schema_change_refuse(change, REGISTRY_ERROR_INVALID_SCHEMA,
                             "Version is not one more than previous version");
        return false;
    }
    return true;
}

static bool check_level(const struct schema_index *index, struct schema_change *change,
                        const struct avro_parsed_schema *parsed)
{
    CLEANUP(text_list_clear) struct text_list messages = {0};
    const struct schema_candidate candidate = {parsed, change->metadata};
    if (change->is_forced || schema_check_compatible(index, change->subject, &candidate, 0, &messages)) {
        return true;
    }
    CLEANUP(bytes_clear) struct bytes list = {0};
    schema_check_append(&list, &messages);
    schema_change_refuse(change, REGISTRY_ERROR_INCOMPATIBLE,
                         "Schema being registered is incompatible with an earlier schema for subject \"%s\", "
                         "details: %s",
                         change->subject, bytes_text(&list));
    return false;
}

// An id that is known must mean the same.
static bool check_id(struct schema_change *change, const struct schema_context *known, const char *identity)
{
    const struct schema_text *other = schema_index_by_id(known, change->id);
    CLEANUP(memory_free_pointer) char *context = schema_names_context_subject(change->subject);
    if (other != NULL && strcmp(other->identity, identity) != 0) {
        schema_change_refuse(change, REGISTRY_ERROR_NOT_PERMITTED,
                             "Overwrite new schema with id %d in context %s is not permitted.", change->id,
                             context);
        return false;
    }
    return true;
}

// Removes the deleted versions that the new one stands for.
static void remove_same(struct schema_batch *batch, const struct schema_index *index, const char *subject,
                        int32_t version, int32_t id)
{
    const struct schema_subject *known = schema_index_subject(index, subject);
    for (size_t i = 0; known != NULL && i < known->count; i++) {
        const struct schema_version *v = &known->versions[i];
        if (v->is_deleted && v->id == id && v->version < version &&
            !schema_references_is_used(index, subject, v->version, true, NULL)) {
            schema_batch_add_tombstone(batch, subject, v->version);
        }
    }
}

static void write_schema(struct schema_batch *batch, const struct schema_index *index,
                         struct schema_change *change, const char *identity, int32_t version)
{
    struct slice context = schema_names_context(change->subject);
    const struct schema_context *known = schema_index_context(index, context);
    const struct schema_text *same = schema_index_same(known, identity);
    const struct schema_text schema = {
        .text = change->text,
        .type = change->type,
        .references = change->references,
        .metadata = change->metadata,
        .rules = change->rules,
    };
    int32_t id = change->id > 0 ? change->id
                 : same != NULL
                     ? same->id
                     : schema_batch_choose_id(batch, index, change->subject, change->text, identity);
    if (known == NULL && !slice_equal(context, slice_of(SCHEMA_NAMES_DEFAULT))) {
        schema_batch_add_context(batch, context);
    }
    remove_same(batch, index, change->subject, version, id);
    schema_batch_add_schema(batch, change->subject, version, id, false, &schema);
    text_list_add(&batch->subjects, change->subject);
    answer(change, id, version);
}

static enum schema_plan decide(struct schema_batch *batch, const struct schema_index *index,
                               struct schema_change *change, const struct avro_parsed_schema *parsed,
                               const char *identity)
{
    const struct schema_subject *subject = schema_index_subject(index, change->subject);
    bool is_import = schema_scope_mode(index, change->subject) == SCHEMA_MODE_IMPORT;
    const struct schema_version *found = schema_plan_find(index, change, parsed, identity, false);
    if (change->version <= 0 && found != NULL && (change->id == 0 || change->id == found->id)) {
        answer(change, found->id, found->version);
        return SCHEMA_PLAN_DONE;
    }
    int32_t next = next_version(subject);
    int32_t version = change->version > 0 ? change->version : next;
    if ((!is_import && !check_level(index, change, parsed)) || !check_version(change, next, is_import) ||
        !check_id(change, schema_index_context(index, schema_names_context(change->subject)), identity)) {
        return SCHEMA_PLAN_DONE;
    }
    write_schema(batch, index, change, identity, version);
    return SCHEMA_PLAN_WRITE;
}

enum schema_plan schema_plan_register(struct schema_batch *batch, const struct schema_index *index,
                                      struct schema_change *change)
{
    CLEANUP(memory_free_pointer) char *identity = NULL;
    struct avro_parsed_schema *parsed = NULL;
    if (!schema_names_is_valid(change->subject, false)) {
        schema_change_refuse(change, REGISTRY_ERROR_INVALID_SUBJECT,
                             "The specified subject '%s' is not a valid.", change->subject);
        return SCHEMA_PLAN_DONE;
    }
    if (!check_mode(index, change) || !schema_plan_identify(index, change, &parsed, &identity)) {
        return SCHEMA_PLAN_DONE;
    }
    enum schema_plan plan = decide(batch, index, change, parsed, identity);
    avro_parsed_free(parsed);
    return plan;
}
