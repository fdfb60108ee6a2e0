// Pairs of types are compared once each: a pair that is met again while it is compared is compatible unless
// the comparison under way finds otherwise, so recursive schemas end.
// Source: Apache Avro 1.12, "Schema Resolution"; org.apache.avro.SchemaCompatibility for what is compared in
// which order.
#include "schemas/avro/avro_compatible.h"

#include "core/base/memory.h"
#include "core/base/table.h"
#include "schemas/avro/avro_complaint.h"

enum {
    AVRO_COMPATIBLE_PAIRS_MAX = 100000,
    AVRO_COMPATIBLE_DEPTH_MAX = 1000,
};

enum verdict { UNDER_WAY, COMPATIBLE, INCOMPATIBLE };

struct pair {
    uint64_t key;  // the numbers of both types
    enum verdict verdict;
    struct text_list messages;
    UT_hash_handle hh;
};

struct checker {
    struct pair *pairs;
    size_t count;
    int depth;
    bool is_too_large;
    struct avro_words words;
};

static bool check(struct checker *c, const struct avro_parsed *reader, const struct avro_parsed *writer,
                  const struct avro_place *place, struct text_list *messages);

static const char *last_part(const char *full_name)
{
    const char *dot = strrchr(full_name, '.');
    return dot != NULL ? dot + 1 : full_name;
}

// An alias without dots is in the reader's namespace.
static bool has_alias(const struct avro_parsed *reader, const char *full_name)
{
    const json_t *aliases = json_object_get(reader->json, "aliases");
    size_t space = (size_t)(last_part(reader->full_name) - reader->full_name);
    for (size_t i = 0; i < json_array_size(aliases); i++) {
        const char *alias = json_string_value(json_array_get(aliases, i));
        if (alias == NULL) {
            continue;
        }
        bool is_local = strchr(alias, '.') == NULL && strncmp(full_name, reader->full_name, space) == 0;
        if (strcmp(alias, is_local ? full_name + space : full_name) == 0) {
            return true;
        }
    }
    return false;
}

static bool check_names(const struct avro_parsed *reader, const struct avro_parsed *writer,
                        const struct avro_place *place, struct text_list *messages)
{
    if (strcmp(last_part(reader->full_name), last_part(writer->full_name)) == 0 ||
        has_alias(reader, writer->full_name)) {
        return true;
    }
    const struct avro_place name = {place, "name", 0};
    CLEANUP(memory_free_pointer) char *at = avro_place_text(&name);
    CLEANUP(memory_free_pointer)
    char *description = memory_format("The name of the schema has changed (path '%s')", at);
    CLEANUP(memory_free_pointer) char *more = memory_format("expected: %s", writer->full_name);
    return avro_complaint_add(messages, "NAME_MISMATCH", description, more);
}

static bool check_size(const struct checker *c, const struct avro_parsed *reader,
                       const struct avro_parsed *writer, const struct avro_place *place,
                       struct text_list *messages)
{
    if (reader->size == writer->size) {
        return true;
    }
    const struct avro_place size = {place, "size", 0};
    CLEANUP(memory_free_pointer) char *at = avro_place_text(&size);
    CLEANUP(memory_free_pointer)
    char *description = memory_format("The size of FIXED type field at path '%s' in the %s schema does not "
                                      "match with the %s schema",
                                      at, c->words.reader, c->words.writer);
    CLEANUP(memory_free_pointer)
    char *more =
        memory_format("expected: %lld, found: %lld", (long long)writer->size, (long long)reader->size);
    return avro_complaint_add(messages, "FIXED_SIZE_MISMATCH", description, more);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// Appends the writer's symbols that the reader does not have, sorted: [A, B].
static size_t list_missing_symbols(const struct avro_parsed *reader, const struct avro_parsed *writer,
                                   struct bytes *out)
{
    const json_t *known = json_object_get(reader->json, "symbols");
    const json_t *written = json_object_get(writer->json, "symbols");
    json_t *set CLEANUP(json_decrefp) = json_object();
    for (size_t i = 0; i < json_array_size(known); i++) {
        (void)json_object_set_new(set, json_string_value(json_array_get(known, i)), json_true());
    }
    const char **missing = memory_zeroed(json_array_size(written) + 1, sizeof *missing);
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(written); i++) {
        const char *symbol = json_string_value(json_array_get(written, i));
        if (json_object_get(set, symbol) == NULL) {
            missing[count++] = symbol;
        }
    }
    qsort(missing, count, sizeof *missing, compare_names);
    for (size_t i = 0; i < count; i++) {
        bytes_append_string(out, i == 0 ? "[" : ", ");
        bytes_append_string(out, missing[i]);
    }
    bytes_append_byte(out, ']');
    free(missing);
    return count;
}

static bool check_symbols(const struct checker *c, const struct avro_parsed *reader,
                          const struct avro_parsed *writer, const struct avro_place *place,
                          struct text_list *messages)
{
    CLEANUP(bytes_clear) struct bytes missing = {0};
    if (list_missing_symbols(reader, writer, &missing) == 0 ||
        json_object_get(reader->json, "default") != NULL) {
        return true;
    }
    const struct avro_place symbols = {place, "symbols", 0};
    CLEANUP(memory_free_pointer) char *at = avro_place_text(&symbols);
    CLEANUP(memory_free_pointer)
    char *description =
        memory_format("The %s schema is missing enum symbols '%s' at path '%s' in the %s schema",
                      c->words.reader, bytes_text(&missing), at, c->words.writer);
    return avro_complaint_add(messages, "MISSING_ENUM_SYMBOLS", description, bytes_text(&missing));
}

static const struct avro_parsed_field *find_field(const struct avro_parsed *record, const char *name)
{
    const json_t *place = name != NULL ? json_object_get(record->places, name) : NULL;
    return place != NULL ? &record->fields[json_integer_value(place)] : NULL;
}

// The writer's field of the reader's field: by name, or by one of its aliases. More than one is a complaint.
static bool find_written(const struct avro_parsed *writer, const struct avro_parsed_field *field,
                         const struct avro_parsed_field **ret, struct text_list *messages)
{
    const json_t *aliases = json_object_get(field->json, "aliases");
    size_t count = 0;
    *ret = find_field(writer, field->name);
    count += *ret != NULL ? 1 : 0;
    for (size_t i = 0; i < json_array_size(aliases); i++) {
        const struct avro_parsed_field *found =
            find_field(writer, json_string_value(json_array_get(aliases, i)));
        *ret = found != NULL ? found : *ret;
        count += found != NULL ? 1 : 0;
    }
    if (count > 1) {
        CLEANUP(memory_free_pointer)
        char *text = memory_format("Unexpected exception during compatibility check: Reader record field %s "
                                   "matches multiple fields in writer record schema %s",
                                   field->name, writer->full_name);
        text_list_add(messages, text);
    }
    return count <= 1;
}

static bool check_field(struct checker *c, const struct avro_parsed_field *field,
                        const struct avro_parsed *writer, const struct avro_place *place,
                        struct text_list *messages)
{
    const struct avro_place type = {place, "type", 0};
    const struct avro_parsed_field *written = NULL;
    if (!find_written(writer, field, &written, messages)) {
        return false;
    }
    if (written != NULL) {
        return check(c, field->type, written->type, &type, messages);
    }
    if (json_object_get(field->json, "default") != NULL) {
        return true;
    }
    if (field->type->kind == AVRO_KIND_ENUM && json_object_get(field->type->json, "default") != NULL) {
        return check(c, field->type, writer, &type, messages);
    }
    CLEANUP(memory_free_pointer) char *at = avro_place_text(place);
    CLEANUP(memory_free_pointer)
    char *description = memory_format("The field '%s' at path '%s' in the %s schema has no default value and "
                                      "is missing in the %s schema",
                                      field->name, at, c->words.reader, c->words.writer);
    return avro_complaint_add(messages, "READER_FIELD_MISSING_DEFAULT_VALUE", description, field->name);
}

static bool check_fields(struct checker *c, const struct avro_parsed *reader,
                         const struct avro_parsed *writer, const struct avro_place *place,
                         struct text_list *messages)
{
    const struct avro_place fields = {place, "fields", 0};
    bool is_good = true;
    for (size_t i = 0; i < reader->count; i++) {
        const struct avro_place at = {&fields, NULL, i};
        is_good = check_field(c, &reader->fields[i], writer, &at, messages) && is_good;
    }
    return is_good;
}

// Every branch of the writer's union must have a branch that can read it.
static bool check_unions(struct checker *c, const struct avro_parsed *reader,
                         const struct avro_parsed *writer, const struct avro_place *place,
                         struct text_list *messages)
{
    bool is_good = true;
    for (size_t i = 0; i < writer->count; i++) {
        const struct avro_place at = {place, NULL, i};
        struct text_list unused = {0};
        if (!check(c, reader, writer->branches[i], NULL, &unused)) {
            is_good = avro_complaint_branch(&c->words, writer->branches[i], &at, messages);
        }
        text_list_clear(&unused);
    }
    return is_good;
}

static bool check_reader_union(struct checker *c, const struct avro_parsed *reader,
                               const struct avro_parsed *writer, const struct avro_place *place,
                               struct text_list *messages)
{
    for (size_t i = 0; i < reader->count; i++) {
        struct text_list unused = {0};
        bool is_good = check(c, reader->branches[i], writer, NULL, &unused);
        text_list_clear(&unused);
        if (is_good) {
            return true;
        }
    }
    return avro_complaint_branch(&c->words, writer, place, messages);
}

static bool check_same_kind(struct checker *c, const struct avro_parsed *reader,
                            const struct avro_parsed *writer, const struct avro_place *place,
                            struct text_list *messages)
{
    const struct avro_place items = {place, reader->kind == AVRO_KIND_ARRAY ? "items" : "values", 0};
    switch (reader->kind) {
    case AVRO_KIND_ARRAY:
    case AVRO_KIND_MAP:
        return check(c, reader->items, writer->items, &items, messages);
    case AVRO_KIND_UNION:
        return check_unions(c, reader, writer, place, messages);
    case AVRO_KIND_FIXED: {
        bool is_named = check_names(reader, writer, place, messages);
        return check_size(c, reader, writer, place, messages) && is_named;
    }
    case AVRO_KIND_ENUM: {
        bool is_named = check_names(reader, writer, place, messages);
        return check_symbols(c, reader, writer, place, messages) && is_named;
    }
    case AVRO_KIND_RECORD: {
        bool is_named = check_names(reader, writer, place, messages);
        return check_fields(c, reader, writer, place, messages) && is_named;
    }
    case AVRO_KIND_NULL:
    case AVRO_KIND_BOOLEAN:
    case AVRO_KIND_INT:
    case AVRO_KIND_LONG:
    case AVRO_KIND_FLOAT:
    case AVRO_KIND_DOUBLE:
    case AVRO_KIND_BYTES:
    case AVRO_KIND_STRING:
        break;
    }
    return true;
}

static bool is_promoted(enum avro_kind reader, enum avro_kind writer)
{
    bool is_whole = writer == AVRO_KIND_INT || writer == AVRO_KIND_LONG;
    return (reader == AVRO_KIND_LONG && writer == AVRO_KIND_INT) || (reader == AVRO_KIND_FLOAT && is_whole) ||
           (reader == AVRO_KIND_DOUBLE && (is_whole || writer == AVRO_KIND_FLOAT)) ||
           (reader == AVRO_KIND_BYTES && writer == AVRO_KIND_STRING) ||
           (reader == AVRO_KIND_STRING && writer == AVRO_KIND_BYTES);
}

static bool compare(struct checker *c, const struct avro_parsed *reader, const struct avro_parsed *writer,
                    const struct avro_place *place, struct text_list *messages)
{
    if (reader->kind == writer->kind) {
        return check_same_kind(c, reader, writer, place, messages);
    }
    if (writer->kind == AVRO_KIND_UNION) {
        bool is_good = true;
        for (size_t i = 0; i < writer->count; i++) {
            const struct avro_place at = {place, NULL, i};
            is_good = check(c, reader, writer->branches[i], &at, messages) && is_good;
        }
        return is_good;
    }
    if (reader->kind == AVRO_KIND_UNION) {
        return check_reader_union(c, reader, writer, place, messages);
    }
    return is_promoted(reader->kind, writer->kind) ||
           avro_complaint_type(&c->words, reader, writer, place, messages);
}

static struct pair *find_pair(struct checker *c, uint64_t key)
{
    struct pair *found = NULL;
    HASH_FIND(hh, c->pairs, &key, sizeof key, found);
    return found;
}

static void add_messages(struct text_list *to, const struct text_list *from)
{
    for (size_t i = 0; i < from->count && to->count < AVRO_COMPLAINTS_MAX; i++) {
        text_list_add(to, from->items[i]);
    }
}

static bool check(struct checker *c, const struct avro_parsed *reader, const struct avro_parsed *writer,
                  const struct avro_place *place, struct text_list *messages)
{
    if (reader->kind <= AVRO_KIND_STRING && writer->kind <= AVRO_KIND_STRING) {
        return compare(c, reader, writer, place, messages);
    }
    uint64_t key = (uint64_t)reader->number << 32 | writer->number;
    struct pair *pair = find_pair(c, key);
    if (pair == NULL) {
        if (c->depth >= AVRO_COMPATIBLE_DEPTH_MAX || c->count >= AVRO_COMPATIBLE_PAIRS_MAX) {
            c->is_too_large = true;
            return false;
        }
        pair = memory_zeroed(1, sizeof *pair);
        pair->key = key;
        c->count++;
        HASH_ADD(hh, c->pairs, key, sizeof pair->key, pair);
        c->depth++;
        bool is_good = compare(c, reader, writer, place, &pair->messages);
        c->depth--;
        pair->verdict = is_good ? COMPATIBLE : INCOMPATIBLE;
    } else if (pair->verdict == UNDER_WAY) {
        return true;
    }
    add_messages(messages, &pair->messages);
    return pair->verdict == COMPATIBLE;
}

static void free_pairs(struct checker *c)
{
    // HASH_CLEAR keeps the entries, which are linked to each other.
    struct pair *pair = c->pairs;
    HASH_CLEAR(hh, c->pairs);
    while (pair != NULL) {
        struct pair *next = pair->hh.next;
        text_list_clear(&pair->messages);
        free(pair);
        pair = next;
    }
}

bool avro_compatible_check(const struct avro_parsed_schema *reader, const struct avro_parsed_schema *writer,
                           const char *reader_word, const char *writer_word, struct text_list *messages)
{
    struct checker checker = {.words = {reader_word, writer_word}};
    bool is_good = check(&checker, reader->root, writer->root, NULL, messages);
    if (checker.is_too_large) {
        text_list_add(messages,
                      "{errorType:'TOO_LARGE', description:'the schemas are too large to compare'}");
    }
    free_pairs(&checker);
    return is_good && !checker.is_too_large;
}
