// The schema topic's content in memory: texts by id and by content, versions by subject. No I/O.
#ifndef SCHEMAS_REGISTRY_SCHEMA_INDEX_H
#define SCHEMAS_REGISTRY_SCHEMA_INDEX_H

#include "core/base/bytes.h"
#include "core/base/table.h"

struct schema_text {
    int32_t id;
    char *text;       // minified
    char *canonical;  // key of by_text
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

/** Zero-initialised is empty. Others may read it; only the functions below change it. */
struct schema_index {
    struct schema_text *by_id;
    struct schema_text *by_text;
    struct schema_subject *subjects;
};

void schema_index_clear(struct schema_index *index);

/**
 * Applies one record of the topic, in the format of Confluent's `_schemas`. Records of other kinds and
 * invalid ones change nothing, because other versions and programs may write to the topic.
 *
 * @return  false when the record is invalid
 */
bool schema_index_apply(struct schema_index *index, struct slice key, struct slice value);

/** The text of an id, NULL when it is not known. Borrowed until the next apply. */
const char *schema_index_text(const struct schema_index *index, int32_t id);

/** The text with sorted attributes and without white space: texts of the same schema are equal in this form.
 * Text that is not JSON is copied. The caller frees it. */
char *schema_index_canonical(const char *text);

/** The id of a text with the same canonical form; 0: none. */
int32_t schema_index_id(const struct schema_index *index, const char *text);

/** NULL when the subject was never seen. */
const struct schema_subject *schema_index_subject(const struct schema_index *index, const char *name);

/** The subject's newest version that is not deleted and has the text's canonical form; NULL: none. */
const struct schema_version *schema_index_find(const struct schema_index *index, const char *subject,
                                               const char *text);

/** The version with this number, or the newest one for 0; NULL when there is none or it is deleted. */
const struct schema_version *schema_index_version(const struct schema_subject *subject, int32_t version);

/** Appends schema JSON without the white space between its tokens; text that is not JSON is copied. */
void schema_index_minify(struct bytes *out, struct slice text);

/** The id to try first for a minified text: the top 30 bits of its SHA-256, plus 1. */
int32_t schema_index_content_id(const char *text);

/** The next id, from 1 to 2^30; wraps around. */
int32_t schema_index_next_id(int32_t id);

#endif
