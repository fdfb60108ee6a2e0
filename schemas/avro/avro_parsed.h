// A parsed Avro schema with all that its readers and writers agree on: names, aliases, defaults and other
// attributes. avro_type is the shorter form that values are decoded with.
#ifndef SCHEMAS_AVRO_AVRO_PARSED_H
#define SCHEMAS_AVRO_AVRO_PARSED_H

#include <jansson.h>

#include "schemas/avro/avro_type.h"

struct avro_parsed_field {
    const char *name;
    json_t *json;  // the field's object
    struct avro_parsed *type;
};

/** Plain data, read only; the schema owns it. */
struct avro_parsed {
    enum avro_kind kind;
    bool is_external;  // a named type that is defined in no text; its kind has no meaning
    uint32_t number;   // in order of appearance, from 0
    char *full_name;   // named types
    json_t *json;      // the object that defines it; NULL: it is a bare name or a union
    size_t count;      // of fields, branches or symbols
    int64_t size;      // FIXED
    struct avro_parsed_field *fields;
    json_t *places;  // RECORD: each field's place in `fields`, by name
    struct avro_parsed **branches;
    struct avro_parsed *items;  // ARRAY, MAP
    struct avro_parsed *next;   // all types, in order of appearance
};

struct avro_parsed_schema {
    struct avro_parsed *root;   // of the last text
    struct avro_parsed *first;  // of all texts
    size_t count;               // of types
    json_t *documents;          // an array: the texts
};

enum avro_parsed_names {
    AVRO_PARSED_CLOSED,  // every name must be defined
    AVRO_PARSED_OPEN,    // an unknown name is a type that is defined elsewhere
};

/**
 * Parses the last text; the texts before it define types that it, and each other in their order, refer to.
 * Limits depth, size and the number of types.
 *
 * @param f  FAULT_REJECT: not a valid schema, with the place
 */
bool avro_parsed_read(const struct slice *texts, size_t count, enum avro_parsed_names names,
                      struct avro_parsed_schema **ret, struct fault *f) MUST_USE;

/** Accepts NULL. */
void avro_parsed_free(struct avro_parsed_schema *s);

/** As JSON writes the kind of a type: "record", "int" … */
const char *avro_parsed_kind_name(enum avro_kind kind);

/**
 * Appends the schema as its parsed form says it, as JSON: every name is a full name, types of other texts are
 * written where they are first used, and attributes have one order. Schemas that differ only by white space,
 * order of attributes, or ways to write a name or type have the same text.
 */
void avro_parsed_write(struct bytes *out, const struct avro_parsed_schema *s);

/** As avro_parsed_write, without what does not change the bytes of values: Avro's parsing canonical form. */
void avro_parsed_write_layout(struct bytes *out, const struct avro_parsed_schema *s);

/** A value's members in sorted order, without white space. */
void avro_parsed_write_json(struct bytes *out, const json_t *json);

#endif
