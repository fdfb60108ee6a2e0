// Ids that a registry has returned for subject and text, kept so that a registry that is away blocks only
// schemas that it has not seen.
#ifndef SCHEMAS_REGISTRY_REGISTRY_KNOWN_H
#define SCHEMAS_REGISTRY_REGISTRY_KNOWN_H

#include "core/base/bytes.h"
#include "core/base/table.h"

enum { REGISTRY_KNOWN_MAX = 100000 };  // then it is emptied, as such a number is a mistake

struct registry_known_entry;

/** Zero-initialised is empty. */
struct registry_known {
    struct registry_known_entry *entries;
};

/** 0: not known. */
int32_t registry_known_find(const struct registry_known *known, const char *subject, const char *text);
void registry_known_add(struct registry_known *known, const char *subject, const char *text, int32_t id);
void registry_known_clear(struct registry_known *known);

#endif
