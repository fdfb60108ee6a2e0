#include "schemas/registry/schema_names.h"

#include "core/base/memory.h"

// The ':' that ends the context; NULL: there is none.
static const char *find_end(const char *subject)
{
    bool is_context = strncmp(subject, ":.", 2) == 0 || strncmp(subject, ":*:", 3) == 0;
    return is_context ? strchr(subject + 2, ':') : NULL;
}

struct slice schema_names_context(const char *subject)
{
    const char *end = find_end(subject);
    if (end != NULL) {
        return slice_make(subject + 1, (size_t)(end - subject - 1));
    }
    return slice_of(strncmp(subject, ":.", 2) == 0 ? subject + 1 : SCHEMA_NAMES_DEFAULT);
}

const char *schema_names_bare(const char *subject)
{
    const char *end = find_end(subject);
    bool is_open = end == NULL && strncmp(subject, ":.", 2) == 0;
    return end != NULL ? end + 1 : is_open ? "" : subject;
}

static char *join(struct slice context, const char *subject)
{
    if (slice_equal(context, slice_of(SCHEMA_NAMES_DEFAULT))) {
        return memory_string(subject);
    }
    return memory_format(":%.*s:%s", (int)context.size, (const char *)context.data, subject);
}

char *schema_names_context_subject(const char *subject)
{
    return join(schema_names_context(subject), "");
}

char *schema_names_normal(const char *subject)
{
    return join(schema_names_context(subject), schema_names_bare(subject));
}

char *schema_names_qualify(const char *parent, const char *subject)
{
    struct slice own = schema_names_context(subject);
    bool is_own = !slice_equal(own, slice_of(SCHEMA_NAMES_DEFAULT));
    return join(is_own ? own : schema_names_context(parent), schema_names_bare(subject));
}

bool schema_names_is_valid(const char *subject, bool is_setting)
{
    const char *bare = schema_names_bare(subject);
    CLEANUP(memory_free_pointer) char *context = schema_names_context_subject(subject);
    for (const char *c = subject; *c != '\0'; c++) {
        if ((uint8_t)*c < 0x20 || *c == 0x7f) {
            return false;
        }
    }
    bool is_reserved = strcmp(bare, "__GLOBAL") == 0 || strcmp(bare, "__EMPTY") == 0;
    bool is_global = strcmp(context, SCHEMA_NAMES_GLOBAL) == 0;
    bool is_wild = strcmp(context, SCHEMA_NAMES_WILDCARD) == 0 || strcmp(bare, "*") == 0;
    return strlen(subject) <= SCHEMA_NAMES_SUBJECT_MAX && !is_reserved && !is_wild &&
           (is_setting || (!is_global && bare[0] != '\0'));
}
