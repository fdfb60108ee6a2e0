// The golden values of tests/golden/values/scalars.txt in both forms and all modes; schemas, zeros, defaults
// and what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "connectors/postgres/catalogue/pg_type_modes.h"
#include "connectors/postgres/catalogue/pg_types.h"
#include "core/base/memory.h"
#include "schemas/avro/value_type.h"

#define NUMERIC_MODIFIER(precision, scale) ((((precision) << 16) | ((scale)&0x7ff)) + 4)

static struct bytes out;
static struct fault f;

static const struct {
    const char *name;
    uint32_t oid;
    int32_t modifier;
} TYPES[] = {
    {"numeric", 1700, -1},
    {"numeric(12,2)", 1700, NUMERIC_MODIFIER(12, 2)},
    {"numeric(38,10)", 1700, NUMERIC_MODIFIER(38, 10)},
    {"numeric(10,0)", 1700, NUMERIC_MODIFIER(10, 0)},
    {"numeric(5,-2)", 1700, NUMERIC_MODIFIER(5, -2)},
    {"numeric(3,5)", 1700, NUMERIC_MODIFIER(3, 5)},
    {"float4", 700, -1},
    {"float8", 701, -1},
    {"money", 790, -1},
    {"bit(1)", 1560, 1},
    {"bit(5)", 1560, 5},
    {"bit(8)", 1560, 8},
    {"bit(64)", 1560, 64},
    {"bit(65)", 1560, 65},
    {"varbit", 1562, -1},
    {"varbit(1)", 1562, 1},
    {"varbit(12)", 1562, 12},
    {"date", 1082, -1},
    {"time", 1083, -1},
    {"time(0)", 1083, 0},
    {"time(3)", 1083, 3},
    {"time(4)", 1083, 4},
    {"timetz", 1266, -1},
    {"timetz(2)", 1266, 2},
    {"timestamp", 1114, -1},
    {"timestamp(0)", 1114, 0},
    {"timestamp(3)", 1114, 3},
    {"timestamp(4)", 1114, 4},
    {"timestamptz", 1184, -1},
    {"timestamptz(0)", 1184, 0},
    {"timestamptz(1)", 1184, 1},
    {"timestamptz(3)", 1184, 3},
    {"interval", 1186, -1},
    {"interval(0)", 1186, 0x7fff0000},
    {"\"char\"", 18, -1},
    {"name", 19, -1},
    {"oid", 26, -1},
    {"xid", 28, -1},
    {"cid", 29, -1},
    {"tid", 27, -1},
    {"xid8", 5069, -1},
    {"pg_lsn", 3220, -1},
    {"pg_snapshot", 5038, -1},
    {"txid_snapshot", 2970, -1},
    {"regclass", 2205, -1},
    {"jsonpath", 4072, -1},
    {"xml", 142, -1},
    {"refcursor", 1790, -1},
    {"uuid", 2950, -1},
    {"bytea", 17, -1},
    {"bytea[]", 1001, -1},
    {"date[]", 1182, -1},
    {"numeric[]", 1231, -1},
    {"money[]", 791, -1},
};

static struct type_modes modes_of(const char *text)
{
    struct type_modes m = {0};
    m.types = strstr(text, "types=native") != NULL ? TYPE_MODE_NATIVE : TYPE_MODE_DEBEZIUM;
    m.decimal = strstr(text, "decimal=double") != NULL   ? TYPE_MODE_DECIMAL_DOUBLE
                : strstr(text, "decimal=string") != NULL ? TYPE_MODE_DECIMAL_STRING
                                                         : TYPE_MODE_DECIMAL_PRECISE;
    m.temporal = strstr(text, "temporal=connect") != NULL ? TYPE_MODE_TEMPORAL_CONNECT
                 : strstr(text, "temporal=iso") != NULL   ? TYPE_MODE_TEMPORAL_ISO
                                                          : TYPE_MODE_TEMPORAL_DEBEZIUM;
    m.binary = strstr(text, "binary=base64") != NULL ? TYPE_MODE_BINARY_BASE64
               : strstr(text, "binary=hex") != NULL  ? TYPE_MODE_BINARY_HEX
                                                     : TYPE_MODE_BINARY_BYTES;
    m.interval =
        strstr(text, "interval=string") != NULL ? TYPE_MODE_INTERVAL_STRING : TYPE_MODE_INTERVAL_NUMERIC;
    return m;
}

static struct value_type type_of(const char *name, const char *modes)
{
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        if (strcmp(TYPES[i].name, name) == 0) {
            struct value_type t;
            const char *plain;
            struct type_modes m = modes_of(modes);
            pg_types_resolve(TYPES[i].oid, TYPES[i].modifier, NULL, 0, &t, &plain);
            assert_null(plain);
            pg_type_modes_apply(&t, &m);
            return t;
        }
    }
    fail_msg("no type %s", name);
    return (struct value_type){0};
}

static void append_hex(struct bytes *ret, const char *hex)
{
    for (; hex[0] != '\0'; hex += 2) {
        char digits[3] = {hex[0], hex[1], '\0'};
        bytes_append_byte(ret, (uint8_t)strtol(digits, NULL, 16));
    }
}

typedef enum value_step append(struct bytes *o, const struct value_type *t, struct slice value,
                               struct fault *ret);

// The value is in a heap block of exactly its size, so that a sanitizer detects a read past its end.
static enum value_step call(append *function, const struct value_type *t, struct slice value)
{
    uint8_t *copy = malloc(value.size == 0 ? 1 : value.size);
    memcpy(copy, value.data, value.size);
    bytes_clear(&out);
    enum value_step step = function(&out, t, slice_make(copy, value.size), &f);
    free(copy);
    return step;
}

static void check_value(append *function, const struct value_type *t, struct slice value, char **line)
{
    enum value_step want = strcmp(line[4], "none") == 0    ? VALUE_NONE
                           : strcmp(line[4], "fault") == 0 ? VALUE_FAULT
                                                           : VALUE_DONE;
    enum value_step step = call(function, t, value);
    if (step != want) {
        fail_msg("%s %s %s: step %d, not %d: %s", line[0], line[1], line[2], step, want,
                 step == VALUE_DONE ? "" : f.text);
    }
    if (step != VALUE_DONE) {
        assert_int_equal(f.kind, FAULT_REJECT);
        return;
    }
    CLEANUP(bytes_clear) struct bytes expected = {0};
    append_hex(&expected, line[4]);
    if (!slice_equal(bytes_slice(&out), bytes_slice(&expected))) {
        CLEANUP(bytes_clear) struct bytes have = {0};
        for (size_t i = 0; i < out.size; i++) {
            bytes_format(&have, "%02x", out.data[i]);
        }
        fail_msg("%s %s %s gave %s, not %s", line[0], line[1], line[2], bytes_text(&have), line[4]);
    }
}

static void check_line(char *line)
{
    char *fields[5];
    for (int i = 0; i < 5; i++) {
        fields[i] = line;
        line += strcspn(line, "\t\n");
        *line++ = '\0';
    }
    CLEANUP(value_type_clear) struct value_type t = type_of(fields[0], fields[1]);
    CLEANUP(bytes_clear) struct bytes data = {0};
    append_hex(&data, fields[3]);
    (void)bytes_text(&data);
    check_value(t.ops->append_text, &t, slice_of(fields[2]), fields);
    check_value(t.ops->append_binary, &t, bytes_slice(&data), fields);
    if (call(t.ops->write_text, &t, bytes_slice(&data)) != VALUE_DONE ||
        !slice_equal(bytes_slice(&out), slice_of(fields[2]))) {
        fail_msg("%s %s: \"%.*s\", not \"%s\"", fields[0], fields[3], (int)out.size, (char *)out.data,
                 fields[2]);
    }
}

static void both_forms_give_the_golden_values(void **state)
{
    (void)state;
    FILE *file = fopen(MILLRACE_GOLDEN_DIR "/values/scalars.txt", "r");
    assert_non_null(file);
    static char line[4096];
    int count = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (line[0] != '#') {
            check_line(line);
            count++;
        }
    }
    (void)fclose(file);
    assert_true(count > 250);
}

// Every length of a value's bytes but its own is refused, whatever they are.
static void binary_values_of_a_wrong_size_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        size_t size;
    } SIZES[] = {{"money", 8},       {"date", 4},      {"time", 8}, {"timetz", 12}, {"timestamp", 8},
                 {"timestamptz", 8}, {"interval", 16}, {"tid", 6},  {"pg_lsn", 8},  {"\"char\"", 1}};
    static const uint8_t zeros[32];
    for (size_t i = 0; i < COUNT_OF(SIZES); i++) {
        CLEANUP(value_type_clear) struct value_type t = type_of(SIZES[i].type, "");
        for (size_t size = 0; size <= sizeof(zeros); size++) {
            enum value_step want = size == SIZES[i].size ? VALUE_DONE : VALUE_FAULT;
            assert_int_equal(call(t.ops->append_binary, &t, slice_make(zeros, size)), want);
            assert_int_equal(call(t.ops->write_text, &t, slice_make(zeros, size)), want);
        }
    }
}

static void assert_refused(const char *type, const char *text, const char *hex)
{
    CLEANUP(value_type_clear) struct value_type t = type_of(type, "");
    if (text != NULL && call(t.ops->append_text, &t, slice_of(text)) != VALUE_FAULT) {
        fail_msg("%s takes %s", type, text);
    }
    CLEANUP(bytes_clear) struct bytes data = {0};
    append_hex(&data, hex == NULL ? "" : hex);
    (void)bytes_text(&data);
    if (hex != NULL && call(t.ops->append_binary, &t, bytes_slice(&data)) != VALUE_FAULT) {
        fail_msg("%s takes %s", type, hex);
    }
}

static void values_that_are_not_valid_are_refused(void **state)
{
    (void)state;
    assert_refused("money", "$1.5", NULL);
    assert_refused("money", "$92,233,720,368,547,758.08", NULL);
    assert_refused("money", "1.500", NULL);
    assert_refused("money", "", NULL);
    assert_refused("money", "-", NULL);
    assert_refused("money", "EUR 1.00", NULL);
    assert_refused("bit(5)", "10121", "00000005");
    assert_refused("bit(5)", NULL, "00000005a8a8");
    assert_refused("bit(5)", NULL, "ffffffffa8");
    assert_refused("bit(1)", "11", "0000000280");
    assert_refused("date", "2026-13-01", "7ffffffe");
    assert_refused("date", "infinit", NULL);
    assert_refused("date", "-infinityx", NULL);
    assert_refused("time", "24:00:00.000001", "000000141dd76001");
    assert_refused("time", "-01:00:00", "ffffffffffffffff");
    assert_refused("timetz", "01:00:00",
                   "0000000000000000"
                   "00015180");
    assert_refused("timestamp", "2026-01-01", NULL);
    assert_refused("timestamp", "9999999-01-01 00:00:00", NULL);
    assert_refused("timestamptz", "2026-01-01 00:00:00+02", NULL);
    assert_refused("interval", "", NULL);
    assert_refused("interval", "1 fortnight", NULL);
    assert_refused("interval", "1", NULL);
    assert_refused("interval", "1 day 1:2", NULL);
    assert_refused("interval", "00:00:00.0000001", NULL);
    assert_refused("interval", "2147483648 days", NULL);
    assert_refused("interval", "99999999999999999999 days", NULL);
    assert_refused("interval", "00:00:00 1 day", NULL);
    assert_refused("numeric", "1e5",
                   "0001000000000000"
                   "2710");
    assert_refused("numeric", NULL,
                   "0001000000010000"
                   "0001");
    assert_refused("numeric", NULL,
                   "0002000000000000"
                   "0001");
    assert_refused("numeric", NULL, "0000000000004000");
    assert_refused("numeric(12,2)", "0.001",
                   "0001ffff00000003"
                   "000a");
    assert_refused("pg_snapshot", NULL,
                   "ffffffff"
                   "0000000000000001"
                   "0000000000000001");
    assert_refused("bytea", "\\x0", NULL);
    assert_refused("bytea", "\\x0g", NULL);
}

static void assert_schema(const char *type, const char *modes, const char *want)
{
    CLEANUP(value_type_clear) struct value_type t = type_of(type, modes);
    struct schema_names names CLEANUP(schema_names_clear) = {0};
    bytes_clear(&out);
    t.ops->append_schema(&out, &t, (struct slice){0}, &names);
    assert_string_equal(bytes_text(&out), want);
}

static void schemas_are_debezium_s_or_the_mode_s(void **state)
{
    (void)state;
    assert_schema(
        "money", "",
        "{\"type\":\"bytes\",\"scale\":2,\"precision\":64,\"connect.version\":1,\"connect.parameters\":"
        "{\"scale\":\"2\"},\"connect.name\":\"org.apache.kafka.connect.data.Decimal\","
        "\"logicalType\":\"decimal\"}");
    assert_schema("bit(1)", "", "\"boolean\"");
    assert_schema("varbit(1)", "", "\"boolean\"");
    assert_schema("bit(5)", "",
                  "{\"type\":\"bytes\",\"connect.version\":1,\"connect.parameters\":{\"length\":\"5\"},"
                  "\"connect.name\":\"io.debezium.data.Bits\"}");
    assert_schema(
        "varbit", "",
        "{\"type\":\"bytes\",\"connect.version\":1,\"connect.parameters\":{\"length\":\"2147483647\"},"
        "\"connect.name\":\"io.debezium.data.Bits\"}");
    assert_schema(
        "interval", "",
        "{\"type\":\"long\",\"connect.version\":1,\"connect.name\":\"io.debezium.time.MicroDuration\"}");
    assert_schema(
        "interval", "interval=string",
        "{\"type\":\"string\",\"connect.version\":1,\"connect.name\":\"io.debezium.time.Interval\"}");
    assert_schema(
        "date", "temporal=connect",
        "{\"type\":\"int\",\"connect.version\":1,\"connect.name\":\"org.apache.kafka.connect.data.Date\","
        "\"logicalType\":\"date\"}");
    assert_schema(
        "time", "temporal=connect",
        "{\"type\":\"int\",\"connect.version\":1,\"connect.name\":\"org.apache.kafka.connect.data.Time\","
        "\"logicalType\":\"time-millis\"}");
    assert_schema("timestamp", "temporal=connect",
                  "{\"type\":\"long\",\"connect.version\":1,\"connect.name\":"
                  "\"org.apache.kafka.connect.data.Timestamp\",\"logicalType\":\"timestamp-millis\"}");
    assert_schema(
        "date", "temporal=iso",
        "{\"type\":\"string\",\"connect.version\":1,\"connect.name\":\"io.debezium.time.IsoDate\"}");
    assert_schema(
        "time(3)", "temporal=iso",
        "{\"type\":\"string\",\"connect.version\":1,\"connect.name\":\"io.debezium.time.IsoTime\"}");
    assert_schema(
        "timestamp(3)", "temporal=iso",
        "{\"type\":\"string\",\"connect.version\":1,\"connect.name\":\"io.debezium.time.IsoTimestamp\"}");
}

static void schemas_of_texts_and_doubles(void **state)
{
    (void)state;
    assert_schema("numeric", "decimal=string", "\"string\"");
    assert_schema("numeric(12,2)", "decimal=double", "\"double\"");
    assert_schema("money", "decimal=string", "\"string\"");
    assert_schema("money", "decimal=double", "\"double\"");
    assert_schema("bytea", "binary=hex", "\"string\"");
    assert_schema("bytea[]", "binary=base64", "{\"type\":\"array\",\"items\":[\"null\",\"string\"]}");
    assert_schema("date[]", "temporal=iso",
                  "{\"type\":\"array\",\"items\":[\"null\",{\"type\":\"string\",\"connect.version\":1,"
                  "\"connect.name\":\"io.debezium.time.IsoDate\"}]}");
}

static void native_schemas_have_logical_types(void **state)
{
    (void)state;
    assert_schema("date", "types=native", "{\"type\":\"int\",\"logicalType\":\"date\"}");
    assert_schema("time(0)", "types=native", "{\"type\":\"long\",\"logicalType\":\"time-micros\"}");
    assert_schema("timestamp(0)", "types=native",
                  "{\"type\":\"long\",\"logicalType\":\"local-timestamp-micros\"}");
    assert_schema("timestamptz", "types=native", "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}");
    assert_schema("timetz", "types=native", "\"string\"");
    assert_schema("uuid", "types=native", "{\"type\":\"string\",\"logicalType\":\"uuid\"}");
    assert_schema("numeric(12,2)", "types=native",
                  "{\"type\":\"bytes\",\"scale\":2,\"precision\":12,\"logicalType\":\"decimal\"}");
    assert_schema("numeric", "types=native", "\"string\"");
    assert_schema("numeric(5,-2)", "types=native", "\"string\"");
    assert_schema("numeric[]", "types=native", "{\"type\":\"array\",\"items\":[\"null\",\"string\"]}");
    assert_schema("money", "types=native",
                  "{\"type\":\"bytes\",\"scale\":2,\"precision\":19,\"logicalType\":\"decimal\"}");
    assert_schema("varbit(1)", "types=native", "\"string\"");
    assert_schema("bit(1)", "types=native", "\"boolean\"");
    assert_schema("bit(5)", "types=native", "\"string\"");
    assert_schema("interval", "types=native", "\"string\"");
    assert_schema("timestamp", "types=native temporal=connect",
                  "{\"type\":\"long\",\"connect.version\":1,\"connect.name\":"
                  "\"org.apache.kafka.connect.data.Timestamp\",\"logicalType\":\"timestamp-millis\"}");
}

static void zeros_are_values_of_their_types(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *modes;
        const char *text;  // that gives the same
    } ZEROS[] = {{"money", "", "$0.00"},
                 {"money", "decimal=double", "$0.00"},
                 {"money", "decimal=string", "$0.00"},
                 {"bit(1)", "", "0"},
                 {"bit(5)", "", "00000"},
                 {"varbit", "types=native", ""},
                 {"interval", "", "00:00:00"},
                 {"interval", "interval=string", "00:00:00"},
                 {"date", "temporal=connect", "1970-01-01"},
                 {"date", "temporal=iso", "1970-01-01"},
                 {"time", "temporal=iso", "00:00:00"},
                 {"timestamp", "temporal=iso", "1970-01-01 00:00:00"},
                 {"timestamp", "types=native", "1970-01-01 00:00:00"},
                 {"timetz", "types=native", "00:00:00+00"},
                 {"numeric", "", "0"},
                 {"numeric", "decimal=string", "0"},
                 {"numeric", "decimal=double", "0"},
                 {"xid8", "", ""}};
    for (size_t i = 0; i < COUNT_OF(ZEROS); i++) {
        CLEANUP(value_type_clear) struct value_type t = type_of(ZEROS[i].type, ZEROS[i].modes);
        CLEANUP(bytes_clear) struct bytes zero = {0};
        t.ops->append_zero(&zero, &t);
        assert_int_equal(call(t.ops->append_text, &t, slice_of(ZEROS[i].text)), VALUE_DONE);
        if (!slice_equal(bytes_slice(&zero), bytes_slice(&out))) {
            fail_msg("the zero of %s %s", ZEROS[i].type, ZEROS[i].modes);
        }
    }
}

static void bytea_s_placeholder_is_in_the_column_s_form(void **state)
{
    (void)state;
    CLEANUP(value_type_clear) struct value_type t = type_of("bytea", "binary=base64");
    bytes_clear(&out);
    t.ops->append_placeholder(&out, &t);
    assert_string_equal(bytes_text(&out) + 1, "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==");
    CLEANUP(value_type_clear) struct value_type hex = type_of("bytea", "binary=hex");
    bytes_clear(&out);
    hex.ops->append_placeholder(&out, &hex);
    assert_string_equal(bytes_text(&out) + 1, "5f5f646562657a69756d5f756e617661696c61626c655f76616c7565");
}

static void assert_default(const char *type, const char *modes, const char *literal, const char *want)
{
    CLEANUP(value_type_clear) struct value_type t = type_of(type, modes);
    bytes_clear(&out);
    assert_int_equal(t.ops->append_default(&out, &t, slice_of(literal), &f), VALUE_DONE);
    assert_string_equal(bytes_text(&out), want);
}

static void defaults_are_the_value_as_json(void **state)
{
    (void)state;
    assert_default("bit(1)", "", "1", "true");
    assert_default("bit(5)", "", "10101", "\"\\u0015\"");
    assert_default("varbit(12)", "", "101", "\"\\u0005\"");
    assert_default("interval", "", "1 day", "86400000000");
    assert_default("interval", "", "1 year 2 mons 3 days 04:05:06.789", "37091106789000");
    assert_default("interval", "interval=string", "1 day", "\"P0Y0M1DT0H0M0S\"");
    assert_default("date", "", "infinity", "2146033979");
    assert_default("time", "", "24:00:00", "86400000000");
    assert_default("timestamp", "", "infinity", "9223372036854775807");
    assert_default("timestamp", "", "-infinity", "-9223372036854775808");
    assert_default("timestamptz", "", "infinity", "\"infinity\"");
    assert_default("date", "temporal=iso", "2026-01-02", "\"2026-01-02Z\"");
    assert_default("timestamptz", "types=native", "1970-01-01 00:00:00.000001+00", "1");
    assert_default("numeric(12,2)", "decimal=string", "1.5", "\"1.5\"");
    assert_default("numeric(12,2)", "decimal=double", "1.5", "1.5");
    assert_default("numeric(12,2)", "decimal=double", "2", "2.0");
    CLEANUP(value_type_clear) struct value_type money = type_of("money", "");
    assert_null(money.ops->append_default);
}

// What is not ASCII is written alike by all versions of PostgreSQL, and is UTF-8.
static void a_char_that_is_not_ascii_is_octal(void **state)
{
    (void)state;
    CLEANUP(value_type_clear) struct value_type t = type_of("\"char\"", "");
    static const char *const FORMS[] = {"\xfc", "\\374"};
    for (size_t i = 0; i < COUNT_OF(FORMS); i++) {
        assert_int_equal(call(t.ops->append_text, &t, slice_of(FORMS[i])), VALUE_DONE);
        assert_string_equal(bytes_text(&out) + 1, "\\374");
    }
    assert_int_equal(call(t.ops->append_binary, &t, slice_make("\xfc", 1)), VALUE_DONE);
    assert_string_equal(bytes_text(&out) + 1, "\\374");
}

static void names_of_objects_are_read_from_text_only(void **state)
{
    (void)state;
    CLEANUP(value_type_clear) struct value_type t = type_of("regclass", "");
    assert_false(value_type_has_binary(&t));
    assert_int_equal(call(t.ops->append_text, &t, slice_of("pg_class")), VALUE_DONE);
    assert_string_equal(bytes_text(&out) + 1, "pg_class");
}

static void what_debezium_leaves_out_is_known(void **state)
{
    (void)state;
    char name[] = "t";
    char ltree[] = "ltree";
    char lquery[] = "lquery";
    const struct pg_type types[] = {
        {.oid = 20001, .kind = 'd', .base_oid = 23, .base_modifier = -1, .name = name},
        {.oid = 20002, .kind = 'b', .element_oid = 20001, .name = name},
        {.oid = 20003, .kind = 'c', .name = name},
        {.oid = 20004, .kind = 'r', .below_oid = 701, .name = name},
        {.oid = 20005, .kind = 'e', .name = name},
        {.oid = 20006, .kind = 'b', .element_oid = 20005, .name = name},
        {.oid = 20007, .kind = 'b', .element_oid = 20003, .name = name},
        {.oid = 20008, .kind = 'b', .name = lquery, .extension = ltree},
        {.oid = 20009, .kind = 'b', .name = ltree, .extension = ltree},
        {.oid = 20010, .kind = 'b', .element_oid = 20009, .name = name},
    };
    // jsonpath, multiranges, xid …, regclass, pg_lsn, tsquery; arrays of money, name, varbit, interval, xml,
    // point
    static const uint32_t left_out[] = {4072, 4451,  28,    5069,  29,    27,    2205, 3220, 2970,
                                        5038, 3615,  791,   1003,  1563,  1187,  143,  1017, 6150,
                                        3221, 20002, 20003, 20004, 20007, 20008, 29999};
    for (size_t i = 0; i < COUNT_OF(left_out); i++) {
        if (!pg_types_is_left_out(left_out[i], types, COUNT_OF(types))) {
            fail_msg("%u is published", left_out[i]);
        }
    }
    static const uint32_t published[] = {23,   790,  1560, 1562, 1186,  19,    600,   3904,  3614, 1007,
                                         1231, 1182, 3905, 2951, 20001, 20005, 20006, 20009, 20010};
    for (size_t i = 0; i < COUNT_OF(published); i++) {
        if (pg_types_is_left_out(published[i], types, COUNT_OF(types))) {
            fail_msg("%u is left out", published[i]);
        }
    }
}

static int clear(void **state)
{
    (void)state;
    bytes_clear(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_give_the_golden_values),
        cmocka_unit_test(binary_values_of_a_wrong_size_are_refused),
        cmocka_unit_test(values_that_are_not_valid_are_refused),
        cmocka_unit_test(schemas_are_debezium_s_or_the_mode_s),
        cmocka_unit_test(schemas_of_texts_and_doubles),
        cmocka_unit_test(native_schemas_have_logical_types),
        cmocka_unit_test(zeros_are_values_of_their_types),
        cmocka_unit_test(bytea_s_placeholder_is_in_the_column_s_form),
        cmocka_unit_test(defaults_are_the_value_as_json),
        cmocka_unit_test(a_char_that_is_not_ascii_is_octal),
        cmocka_unit_test(what_debezium_leaves_out_is_known),
        cmocka_unit_test(names_of_objects_are_read_from_text_only),
    };
    return cmocka_run_group_tests(tests, NULL, clear);
}
