// Writes schema text as Avro's Schema.toString() writes the schema that Connect's AvroData builds for
// Debezium's structs. The attributes of a type have this order:
//
//   type [scale precision] connect.version connect.parameters connect.default connect.name connect.type
//   logicalType
//
// A type without attributes is only its name ("int"). A nullable type is ["null",T] with default null, or
// [T,"null"] when the column has a default. A record that was defined earlier is referred to by name. Source:
// confluentinc/schema-registry, AvroData.fromConnectSchema; Debezium's PostgreSQL connector, Envelope.
#include "schemas/avro/avro_schema.h"

#include "core/base/memory.h"
#include "core/base/text.h"

static const char AVRO_SCHEMA_SOURCE[] =
    "{\"type\":\"record\",\"name\":\"Source\",\"namespace\":\"io.debezium.connector.postgresql\",\"fields\":["
    "{\"name\":\"version\",\"type\":\"string\"},"
    "{\"name\":\"connector\",\"type\":\"string\"},"
    "{\"name\":\"name\",\"type\":\"string\"},"
    "{\"name\":\"ts_ms\",\"type\":\"long\"},"
    "{\"name\":\"snapshot\",\"type\":[{\"type\":\"string\",\"connect.version\":1,\"connect.parameters\":"
    "{\"allowed\":\"true,first,first_in_data_collection,last_in_data_collection,last,false,incremental\"},"
    "\"connect.default\":\"false\",\"connect.name\":\"io.debezium.data.Enum\"},\"null\"],\"default\":"
    "\"false\"},"
    "{\"name\":\"db\",\"type\":\"string\"},"
    "{\"name\":\"sequence\",\"type\":[\"null\",\"string\"],\"default\":null},"
    "{\"name\":\"ts_us\",\"type\":[\"null\",\"long\"],\"default\":null},"
    "{\"name\":\"ts_ns\",\"type\":[\"null\",\"long\"],\"default\":null},"
    "{\"name\":\"schema\",\"type\":\"string\"},"
    "{\"name\":\"table\",\"type\":\"string\"},"
    "{\"name\":\"txId\",\"type\":[\"null\",\"long\"],\"default\":null},"
    "{\"name\":\"lsn\",\"type\":[\"null\",\"long\"],\"default\":null},"
    "{\"name\":\"xmin\",\"type\":[\"null\",\"long\"],\"default\":null},"
    "{\"name\":\"origin\",\"type\":[\"null\",\"string\"],\"default\":null},"
    "{\"name\":\"origin_lsn\",\"type\":[\"null\",\"long\"],\"default\":null}],"
    "\"connect.version\":1,\"connect.name\":\"io.debezium.connector.postgresql.Source\"}";

static const char AVRO_SCHEMA_TRANSACTION[] =
    "[\"null\",{\"type\":\"record\",\"name\":\"block\",\"namespace\":\"event\",\"fields\":["
    "{\"name\":\"id\",\"type\":\"string\"},"
    "{\"name\":\"total_order\",\"type\":\"long\"},"
    "{\"name\":\"data_collection_order\",\"type\":\"long\"}],"
    "\"connect.version\":1,\"connect.name\":\"event.block\"}]";

static const char AVRO_SCHEMA_VARIABLE_DECIMAL[] =
    "{\"type\":\"record\",\"name\":\"VariableScaleDecimal\",\"namespace\":\"io.debezium.data\",\"fields\":["
    "{\"name\":\"scale\",\"type\":\"int\"},{\"name\":\"value\",\"type\":\"bytes\"}],"
    "\"connect.doc\":\"Variable scaled decimal\",\"connect.version\":1,"
    "\"connect.name\":\"io.debezium.data.VariableScaleDecimal\"}";

// The Avro type of each column_type; `name` is the Connect name, NULL for none.
struct avro_schema_rule {
    const char *avro;
    const char *name;
};

static const struct avro_schema_rule AVRO_SCHEMA_RULES[] = {
    [COLUMN_BOOLEAN] = {"boolean", NULL},
    [COLUMN_INT16] = {"int", NULL},
    [COLUMN_INT32] = {"int", NULL},
    [COLUMN_INT64] = {"long", NULL},
    [COLUMN_FLOAT32] = {"float", NULL},
    [COLUMN_FLOAT64] = {"double", NULL},
    [COLUMN_DECIMAL] = {"bytes", "org.apache.kafka.connect.data.Decimal"},
    [COLUMN_VARIABLE_DECIMAL] = {"io.debezium.data.VariableScaleDecimal", NULL},
    [COLUMN_STRING] = {"string", NULL},
    [COLUMN_BYTES] = {"bytes", NULL},
    [COLUMN_DATE] = {"int", "io.debezium.time.Date"},
    [COLUMN_TIME_MS] = {"int", "io.debezium.time.Time"},
    [COLUMN_TIME_US] = {"long", "io.debezium.time.MicroTime"},
    [COLUMN_TIMESTAMP_MS] = {"long", "io.debezium.time.Timestamp"},
    [COLUMN_TIMESTAMP_US] = {"long", "io.debezium.time.MicroTimestamp"},
    [COLUMN_ZONED_TIMESTAMP] = {"string", "io.debezium.time.ZonedTimestamp"},
    [COLUMN_ZONED_TIME] = {"string", "io.debezium.time.ZonedTime"},
    [COLUMN_UUID] = {"string", "io.debezium.data.Uuid"},
    [COLUMN_JSON] = {"string", "io.debezium.data.Json"},
    [COLUMN_XML] = {"string", "io.debezium.data.Xml"},
};

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

void avro_schema_adjust_name(struct bytes *out, const char *name)
{
    if (name[0] == '\0' || (name[0] >= '0' && name[0] <= '9')) {
        bytes_append_byte(out, '_');
    }
    for (const char *c = name; *c != '\0'; c++) {
        if (is_name_byte(*c)) {
            bytes_append_byte(out, (uint8_t)*c);
            continue;
        }
        for (int i = text_java_units((uint8_t)*c); i > 0; i--) {
            bytes_append_byte(out, '_');
        }
    }
}

static bool is_name(const char *name)
{
    if (name[0] == '\0' || (name[0] >= '0' && name[0] <= '9')) {
        return false;
    }
    while (is_name_byte(*name)) {
        name++;
    }
    return *name == '\0';
}

// Whether an earlier column has the same adjusted name, or any column has this name unadjusted.
static bool is_taken(const struct table *t, size_t column, const char *adjusted)
{
    for (size_t i = 0; i < t->column_count; i++) {
        const char *name = t->columns[i].name;
        if (i == column || (i > column && !is_name(name))) {
            continue;
        }
        struct bytes other CLEANUP(bytes_clear) = {0};
        avro_schema_adjust_name(&other, name);
        if (strcmp(bytes_text(&other), adjusted) == 0) {
            return true;
        }
    }
    return false;
}

void avro_schema_column_name(struct bytes *out, const struct table *t, size_t column)
{
    const char *name = t->columns[column].name;
    if (is_name(name)) {
        bytes_append_string(out, name);
        return;
    }
    struct bytes adjusted CLEANUP(bytes_clear) = {0};
    avro_schema_adjust_name(&adjusted, name);
    bytes_append_slice(out, bytes_slice(&adjusted));
    if (is_taken(t, column, bytes_text(&adjusted))) {
        bytes_format(out, "_%zu", column + 1);
    }
}

// Debezium adjusts the topic's name as a whole: all dots stay, and any part but the first may begin with a
// digit. An empty part becomes '_', because other readers refuse such a namespace.
static void write_namespace(struct bytes *out, const struct table *t)
{
    char *full CLEANUP(memory_free_pointer) = memory_format("%s.%s.%s", t->prefix, t->schema, t->name);
    if (full[0] >= '0' && full[0] <= '9') {
        bytes_append_byte(out, '_');
    }
    bool is_empty = true;
    for (const char *c = full; *c != '\0'; c++) {
        if (*c == '.' && is_empty) {
            bytes_append_byte(out, '_');
        }
        is_empty = *c == '.';
        for (int i = is_empty || is_name_byte(*c) ? 0 : text_java_units((uint8_t)*c); i > 0; i--) {
            bytes_append_byte(out, '_');
        }
        if (is_empty || is_name_byte(*c)) {
            bytes_append_byte(out, (uint8_t)*c);
        }
    }
    if (is_empty) {
        bytes_append_byte(out, '_');
    }
}

static void write_decimal(struct bytes *out, const struct column *c)
{
    bytes_format(out, "{\"type\":\"bytes\",\"scale\":%d,\"precision\":%d,\"connect.version\":1,", c->scale,
                 c->precision);
    bytes_format(out, "\"connect.parameters\":{\"scale\":\"%d\",\"connect.decimal.precision\":\"%d\"}",
                 c->scale, c->precision);
}

// The type of one value: the column's, or the element's when the column is an array. `is_defined`: the
// variable decimal's record is defined earlier in the same schema.
static void write_scalar(struct bytes *out, const struct column *c, struct slice default_json,
                         bool is_defined)
{
    const struct avro_schema_rule *rule = &AVRO_SCHEMA_RULES[c->type];
    if (c->type == COLUMN_VARIABLE_DECIMAL && !is_defined) {
        bytes_append_string(out, AVRO_SCHEMA_VARIABLE_DECIMAL);
        return;
    }
    bool is_bare = rule->name == NULL && default_json.size == 0 && c->type != COLUMN_INT16;
    if (is_bare || c->type == COLUMN_VARIABLE_DECIMAL) {
        bytes_format(out, "\"%s\"", rule->avro);
        return;
    }
    if (c->type == COLUMN_DECIMAL) {
        write_decimal(out, c);
    } else {
        bytes_format(out, "{\"type\":\"%s\"%s", rule->avro,
                     rule->name != NULL ? ",\"connect.version\":1" : "");
    }
    if (default_json.size > 0) {
        bytes_append_string(out, ",\"connect.default\":");
        bytes_append_slice(out, default_json);
    }
    if (rule->name != NULL) {
        bytes_format(out, ",\"connect.name\":\"%s\"", rule->name);
    }
    if (c->type == COLUMN_INT16) {
        bytes_append_string(out, ",\"connect.type\":\"int16\"");
    }
    // Decoders refuse a logical decimal whose scale is negative or exceeds its precision.
    if (c->type == COLUMN_DECIMAL && c->scale >= 0 && c->scale <= c->precision) {
        bytes_append_string(out, ",\"logicalType\":\"decimal\"");
    }
    bytes_append_byte(out, '}');
}

static void write_type(struct bytes *out, const struct column *c, bool is_defined)
{
    struct slice default_json = bytes_slice(&c->default_json);
    if (!c->is_array) {
        write_scalar(out, c, default_json, is_defined);
        return;
    }
    bytes_append_string(out, "{\"type\":\"array\",\"items\":[\"null\",");
    write_scalar(out, c, (struct slice){NULL, 0}, is_defined);
    bytes_append_byte(out, ']');
    if (default_json.size > 0) {
        bytes_append_string(out, ",\"connect.default\":");
        bytes_append_slice(out, default_json);
    }
    bytes_append_byte(out, '}');
}

static void write_field(struct bytes *out, const struct table *t, size_t column, bool *is_decimal_defined)
{
    const struct column *c = &t->columns[column];
    bool has_default = c->default_json.size > 0;
    bytes_append_string(out, "{\"name\":\"");
    avro_schema_column_name(out, t, column);
    bytes_append_string(out, "\",\"type\":");
    if (c->is_nullable) {
        bytes_append_string(out, has_default ? "[" : "[\"null\",");
    }
    write_type(out, c, *is_decimal_defined);
    if (c->is_nullable) {
        bytes_append_string(out, has_default ? ",\"null\"]" : "]");
    }
    if (has_default) {
        bytes_append_string(out, ",\"default\":");
        bytes_append_slice(out, bytes_slice(&c->default_json));
    } else if (c->is_nullable) {
        bytes_append_string(out, ",\"default\":null");
    }
    bytes_append_byte(out, '}');
    *is_decimal_defined |= c->type == COLUMN_VARIABLE_DECIMAL;
}

static void write_connect_name(struct bytes *out, const struct table *t, const char *record)
{
    bytes_append_string(out, "\"connect.name\":\"");
    write_namespace(out, t);
    bytes_format(out, ".%s\"", record);
}

void avro_schema_key(struct bytes *out, const struct table *t)
{
    INVARIANT(t->key_count > 0);
    bool is_decimal_defined = false;
    bytes_append_string(out, "{\"type\":\"record\",\"name\":\"Key\",\"namespace\":\"");
    write_namespace(out, t);
    bytes_append_string(out, "\",\"fields\":[");
    for (size_t i = 0; i < t->key_count; i++) {
        if (i > 0) {
            bytes_append_byte(out, ',');
        }
        write_field(out, t, t->key_columns[i], &is_decimal_defined);
    }
    bytes_append_string(out, "],");
    write_connect_name(out, t, "Key");
    bytes_append_byte(out, '}');
}

static void write_value(struct bytes *out, const struct table *t)
{
    bool is_decimal_defined = false;
    bytes_append_string(out, "{\"type\":\"record\",\"name\":\"Value\",\"fields\":[");
    for (size_t i = 0; i < t->column_count; i++) {
        if (i > 0) {
            bytes_append_byte(out, ',');
        }
        write_field(out, t, i, &is_decimal_defined);
    }
    bytes_append_string(out, "],");
    write_connect_name(out, t, "Value");
    bytes_append_byte(out, '}');
}

void avro_schema_envelope(struct bytes *out, const struct table *t)
{
    bytes_append_string(out, "{\"type\":\"record\",\"name\":\"Envelope\",\"namespace\":\"");
    write_namespace(out, t);
    bytes_append_string(out, "\",\"fields\":[{\"name\":\"before\",\"type\":[\"null\",");
    write_value(out, t);
    bytes_append_string(out, "],\"default\":null},"
                             "{\"name\":\"after\",\"type\":[\"null\",\"Value\"],\"default\":null},"
                             "{\"name\":\"source\",\"type\":");
    bytes_append_string(out, AVRO_SCHEMA_SOURCE);
    bytes_append_string(out, "},{\"name\":\"transaction\",\"type\":");
    bytes_append_string(out, AVRO_SCHEMA_TRANSACTION);
    bytes_append_string(out, ",\"default\":null},{\"name\":\"op\",\"type\":\"string\"}");
    for (size_t i = 0; i < 3; i++) {
        static const char *const CLOCKS[] = {"ts_ms", "ts_us", "ts_ns"};
        bytes_format(out, ",{\"name\":\"%s\",\"type\":[\"null\",\"long\"],\"default\":null}", CLOCKS[i]);
    }
    bytes_append_string(out, "],\"connect.version\":2,");
    write_connect_name(out, t, "Envelope");
    bytes_append_byte(out, '}');
}
