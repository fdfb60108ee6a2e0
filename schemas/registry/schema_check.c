// Source: confluentinc/schema-registry, SchemaValidatorBuilder and
// AbstractSchemaRegistry.isCompatibleWithPrevious.
#include "schemas/registry/schema_check.h"

#include "core/base/memory.h"
#include "schemas/avro/avro_compatible.h"
#include "schemas/registry/schema_references.h"

enum { SCHEMA_CHECK_TEXT_MAX = 10 * 1024 };  // of an old schema that is quoted

static bool can_read(enum schema_level level)
{
    return level == SCHEMA_LEVEL_BACKWARD || level == SCHEMA_LEVEL_BACKWARD_TRANSITIVE ||
           level == SCHEMA_LEVEL_FULL || level == SCHEMA_LEVEL_FULL_TRANSITIVE;
}

static bool can_be_read(enum schema_level level)
{
    return level == SCHEMA_LEVEL_FORWARD || level == SCHEMA_LEVEL_FORWARD_TRANSITIVE ||
           level == SCHEMA_LEVEL_FULL || level == SCHEMA_LEVEL_FULL_TRANSITIVE;
}

static bool is_transitive(enum schema_level level)
{
    return level == SCHEMA_LEVEL_BACKWARD_TRANSITIVE || level == SCHEMA_LEVEL_FORWARD_TRANSITIVE ||
           level == SCHEMA_LEVEL_FULL_TRANSITIVE;
}

static void add_old(struct text_list *messages, const struct schema_version *old)
{
    size_t size = strlen(old->schema->text);
    bool is_cut = size > SCHEMA_CHECK_TEXT_MAX;
    struct slice text = text_cut(slice_of(old->schema->text), SCHEMA_CHECK_TEXT_MAX);
    CLEANUP(memory_free_pointer)
    char *version = memory_format("{oldSchemaVersion: %d}", old->version);
    CLEANUP(memory_free_pointer)
    char *quoted = memory_format("{oldSchema: %s'%.*s%s'}", is_cut ? "<truncated> " : "", (int)text.size,
                                 (const char *)text.data, is_cut ? "..." : "");
    text_list_add(messages, version);
    text_list_add(messages, quoted);
}

static bool check_version(const struct schema_index *index, const char *subject, enum schema_level level,
                          const struct avro_parsed_schema *schema, const struct schema_version *old,
                          struct text_list *messages)
{
    struct avro_parsed_schema *parsed = NULL;
    struct fault f;
    if (old->schema->type != NULL) {
        text_list_add(messages, "Incompatible because of different schema type");
        return false;
    }
    if (!schema_references_parse(index, subject, old->schema->text, old->schema->references, &parsed, &f)) {
        CLEANUP(memory_free_pointer)
        char *text = memory_format("version %d can't be parsed: %s", old->version, f.text);
        text_list_add(messages, text);
        return false;
    }
    bool is_good = !can_be_read(level) || avro_compatible_check(parsed, schema, "old", "new", messages);
    is_good = (!can_read(level) || avro_compatible_check(schema, parsed, "new", "old", messages)) && is_good;
    avro_parsed_free(parsed);
    if (!is_good) {
        add_old(messages, old);
    }
    return is_good;
}

static const char *group_value(const json_t *metadata, const char *group)
{
    return json_string_value(json_object_get(json_object_get(metadata, "properties"), group));
}

static bool is_in_group(const char *group, const json_t *one, const json_t *other)
{
    return group == NULL || text_is_same(group_value(one, group), group_value(other, group));
}

bool schema_check_compatible(const struct schema_index *index, const char *subject,
                             const struct schema_candidate *candidate, int32_t version,
                             struct text_list *messages)
{
    enum schema_level level = schema_scope_level(index, subject);
    CLEANUP(memory_free_pointer) char *group = schema_scope_group(index, subject);
    const struct schema_subject *known = schema_index_subject(index, subject);
    bool is_good = true;
    bool is_over = level == SCHEMA_LEVEL_NONE;
    for (size_t i = known != NULL ? known->count : 0; !is_over && is_good && i > 0; i--) {
        const struct schema_version *old = &known->versions[i - 1];
        if (old->is_deleted || (version != 0 && old->version != version) ||
            !is_in_group(group, candidate->metadata, old->schema->metadata)) {
            continue;
        }
        is_good = check_version(index, subject, level, candidate->schema, old, messages);
        is_over = version != 0 || !is_transitive(level);
    }
    if (!is_good) {
        CLEANUP(memory_free_pointer)
        char *text =
            memory_format("{validateFields: 'false', compatibility: '%s'}", schema_scope_level_name(level));
        text_list_add(messages, text);
    }
    return is_good;
}

void schema_check_append(struct bytes *out, const struct text_list *messages)
{
    bytes_append_byte(out, '[');
    for (size_t i = 0; i < messages->count; i++) {
        bytes_append_string(out, i == 0 ? "" : ", ");
        bytes_append_string(out, messages->items[i]);
    }
    bytes_append_byte(out, ']');
}
