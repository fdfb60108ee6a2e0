#include "schemas/registry/schema_scope.h"

#include <strings.h>

#include "core/base/memory.h"
#include "schemas/registry/schema_names.h"

static const char *const MODES[] = {"READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT"};
static const char *const LEVELS[] = {
    "NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"};

static size_t find_word(const char *const *words, size_t count, const char *text)
{
    size_t i = 0;
    while (i < count && (text == NULL || strcasecmp(words[i], text) != 0)) {
        i++;
    }
    return i;
}

enum schema_mode schema_scope_read_mode(const char *text)
{
    return (enum schema_mode)find_word(MODES, COUNT_OF(MODES), text);
}

enum schema_level schema_scope_read_level(const char *text)
{
    return (enum schema_level)find_word(LEVELS, COUNT_OF(LEVELS), text);
}

const char *schema_scope_mode_name(enum schema_mode mode)
{
    return MODES[mode];
}

const char *schema_scope_level_name(enum schema_level level)
{
    return LEVELS[level];
}

static enum schema_mode find_mode(const struct schema_index *index, const char *subject)
{
    const struct schema_setting *setting = schema_index_setting(index, subject);
    return schema_scope_read_mode(setting != NULL ? setting->mode : NULL);
}

enum schema_mode schema_scope_mode(const struct schema_index *index, const char *subject)
{
    CLEANUP(memory_free_pointer) char *context = schema_names_context_subject(subject);
    enum schema_mode own = find_mode(index, subject);
    enum schema_mode outer = find_mode(index, context);
    enum schema_mode global = find_mode(index, SCHEMA_NAMES_GLOBAL);
    if (outer == SCHEMA_MODE_READONLY_OVERRIDE || global == SCHEMA_MODE_READONLY_OVERRIDE) {
        return SCHEMA_MODE_READONLY_OVERRIDE;
    }
    return own != SCHEMA_MODE_NONE      ? own
           : outer != SCHEMA_MODE_NONE  ? outer
           : global != SCHEMA_MODE_NONE ? global
                                        : SCHEMA_MODE_READWRITE;
}

enum schema_mode schema_scope_own_mode(const struct schema_index *index, const char *subject)
{
    bool is_all = subject[0] == '\0' || strcmp(subject, SCHEMA_NAMES_GLOBAL) == 0;
    enum schema_mode own = find_mode(index, subject);
    return own == SCHEMA_MODE_NONE && is_all ? SCHEMA_MODE_READWRITE : own;
}

static json_t *find_config(const struct schema_index *index, const char *subject)
{
    const struct schema_setting *setting = schema_index_setting(index, subject);
    return setting != NULL ? setting->config : NULL;
}

// Adds the members that are not there.
static void add_missing(json_t *to, json_t *from)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(from, name, value)
    {
        if (json_object_get(to, name) == NULL) {
            (void)json_object_set(to, name, value);
        }
    }
}

static void add_default(json_t *config)
{
    if (schema_scope_read_level(json_string_value(json_object_get(config, "compatibilityLevel"))) ==
        SCHEMA_LEVEL_UNKNOWN) {
        (void)json_object_set_new(config, "compatibilityLevel", json_string(LEVELS[SCHEMA_LEVEL_NONE]));
    }
}

json_t *schema_scope_config(const struct schema_index *index, const char *subject)
{
    CLEANUP(memory_free_pointer) char *context = schema_names_context_subject(subject);
    json_t *config = json_object();
    add_missing(config, find_config(index, subject));
    add_missing(config, find_config(index, context));
    add_missing(config, find_config(index, SCHEMA_NAMES_GLOBAL));
    add_default(config);
    return config;
}

json_t *schema_scope_own_config(const struct schema_index *index, const char *subject)
{
    bool is_all = subject[0] == '\0' || strcmp(subject, SCHEMA_NAMES_GLOBAL) == 0;
    json_t *own = find_config(index, subject);
    if (own == NULL && !is_all) {
        return NULL;
    }
    json_t *config = json_object();
    add_missing(config, own);
    if (is_all) {
        add_default(config);
    }
    return config;
}

enum schema_level schema_scope_level(const struct schema_index *index, const char *subject)
{
    json_t *config CLEANUP(json_decrefp) = schema_scope_config(index, subject);
    return schema_scope_read_level(json_string_value(json_object_get(config, "compatibilityLevel")));
}

char *schema_scope_group(const struct schema_index *index, const char *subject)
{
    json_t *config CLEANUP(json_decrefp) = schema_scope_config(index, subject);
    const char *group = json_string_value(json_object_get(config, "compatibilityGroup"));
    return group != NULL ? memory_string(group) : NULL;
}

bool schema_scope_is_normal(const struct schema_index *index, const char *subject)
{
    json_t *config CLEANUP(json_decrefp) = schema_scope_config(index, subject);
    return json_is_true(json_object_get(config, "normalize"));
}
