#include "schemas/json/connect_schema.h"

#include <jansson.h>
#include <string.h>

#include "core/base/memory.h"
#include "schemas/avro/avro_read.h"
#include "schemas/json/json_decimal.h"
#include "schemas/json/json_text.h"

enum {
    DEPTH_MAX = 64,
    SIZE_MAX_BYTES = 1 << 20,  // a named type is written each time: a short text may become very long
};

struct connect_schema {
    struct connect_schema *next;
    const struct avro_type *type;
    struct bytes text;
};

struct connect_schemas {
    bool decimals_as_base64;
    struct connect_schema *list;
};

/** A schema that is being written. */
struct writer {
    struct bytes *out;
    bool decimals_as_base64;
    const json_t *names;  // the definitions of named types, by full name
    int depth;
    const char *bad;  // static; NULL: nothing
};

/** Where a type stands. */
struct place {
    bool is_optional;
    const json_t *value;  // the default of the field; NULL: none
    struct slice field;   // its name; size 0: it is no field
};

static void put_type(struct writer *w, const json_t *json, const struct avro_type *type, struct place at);

static bool is_given_up(struct writer *w)
{
    if (w->bad == NULL && w->out->size > SIZE_MAX_BYTES) {
        w->bad = "more than 1 MiB";
    }
    return w->bad != NULL;
}

/** The text that a JSON string has. */
static struct slice text_of(const json_t *json)
{
    return slice_make(json_string_value(json), json_string_length(json));
}

// --- defaults ---

static void put_value(struct writer *w, const json_t *value, const json_t *json,
                      const struct avro_type *type);

/** Avro writes a byte as the character with its number. */
static void put_bytes(struct writer *w, struct slice text, const struct avro_type *type)
{
    CLEANUP(bytes_clear) struct bytes raw = {0};
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        bool is_two = byte >= 0xc0 && i + 1 < text.size;
        bytes_append_byte(&raw, is_two ? (uint8_t)(byte << 6 | (text.data[i + 1] & 0x3f)) : byte);
        i += is_two ? 1 : 0;
    }
    if (type->meaning != AVRO_MEANING_DECIMAL || w->decimals_as_base64) {
        json_text_base64(w->out, bytes_slice(&raw));
    } else if (!json_decimal_append(w->out, bytes_slice(&raw), type->scale)) {
        w->bad = "a decimal as a default is too long";
    }
}

/** Where the type is described: a named one may stand there by its name. */
static const json_t *definition_of(const struct writer *w, const json_t *json, const struct avro_type *type)
{
    return type->full_name == NULL ? json : json_object_get(w->names, type->full_name);
}

static void put_record_value(struct writer *w, const json_t *value, const json_t *json,
                             const struct avro_type *type)
{
    const json_t *fields = json_object_get(json, "fields");
    bytes_append_byte(w->out, '{');
    for (size_t i = 0, written = 0; i < json_array_size(fields) && written < type->count; i++) {
        const json_t *field = json_array_get(fields, i);
        const json_t *name = json_object_get(field, "name");
        if (!slice_equal(avro_field_name(&type->fields[written]), text_of(name))) {
            continue;
        }
        bytes_append_string(w->out, written == 0 ? "" : ",");
        json_text_string(w->out, text_of(name));
        bytes_append_byte(w->out, ':');
        const json_t *member = json_object_get(value, json_string_value(name));
        put_value(w, member != NULL ? member : json_object_get(field, "default"),
                  json_object_get(field, "type"), type->fields[written].type);
        written++;
    }
    bytes_append_byte(w->out, '}');
}

static void put_list_value(struct writer *w, const json_t *value, const json_t *json,
                           const struct avro_type *type)
{
    bytes_append_byte(w->out, '[');
    for (size_t i = 0; i < json_array_size(value); i++) {
        bytes_append_string(w->out, i == 0 ? "" : ",");
        put_value(w, json_array_get(value, i), json_object_get(json, "items"), type->items);
    }
    bytes_append_byte(w->out, ']');
}

/** The branch of a union of one type with null, VALUE_UNCHANGED or both, which the value leaves out; w->bad
 * is set for other unions. */
static size_t branch_of(struct writer *w, const struct avro_type *type)
{
    size_t null = type->branches[0]->kind == AVRO_KIND_NULL ? 0 : 1;
    size_t count = type->count - (type->branches[type->count - 1]->is_unchanged ? 1 : 0);
    if (count == 1 && type->count == 2) {
        return 0;
    }
    if (count != 2 || type->branches[null]->kind != AVRO_KIND_NULL) {
        w->bad = "a union of several types";
        return 0;
    }
    return 1 - null;
}

/** A default as JsonConverter writes values of its type. */
static void put_value(struct writer *w, const json_t *value, const json_t *json, const struct avro_type *type)
{
    if (value == NULL || json_is_null(value)) {
        bytes_append_string(w->out, "null");
        return;
    }
    if (is_given_up(w)) {
        return;
    }
    switch (type->kind) {
    case AVRO_KIND_UNION: {
        size_t branch = branch_of(w, type);
        if (w->bad == NULL) {
            put_value(w, value, json_array_get(json, branch), type->branches[branch]);
        }
        return;
    }
    case AVRO_KIND_BYTES:
    case AVRO_KIND_FIXED:
        put_bytes(w, text_of(value), type);
        return;
    case AVRO_KIND_RECORD:
        put_record_value(w, value, definition_of(w, json, type), type);
        return;
    case AVRO_KIND_ARRAY:
        put_list_value(w, value, json, type);
        return;
    case AVRO_KIND_FLOAT:
        json_text_float(w->out, (float)json_number_value(value));
        return;
    case AVRO_KIND_DOUBLE:
        json_text_double(w->out, json_number_value(value));
        return;
    case AVRO_KIND_INT:
    case AVRO_KIND_LONG:
        json_text_integer(w->out, json_integer_value(value));
        return;
    case AVRO_KIND_BOOLEAN:
        bytes_append_string(w->out, json_is_true(value) ? "true" : "false");
        return;
    case AVRO_KIND_STRING:
    case AVRO_KIND_ENUM:
        json_text_string(w->out, text_of(value));
        return;
    case AVRO_KIND_NULL:
    case AVRO_KIND_MAP:
        w->bad = "a default of a map";
        return;
    }
}

// --- types ---

static const char *connect_type(const json_t *json, enum avro_kind kind)
{
    static const char *const TYPES[] = {
        [AVRO_KIND_BOOLEAN] = "boolean", [AVRO_KIND_INT] = "int32",     [AVRO_KIND_LONG] = "int64",
        [AVRO_KIND_FLOAT] = "float",     [AVRO_KIND_DOUBLE] = "double", [AVRO_KIND_BYTES] = "bytes",
        [AVRO_KIND_STRING] = "string",   [AVRO_KIND_FIXED] = "bytes",   [AVRO_KIND_ENUM] = "string",
        [AVRO_KIND_ARRAY] = "array",     [AVRO_KIND_MAP] = "map",       [AVRO_KIND_RECORD] = "struct",
    };
    const char *smaller = json_string_value(json_object_get(json, "connect.type"));
    return smaller != NULL && kind == AVRO_KIND_INT ? smaller : TYPES[kind];
}

static void put_text_member(struct writer *w, const char *name, struct slice text)
{
    bytes_format(w->out, ",\"%s\":", name);
    json_text_string(w->out, text);
}

/** Of types without Connect's annotations, as other producers write them. */
static void put_logical(struct writer *w, const json_t *json)
{
    static const char *const NAMES[][2] = {
        {"decimal", "Decimal"}, {"date", "Date"}, {"time-millis", "Time"}, {"timestamp-millis", "Timestamp"}};
    const char *logical = json_string_value(json_object_get(json, "logicalType"));
    for (size_t i = 0; logical != NULL && i < COUNT_OF(NAMES); i++) {
        if (strcmp(logical, NAMES[i][0]) != 0) {
            continue;
        }
        bytes_format(w->out, ",\"name\":\"org.apache.kafka.connect.data.%s\",\"version\":1", NAMES[i][1]);
        if (i == 0) {
            bytes_format(w->out, ",\"parameters\":{\"scale\":\"%d\",\"connect.decimal.precision\":\"%d\"}",
                         (int)json_integer_value(json_object_get(json, "scale")),
                         (int)json_integer_value(json_object_get(json, "precision")));
        }
    }
}

static void put_parameters(struct writer *w, json_t *parameters)
{
    const char *name;
    json_t *value;
    const char *between = ",\"parameters\":{";
    json_object_foreach(parameters, name, value)
    {
        bytes_append_string(w->out, between);
        json_text_string(w->out, slice_of(name));
        bytes_append_byte(w->out, ':');
        json_text_string(w->out, text_of(value));
        between = ",";
    }
    if (json_object_size(parameters) > 0) {
        bytes_append_byte(w->out, '}');
    }
}

static void put_annotations(struct writer *w, const json_t *json, const struct avro_type *type)
{
    const json_t *name = json_object_get(json, "connect.name");
    const json_t *version = json_object_get(json, "connect.version");
    const json_t *doc = json_object_get(json, "connect.doc");
    if (name != NULL) {
        put_text_member(w, "name", text_of(name));
    } else if (type->kind == AVRO_KIND_RECORD) {
        put_text_member(w, "name", slice_of(type->full_name));
    } else {
        put_logical(w, json);
    }
    if (version != NULL) {
        bytes_append_string(w->out, ",\"version\":");
        json_text_integer(w->out, json_integer_value(version));
    }
    if (doc != NULL) {
        put_text_member(w, "doc", text_of(doc));
    }
    put_parameters(w, json_object_get(json, "connect.parameters"));
}

static void put_fields(struct writer *w, const json_t *json, const struct avro_type *type)
{
    const json_t *fields = json_object_get(json, "fields");
    bytes_append_string(w->out, ",\"fields\":[");
    for (size_t i = 0, written = 0; i < json_array_size(fields) && w->bad == NULL; i++) {
        const json_t *field = json_array_get(fields, i);
        struct slice name = text_of(json_object_get(field, "name"));
        // What columns were not chosen are not in the type.
        if (written < type->count && slice_equal(avro_field_name(&type->fields[written]), name)) {
            bytes_append_string(w->out, written == 0 ? "" : ",");
            put_type(w, json_object_get(field, "type"), type->fields[written].type,
                     (struct place){.value = json_object_get(field, "default"), .field = name});
            written++;
        }
    }
    bytes_append_byte(w->out, ']');
}

static void put_inner(struct writer *w, const json_t *json, const struct avro_type *type)
{
    if (type->kind == AVRO_KIND_RECORD) {
        put_fields(w, json, type);
    } else if (type->kind == AVRO_KIND_ARRAY) {
        bytes_append_string(w->out, ",\"items\":");
        put_type(w, json_object_get(json, "items"), type->items, (struct place){0});
    } else if (type->kind == AVRO_KIND_MAP) {
        bytes_append_string(w->out, ",\"keys\":{\"type\":\"string\",\"optional\":false},\"values\":");
        put_type(w, json_object_get(json, "values"), type->items, (struct place){0});
    }
}

static void put_union(struct writer *w, const json_t *json, const struct avro_type *type, struct place at)
{
    size_t branch = branch_of(w, type);
    at.is_optional = true;
    if (w->bad == NULL) {
        put_type(w, json_array_get(json, branch), type->branches[branch], at);
    }
}

static void put_type(struct writer *w, const json_t *json, const struct avro_type *type, struct place at)
{
    if (is_given_up(w)) {
        return;
    }
    if (type->kind == AVRO_KIND_UNION) {
        put_union(w, json, type, at);
        return;
    }
    if (type->kind == AVRO_KIND_NULL || w->depth >= DEPTH_MAX) {
        w->bad = w->depth >= DEPTH_MAX ? "a record that is in itself, or types that are nested too deeply"
                                       : "a null alone";
        return;
    }
    w->depth++;
    json = definition_of(w, json, type);
    const json_t *value = json_object_get(json, "connect.default");
    value = value != NULL ? value : at.value;
    bytes_format(w->out, "{\"type\":\"%s\"", connect_type(json, type->kind));
    put_inner(w, json, type);
    bytes_append_string(w->out, at.is_optional ? ",\"optional\":true" : ",\"optional\":false");
    put_annotations(w, json, type);
    if (value != NULL && !json_is_null(value)) {
        bytes_append_string(w->out, ",\"default\":");
        put_value(w, value, json, type);
    }
    if (at.field.size > 0) {
        put_text_member(w, "field", at.field);
    }
    bytes_append_byte(w->out, '}');
    w->depth--;
}

// --- all of them ---

struct connect_schemas *connect_schemas_new(bool decimals_as_base64)
{
    struct connect_schemas *c = memory_zeroed(1, sizeof(*c));
    c->decimals_as_base64 = decimals_as_base64;
    return c;
}

void connect_schemas_free(struct connect_schemas *c)
{
    if (c == NULL) {
        return;
    }
    for (struct connect_schema *s = c->list, *next; s != NULL; s = next) {
        next = s->next;
        bytes_clear(&s->text);
        free(s);
    }
    free(c);
}

static void collect_names(json_t *names, json_t *json, const char *space);

/** @param space  the namespace around it */
static void collect_named(json_t *names, json_t *json, const char *space)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    const char *own = json_string_value(json_object_get(json, "namespace"));
    space = own != NULL ? own : space;
    bool is_full = strchr(name, '.') != NULL || space[0] == '\0';
    CLEANUP(memory_free_pointer)
    char *full = memory_format("%s%s%s", is_full ? "" : space, is_full ? "" : ".", name);
    (void)json_object_set(names, full, json);
    char *dot = strrchr(full, '.');
    *(dot != NULL ? dot : full) = '\0';
    size_t index;
    json_t *field;
    json_array_foreach(json_object_get(json, "fields"), index, field)
    {
        collect_names(names, json_object_get(field, "type"), full);
    }
}

/** Whether a type's attribute "name" is its own: on types that have no name it may be anything. */
static bool is_definition(const json_t *json)
{
    static const char *const NAMED[] = {"record", "error", "enum", "fixed"};
    const char *type = json_string_value(json_object_get(json, "type"));
    bool is_named = false;
    for (size_t i = 0; type != NULL && i < COUNT_OF(NAMED); i++) {
        is_named = is_named || strcmp(type, NAMED[i]) == 0;
    }
    return is_named;
}

/** Finds the definitions in a schema that avro_type_parse has checked. */
static void collect_names(json_t *names, json_t *json, const char *space)
{
    size_t index;
    json_t *branch;
    json_array_foreach(json, index, branch)
    {
        collect_names(names, branch, space);
    }
    if (is_definition(json)) {
        collect_named(names, json, space);
    } else if (json_is_object(json)) {
        collect_names(names, json_object_get(json, "items"), space);
        collect_names(names, json_object_get(json, "values"), space);
    }
}

static bool write_schema(const struct connect_schemas *c, const struct avro_type *type, struct bytes *out,
                         struct fault *f)
{
    json_t *json CLEANUP(json_decrefp) =
        type->source == NULL ? NULL : json_loads(type->source, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    json_t *names CLEANUP(json_decrefp) = json_object();
    struct writer w = {.out = out, .decimals_as_base64 = c->decimals_as_base64, .names = names};
    if (json == NULL) {
        w.bad = "a schema without a text";
    } else {
        collect_names(names, json, "");
        put_type(&w, json, type, (struct place){0});
    }
    return w.bad == NULL ||
           fault_set(f, FAULT_REJECT, "the Avro schema has what Kafka Connect's schemas don't have: %s",
                     w.bad);
}

bool connect_schemas_get(struct connect_schemas *c, const struct avro_type *type, struct slice *ret,
                         struct fault *f)
{
    struct connect_schema *s = c->list;
    while (s != NULL && s->type != type) {
        s = s->next;
    }
    if (s == NULL) {
        struct bytes text = {0};
        if (!write_schema(c, type, &text, f)) {
            bytes_clear(&text);
            return false;
        }
        s = memory_zeroed(1, sizeof(*s));
        *s = (struct connect_schema){.next = c->list, .type = type, .text = text};
        c->list = s;
    }
    *ret = bytes_slice(&s->text);
    return true;
}
