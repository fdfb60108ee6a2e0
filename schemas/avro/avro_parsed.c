// Source: Apache Avro 1.12, "Schema Declaration" and "Names"; org.apache.avro.Schema.Parser for what it
// accepts. Defaults are not checked against their types, as Confluent's registry does not check them either.
#include "schemas/avro/avro_parsed.h"

#include "core/base/memory.h"
#include "core/base/table.h"

enum {
    AVRO_PARSED_TEXT_MAX = 4 * 1024 * 1024,
    AVRO_PARSED_DEPTH_MAX = 200,
    AVRO_PARSED_TYPES_MAX = 50000,
};

struct name_entry {
    struct avro_parsed *type;
    UT_hash_handle hh;
};

struct parser {
    struct avro_parsed_schema *schema;
    struct avro_parsed *last;
    struct name_entry *names;
    enum avro_parsed_names mode;
    int depth;
    struct fault *f;
};

static const char *const KIND_NAMES[] = {
    [AVRO_KIND_NULL] = "null",   [AVRO_KIND_BOOLEAN] = "boolean", [AVRO_KIND_INT] = "int",
    [AVRO_KIND_LONG] = "long",   [AVRO_KIND_FLOAT] = "float",     [AVRO_KIND_DOUBLE] = "double",
    [AVRO_KIND_BYTES] = "bytes", [AVRO_KIND_STRING] = "string",   [AVRO_KIND_FIXED] = "fixed",
    [AVRO_KIND_ENUM] = "enum",   [AVRO_KIND_ARRAY] = "array",     [AVRO_KIND_MAP] = "map",
    [AVRO_KIND_UNION] = "union", [AVRO_KIND_RECORD] = "record",
};

static struct avro_parsed *parse_any(struct parser *p, json_t *json, const char *space);

const char *avro_parsed_kind_name(enum avro_kind kind)
{
    return KIND_NAMES[kind];
}

static struct avro_parsed *refuse(struct parser *p, const char *what, const char *where)
{
    (void)fault_set(p->f, FAULT_REJECT, "%s%s%.200s", what, where[0] == '\0' ? "" : ": ", where);
    return NULL;
}

static struct avro_parsed *add_type(struct parser *p, enum avro_kind kind, json_t *json)
{
    if (p->schema->count >= AVRO_PARSED_TYPES_MAX) {
        return refuse(p, "the schema has too many types", "");
    }
    struct avro_parsed *type = memory_zeroed(1, sizeof *type);
    type->kind = kind;
    type->json = json_is_object(json) ? json : NULL;
    type->number = (uint32_t)p->schema->count++;
    *(p->last == NULL ? &p->schema->first : &p->last->next) = type;
    p->last = type;
    return type;
}

static bool is_name(const char *name)
{
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return size > 0 && name[size] == '\0' && !(name[0] >= '0' && name[0] <= '9');
}

static char *make_full_name(const char *name, const char *space)
{
    bool is_full = strchr(name, '.') != NULL || space[0] == '\0';
    return is_full ? memory_string(name) : memory_format("%s.%s", space, name);
}

static struct avro_parsed *find_named(const struct parser *p, const char *full_name)
{
    struct name_entry *found = NULL;
    HASH_FIND_STR(p->names, full_name, found);
    return found != NULL ? found->type : NULL;
}

static void add_name(struct parser *p, struct avro_parsed *type)
{
    struct name_entry *entry = memory_zeroed(1, sizeof *entry);
    entry->type = type;
    HASH_ADD_KEYPTR(hh, p->names, type->full_name, (unsigned)strlen(type->full_name), entry);
}

static bool find_primitive(const char *name, enum avro_kind *ret)
{
    for (int kind = AVRO_KIND_NULL; kind <= AVRO_KIND_STRING; kind++) {
        if (strcmp(KIND_NAMES[kind], name) == 0) {
            *ret = (enum avro_kind)kind;
            return true;
        }
    }
    return false;
}

// A name without dots is looked for in the enclosing namespace, then in none.
static struct avro_parsed *parse_name(struct parser *p, const char *name, json_t *json, const char *space)
{
    enum avro_kind kind;
    if (find_primitive(name, &kind)) {
        return add_type(p, kind, json);
    }
    CLEANUP(memory_free_pointer) char *full = make_full_name(name, space);
    struct avro_parsed *found = find_named(p, full);
    if (found == NULL) {
        found = find_named(p, name);
    }
    if (found != NULL) {
        return found;
    }
    if (p->mode == AVRO_PARSED_CLOSED) {
        return refuse(p, "Undefined name", full);
    }
    struct avro_parsed *type = add_type(p, AVRO_KIND_RECORD, NULL);
    if (type != NULL) {
        type->is_external = true;
        type->full_name = TAKE(full);
        add_name(p, type);
    }
    return type;
}

// NULL: no text, or one that has a zero and is no name.
static const char *name_value(const json_t *json)
{
    const char *text = json_string_value(json);
    return text != NULL && strlen(text) == json_string_length(json) ? text : NULL;
}

// Adds a named type; *ret_space is the namespace of the types inside it.
static struct avro_parsed *add_named(struct parser *p, enum avro_kind kind, json_t *json, const char *space,
                                     char **ret_space)
{
    const char *name = name_value(json_object_get(json, "name"));
    const char *own_space = name_value(json_object_get(json, "namespace"));
    if (name == NULL) {
        return refuse(p, "No name in schema", KIND_NAMES[kind]);
    }
    const char *dot = strrchr(name, '.');
    if (!is_name(dot != NULL ? dot + 1 : name)) {
        return refuse(p, "Illegal name", name);
    }
    CLEANUP(memory_free_pointer) char *full = make_full_name(name, own_space != NULL ? own_space : space);
    enum avro_kind primitive;
    if (find_named(p, full) != NULL || find_primitive(full, &primitive)) {
        return refuse(p, "Can't redefine", full);
    }
    struct avro_parsed *type = add_type(p, kind, json);
    if (type == NULL) {
        return NULL;
    }
    dot = strrchr(full, '.');
    *ret_space = slice_to_string(slice_make(full, dot == NULL ? 0 : (size_t)(dot - full)));
    type->full_name = TAKE(full);
    add_name(p, type);
    return type;
}

static bool add_field(struct parser *p, struct avro_parsed *record, json_t *json, const char *space)
{
    const char *name = name_value(json_object_get(json, "name"));
    json_t *type_json = json_object_get(json, "type");
    if (name == NULL || !is_name(name)) {
        (void)refuse(p, "Illegal field name", name != NULL ? name : record->full_name);
        return false;
    }
    if (json_object_get(record->places, name) != NULL) {
        (void)refuse(p, "Duplicate field", name);
        return false;
    }
    (void)json_object_set_new(record->places, name, json_integer((json_int_t)record->count));
    if (type_json == NULL) {
        (void)refuse(p, "No field type", name);
        return false;
    }
    struct avro_parsed *type = parse_any(p, type_json, space);
    record->fields[record->count] = (struct avro_parsed_field){name, json, type};
    record->count += type != NULL ? 1 : 0;
    return type != NULL;
}

static struct avro_parsed *parse_record(struct parser *p, json_t *json, const char *space)
{
    CLEANUP(memory_free_pointer) char *inner = NULL;
    struct avro_parsed *record = add_named(p, AVRO_KIND_RECORD, json, space, &inner);
    const json_t *fields = json_object_get(json, "fields");
    if (record == NULL) {
        return NULL;
    }
    if (!json_is_array(fields)) {
        return refuse(p, "Record has no fields", record->full_name);
    }
    record->places = json_object();
    record->fields = memory_zeroed(json_array_size(fields) + 1, sizeof *record->fields);
    for (size_t i = 0; i < json_array_size(fields); i++) {
        if (!add_field(p, record, json_array_get(fields, i), inner)) {
            return NULL;
        }
    }
    return record;
}

static struct avro_parsed *parse_enum(struct parser *p, json_t *json, const char *space)
{
    CLEANUP(memory_free_pointer) char *inner = NULL;
    struct avro_parsed *type = add_named(p, AVRO_KIND_ENUM, json, space, &inner);
    const json_t *symbols = json_object_get(json, "symbols");
    if (type == NULL) {
        return NULL;
    }
    if (!json_is_array(symbols)) {
        return refuse(p, "Enum has no symbols", type->full_name);
    }
    json_t *seen CLEANUP(json_decrefp) = json_object();
    for (; type->count < json_array_size(symbols); type->count++) {
        const char *symbol = name_value(json_array_get(symbols, type->count));
        if (symbol == NULL || !is_name(symbol)) {
            return refuse(p, "Illegal symbol in enum", type->full_name);
        }
        if (json_object_get(seen, symbol) != NULL) {
            return refuse(p, "Duplicate enum symbol", symbol);
        }
        (void)json_object_set_new(seen, symbol, json_true());
    }
    const json_t *otherwise = json_object_get(json, "default");
    if (otherwise != NULL &&
        (!json_is_string(otherwise) || json_object_get(seen, json_string_value(otherwise)) == NULL)) {
        return refuse(p, "The enum's default is none of its symbols", type->full_name);
    }
    return type;
}

static struct avro_parsed *parse_fixed(struct parser *p, json_t *json, const char *space)
{
    CLEANUP(memory_free_pointer) char *inner = NULL;
    struct avro_parsed *type = add_named(p, AVRO_KIND_FIXED, json, space, &inner);
    const json_t *size = json_object_get(json, "size");
    if (type == NULL) {
        return NULL;
    }
    if (!json_is_integer(size) || json_integer_value(size) < 0 || json_integer_value(size) > INT32_MAX) {
        return refuse(p, "Invalid or no size", type->full_name);
    }
    type->size = json_integer_value(size);
    return type;
}

static struct avro_parsed *parse_container(struct parser *p, enum avro_kind kind, json_t *json,
                                           const char *space)
{
    json_t *items = json_object_get(json, kind == AVRO_KIND_ARRAY ? "items" : "values");
    if (items == NULL) {
        return refuse(p, kind == AVRO_KIND_ARRAY ? "Array has no items type" : "Map has no values type", "");
    }
    struct avro_parsed *type = add_type(p, kind, json);
    if (type == NULL) {
        return NULL;
    }
    type->items = parse_any(p, items, space);
    return type->items != NULL ? type : NULL;
}

// Adds the branch's name to those seen; false: it was there.
static bool is_new_branch(const struct avro_parsed *branch, json_t *seen)
{
    const char *name = branch->full_name != NULL ? branch->full_name : KIND_NAMES[branch->kind];
    if (json_object_get(seen, name) != NULL) {
        return false;
    }
    (void)json_object_set_new(seen, name, json_true());
    return true;
}

static struct avro_parsed *parse_union(struct parser *p, json_t *json, const char *space)
{
    struct avro_parsed *type = add_type(p, AVRO_KIND_UNION, NULL);
    if (type == NULL) {
        return NULL;
    }
    json_t *seen CLEANUP(json_decrefp) = json_object();
    type->branches = memory_zeroed(json_array_size(json) + 1, sizeof(struct avro_parsed *));
    for (size_t i = 0; i < json_array_size(json); i++) {
        struct avro_parsed *branch = parse_any(p, json_array_get(json, i), space);
        if (branch == NULL) {
            return NULL;
        }
        if (branch->kind == AVRO_KIND_UNION) {
            return refuse(p, "Nested union", "");
        }
        if (!is_new_branch(branch, seen)) {
            return refuse(p, "Duplicate in union",
                          branch->full_name != NULL ? branch->full_name : KIND_NAMES[branch->kind]);
        }
        type->branches[type->count++] = branch;
    }
    return type;
}

static struct avro_parsed *parse_object(struct parser *p, json_t *json, const char *space)
{
    json_t *type = json_object_get(json, "type");
    const char *name = name_value(type);
    if (name == NULL) {
        // {"type": {…}} and {"type": […]} stand for what is inside.
        return type != NULL ? parse_any(p, type, space) : refuse(p, "No type", "");
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
    return parse_name(p, name, json, space);
}

static struct avro_parsed *parse_any(struct parser *p, json_t *json, const char *space)
{
    if (p->depth == AVRO_PARSED_DEPTH_MAX) {
        return refuse(p, "the schema is nested too deep", "");
    }
    p->depth++;
    struct avro_parsed *type = json_is_string(json)   ? parse_name(p, json_string_value(json), NULL, space)
                               : json_is_array(json)  ? parse_union(p, json, space)
                               : json_is_object(json) ? parse_object(p, json, space)
                                                      : refuse(p, "Not a schema", "");
    p->depth--;
    return type;
}

// A default of bytes may have zeros: a decimal of 1.50 is "\u0000\u0096".
enum { JSON_FLAGS = JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL };

static bool parse_text(struct parser *p, struct slice text)
{
    if (text.size > AVRO_PARSED_TEXT_MAX) {
        return refuse(p, "the schema's text is too long", "") != NULL;
    }
    json_error_t error = {0};
    json_t *json = json_loadb((const char *)text.data, text.size, JSON_FLAGS, &error);
    if (json == NULL) {
        return fault_set(p->f, FAULT_REJECT, "line %d, column %d: %.200s", error.line, error.column,
                         error.text);
    }
    (void)json_array_append_new(p->schema->documents, json);
    p->schema->root = parse_any(p, json, "");
    return p->schema->root != NULL;
}

static void free_names(struct parser *p)
{
    // HASH_CLEAR keeps the entries, which are linked to each other.
    struct name_entry *entry = p->names;
    HASH_CLEAR(hh, p->names);
    while (entry != NULL) {
        struct name_entry *next = entry->hh.next;
        free(entry);
        entry = next;
    }
}

bool avro_parsed_read(const struct slice *texts, size_t count, enum avro_parsed_names names,
                      struct avro_parsed_schema **ret, struct fault *f)
{
    struct avro_parsed_schema *schema = memory_zeroed(1, sizeof *schema);
    schema->documents = json_array();
    struct parser parser = {.schema = schema, .mode = names, .f = f};
    bool is_good = true;
    for (size_t i = 0; is_good && i < count; i++) {
        is_good = parse_text(&parser, texts[i]);
    }
    free_names(&parser);
    if (!is_good) {
        avro_parsed_free(schema);
        return false;
    }
    *ret = schema;
    return true;
}

void avro_parsed_free(struct avro_parsed_schema *s)
{
    struct avro_parsed *type = s != NULL ? s->first : NULL;
    while (type != NULL) {
        struct avro_parsed *next = type->next;
        free(type->full_name);
        free(type->fields);
        json_decref(type->places);
        free(type->branches);
        free(type);
        type = next;
    }
    if (s != NULL) {
        json_decref(s->documents);
        free(s);
    }
}
