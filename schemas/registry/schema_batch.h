// The new schemas of one transaction: assigns their ids and versions, and makes the topic's records.
#ifndef SCHEMAS_REGISTRY_SCHEMA_BATCH_H
#define SCHEMAS_REGISTRY_SCHEMA_BATCH_H

#include "schemas/registry/schema_index.h"
#include "schemas/registry/schema_writer.h"

struct schema_batch_entry {
    const char *subject;  // lent
    const char *text;     // lent
    char *canonical;
    int32_t id;
    int32_t version;
};

/** Zero-initialised is empty. */
struct schema_batch {
    struct schema_batch_entry *entries;
    size_t count;
};

/**
 * Adds the text under the subject unless the batch has it. A known text keeps its id; a new one gets
 * schema_index_content_id, or the next free id. The version is the subject's next one.
 *
 * @param subject  lent, like `text`, until schema_batch_take
 */
void schema_batch_add(struct schema_batch *batch, const struct schema_index *index, const char *subject,
                      const char *text);

/** The size of the record's key and value together, in bytes. */
size_t schema_batch_record_bytes(const char *subject, const char *text);

/** Returns the batch->count records, which the caller owns; the batch is empty afterwards. */
struct schema_record *schema_batch_take(struct schema_batch *batch);

#endif
