// The schema topic's content in memory: schemas by id and by content, versions by subject, settings. No I/O.
#ifndef SCHEMAS_REGISTRY_SCHEMA_INDEX_H
#define SCHEMAS_REGISTRY_SCHEMA_INDEX_H

#include <jansson.h>

#include "core/base/bytes.h"
#include "core/base/table.h"
#include "schemas/registry/schema_identity.h"

/** A schema under an id of its context. */
struct schema_text {
    int32_t id;
    size_t uses;         // versions that have it
    char *text;          // minified
    char *type;          // NULL: AVRO
    json_t *references;  // [{"name":…,"subject":…,"version":…}]; NULL: none
    json_t *metadata;    // kept for clients; NULL: none
    json_t *rules;       // the same
    char *identity;      // key of by_identity
    bool is_first;       // in by_identity: an id that says what another said before is not
    UT_hash_handle hh;
    UT_hash_handle hh_identity;
};

struct schema_context {
    char *name;  // "." is the default one
    struct schema_text *by_id;
    struct schema_text *by_identity;
    UT_hash_handle hh;
};

struct schema_version {
    int32_t version;
    int32_t id;
    bool is_deleted;
    struct schema_text *schema;
};

struct schema_subject {
    char *name;
    struct schema_context *context;
    struct schema_version *versions;  // ascending
    size_t count;
    UT_hash_handle hh;
};

/** What is set for a subject, for a context (":.context:") or for all ("" and ":.__GLOBAL:"). */
struct schema_setting {
    char *subject;
    char *mode;      // NULL: not set
    json_t *config;  // {"compatibilityLevel":…}; NULL: not set
    UT_hash_handle hh;
};

/** Zero-initialised is empty. Others may read it; only the functions below change it. */
struct schema_index {
    struct schema_context *contexts;
    struct schema_subject *subjects;
    struct schema_setting *settings;
};

void schema_index_clear(struct schema_index *index);

/**
 * Applies one record of the topic, in the format of Confluent's `_schemas`. Records of other kinds and
 * invalid ones change nothing, because other versions and programs may write to the topic.
 *
 * @return  false when the record is invalid
 */
bool schema_index_apply(struct schema_index *index, struct slice key, struct slice value);

/** NULL: no schema was ever registered in it. */
struct schema_context *schema_index_context(const struct schema_index *index, struct slice name);

/** The schema of an id; NULL when it is not known. Borrowed until the next apply. */
const struct schema_text *schema_index_by_id(const struct schema_context *context, int32_t id);

/** The same in the default context, then in the others, which are looked through in order of appearance. */
const struct schema_text *schema_index_any(const struct schema_index *index, int32_t id);

/** A subject that has the schema, deleted or not. */
const char *schema_index_user(const struct schema_index *index, const struct schema_text *schema);

/** The schema that says the same; NULL: none. */
const struct schema_text *schema_index_same(const struct schema_context *context, const char *identity);

/** NULL when the subject was never seen. */
const struct schema_subject *schema_index_subject(const struct schema_index *index, const char *name);

/** The subject's newest version that is not deleted and has the schema; NULL: none. */
const struct schema_version *schema_index_find(const struct schema_index *index, const char *subject,
                                               const char *identity);

/** The version with this number, or the newest one for 0; NULL when there is none or, unless `has_deleted`,
 * it is deleted. */
const struct schema_version *schema_index_version(const struct schema_subject *subject, int32_t version,
                                                  bool has_deleted);

/** NULL: nothing is set. */
const struct schema_setting *schema_index_setting(const struct schema_index *index, const char *subject);

// These are for the records of the topic alone (schema_index_records.c).

/** Sets a version, known or not. An id that is known keeps its schema. */
void schema_index_set_version(struct schema_index *index, const char *name, int32_t version, int32_t id,
                              bool is_deleted, const struct schema_parts *parts);

/** Removes it, and its schema once no version has that. */
void schema_index_remove_version(struct schema_index *index, const char *name, int32_t version);

/** Marks the versions up to this number as deleted. */
void schema_index_delete_versions(struct schema_index *index, const char *name, int64_t up_to);

/** Removes the context, unless it is the default one or a version is in it. */
void schema_index_remove_context(struct schema_index *index, struct slice name);

struct schema_context *schema_index_make_context(struct schema_index *index, struct slice name);
struct schema_setting *schema_index_make_setting(struct schema_index *index, const char *subject);

#endif
