// Names of subjects. A subject is `s`, or `:.context:s` in a context of its own; ids count within a context.
// Source: confluentinc/schema-registry, utils/QualifiedSubject.
#ifndef SCHEMAS_REGISTRY_SCHEMA_NAMES_H
#define SCHEMAS_REGISTRY_SCHEMA_NAMES_H

#include "core/base/bytes.h"

#define SCHEMA_NAMES_DEFAULT "."           // the context of subjects without one
#define SCHEMA_NAMES_GLOBAL ":.__GLOBAL:"  // settings of all contexts
#define SCHEMA_NAMES_WILDCARD ":*:"        // any context
enum { SCHEMA_NAMES_SUBJECT_MAX = 1024 };  // bytes

/** The subject's context: ".", ".context", "*". */
struct slice schema_names_context(const char *subject);

/** The subject behind its context, borrowed: "" for the context itself. */
const char *schema_names_bare(const char *subject);

/** The context as a subject, under which its settings are kept: ":.context:", "" for the default one. The
 * caller frees it. */
char *schema_names_context_subject(const char *subject);

/** The shortest way to write the subject: `:.:s` is `s`, `:.context` is `:.context:`. The caller frees it. */
char *schema_names_normal(const char *subject);

/** A referenced subject, which is in the context of the one that refers to it unless it names its own. The
 * caller frees it. */
char *schema_names_qualify(const char *parent, const char *subject);

/** Whether schemas may be registered under it; with `is_setting`, whether it may have settings. */
bool schema_names_is_valid(const char *subject, bool is_setting);

#endif
