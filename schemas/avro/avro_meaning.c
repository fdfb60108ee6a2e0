// Connect names: Debezium, "Data type mappings", and org.apache.kafka.connect.data.
// Logical types: Apache Avro 1.12, "Logical Types". Unknown ones, and those on a wrong type, are ignored.
#include "schemas/avro/avro_meaning.h"

#include "schemas/avro/value_type.h"

enum { AVRO_MEANING_SCALE_MAX = 65536 };  // more than PostgreSQL's numeric can have

struct avro_meaning_rule {
    const char *name;
    enum avro_kind kind;
    enum avro_meaning meaning;
};

static const struct avro_meaning_rule AVRO_MEANING_CONNECT[] = {
    {"io.debezium.time.Date", AVRO_KIND_INT, AVRO_MEANING_DATE},
    {"io.debezium.time.Time", AVRO_KIND_INT, AVRO_MEANING_TIME_MS},
    {"io.debezium.time.MicroTime", AVRO_KIND_LONG, AVRO_MEANING_TIME_US},
    {"io.debezium.time.NanoTime", AVRO_KIND_LONG, AVRO_MEANING_TIME_NS},
    {"io.debezium.time.Timestamp", AVRO_KIND_LONG, AVRO_MEANING_LOCAL_MS},
    {"io.debezium.time.MicroTimestamp", AVRO_KIND_LONG, AVRO_MEANING_LOCAL_US},
    {"io.debezium.time.NanoTimestamp", AVRO_KIND_LONG, AVRO_MEANING_LOCAL_NS},
    {"org.apache.kafka.connect.data.Date", AVRO_KIND_INT, AVRO_MEANING_DATE},
    {"org.apache.kafka.connect.data.Time", AVRO_KIND_INT, AVRO_MEANING_TIME_MS},
    {"org.apache.kafka.connect.data.Timestamp", AVRO_KIND_LONG, AVRO_MEANING_INSTANT_MS},
    {"org.apache.kafka.connect.data.Decimal", AVRO_KIND_BYTES, AVRO_MEANING_DECIMAL},
    {"io.debezium.data.Json", AVRO_KIND_STRING, AVRO_MEANING_JSON},
    {"io.debezium.data.VariableScaleDecimal", AVRO_KIND_RECORD, AVRO_MEANING_VARIABLE_DECIMAL},
};

static const struct avro_meaning_rule AVRO_MEANING_LOGICAL[] = {
    {"date", AVRO_KIND_INT, AVRO_MEANING_DATE},
    {"time-millis", AVRO_KIND_INT, AVRO_MEANING_TIME_MS},
    {"time-micros", AVRO_KIND_LONG, AVRO_MEANING_TIME_US},
    {"timestamp-millis", AVRO_KIND_LONG, AVRO_MEANING_INSTANT_MS},
    {"timestamp-micros", AVRO_KIND_LONG, AVRO_MEANING_INSTANT_US},
    {"timestamp-nanos", AVRO_KIND_LONG, AVRO_MEANING_INSTANT_NS},
    {"local-timestamp-millis", AVRO_KIND_LONG, AVRO_MEANING_LOCAL_MS},
    {"local-timestamp-micros", AVRO_KIND_LONG, AVRO_MEANING_LOCAL_US},
    {"local-timestamp-nanos", AVRO_KIND_LONG, AVRO_MEANING_LOCAL_NS},
    {"decimal", AVRO_KIND_BYTES, AVRO_MEANING_DECIMAL},
    {"decimal", AVRO_KIND_FIXED, AVRO_MEANING_DECIMAL},
};

static enum avro_meaning find_meaning(const struct avro_meaning_rule *rules, size_t count, const char *name,
                                      enum avro_kind kind)
{
    for (size_t i = 0; name != NULL && i < count; i++) {
        if (rules[i].kind == kind && strcmp(rules[i].name, name) == 0) {
            return rules[i].meaning;
        }
    }
    return AVRO_MEANING_NONE;
}

static bool is_variable_decimal(const struct avro_type *type)
{
    return type->count == 2 && slice_equal(type->fields[0].label, slice_of(",\"scale\":")) &&
           type->fields[0].type->kind == AVRO_KIND_INT &&
           slice_equal(type->fields[1].label, slice_of(",\"value\":")) &&
           type->fields[1].type->kind == AVRO_KIND_BYTES;
}

void avro_meaning_set(struct avro_type *type, const json_t *annotated)
{
    const char *connect = json_string_value(json_object_get(annotated, "connect.name"));
    const char *logical = json_string_value(json_object_get(annotated, "logicalType"));
    enum avro_meaning meaning =
        find_meaning(AVRO_MEANING_CONNECT, COUNT_OF(AVRO_MEANING_CONNECT), connect, type->kind);
    if (meaning == AVRO_MEANING_NONE) {
        meaning = find_meaning(AVRO_MEANING_LOGICAL, COUNT_OF(AVRO_MEANING_LOGICAL), logical, type->kind);
    }
    if (meaning == AVRO_MEANING_DECIMAL) {
        json_int_t scale = json_integer_value(json_object_get(annotated, "scale"));
        if (scale < -AVRO_MEANING_SCALE_MAX || scale > AVRO_MEANING_SCALE_MAX) {
            return;
        }
        type->scale = (int32_t)scale;
    }
    if (meaning == AVRO_MEANING_VARIABLE_DECIMAL && !is_variable_decimal(type)) {
        return;
    }
    type->meaning = meaning;
}

static const struct avro_type *without_null(const struct avro_type *type)
{
    if (type->kind != AVRO_KIND_UNION || type->count != 2) {
        return type;
    }
    return type->branches[0]->kind == AVRO_KIND_NULL   ? type->branches[1]
           : type->branches[1]->kind == AVRO_KIND_NULL ? type->branches[0]
                                                       : type;
}

static void set_kind(struct avro_pass *pass, enum avro_pass_kind kind, size_t size)
{
    pass->kind = kind;
    pass->size = size;
}

static void set_pass(struct avro_field *field)
{
    const struct avro_type *type = without_null(field->type);
    struct avro_pass *pass = &field->pass;
    *pass = (struct avro_pass){.type = type, .kind = AVRO_PASS_ANY};
    pass->is_nullable = type != field->type;
    pass->null_branch = pass->is_nullable && field->type->branches[0]->kind == AVRO_KIND_NULL ? 0 : 1;
    switch (type->kind) {
    case AVRO_KIND_INT:
    case AVRO_KIND_LONG:
    case AVRO_KIND_ENUM:
        set_kind(pass, AVRO_PASS_LONG, 0);
        return;
    case AVRO_KIND_BYTES:
    case AVRO_KIND_STRING:
        set_kind(pass, AVRO_PASS_BYTES, 0);
        return;
    case AVRO_KIND_NULL:
        set_kind(pass, AVRO_PASS_SIZE, 0);
        return;
    case AVRO_KIND_BOOLEAN:
        set_kind(pass, AVRO_PASS_SIZE, 1);
        return;
    case AVRO_KIND_FLOAT:
        set_kind(pass, AVRO_PASS_SIZE, 4);
        return;
    case AVRO_KIND_DOUBLE:
        set_kind(pass, AVRO_PASS_SIZE, 8);
        return;
    case AVRO_KIND_FIXED:
        set_kind(pass, AVRO_PASS_SIZE, type->size);
        return;
    case AVRO_KIND_ARRAY:
    case AVRO_KIND_MAP:
    case AVRO_KIND_UNION:
    case AVRO_KIND_RECORD:
        return;
    }
}

static enum avro_role find_role(const char *name)
{
    static const struct {
        const char *name;
        enum avro_role role;
    } ROLES[] = {
        {"op", AVRO_ROLE_OP},         {"before", AVRO_ROLE_BEFORE}, {"after", AVRO_ROLE_AFTER},
        {"source", AVRO_ROLE_SOURCE}, {"name", AVRO_ROLE_NAME},     {"schema", AVRO_ROLE_SCHEMA},
        {"table", AVRO_ROLE_TABLE},   {"ts_ms", AVRO_ROLE_TS_MS},   {"ts_us", AVRO_ROLE_TS_US},
    };
    for (size_t i = 0; i < COUNT_OF(ROLES); i++) {
        if (strcmp(ROLES[i].name, name) == 0) {
            return ROLES[i].role;
        }
    }
    return AVRO_ROLE_NONE;
}

// A logical message of Debezium's has op, source, and a record `message` that stands for the row after.
// False: the record is none.
static bool set_message_role(struct avro_type *record, const json_t *fields)
{
    struct avro_field *message = NULL;
    bool has_source = false;
    for (size_t i = 0; i < record->count; i++) {
        struct avro_field *field = &record->fields[i];
        const char *name = json_string_value(json_object_get(json_array_get(fields, i), "name"));
        has_source |= field->role == AVRO_ROLE_SOURCE;
        if (strcmp(name, "message") == 0 && field->type->kind == AVRO_KIND_RECORD) {
            message = field;
        }
    }
    if (message != NULL && has_source) {
        message->role = AVRO_ROLE_AFTER;
    }
    return message != NULL && has_source;
}

void avro_meaning_set_roles(struct avro_type *record, const json_t *fields)
{
    bool has_op = false;
    bool has_before = false;
    bool has_after = false;
    for (size_t i = 0; i < record->count; i++) {
        struct avro_field *field = &record->fields[i];
        field->role = find_role(json_string_value(json_object_get(json_array_get(fields, i), "name")));
        if (field->role == AVRO_ROLE_SOURCE && field->type->kind != AVRO_KIND_RECORD) {
            field->role = AVRO_ROLE_NONE;
        }
        set_pass(field);
        has_op |= field->role == AVRO_ROLE_OP && field->type->kind == AVRO_KIND_STRING;
        has_before |= field->role == AVRO_ROLE_BEFORE;
        has_after |= field->role == AVRO_ROLE_AFTER;
    }
    record->is_unchanged = strcmp(record->full_name, VALUE_UNCHANGED) == 0 && record->count == 1 &&
                           record->fields[0].type->kind == AVRO_KIND_BOOLEAN;
    record->is_envelope = (has_op && has_before && has_after) ||
                          (has_op && !has_before && !has_after && set_message_role(record, fields));
}
