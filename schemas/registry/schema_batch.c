// Keys and values have the format of Confluent's registry, with the members in its order: compaction compares
// the keys' bytes.
#include "schemas/registry/schema_batch.h"

#include "core/base/memory.h"

static bool is_id_free(const struct schema_batch *batch, const struct schema_index *index, int32_t id)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->entries[i].id == id) {
            return false;
        }
    }
    return schema_index_text(index, id) == NULL;
}

static int32_t choose_id(const struct schema_batch *batch, const struct schema_index *index, const char *text,
                         const char *canonical)
{
    int32_t id = schema_index_id(index, text);
    for (size_t i = 0; id == 0 && i < batch->count; i++) {
        if (strcmp(batch->entries[i].canonical, canonical) == 0) {
            id = batch->entries[i].id;
        }
    }
    if (id != 0) {
        return id;
    }
    id = schema_index_content_id(text);
    while (!is_id_free(batch, index, id)) {
        id = schema_index_next_id(id);
    }
    return id;
}

static int32_t choose_version(const struct schema_batch *batch, const struct schema_index *index,
                              const char *subject)
{
    const struct schema_subject *known = schema_index_subject(index, subject);
    int32_t version = known != NULL && known->count > 0 ? known->versions[known->count - 1].version : 0;
    for (size_t i = 0; i < batch->count; i++) {
        if (strcmp(batch->entries[i].subject, subject) == 0) {
            version = batch->entries[i].version;
        }
    }
    return version + 1;
}

void schema_batch_add(struct schema_batch *batch, const struct schema_index *index, const char *subject,
                      const char *text)
{
    CLEANUP(memory_free_pointer) char *canonical = schema_index_canonical(text);
    for (size_t i = 0; i < batch->count; i++) {
        const struct schema_batch_entry *entry = &batch->entries[i];
        if (strcmp(entry->subject, subject) == 0 && strcmp(entry->canonical, canonical) == 0) {
            return;
        }
    }
    struct schema_batch_entry entry = {
        .subject = subject,
        .text = text,
        .id = choose_id(batch, index, text, canonical),
        .version = choose_version(batch, index, subject),
    };
    entry.canonical = TAKE(canonical);
    batch->entries = memory_resize(batch->entries, (batch->count + 1) * sizeof entry);
    batch->entries[batch->count++] = entry;
}

static struct schema_record make_record(const struct schema_batch_entry *entry)
{
    struct schema_record record = {0};
    bytes_append_string(&record.key, "{\"keytype\":\"SCHEMA\",\"subject\":");
    text_append_json(&record.key, slice_of(entry->subject));
    bytes_format(&record.key, ",\"version\":%d,\"magic\":1}", entry->version);
    bytes_append_string(&record.value, "{\"subject\":");
    text_append_json(&record.value, slice_of(entry->subject));
    bytes_format(&record.value, ",\"version\":%d,\"id\":%d,\"schema\":", entry->version, entry->id);
    text_append_json(&record.value, slice_of(entry->text));
    bytes_append_string(&record.value, ",\"deleted\":false}");
    return record;
}

size_t schema_batch_record_bytes(const char *subject, const char *text)
{
    const struct schema_batch_entry longest = {
        .subject = subject, .text = text, .id = INT32_MAX, .version = INT32_MAX};
    struct schema_record record = make_record(&longest);
    size_t size = record.key.size + record.value.size;
    bytes_clear(&record.key);
    bytes_clear(&record.value);
    return size;
}

struct schema_record *schema_batch_take(struct schema_batch *batch)
{
    struct schema_record *records = memory_zeroed(batch->count + 1, sizeof *records);
    for (size_t i = 0; i < batch->count; i++) {
        records[i] = make_record(&batch->entries[i]);
        free(batch->entries[i].canonical);
    }
    free(batch->entries);
    *batch = (struct schema_batch){0};
    return records;
}
