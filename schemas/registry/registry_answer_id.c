// Schemas by id.
#include "core/base/memory.h"
#include "schemas/registry/registry_answer.h"
#include "schemas/registry/schema_names.h"
#include "schemas/registry/schema_references.h"

// An id counts in the context of the query's subject. A subject without context may be in any.
static const struct schema_text *find_schema(const struct schema_index *index,
                                             const struct registry_query *query,
                                             const struct schema_context **ret_context)
{
    const char *scope = query->scope != NULL ? query->scope : "";
    int32_t id = registry_query_number(query->id);
    struct slice name = schema_names_context(scope);
    const struct schema_context *context = schema_index_context(index, name);
    const struct schema_text *found = schema_index_by_id(context, id);
    bool is_any = scope[0] != '\0' && slice_equal(name, slice_of(SCHEMA_NAMES_DEFAULT));
    for (const struct schema_context *c = index->contexts; is_any && found == NULL && c != NULL;
         c = c->hh.next) {
        found = schema_index_by_id(c, id);
        context = c;
    }
    *ret_context = context;
    return found;
}

static int id_error(struct bytes *out, const char *id)
{
    return registry_answer_error(out, REGISTRY_ERROR_SCHEMA, "Schema %s not found", id);
}

static int32_t largest_id(const struct schema_context *context)
{
    int32_t largest = 0;
    for (const struct schema_text *text = context->by_id; text != NULL; text = text->hh.next) {
        largest = text->id > largest ? text->id : largest;
    }
    return largest;
}

int registry_answer_id(struct bytes *out, const struct schema_index *index, struct registry_query *query)
{
    const struct schema_context *context = NULL;
    const struct schema_text *found = find_schema(index, query, &context);
    if (found == NULL) {
        return id_error(out, query->id);
    }
    bool needs_user = query->scope != NULL || query->is_resolved;
    const char *user = needs_user ? schema_index_user(index, found) : "";
    bytes_append_byte(out, '{');
    size_t start = out->size;
    registry_answer_append_schema(out, index, query, user, found);
    memmove(out->data + start, out->data + start + 1, out->size - start - 1);  // without the comma
    out->size--;
    if (query->has_max_id) {
        bytes_format(out, ",\"maxId\":%d", largest_id(context));
    }
    bytes_append_byte(out, '}');
    return 200;
}

int registry_answer_id_schema(struct bytes *out, const struct schema_index *index,
                              struct registry_query *query)
{
    const struct schema_context *context = NULL;
    const struct schema_text *found = find_schema(index, query, &context);
    if (found == NULL) {
        return id_error(out, query->id);
    }
    if (!query->is_resolved ||
        !schema_references_resolve(index, schema_index_user(index, found), found, out)) {
        bytes_append_string(out, found->text);
    }
    return 200;
}

static void append_use(struct bytes *out, const char *subject, int32_t version)
{
    bytes_append_string(out, out->data[out->size - 1] == '[' ? "" : ",");
    bytes_append_string(out, version != 0 ? "{\"subject\":" : "");
    text_append_json(out, slice_of(subject));
    if (version != 0) {
        bytes_format(out, ",\"version\":%d}", version);
    }
}

static int append_uses(struct bytes *out, const struct schema_index *index,
                       const struct registry_query *query, bool has_versions)
{
    const struct schema_context *context = NULL;
    const struct schema_text *found = find_schema(index, query, &context);
    int64_t number = 0;
    if (found == NULL) {
        return registry_answer_no_schema(out);
    }
    bytes_append_byte(out, '[');
    for (const struct schema_subject *s = index->subjects; s != NULL; s = s->hh.next) {
        for (size_t i = 0; i < s->count; i++) {
            const struct schema_version *v = &s->versions[i];
            if (v->schema != found || (v->is_deleted && !query->has_deleted)) {
                continue;
            }
            bool is_on_page =
                number >= query->offset && (query->limit < 0 || number - query->offset < query->limit);
            number++;
            if (is_on_page) {
                append_use(out, s->name, has_versions ? v->version : 0);
            }
            if (!has_versions) {
                break;
            }
        }
    }
    bytes_append_byte(out, ']');
    return 200;
}

int registry_answer_id_subjects(struct bytes *out, const struct schema_index *index,
                                struct registry_query *query)
{
    return append_uses(out, index, query, false);
}

int registry_answer_id_versions(struct bytes *out, const struct schema_index *index,
                                struct registry_query *query)
{
    return append_uses(out, index, query, true);
}
