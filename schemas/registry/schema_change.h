// A change that a client asks of the embedded registry, and what became of it.
#ifndef SCHEMAS_REGISTRY_SCHEMA_CHANGE_H
#define SCHEMAS_REGISTRY_SCHEMA_CHANGE_H

#include "schemas/registry/schema_index.h"

/** Confluent's error codes; the HTTP status is the code, or its first three digits. */
enum registry_error {
    REGISTRY_ERROR_NONE = 0,
    REGISTRY_ERROR_BODY = 400,
    REGISTRY_ERROR_NOT_FOUND = 404,
    REGISTRY_ERROR_METHOD = 405,
    REGISTRY_ERROR_INCOMPATIBLE = 409,
    REGISTRY_ERROR_FIELD = 422,
    REGISTRY_ERROR_SUBJECT = 40401,
    REGISTRY_ERROR_VERSION = 40402,
    REGISTRY_ERROR_SCHEMA = 40403,
    REGISTRY_ERROR_SUBJECT_SOFT_DELETED = 40404,
    REGISTRY_ERROR_SUBJECT_NOT_SOFT_DELETED = 40405,
    REGISTRY_ERROR_VERSION_SOFT_DELETED = 40406,
    REGISTRY_ERROR_VERSION_NOT_SOFT_DELETED = 40407,
    REGISTRY_ERROR_NO_SUBJECT_CONFIG = 40408,
    REGISTRY_ERROR_NO_SUBJECT_MODE = 40409,
    REGISTRY_ERROR_INVALID_SCHEMA = 42201,
    REGISTRY_ERROR_INVALID_VERSION = 42202,
    REGISTRY_ERROR_INVALID_LEVEL = 42203,
    REGISTRY_ERROR_INVALID_MODE = 42204,
    REGISTRY_ERROR_NOT_PERMITTED = 42205,
    REGISTRY_ERROR_REFERENCE_EXISTS = 42206,
    REGISTRY_ERROR_INVALID_SUBJECT = 42208,
    REGISTRY_ERROR_TOO_LARGE = 42209,
    REGISTRY_ERROR_CONTEXT_NOT_EMPTY = 42211,
    REGISTRY_ERROR_STORE = 50001,
    REGISTRY_ERROR_TIMEOUT = 50002,
};

enum schema_change_kind {
    SCHEMA_CHANGE_REGISTER,
    SCHEMA_CHANGE_DELETE_VERSION,
    SCHEMA_CHANGE_DELETE_SUBJECT,
    SCHEMA_CHANGE_SET_CONFIG,
    SCHEMA_CHANGE_DELETE_CONFIG,
    SCHEMA_CHANGE_SET_MODE,
    SCHEMA_CHANGE_DELETE_MODE,
    SCHEMA_CHANGE_DELETE_CONTEXT,
};

/** Owns its members. */
struct schema_change {
    enum schema_change_kind kind;
    char *subject;  // normal; "" for settings of all subjects; DELETE_CONTEXT: ":.context:"
    // REGISTER
    char *text;
    char *type;  // NULL: AVRO
    json_t *references;
    json_t *metadata;
    json_t *rules;
    int32_t id;  // 0: choose one
    bool is_normal;
    // REGISTER, DELETE_VERSION
    int32_t version;  // REGISTER: 0 for the next one, or the one that it is; DELETE_VERSION: 0 for the newest
    // DELETE_VERSION, DELETE_SUBJECT
    bool is_permanent;
    // SET_CONFIG, SET_MODE, DELETE_MODE
    json_t *setting;  // the body
    bool is_forced;   // also REGISTER: no compatibility check
    bool is_recursive;
    // The result.
    enum registry_error error;
    struct bytes answer;  // the response's body; of an error, its message
    int32_t result_id;    // REGISTER
};

void schema_change_free(struct schema_change *c);

/** Sets error and message. */
void schema_change_refuse(struct schema_change *c, enum registry_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
