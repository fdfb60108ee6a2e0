// What the schema topic says, in memory: texts by id and by content, versions by subject. No I/O.
#ifndef SCHEMAS_REGISTRY_SCHEMA_INDEX_H
#define SCHEMAS_REGISTRY_SCHEMA_INDEX_H

#include "core/base/bytes.h"
#include "core/base/table.h"

struct schema_text {
    int32_t id;
    char *text;       // minified
    char *canonical;  // what it is found by
    UT_hash_handle hh;
    UT_hash_handle hh_text;
};

struct schema_version {
    int32_t version;
    int32_t id;
    bool is_deleted;
};

struct schema_subject {
    char *name;
    struct schema_version *versions;  // ascending
    size_t count;
    UT_hash_handle hh;
};

/** Zero-initialised is empty. Read it freely; it changes only through the functions below. */
struct schema_index {
    struct schema_text *by_id;
    struct schema_text *by_text;
    struct schema_subject *subjects;
};

void schema_index_clear(struct schema_index *index);

/**
 * Takes in one record of the topic in the format of Confluent's `_schemas`. Records of other kinds, and what
 * can't be understood, change nothing: an index read by several versions of several programs must not stop at
 * one record.
 *
 * @return  false when the record was not understood
 */
bool schema_index_apply(struct schema_index *index, struct slice key, struct slice value);

/** The text of an id, NULL when it is not known. Borrowed until the next apply. */
const char *schema_index_text(const struct schema_index *index, int32_t id);

/** The text with the attributes of each object in one order and without white space: texts that say the same
 * are equal in this form. What is no JSON comes out as it is. The caller frees it. */
char *schema_index_canonical(const char *text);

/** The id of a text that says the same, 0 when it is not known. */
int32_t schema_index_id(const struct schema_index *index, const char *text);

/** NULL when the subject was never seen. */
const struct schema_subject *schema_index_subject(const struct schema_index *index, const char *name);

/** The newest version of the subject that says the same as the text and is not deleted; NULL when none has.
 */
const struct schema_version *schema_index_find(const struct schema_index *index, const char *subject,
                                               const char *text);

/** The version of that number, or the newest for 0; not a deleted one; NULL when there is none. */
const struct schema_version *schema_index_version(const struct schema_subject *subject, int32_t version);

/** Appends schema JSON without the white space between its tokens; anything else comes out as it is. */
void schema_index_minify(struct bytes *out, struct slice text);

/** The id to try first for a minified text: SHA-256, top 30 bits plus 1. */
int32_t schema_index_content_id(const char *text);

/** The id after this one, from 1 to 2^30, going round. */
int32_t schema_index_next_id(int32_t id);

#endif
