// Parses schema JSON into a tree. Depth and size are limited before avro-c checks the text, because its
// recursion is as deep as the text's nesting.
#include "schemas/avro/avro_type.h"

#include <avro.h>
#include <jansson.h>

#include "core/base/memory.h"
#include "core/base/table.h"
#include "core/base/text.h"
#include "schemas/avro/avro_meaning.h"

enum {
    AVRO_TYPE_TEXT_MAX = 4 * 1024 * 1024,
    AVRO_TYPE_JSON_DEPTH_MAX = 200,
    AVRO_TYPE_COUNT_MAX = 50000,
    AVRO_TYPE_BRANCHES_MAX = 1000,
    AVRO_TYPE_FIXED_MAX = 16 * 1024 * 1024,
    AVRO_TYPE_SIZING_PASSES_MAX = 64,
};

struct avro_type_name {
    struct avro_type *type;
    UT_hash_handle hh;
};

struct avro_type_parser {
    struct avro_type *root;
    struct avro_type *last;
    size_t count;
    struct avro_type_name *names;
    struct fault *f;
};

static const struct {
    const char *name;
    enum avro_kind kind;
} AVRO_TYPE_PRIMITIVES[] = {
    {"null", AVRO_KIND_NULL},   {"boolean", AVRO_KIND_BOOLEAN}, {"int", AVRO_KIND_INT},
    {"long", AVRO_KIND_LONG},   {"float", AVRO_KIND_FLOAT},     {"double", AVRO_KIND_DOUBLE},
    {"bytes", AVRO_KIND_BYTES}, {"string", AVRO_KIND_STRING},
};

static struct avro_type *parse_any(struct avro_type_parser *p, const json_t *json, const char *space);

void avro_type_free(struct avro_type *t)
{
    while (t != NULL) {
        struct avro_type *next = t->next;
        for (size_t i = 0; t->fields != NULL && i < t->count; i++) {
            memory_free_pointer(&t->fields[i].label.data);
        }
        for (size_t i = 0; t->symbols != NULL && i < t->count; i++) {
            memory_free_pointer(&t->symbols[i].data);
        }
        free(t->fields);
        free(t->symbols);
        free(t->branches);
        free(t->full_name);
        free(t->source);
        free(t);
        t = next;
    }
}

static struct avro_type *refuse(struct avro_type_parser *p, const char *what, const char *where)
{
    (void)fault_set(p->f, FAULT_REJECT, "Avro schema: %s: %.100s", what, where);
    return NULL;
}

static struct avro_type *add_type(struct avro_type_parser *p, enum avro_kind kind)
{
    if (++p->count > AVRO_TYPE_COUNT_MAX) {
        return refuse(p, "too many types", "");
    }
    struct avro_type *type = memory_zeroed(1, sizeof *type);
    type->kind = kind;
    if (p->last == NULL) {
        p->root = type;
    } else {
        p->last->next = type;
    }
    p->last = type;
    return type;
}

// `text` as a JSON string followed by `end`, on the heap.
static struct slice make_label(const char *begin, const char *text, const char *end)
{
    struct bytes label = {0};
    bytes_append_string(&label, begin);
    text_append_json(&label, slice_of(text));
    bytes_append_string(&label, end);
    memset(bytes_reserve(&label, BYTES_PADDING), 0, BYTES_PADDING);
    return bytes_slice(&label);
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_name(const char *name)
{
    bool is_digit = name[0] >= '0' && name[0] <= '9';
    const char *end = name;
    while (is_name_byte(*end)) {
        end++;
    }
    return !is_digit && end > name && *end == '\0';
}

// Names joined by dots. A name may begin with a digit, because Debezium's namespaces are topic names.
static bool is_namespace(struct slice space)
{
    bool is_part = false;
    for (size_t i = 0; i < space.size; i++) {
        char c = (char)space.data[i];
        if (c == '.' ? !is_part : !is_name_byte(c)) {
            return false;
        }
        is_part = c != '.';
    }
    return is_part;
}

// A name, with or without its namespace.
static bool is_full_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot == NULL ? is_name(name)
                       : is_namespace(slice_make(name, (size_t)(dot - name))) && is_name(dot + 1);
}

static char *make_full_name(const char *name, const char *space)
{
    bool is_full = strchr(name, '.') != NULL || space == NULL || space[0] == '\0';
    return is_full ? memory_string(name) : memory_format("%s.%s", space, name);
}

static struct avro_type *find_type(struct avro_type_parser *p, const char *full_name)
{
    struct avro_type_name *found = NULL;
    HASH_FIND_STR(p->names, full_name, found);
    return found != NULL ? found->type : NULL;
}

static struct avro_type *parse_name(struct avro_type_parser *p, const char *name, const char *space)
{
    for (size_t i = 0; i < COUNT_OF(AVRO_TYPE_PRIMITIVES); i++) {
        if (strcmp(AVRO_TYPE_PRIMITIVES[i].name, name) == 0) {
            return add_type(p, AVRO_TYPE_PRIMITIVES[i].kind);
        }
    }
    char *full CLEANUP(memory_free_pointer) = make_full_name(name, space);
    struct avro_type *type = find_type(p, full);
    return type != NULL ? type : refuse(p, "unknown type", full);
}

// Adds a named type under its full name; *ret_space is the namespace of the types inside it.
static struct avro_type *add_named(struct avro_type_parser *p, enum avro_kind kind, const json_t *json,
                                   const char *space, char **ret_space)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    const char *own_space = json_string_value(json_object_get(json, "namespace"));
    if (name == NULL || !is_full_name(name)) {
        return refuse(p, "not a name", name != NULL ? name : "(absent)");
    }
    if (own_space != NULL && own_space[0] != '\0' && !is_namespace(slice_of(own_space))) {
        return refuse(p, "not a namespace", own_space);
    }
    char *full CLEANUP(memory_free_pointer) = make_full_name(name, own_space != NULL ? own_space : space);
    if (find_type(p, full) != NULL) {
        return refuse(p, "defined twice", full);
    }
    struct avro_type *type = add_type(p, kind);
    if (type == NULL) {
        return NULL;
    }
    struct avro_type_name *entry = memory_zeroed(1, sizeof *entry);
    entry->type = type;
    const char *dot = strrchr(full, '.');
    *ret_space = slice_to_string(slice_make(full, dot == NULL ? 0 : (size_t)(dot - full)));
    type->full_name = TAKE(full);
    HASH_ADD_KEYPTR(hh, p->names, type->full_name, (unsigned)strlen(type->full_name), entry);
    return type;
}

static bool add_field(struct avro_type_parser *p, struct avro_type *record, const json_t *json,
                      const char *space, json_t *seen)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    const json_t *type_json = json_object_get(json, "type");
    if (name == NULL || !is_name(name) || json_object_get(seen, name) != NULL) {
        (void)refuse(p, "field without a name of its own", name != NULL ? name : record->full_name);
        return false;
    }
    if (type_json == NULL) {
        (void)refuse(p, "field without a type", name);
        return false;
    }
    (void)json_object_set_new(seen, name, json_true());
    struct avro_type *type = parse_any(p, type_json, space);
    if (type == NULL) {
        return false;
    }
    record->fields[record->count++] = (struct avro_field){.label = make_label(",", name, ":"), .type = type};
    return true;
}

static struct avro_type *parse_record(struct avro_type_parser *p, const json_t *json, const char *space)
{
    char *inner CLEANUP(memory_free_pointer) = NULL;
    struct avro_type *record = add_named(p, AVRO_KIND_RECORD, json, space, &inner);
    const json_t *fields = json_object_get(json, "fields");
    if (record == NULL) {
        return NULL;
    }
    if (!json_is_array(fields)) {
        return refuse(p, "record without fields", record->full_name);
    }
    json_t *seen CLEANUP(json_decrefp) = json_object();
    record->fields = memory_zeroed(json_array_size(fields) + 1, sizeof *record->fields);
    for (size_t i = 0; i < json_array_size(fields); i++) {
        if (!add_field(p, record, json_array_get(fields, i), inner, seen)) {
            return NULL;
        }
    }
    avro_meaning_set_roles(record, fields);
    return record;
}

static struct avro_type *parse_enum(struct avro_type_parser *p, const json_t *json, const char *space)
{
    char *inner CLEANUP(memory_free_pointer) = NULL;
    struct avro_type *type = add_named(p, AVRO_KIND_ENUM, json, space, &inner);
    const json_t *symbols = json_object_get(json, "symbols");
    if (type == NULL) {
        return NULL;
    }
    if (json_array_size(symbols) == 0) {
        return refuse(p, "enum without symbols", type->full_name);
    }
    json_t *seen CLEANUP(json_decrefp) = json_object();
    type->symbols = memory_zeroed(json_array_size(symbols), sizeof *type->symbols);
    for (size_t i = 0; i < json_array_size(symbols); i++) {
        const char *symbol = json_string_value(json_array_get(symbols, i));
        if (symbol == NULL || !is_name(symbol) || json_object_get(seen, symbol) != NULL) {
            return refuse(p, "bad symbol in", type->full_name);
        }
        (void)json_object_set_new(seen, symbol, json_true());
        type->symbols[type->count++] = make_label("", symbol, "");
    }
    return type;
}

static struct avro_type *parse_fixed(struct avro_type_parser *p, const json_t *json, const char *space)
{
    char *inner CLEANUP(memory_free_pointer) = NULL;
    struct avro_type *type = add_named(p, AVRO_KIND_FIXED, json, space, &inner);
    const json_t *size = json_object_get(json, "size");
    if (type == NULL) {
        return NULL;
    }
    if (!json_is_integer(size) || json_integer_value(size) < 0 ||
        json_integer_value(size) > AVRO_TYPE_FIXED_MAX) {
        return refuse(p, "fixed without a sensible size", type->full_name);
    }
    type->size = (size_t)json_integer_value(size);
    return type;
}

static struct avro_type *parse_container(struct avro_type_parser *p, enum avro_kind kind, const json_t *json,
                                         const char *space)
{
    const json_t *items = json_object_get(json, kind == AVRO_KIND_ARRAY ? "items" : "values");
    struct avro_type *type = add_type(p, kind);
    if (type == NULL || items == NULL) {
        return type == NULL ? NULL : refuse(p, "array or map without a type for its items", "");
    }
    type->items = parse_any(p, items, space);
    return type->items != NULL ? type : NULL;
}

static struct avro_type *parse_union(struct avro_type_parser *p, const json_t *json, const char *space)
{
    size_t count = json_array_size(json);
    struct avro_type *type = add_type(p, AVRO_KIND_UNION);
    if (type == NULL) {
        return NULL;
    }
    if (count == 0 || count > AVRO_TYPE_BRANCHES_MAX) {
        return refuse(p, "union with no branches or too many", "");
    }
    type->branches = memory_zeroed(count, sizeof(struct avro_type *));
    for (size_t i = 0; i < count; i++) {
        struct avro_type *branch = parse_any(p, json_array_get(json, i), space);
        if (branch == NULL || branch->kind == AVRO_KIND_UNION) {
            return branch == NULL ? NULL : refuse(p, "union directly in a union", "");
        }
        for (size_t j = 0; j < i; j++) {
            const struct avro_type *other = type->branches[j];
            if (other == branch || (other->full_name == NULL && other->kind == branch->kind)) {
                return refuse(p, "union with the same type twice", "");
            }
        }
        type->branches[type->count++] = branch;
    }
    return type;
}

static struct avro_type *parse_object(struct avro_type_parser *p, const json_t *json, const char *space)
{
    const char *name = json_string_value(json_object_get(json, "type"));
    if (name == NULL) {
        return refuse(p, "\"type\" is not a name", "");
    }
    if (strcmp(name, "record") == 0 || strcmp(name, "error") == 0) {
        return parse_record(p, json, space);
    }
    if (strcmp(name, "enum") == 0) {
        return parse_enum(p, json, space);
    }
    if (strcmp(name, "fixed") == 0) {
        return parse_fixed(p, json, space);
    }
    if (strcmp(name, "array") == 0) {
        return parse_container(p, AVRO_KIND_ARRAY, json, space);
    }
    if (strcmp(name, "map") == 0) {
        return parse_container(p, AVRO_KIND_MAP, json, space);
    }
    return parse_name(p, name, space);
}

static struct avro_type *parse_any(struct avro_type_parser *p, const json_t *json, const char *space)
{
    if (json_is_string(json)) {
        return parse_name(p, json_string_value(json), space);
    }
    if (json_is_array(json)) {
        return parse_union(p, json, space);
    }
    if (!json_is_object(json)) {
        return refuse(p, "a type is a name, an object or an array", "");
    }
    struct avro_type *type = parse_object(p, json, space);
    if (type != NULL) {
        avro_meaning_set(type, json);
    }
    return type;
}

static bool has_size(const struct avro_type *type)
{
    if (type->kind != AVRO_KIND_RECORD) {
        return type->kind != AVRO_KIND_NULL && (type->kind != AVRO_KIND_FIXED || type->size > 0);
    }
    for (size_t i = 0; i < type->count; i++) {
        if (type->fields[i].type->is_sized) {
            return true;
        }
    }
    return false;
}

// Sets is_sized. Records may refer to records anywhere in the schema, so it repeats until nothing changes.
static bool check_sizes(struct avro_type_parser *p)
{
    bool is_changed = true;
    for (int pass = 0; is_changed; pass++) {
        if (pass == AVRO_TYPE_SIZING_PASSES_MAX) {
            return refuse(p, "records nested too deep", "") != NULL;
        }
        is_changed = false;
        for (struct avro_type *type = p->root; type != NULL; type = type->next) {
            if (!type->is_sized && has_size(type)) {
                type->is_sized = true;
                is_changed = true;
            }
        }
    }
    for (const struct avro_type *type = p->root; type != NULL; type = type->next) {
        if (type->kind == AVRO_KIND_ARRAY && !type->items->is_sized) {
            return refuse(p, "array of items that take no bytes", "") != NULL;
        }
    }
    return true;
}

static bool is_deep(json_t *json, int depth_left)
{
    if (depth_left == 0) {
        return true;
    }
    for (size_t i = 0; i < json_array_size(json); i++) {
        if (is_deep(json_array_get(json, i), depth_left - 1)) {
            return true;
        }
    }
    void *iterator = json_object_iter(json);
    for (; iterator != NULL; iterator = json_object_iter_next(json, iterator)) {
        if (is_deep(json_object_iter_value(iterator), depth_left - 1)) {
            return true;
        }
    }
    return false;
}

// avro-c checks the schema last: readers built on it could not read what it refuses.
// avro-c takes no text with a zero in a default, such as a decimal's "\u0000\u0096"; it does not read
// defaults.
static char *without_zeros(struct slice text)
{
    char *copy = slice_to_string(text);
    for (char *at = strchr(copy, '\\'); at != NULL && at[1] != '\0'; at = strchr(at + 2, '\\')) {
        if (strncmp(at, "\\u0000", 6) == 0) {
            at[5] = '1';
        }
    }
    return copy;
}

static bool check_with_avro(struct slice text, struct fault *f)
{
    avro_schema_t schema = NULL;
    CLEANUP(memory_free_pointer) char *copy = without_zeros(text);
    int code = avro_schema_from_json_length(copy, text.size, &schema);
    if (code != 0) {
        return fault_from(f, FAULT_REJECT, "avro", code, "Avro schema: %.300s", avro_strerror());
    }
    avro_schema_decref(schema);
    return true;
}

static bool build_tree(struct avro_type_parser *p, const json_t *json)
{
    bool is_good = parse_any(p, json, "") != NULL && check_sizes(p);
    // HASH_CLEAR keeps the entries, which are linked to each other.
    struct avro_type_name *name = p->names;
    HASH_CLEAR(hh, p->names);
    while (name != NULL) {
        struct avro_type_name *next = name->hh.next;
        free(name);
        name = next;
    }
    return is_good;
}

enum { JSON_FLAGS = JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL };

bool avro_type_parse(struct slice text, struct avro_type **ret, struct fault *f)
{
    if (text.size > AVRO_TYPE_TEXT_MAX) {
        return fault_set(f, FAULT_REJECT, "Avro schema: the text is too long: %zu bytes", text.size);
    }
    json_error_t error = {0};
    json_t *json CLEANUP(json_decrefp) = json_loadb((const char *)text.data, text.size, JSON_FLAGS, &error);
    if (json == NULL) {
        return fault_set(f, FAULT_REJECT, "Avro schema: line %d, column %d: %.200s", error.line, error.column,
                         error.text);
    }
    if (is_deep(json, AVRO_TYPE_JSON_DEPTH_MAX)) {
        return fault_set(f, FAULT_REJECT, "Avro schema: nested deeper than %d", AVRO_TYPE_JSON_DEPTH_MAX);
    }
    struct avro_type_parser parser = {.f = f};
    if (!build_tree(&parser, json) || !check_with_avro(text, f)) {
        avro_type_free(parser.root);
        return false;
    }
    parser.root->source = slice_to_string(text);
    *ret = parser.root;
    return true;
}
