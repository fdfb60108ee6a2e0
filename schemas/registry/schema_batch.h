// New schemas chosen for one transaction: ids and versions that fit the index and each other, as topic
// records.
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
 * Adds the text under the subject unless the batch has it: a known text keeps its id, a new one gets the id
 * of its content, or the next one that is free. The version is the subject's next.
 *
 * @param subject  lent, like `text`, until schema_batch_take
 */
void schema_batch_add(struct schema_batch *batch, const struct schema_index *index, const char *subject,
                      const char *text);

/** The bytes of key and value of such a record. */
size_t schema_batch_record_bytes(const char *subject, const char *text);

/** The `count` records, on the heap; the batch is empty afterwards. */
struct schema_record *schema_batch_take(struct schema_batch *batch);

#endif
