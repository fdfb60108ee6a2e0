// Keys and values have the format of Confluent's registry, with the members in its order: compaction compares
// the keys' bytes.
#include "schemas/registry/schema_batch.h"

#include "core/base/memory.h"
#include "schemas/avro/avro_parsed.h"
#include "schemas/registry/schema_identity.h"
#include "schemas/registry/schema_names.h"

static bool is_id_free(const struct schema_batch *batch, const struct schema_context *known,
                       struct slice context, int32_t id)
{
    for (size_t i = 0; i < batch->id_count; i++) {
        if (batch->ids[i].id == id && slice_equal(slice_of(batch->ids[i].context), context)) {
            return false;
        }
    }
    return schema_index_by_id(known, id) == NULL;
}

int32_t schema_batch_choose_id(struct schema_batch *batch, const struct schema_index *index,
                               const char *subject, const char *text, const char *identity)
{
    struct slice context = schema_names_context(subject);
    const struct schema_context *known = schema_index_context(index, context);
    for (size_t i = 0; i < batch->id_count; i++) {
        if (strcmp(batch->ids[i].identity, identity) == 0 &&
            slice_equal(slice_of(batch->ids[i].context), context)) {
            return batch->ids[i].id;
        }
    }
    int32_t id = schema_identity_content_id(text);
    while (!is_id_free(batch, known, context, id)) {
        id = schema_identity_next_id(id);
    }
    batch->ids = memory_resize(batch->ids, (batch->id_count + 1) * sizeof *batch->ids);
    batch->ids[batch->id_count++] =
        (struct schema_batch_id){slice_to_string(context), memory_string(identity), id};
    return id;
}

static struct schema_record *add_record(struct schema_batch *batch)
{
    batch->records = memory_resize(batch->records, (batch->count + 1) * sizeof *batch->records);
    batch->records[batch->count] = (struct schema_record){0};
    return &batch->records[batch->count++];
}

// {"keytype":"…","subject":"…"
static void start_key(struct bytes *key, const char *type, const char *subject)
{
    bytes_format(key, "{\"keytype\":\"%s\"", type);
    if (subject[0] != '\0') {
        bytes_append_string(key, ",\"subject\":");
        text_append_json(key, slice_of(subject));
    }
}

static void make_key(struct bytes *key, const char *type, const char *subject)
{
    start_key(key, type, subject);
    bytes_append_string(key, ",\"magic\":0}");
}

static void make_schema_key(struct bytes *key, const char *subject, int32_t version)
{
    start_key(key, "SCHEMA", subject);
    bytes_format(key, ",\"version\":%d,\"magic\":1}", version);
}

static void append_part(struct bytes *out, const char *name, json_t *part)
{
    if (part != NULL) {
        bytes_format(out, ",\"%s\":", name);
        avro_parsed_write_json(out, part);
    }
}

static void make_schema(struct schema_record *record, const char *subject, int32_t version, int32_t id,
                        bool is_deleted, const struct schema_text *schema)
{
    make_schema_key(&record->key, subject, version);
    bytes_append_string(&record->value, "{\"subject\":");
    text_append_json(&record->value, slice_of(subject));
    bytes_format(&record->value, ",\"version\":%d,\"id\":%d", version, id);
    if (schema->type != NULL) {
        bytes_append_string(&record->value, ",\"schemaType\":");
        text_append_json(&record->value, slice_of(schema->type));
    }
    append_part(&record->value, "references", schema->references);
    append_part(&record->value, "metadata", schema->metadata);
    append_part(&record->value, "ruleSet", schema->rules);
    bytes_append_string(&record->value, ",\"schema\":");
    text_append_json(&record->value, slice_of(schema->text));
    bytes_format(&record->value, ",\"deleted\":%s}", is_deleted ? "true" : "false");
}

void schema_batch_add_schema(struct schema_batch *batch, const char *subject, int32_t version, int32_t id,
                             bool is_deleted, const struct schema_text *schema)
{
    make_schema(add_record(batch), subject, version, id, is_deleted, schema);
}

void schema_batch_add_tombstone(struct schema_batch *batch, const char *subject, int32_t version)
{
    make_schema_key(&add_record(batch)->key, subject, version);
}

void schema_batch_add_delete(struct schema_batch *batch, const char *subject, int32_t up_to)
{
    struct schema_record *record = add_record(batch);
    make_key(&record->key, "DELETE_SUBJECT", subject);
    bytes_append_string(&record->value, "{\"subject\":");
    text_append_json(&record->value, slice_of(subject));
    bytes_format(&record->value, ",\"version\":%d}", up_to);
}

// `{"subject":"s"`, ready for other members; "{" for all subjects.
static const char *start_value(struct bytes *value, const char *subject)
{
    bytes_append_byte(value, '{');
    if (subject[0] == '\0') {
        return "";
    }
    bytes_append_string(value, "\"subject\":");
    text_append_json(value, slice_of(subject));
    return ",";
}

void schema_batch_add_clear(struct schema_batch *batch, const char *subject)
{
    struct schema_record *record = add_record(batch);
    make_key(&record->key, "CLEAR_SUBJECT", subject);
    (void)start_value(&record->value, subject);
    bytes_append_byte(&record->value, '}');
}

void schema_batch_add_context_tombstone(struct schema_batch *batch, struct slice context)
{
    struct bytes *key = &add_record(batch)->key;
    bytes_append_string(key, "{\"keytype\":\"CONTEXT\",\"tenant\":\"default\",\"context\":");
    text_append_json(key, context);
    bytes_append_byte(key, '}');
}

void schema_batch_add_context(struct schema_batch *batch, struct slice context)
{
    schema_batch_add_context_tombstone(batch, context);
    struct schema_record *record = &batch->records[batch->count - 1];
    bytes_append_string(&record->value, "{\"tenant\":\"default\",\"context\":");
    text_append_json(&record->value, context);
    bytes_append_byte(&record->value, '}');
}

void schema_batch_add_config(struct schema_batch *batch, const char *subject, json_t *config)
{
    struct schema_record *record = add_record(batch);
    make_key(&record->key, "CONFIG", subject);
    if (config == NULL) {
        return;
    }
    const char *comma = start_value(&record->value, subject);
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(config, name, value)
    {
        bytes_append_string(&record->value, comma);
        text_append_json(&record->value, slice_of(name));
        bytes_append_byte(&record->value, ':');
        avro_parsed_write_json(&record->value, value);
        comma = ",";
    }
    bytes_append_byte(&record->value, '}');
}

void schema_batch_add_mode(struct schema_batch *batch, const char *subject, const char *mode)
{
    struct schema_record *record = add_record(batch);
    make_key(&record->key, "MODE", subject);
    if (mode != NULL) {
        bytes_append_string(&record->value, start_value(&record->value, subject));
        bytes_format(&record->value, "\"mode\":\"%s\"}", mode);
    }
}

static void clear_records(struct schema_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bytes_clear(&records[i].key);
        bytes_clear(&records[i].value);
    }
    free(records);
}

size_t schema_batch_record_bytes(const char *subject, const struct schema_text *schema)
{
    struct schema_batch batch = {0};
    schema_batch_add_schema(&batch, subject, INT32_MAX, INT32_MAX, false, schema);
    size_t size = batch.records[0].key.size + batch.records[0].value.size;
    schema_batch_clear(&batch);
    return size;
}

void schema_batch_clear(struct schema_batch *batch)
{
    clear_records(batch->records, batch->count);
    for (size_t i = 0; i < batch->id_count; i++) {
        free(batch->ids[i].context);
        free(batch->ids[i].identity);
    }
    free(batch->ids);
    text_list_clear(&batch->subjects);
    *batch = (struct schema_batch){0};
}

struct schema_record *schema_batch_take(struct schema_batch *batch)
{
    struct schema_record *records = batch->records;
    batch->records = NULL;
    batch->count = 0;
    schema_batch_clear(batch);
    return records;
}
