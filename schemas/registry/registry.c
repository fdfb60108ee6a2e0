// Source of the names of subjects: Confluent's TopicNameStrategy, RecordNameStrategy,
// TopicRecordNameStrategy.
#include "schemas/registry/registry.h"

#include <jansson.h>

#include "core/base/memory.h"
#include "schemas/registry/registry_kind.h"

bool registry_open(uv_loop_t *loop, const struct settings *settings, struct registry **ret, struct fault *f)
{
    bool is_open = settings->registry.url != NULL ? registry_http_open(loop, settings, ret, f)
                                                  : schema_store_open(loop, settings, ret, f);
    if (is_open) {
        (*ret)->subject_names = settings->registry.subject_names;
    }
    return is_open;
}

// The topic of `<topic>-key` or `<topic>-value`.
static struct slice topic_of(const char *subject)
{
    const char *dash = strrchr(subject, '-');
    return dash != NULL ? slice_make(subject, (size_t)(dash - subject)) : slice_of(subject);
}

// A schema without a name has its topic's subject.
static char *make_subject(enum subject_names names, const char *subject, const char *text)
{
    if (names == SUBJECT_NAMES_TOPIC) {
        return memory_string(subject);
    }
    json_t *json CLEANUP(json_decrefp) = json_loads(text, JSON_DECODE_ANY, NULL);
    const char *name = json_string_value(json_object_get(json, "name"));
    const char *space = json_string_value(json_object_get(json, "namespace"));
    struct slice topic = names == SUBJECT_NAMES_TOPIC_RECORD ? topic_of(subject) : (struct slice){NULL, 0};
    bool has_space = name != NULL && space != NULL && space[0] != '\0' && strchr(name, '.') == NULL;
    return name == NULL
               ? memory_string(subject)
               : memory_format("%.*s%s%s%s%s", (int)topic.size, (const char *)topic.data,
                               topic.size > 0 ? "-" : "", has_space ? space : "", has_space ? "." : "", name);
}

void registry_register(struct registry *r, const char *subject, const char *text, registry_on_id on_id,
                       void *self)
{
    CLEANUP(memory_free_pointer) char *name = make_subject(r->subject_names, subject, text);
    r->type->register_schema(r, name, text, on_id, self);
}

void registry_lookup(struct registry *r, int32_t id, registry_on_schema on_schema, void *self)
{
    r->type->lookup(r, id, on_schema, self);
}

void registry_cancel(struct registry *r, const void *self)
{
    r->type->cancel(r, self);
}

void registry_serve(struct registry *r, struct admin *admin, const char *prefix)
{
    r->type->serve(r, admin, prefix);
}

void registry_close(struct registry *r)
{
    if (r != NULL) {
        r->type->close(r);
    }
}
