// Writes schema text as Avro's Schema.toString() writes the schema that Connect's AvroData builds for
// Debezium's structs. type_schema writes the types of values, each with its attributes.
//
// A nullable type is ["null",T] with default null, or [T,"null"] when the column has a default. Behind them
// are VALUE_UNCHANGED for a column whose value may be left out, and "string" for one whose value may be text
// instead. A record that was defined earlier is referred to by name. Source: confluentinc/schema-registry,
// AvroData.fromConnectSchema; Debezium's PostgreSQL connector, Envelope.
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

static bool is_adjusted_to(const char *name, const char *adjusted)
{
    struct bytes other CLEANUP(bytes_clear) = {0};
    avro_schema_adjust_name(&other, name);
    return strcmp(bytes_text(&other), adjusted) == 0;
}

// Whether an earlier member has the same adjusted name, or any member has this name unadjusted.
static bool is_taken(const struct avro_schema_members *m, size_t member, const char *adjusted)
{
    for (size_t i = 0; i < m->count; i++) {
        const char *name = m->name_at(m->self, i);
        if (i != member && (i < member || is_name(name)) && is_adjusted_to(name, adjusted)) {
            return true;
        }
    }
    return false;
}

// Whether any other member may have this name. Those with a number behind their names differ in it.
static bool is_like_another(const struct avro_schema_members *m, size_t member, const char *numbered)
{
    for (size_t i = 0; i < m->count; i++) {
        if (i != member && is_adjusted_to(m->name_at(m->self, i), numbered)) {
            return true;
        }
    }
    return false;
}

void avro_schema_member_name(struct bytes *out, const struct avro_schema_members *m, size_t member)
{
    const char *name = m->name_at(m->self, member);
    if (is_name(name)) {
        bytes_append_string(out, name);
        return;
    }
    struct bytes adjusted CLEANUP(bytes_clear) = {0};
    avro_schema_adjust_name(&adjusted, name);
    if (is_taken(m, member, bytes_text(&adjusted))) {
        do {
            bytes_format(&adjusted, "_%zu", member + 1);
        } while (is_like_another(m, member, bytes_text(&adjusted)));
    }
    bytes_append_slice(out, bytes_slice(&adjusted));
}

static const char *column_name_at(const void *self, size_t i)
{
    return ((const struct table *)self)->columns[i].name;
}

void avro_schema_column_name(struct bytes *out, const struct table *t, size_t column)
{
    const struct avro_schema_members columns = {column_name_at, t, t->column_count};
    avro_schema_member_name(out, &columns, column);
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

static void write_marker(struct bytes *out, struct schema_names *io_names)
{
    bytes_append_string(out, schema_names_add(io_names, VALUE_UNCHANGED)
                                 ? ",{\"type\":\"record\",\"name\":\"Unchanged\",\"namespace\":\"millrace\","
                                   "\"fields\":[{\"name\":\"unchanged\",\"type\":\"boolean\"}]}"
                                 : ",\"" VALUE_UNCHANGED "\"");
}

static void write_field(struct bytes *out, const struct table *t, size_t column,
                        struct schema_names *io_names)
{
    const struct column *c = &t->columns[column];
    bool has_default = c->default_json.size > 0;
    bytes_append_string(out, "{\"name\":\"");
    avro_schema_column_name(out, t, column);
    bytes_append_string(out, "\",\"type\":");
    bool is_union = c->is_nullable || c->has_marker || c->has_text;
    bytes_append_string(out, is_union ? "[" : "");
    bytes_append_string(out, c->is_nullable && !has_default ? "\"null\"," : "");
    c->type.ops->append_schema(out, &c->type, bytes_slice(&c->default_json), io_names);
    bytes_append_string(out, c->is_nullable && has_default ? ",\"null\"" : "");
    if (c->has_marker) {
        write_marker(out, io_names);
    }
    bytes_append_string(out, c->has_text ? ",\"string\"" : "");
    bytes_append_string(out, is_union ? "]" : "");
    if (has_default) {
        bytes_append_string(out, ",\"default\":");
        bytes_append_slice(out, bytes_slice(&c->default_json));
    } else if (c->is_nullable) {
        bytes_append_string(out, ",\"default\":null");
    }
    bytes_append_byte(out, '}');
}

static void write_connect_name(struct bytes *out, const struct table *t, const char *record)
{
    bytes_append_string(out, "\"connect.name\":\"");
    write_namespace(out, t);
    bytes_format(out, ".%s\"", record);
}

// The names of records that are written without a look at the list.
static void reserve_names(struct schema_names *names)
{
    (void)!schema_names_add(names, "event.block");
    (void)!schema_names_add(names, "io.debezium.connector.postgresql.Source");
}

void avro_schema_key(struct bytes *out, const struct table *t)
{
    INVARIANT(t->key_count > 0);
    struct schema_names names CLEANUP(schema_names_clear) = {0};
    reserve_names(&names);
    bytes_append_string(out, "{\"type\":\"record\",\"name\":\"Key\",\"namespace\":\"");
    write_namespace(out, t);
    bytes_append_string(out, "\",\"fields\":[");
    for (size_t i = 0; i < t->key_count; i++) {
        if (i > 0) {
            bytes_append_byte(out, ',');
        }
        write_field(out, t, t->key_columns[i], &names);
    }
    bytes_append_string(out, "],");
    write_connect_name(out, t, "Key");
    bytes_append_byte(out, '}');
}

void avro_schema_value(struct bytes *out, const struct table *t)
{
    struct schema_names names CLEANUP(schema_names_clear) = {0};
    reserve_names(&names);
    bytes_append_string(out, "{\"type\":\"record\",\"name\":\"Value\",\"fields\":[");
    for (size_t i = 0; i < t->column_count; i++) {
        if (i > 0) {
            bytes_append_byte(out, ',');
        }
        write_field(out, t, i, &names);
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
    avro_schema_value(out, t);
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
