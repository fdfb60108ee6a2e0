// The text of a parsed schema. A type's attributes come in the order type, name, doc, what it is made of,
// aliases, default, others by name; a field's are name, type, doc, default, order, aliases, others by name.
// Source: org.apache.avro.Schema: which attributes it compares; Confluent's
// AvroSchemaUtils.toNormalizedString.
#include <jansson.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "schemas/avro/avro_parsed.h"

struct writer {
    struct bytes *out;
    bool *is_written;  // by the type's number
    bool is_layout;    // without other attributes
};

static const char *const TYPE_WORDS[] = {"type",    "name", "namespace", "fields",  "items", "values",
                                         "symbols", "size", "doc",       "aliases", NULL};
static const char *const FIELD_WORDS[] = {"type", "name", "doc", "default", "order", "aliases", NULL};

static void write_type(struct writer *w, const struct avro_parsed *type, const char *space);

void avro_parsed_write_json(struct bytes *out, const json_t *json)
{
    CLEANUP(memory_free_pointer)
    char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_COMPACT);
    INVARIANT(text != NULL);  // it was read from a text
    bytes_append_string(out, text);
}

static void write_member(struct writer *w, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (value != NULL) {
        bytes_append_byte(w->out, ',');
        text_append_json(w->out, slice_of(name));
        bytes_append_byte(w->out, ':');
        avro_parsed_write_json(w->out, value);
    }
}

static bool has_word(const char *const *words, const char *name)
{
    while (*words != NULL && strcmp(*words, name) != 0) {
        words++;
    }
    return *words != NULL;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// The object's members that the specification does not name, sorted; a default is one on all types but enums.
static void write_others(struct writer *w, json_t *object, const char *const *words, bool has_default)
{
    if (object == NULL || w->is_layout) {
        return;
    }
    const char **names = memory_zeroed(json_object_size(object) + 1, sizeof *names);
    size_t count = 0;
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(object, name, value)
    {
        if (!has_word(words, name) && (has_default || strcmp(name, "default") != 0)) {
            names[count++] = name;
        }
    }
    if (count > 0) {
        qsort(names, count, sizeof *names, compare_names);
    }
    for (size_t i = 0; i < count; i++) {
        write_member(w, object, names[i]);
    }
    free(names);
}

// An alias without dots is in the namespace of the type. Those of fields have none.
static void write_aliases(struct writer *w, const json_t *object, struct slice space)
{
    const json_t *aliases = json_object_get(object, "aliases");
    size_t count = json_array_size(aliases);
    if (count == 0 || w->is_layout) {
        return;
    }
    char **names = memory_zeroed(count, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        const char *alias = json_string_value(json_array_get(aliases, i));
        alias = alias != NULL ? alias : "";
        bool is_full = space.size == 0 || strchr(alias, '.') != NULL;
        names[i] = is_full ? memory_string(alias)
                           : memory_format("%.*s.%s", (int)space.size, (const char *)space.data, alias);
    }
    qsort(names, count, sizeof *names, compare_names);
    bytes_append_string(w->out, ",\"aliases\":");
    for (size_t i = 0; i < count; i++) {
        bytes_append_byte(w->out, i == 0 ? '[' : ',');
        text_append_json(w->out, slice_of(names[i]));
        free(names[i]);
    }
    bytes_append_byte(w->out, ']');
    free(names);
}

static void write_field(struct writer *w, const struct avro_parsed_field *field, const char *space)
{
    const char *order = json_string_value(json_object_get(field->json, "order"));
    bytes_append_string(w->out, "{\"name\":");
    text_append_json(w->out, slice_of(field->name));
    bytes_append_string(w->out, ",\"type\":");
    write_type(w, field->type, space);
    if (!w->is_layout) {
        write_member(w, field->json, "doc");
        write_member(w, field->json, "default");
    }
    if (!w->is_layout && order != NULL && strcmp(order, "ascending") != 0) {
        write_member(w, field->json, "order");
    }
    write_aliases(w, field->json, (struct slice){NULL, 0});
    write_others(w, field->json, FIELD_WORDS, false);
    bytes_append_byte(w->out, '}');
}

static void write_content(struct writer *w, const struct avro_parsed *type, const char *space)
{
    if (type->kind == AVRO_KIND_FIXED) {
        bytes_format(w->out, ",\"size\":%lld", (long long)type->size);
    } else if (type->kind == AVRO_KIND_ENUM) {
        write_member(w, type->json, "symbols");
    } else {
        bytes_append_string(w->out, ",\"fields\":[");
        for (size_t i = 0; i < type->count; i++) {
            bytes_append_string(w->out, i == 0 ? "" : ",");
            write_field(w, &type->fields[i], space);
        }
        bytes_append_byte(w->out, ']');
    }
}

static void write_named(struct writer *w, const struct avro_parsed *type, const char *space)
{
    const char *name = type->full_name;
    if (type->is_external || w->is_written[type->number]) {
        text_append_json(w->out, slice_of(name));
        return;
    }
    w->is_written[type->number] = true;
    const char *dot = strrchr(name, '.');
    CLEANUP(memory_free_pointer)
    char *inner = slice_to_string(slice_make(name, dot == NULL ? 0 : (size_t)(dot - name)));
    const char *doc = json_string_value(json_object_get(type->json, "doc"));
    bytes_format(w->out, "{\"type\":\"%s\",\"name\":", avro_parsed_kind_name(type->kind));
    text_append_json(w->out, slice_of(name));
    bytes_append_string(w->out, dot == NULL && space[0] != '\0' ? ",\"namespace\":\"\"" : "");
    if (!w->is_layout && doc != NULL && doc[0] != '\0') {
        write_member(w, type->json, "doc");
    }
    write_content(w, type, inner);
    write_aliases(w, type->json, slice_of(inner));
    if (type->kind == AVRO_KIND_ENUM && !w->is_layout) {
        write_member(w, type->json, "default");
    }
    write_others(w, type->json, TYPE_WORDS, type->kind != AVRO_KIND_ENUM);
    bytes_append_byte(w->out, '}');
}

static void write_union(struct writer *w, const struct avro_parsed *type, const char *space)
{
    bytes_append_byte(w->out, '[');
    for (size_t i = 0; i < type->count; i++) {
        bytes_append_string(w->out, i == 0 ? "" : ",");
        write_type(w, type->branches[i], space);
    }
    bytes_append_byte(w->out, ']');
}

static void write_container(struct writer *w, const struct avro_parsed *type, const char *space)
{
    bytes_append_string(w->out, type->kind == AVRO_KIND_ARRAY ? "{\"type\":\"array\",\"items\":"
                                                              : "{\"type\":\"map\",\"values\":");
    write_type(w, type->items, space);
    write_others(w, type->json, TYPE_WORDS, true);
    bytes_append_byte(w->out, '}');
}

// {"type":"int"} is "int"; with other attributes it is an object.
static void write_primitive(struct writer *w, const struct avro_parsed *type)
{
    size_t start = w->out->size;
    bytes_format(w->out, "{\"type\":\"%s\"", avro_parsed_kind_name(type->kind));
    size_t end = w->out->size;
    write_others(w, type->json, TYPE_WORDS, true);
    if (w->out->size > end) {
        bytes_append_byte(w->out, '}');
        return;
    }
    w->out->size = start;
    bytes_format(w->out, "\"%s\"", avro_parsed_kind_name(type->kind));
}

static void write_type(struct writer *w, const struct avro_parsed *type, const char *space)
{
    if (type->full_name != NULL) {
        write_named(w, type, space);
    } else if (type->kind == AVRO_KIND_UNION) {
        write_union(w, type, space);
    } else if (type->items != NULL) {
        write_container(w, type, space);
    } else {
        write_primitive(w, type);
    }
}

static void write_schema(struct bytes *out, const struct avro_parsed_schema *s, bool is_layout)
{
    struct writer writer = {
        .out = out, .is_written = memory_zeroed(s->count + 1, sizeof(bool)), .is_layout = is_layout};
    write_type(&writer, s->root, "");
    free(writer.is_written);
}

void avro_parsed_write(struct bytes *out, const struct avro_parsed_schema *s)
{
    write_schema(out, s, false);
}

void avro_parsed_write_layout(struct bytes *out, const struct avro_parsed_schema *s)
{
    write_schema(out, s, true);
}
