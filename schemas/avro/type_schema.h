// Writes the schema text of a type that is no record, as Connect's AvroData orders its attributes.
#ifndef SCHEMAS_AVRO_TYPE_SCHEMA_H
#define SCHEMAS_AVRO_TYPE_SCHEMA_H

#include "schemas/avro/value_type.h"

/** Members that are NULL or empty are left out. Texts are JSON without quotes to escape. */
struct type_schema {
    const char *type;          // "int", "string" …
    const char *name;          // connect.name, with connect.version 1
    const char *connect_type;  // connect.type: "int16"
    const char *logical;       // logicalType
    struct slice sizes;        // `"scale":2,"precision":12`, of a decimal
    struct slice parameters;   // connect.parameters: `{"length":"5"}`
    struct slice default_json;
};

/** Appends {"type":…}, or only the quoted name of a type without attributes. */
void type_schema_append(struct bytes *out, const struct type_schema *s);

/** Whether the type's values are strings in Avro, which hold any text. */
bool type_schema_is_string(const struct value_type *t);

#endif
