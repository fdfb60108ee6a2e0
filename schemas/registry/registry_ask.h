// What is asked of a registry with Confluent's REST API.
#ifndef SCHEMAS_REGISTRY_REGISTRY_ASK_H
#define SCHEMAS_REGISTRY_REGISTRY_ASK_H

#include "core/base/bytes.h"

enum registry_ask {
    REGISTRY_ASK_REGISTER,
    REGISTRY_ASK_FIND,    // the id of a text in a subject
    REGISTRY_ASK_LATEST,  // the newest version of a subject
    REGISTRY_ASK_ID,      // the schema of an id
};

/** "POST" or "GET". */
const char *registry_ask_method(enum registry_ask ask);

/** The path of a question about a subject; the caller frees it. */
char *registry_ask_path(enum registry_ask ask, const char *subject, bool is_normal);

/** The path of REGISTRY_ASK_ID: what the schema refers to comes with it, as the decoder knows nothing of
 * other subjects. The caller frees it. */
char *registry_ask_id_path(int32_t id);

/** Appends the body of a question about a schema's text. */
void registry_ask_append_body(enum registry_ask ask, const char *text, struct bytes *out);

#endif
