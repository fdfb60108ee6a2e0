// The records of one transaction, and what they change: what is planned next must not depend on it.
#ifndef SCHEMAS_REGISTRY_SCHEMA_BATCH_H
#define SCHEMAS_REGISTRY_SCHEMA_BATCH_H

#include "schemas/registry/schema_change.h"
#include "schemas/registry/schema_writer.h"

struct schema_batch_id {
    char *context;
    char *identity;
    int32_t id;
};

/** Zero-initialised is empty. */
struct schema_batch {
    struct schema_record *records;
    size_t count;
    struct schema_batch_id *ids;  // of new schemas
    size_t id_count;
    struct text_list subjects;  // which it changes
    bool is_closed;             // it changes more than subjects: nothing can be added
};

/** An id for a new schema: that of the batch if it has the schema, else the first that is free of those that
 * follow from the content. */
int32_t schema_batch_choose_id(struct schema_batch *batch, const struct schema_index *index,
                               const char *subject, const char *text, const char *identity);

/** These add records. */
void schema_batch_add_schema(struct schema_batch *batch, const char *subject, int32_t version, int32_t id,
                             bool is_deleted, const struct schema_text *schema);
void schema_batch_add_tombstone(struct schema_batch *batch, const char *subject, int32_t version);
void schema_batch_add_delete(struct schema_batch *batch, const char *subject, int32_t up_to);
void schema_batch_add_clear(struct schema_batch *batch, const char *subject);
void schema_batch_add_context(struct schema_batch *batch, struct slice context);
void schema_batch_add_context_tombstone(struct schema_batch *batch, struct slice context);

/** NULL removes the setting. `subject` is "" for all subjects. */
void schema_batch_add_config(struct schema_batch *batch, const char *subject, json_t *config);
void schema_batch_add_mode(struct schema_batch *batch, const char *subject, const char *mode);

/** The size of a schema's record, key and value together, in bytes. */
size_t schema_batch_record_bytes(const char *subject, const struct schema_text *schema);

/** Returns the `count` records, which the caller owns; the batch is empty afterwards. */
struct schema_record *schema_batch_take(struct schema_batch *batch);

void schema_batch_clear(struct schema_batch *batch);

#endif
