// The golden values of tests/golden/values/nested.txt, and what they leave out: quoting, errors, zeros,
// placeholders.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "nested_types.h"
#include "schemas/avro/avro_type.h"
#include "schemas/json/json_encode.h"

static struct bytes out;
static struct fault f;

static void append_hex(struct bytes *ret, const char *hex)
{
    for (; hex[0] != '\0'; hex += 2) {
        char digits[3] = {hex[0], hex[1], '\0'};
        bytes_append_byte(ret, (uint8_t)strtol(digits, NULL, 16));
    }
}

static void assert_hex(const char *want, const char *what)
{
    static char have[65536];
    have[0] = '\0';
    for (size_t i = 0; i < out.size && i < sizeof(have) / 2 - 1; i++) {
        (void)snprintf(have + 2 * i, 3, "%02x", out.data[i]);
    }
    if (strcmp(have, want) != 0) {
        fail_msg("%s gave\n%s, not\n%s", what, have, want);
    }
}

typedef enum value_step append(struct bytes *o, const struct value_type *t, struct slice value,
                               struct fault *f);

// The value is in a heap block of exactly its size, so that a sanitizer detects a read past its end.
// Something is in `out` before it, so that memory behind it is not aligned.
static enum value_step call(append *function, const struct value_type *t, struct slice value)
{
    uint8_t *copy = malloc(value.size == 0 ? 1 : value.size);
    memcpy(copy, value.data, value.size);
    bytes_reset(&out);
    bytes_append_string(&out, "abc");
    enum value_step step = function(&out, t, slice_make(copy, value.size), &f);
    free(copy);
    memmove(out.data, out.data + 3, out.size - 3);
    out.size -= 3;
    return step;
}

static void check_line(char *line)
{
    char *fields[4];
    for (int i = 0; i < 4; i++) {
        fields[i] = line;
        line += strcspn(line, "\t\n");
        *line++ = '\0';
    }
    const struct value_type *t = nested_type(fields[0]);
    CLEANUP(bytes_clear) struct bytes data = {0};
    append_hex(&data, fields[2]);
    (void)bytes_text(&data);
    if (call(t->ops->append_text, t, slice_of(fields[1])) != VALUE_DONE) {
        fail_msg("%s %s: %s", fields[0], fields[1], f.text);
    }
    assert_hex(fields[3], fields[1]);
    if (call(t->ops->append_binary, t, bytes_slice(&data)) != VALUE_DONE) {
        fail_msg("%s %s: %s", fields[0], fields[2], f.text);
    }
    assert_hex(fields[3], fields[2]);
    if (call(t->ops->write_text, t, bytes_slice(&data)) != VALUE_DONE) {
        fail_msg("%s %s: %s", fields[0], fields[2], f.text);
    }
    if (!slice_equal(bytes_slice(&out), slice_of(fields[1]))) {
        fail_msg("%s: %.*s, not %s", fields[0], (int)out.size, (char *)out.data, fields[1]);
    }
}

// Both forms of a value give the same bytes, and the binary form gives the text form.
static void check_forms(char *line)
{
    char *fields[3];
    for (int i = 0; i < 3; i++) {
        fields[i] = line;
        line += strcspn(line, "\t\n");
        *line++ = '\0';
    }
    const struct value_type *t = nested_type(fields[0]);
    CLEANUP(bytes_clear) struct bytes data = {0};
    CLEANUP(bytes_clear) struct bytes from_text = {0};
    append_hex(&data, fields[2]);
    (void)bytes_text(&data);
    enum value_step step = call(t->ops->append_text, t, slice_of(fields[1]));
    assert_true(step == VALUE_DONE || step == VALUE_NONE);
    bytes_append_slice(&from_text, bytes_slice(&out));
    assert_int_equal(call(t->ops->append_binary, t, bytes_slice(&data)), step);
    if (step == VALUE_DONE && !slice_equal(bytes_slice(&out), bytes_slice(&from_text))) {
        fail_msg("%s %s differs from %s", fields[0], fields[1], fields[2]);
    }
    assert_int_equal(call(t->ops->write_text, t, bytes_slice(&data)), VALUE_DONE);
    if (!slice_equal(bytes_slice(&out), slice_of(fields[1]))) {
        fail_msg("%s: %.*s, not %s", fields[0], (int)out.size, (char *)out.data, fields[1]);
    }
}

static int check_lines(const char *path, void (*check)(char *line))
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    static char line[65536];
    int count = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (line[0] != '#') {
            check(line);
            count++;
        }
    }
    (void)fclose(file);
    return count;
}

static void test_golden(void **state)
{
    (void)state;
    assert_true(check_lines(MILLRACE_GOLDEN_DIR "/values/nested.txt", check_line) > 50);
}

static void test_forms(void **state)
{
    (void)state;
    assert_true(check_lines(MILLRACE_GOLDEN_DIR "/values/nested_forms.txt", check_forms) > 60);
}

static void assert_text(const char *type, const char *hex, const char *want)
{
    const struct value_type *t = nested_type(type);
    CLEANUP(bytes_clear) struct bytes data = {0};
    append_hex(&data, hex);
    (void)bytes_text(&data);
    if (call(t->ops->write_text, t, bytes_slice(&data)) != VALUE_DONE) {
        fail_msg("%s %s: %s", type, hex, f.text);
    }
    if (!slice_equal(bytes_slice(&out), slice_of(want))) {
        fail_msg("%s: %.*s, not %s", type, (int)out.size, (char *)out.data, want);
    }
}

static void assert_steps(const char *type, const char *text, const char *hex, enum value_step want)
{
    const struct value_type *t = nested_type(type);
    CLEANUP(bytes_clear) struct bytes data = {0};
    append_hex(&data, hex);
    (void)bytes_text(&data);
    assert_int_equal(call(t->ops->append_text, t, slice_of(text)), want);
    assert_int_equal(call(t->ops->append_binary, t, bytes_slice(&data)), want);
}

static void test_quotes(void **state)
{
    (void)state;
    assert_text("comp",
                "00000003"
                "00000017ffffffff"
                "0000001900000000"
                "00000019000000022c22",
                "(,\"\",\",\"\"\")");
    assert_text("comp2",
                "00000002"
                "000000170000000400000001"
                "00000019000000045b5d7b7d",
                "(1,[]{})");
    assert_text("comp2",
                "00000002"
                "000000170000000400000001"
                "0000001900000003615c62",
                "(1,\"a\\\\b\")");
    assert_text("textrange",
                "02"
                "00000000"
                "000000015b",
                "[\"\",\"[\")");
    assert_text("textrange",
                "06"
                "00000003612062"
                "0000000161",
                "[\"a b\",a]");
    assert_text("textmultirange",
                "00000001"
                "0000000d"
                "02"
                "000000012c"
                "000000037b7d78",
                "{[\",\",{}x)}");
    assert_text("text[]",
                "00000001000000000000001900000003"
                "00000001"
                "000000046e756c6c"
                "0000000309610a"
                "0000000128",
                "{\"null\",\"\ta\n\",(}");
}

static void test_array_bounds(void **state)
{
    (void)state;
    const char *two = "00000002000000000000001700000001fffffffe"
                      "0000000200000000"
                      "0000000400000001"
                      "0000000400000002";
    assert_text("int[]", two, "[-2:-2][0:1]={{1,2}}");
    assert_text("int[]",
                "0000000100000000000000170000000200000002"
                "0000000400000005"
                "0000000400000006",
                "[2:3]={5,6}");
    assert_text("int[]",
                "00000003000000000000001700000002000000010000000100000001"
                "0000000200000001"
                "0000000400000001"
                "0000000400000002"
                "0000000400000003"
                "0000000400000004",
                "{{{1,2}},{{3,4}}}");
    assert_text("box[]",
                "00000001000000000000025b0000000200000001"
                "00000020"
                "400800000000000040100000000000003ff00000000000004000000000000000"
                "00000020"
                "402000000000000040100000000000003ff00000000000004000000000000000",
                "{(3,4),(1,2);(8,4),(1,2)}");
    assert_steps("int[]", "[2:3]={5,6}",
                 "0000000100000000000000170000000200000002"
                 "0000000400000005"
                 "0000000400000006",
                 VALUE_DONE);
    assert_hex("04020a020c00", "[2:3]={5,6}");
}

static void test_no_avro_value(void **state)
{
    (void)state;
    assert_steps("int[]", "{{1},{2}}",
                 "00000002000000000000001700000002000000010000000100000001"
                 "0000000400000001"
                 "0000000400000002",
                 VALUE_NONE);
    assert_steps("mood[]", "{sad,NULL}",
                 "0000000100000001000097700000000200000001"
                 "00000003736164"
                 "ffffffff",
                 VALUE_NONE);
    assert_steps("sparsevec", "{1:1}/40000",
                 "00009c40"
                 "00000001"
                 "00000000"
                 "00000000"
                 "3f800000",
                 VALUE_NONE);
}

static void test_new_label(void **state)
{
    (void)state;
    assert_steps("mood", "new", "6e6577", VALUE_STALE);
    assert_hex("066e6577", "new");
    assert_steps("mood", "sa", "7361", VALUE_STALE);
    assert_steps("mood[]", "{new,sad}",
                 "0000000100000000000097700000000200000001"
                 "000000036e6577"
                 "00000003736164",
                 VALUE_STALE);
    assert_hex("04066e65770673616400", "mood[]");
}

static void test_refuses(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"point", "(1,2", "3ff0000000000000"},
        {"point", "(1,x)", "3ff00000000000003ff00000000000003f"},
        {"path", "[(1,2),(3,4)",
         "0000000002"
         "3ff00000000000004000000000000000"},
        {"polygon", "((1,2)", "7fffffff"},
        {"circle", "<(1,2)>", ""},
        {"hstore", "\"a\"=>1",
         "00000001"
         "0000000161"},
        {"hstore", "\"a",
         "00000001"
         "ffffffff"
         "00000000"},
        {"hstore_map", "\"a\"=>\"1\",",
         "00000002"
         "0000000161"
         "ffffffff"},
        {"hstore_map", "a", "0000"},
        {"geometry", "0101", "0101"},
        {"geography", "01010000000000000000zz", "01"},
        {"vector", "[1,2", "0002000000000000"},
        {"vector", "1", "000100003f80000000"},
        {"halfvec", "[a]", "00010000"},
        {"sparsevec", "{1:1}",
         "00000005"
         "7fffffff"
         "00000000"},
        {"sparsevec", "{0:1}/5", "00000005"},
        {"int[]", "{1,",
         "0000000100000000000000170000000200000001"
         "0000000400000001"},
        {"int[]", "1",
         "0000000700000000"
         "00000017"},
        {"int[]", "{1,x}", "00000001000000000000001700000001000000010000000200000001"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s %s\n", cases[i][0], cases[i][1]);
        assert_steps(cases[i][0], cases[i][1], cases[i][2], VALUE_FAULT);
        assert_int_equal(f.kind, FAULT_REJECT);
    }
}

static void assert_binary_fault(const char *type, const char *hex)
{
    const struct value_type *t = nested_type(type);
    CLEANUP(bytes_clear) struct bytes data = {0};
    append_hex(&data, hex);
    (void)bytes_text(&data);
    assert_int_equal(call(t->ops->append_binary, t, bytes_slice(&data)), VALUE_FAULT);
}

static void test_refuses_binary_texts(void **state)
{
    (void)state;
    assert_binary_fault("int4range", "02"
                                     "0000000400000001");
    assert_binary_fault("int4range", "01"
                                     "00");
    assert_binary_fault("int4range", "");
    assert_binary_fault("int4multirange", "00000002"
                                          "0000000101");
    assert_binary_fault("comp2", "00000003");
    assert_binary_fault("comp2", "00000002"
                                 "00000017ffffffff");
    // A field of int8 (20) where the catalogue has int4; one of a user's type may be a domain over it.
    assert_binary_fault("comp2", "00000002"
                                 "000000140000000400000001"
                                 "00000019ffffffff");
    assert_text("comp2",
                "00000002"
                "000040000000000400000001"
                "00000019ffffffff",
                "(1,)");
    assert_binary_fault("tsvector", "00000001"
                                    "6100");
    assert_binary_fault("tsvector", "00000001"
                                    "61000001");
    assert_binary_fault("tsquery", "00000001"
                                   "0202");
    assert_binary_fault("tsquery", "00000003"
                                   "0202"
                                   "0100006100");
    assert_binary_fault("tsquery", "00000001"
                                   "0205");
    assert_binary_fault("ltree", "");
    assert_binary_fault("ltree", "0261");
}

static void test_tsquery(void **state)
{
    (void)state;
    assert_text("tsquery", "00000000", "");
    // !( 'a' | 'b' ) & 'c':*AB <2> 'd'
    assert_text("tsquery",
                "00000008"
                "0202"
                "02040002"
                "0100006400"
                "01"
                "0c"
                "01"
                "6300"
                "0201"
                "0203"
                "0100006200"
                "0100006100",
                "!( 'a' | 'b' ) & 'c':*AB <2> 'd'");
    assert_text("tsquery",
                "00000005"
                "02040001"
                "02040001"
                "0100006300"
                "0100006200"
                "0100006100",
                "'a' <-> ( 'b' <-> 'c' )");
    assert_text("tsquery",
                "00000001"
                "010000"
                "275c00",
                "'''\\\\'");
}

static void test_tsquery_is_bounded(void **state)
{
    (void)state;
    CLEANUP(bytes_clear) struct bytes data = {0};
    append_hex(&data, "000fffff");
    for (int i = 0; i < 100000; i++) {
        append_hex(&data, "0201");
    }
    const struct value_type *t = nested_type("tsquery");
    assert_int_equal(call(t->ops->append_binary, t, bytes_slice(&data)), VALUE_FAULT);
}

static void assert_schema(const char *type, const char *want, struct schema_names *names)
{
    const struct value_type *t = nested_type(type);
    bytes_reset(&out);
    t->ops->append_schema(&out, t, (struct slice){NULL, 0}, names);
    assert_string_equal(bytes_text(&out), want);
}

#define GEOMETRY                                                                                             \
    "{\"type\":\"record\",\"name\":\"Geometry\",\"namespace\":\"io.debezium.data.geometry\",\"fields\":[{"   \
    "\"name\":\"wkb\","                                                                                      \
    "\"type\":\"bytes\"},{\"name\":\"srid\",\"type\":[\"null\",\"int\"],\"default\":null},{\"name\":"        \
    "\"extensions\","                                                                                        \
    "\"type\":[\"null\",{\"type\":\"map\",\"values\":\"string\"}],\"default\":null}],\"connect.doc\":"       \
    "\"Geometry\","                                                                                          \
    "\"connect.version\":2,\"connect.name\":\"io.debezium.data.geometry.Geometry\"}"

#define CIRCLE                                                                                               \
    "{\"type\":\"record\",\"name\":\"Circle\",\"namespace\":\"io.debezium.data.geometry\",\"fields\":[{"     \
    "\"name\":\"center\","                                                                                   \
    "\"type\":{\"type\":\"record\",\"name\":\"Point\",\"fields\":[{\"name\":\"x\",\"type\":\"double\"},{"    \
    "\"name\":\"y\","                                                                                        \
    "\"type\":\"double\"},{\"name\":\"wkb\",\"type\":[\"null\",\"bytes\"],\"default\":null},{\"name\":"      \
    "\"srid\","                                                                                              \
    "\"type\":[\"null\",\"int\"],\"default\":null}],\"connect.doc\":\"Geometry "                             \
    "(POINT)\",\"connect.version\":1,"                                                                       \
    "\"connect.name\":\"io.debezium.data.geometry.Point\"}},{\"name\":\"radius\",\"type\":\"double\"}],"     \
    "\"connect.doc\":\"Geometry "                                                                            \
    "(CIRCLE)\",\"connect.version\":1,\"connect.name\":\"io.debezium.data.geometry.Circle\"}"

static void test_schemas(void **state)
{
    (void)state;
    struct schema_names names = {0};
    assert_schema(
        "mood",
        "{\"type\":\"string\",\"connect.version\":1,\"connect.parameters\":{\"allowed\":"
        "\"sad,ok,happy, very,q\\\"uote,\xc3\xbcn\xc3\xaf\"},\"connect.name\":\"io.debezium.data.Enum\"}",
        &names);
    assert_schema(
        "mood[]",
        "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"connect.version\":1,\"connect.parameters\":"
        "{\"allowed\":\"sad,ok,happy, very,q\\\"uote,\xc3\xbcn\xc3\xaf\"},"
        "\"connect.name\":\"io.debezium.data.Enum\"}}",
        &names);
    assert_schema("hstore",
                  "{\"type\":\"string\",\"connect.version\":1,\"connect.name\":\"io.debezium.data.Json\"}",
                  &names);
    assert_schema("hstore_map", "{\"type\":\"map\",\"values\":[\"null\",\"string\"]}", &names);
    assert_schema("box", GEOMETRY, &names);
    assert_schema("geometry", "\"io.debezium.data.geometry.Geometry\"", &names);
    assert_schema("path[]",
                  "{\"type\":\"array\",\"items\":[\"null\",\"io.debezium.data.geometry.Geometry\"]}", &names);
    assert_schema("circle", CIRCLE, &names);
    assert_schema("point", "\"io.debezium.data.geometry.Point\"", &names);
    assert_schema("int2vector", "{\"type\":\"array\",\"items\":\"int\"}", &names);
    assert_schema("comp", "\"string\"", &names);
    schema_names_clear(&names);
    assert_schema(
        "point",
        "{\"type\":\"record\",\"name\":\"Point\",\"namespace\":\"io.debezium.data.geometry\",\"fields\":["
        "{\"name\":\"x\",\"type\":\"double\"},{\"name\":\"y\",\"type\":\"double\"},{\"name\":\"wkb\","
        "\"type\":[\"null\",\"bytes\"],"
        "\"default\":null},{\"name\":\"srid\",\"type\":[\"null\",\"int\"],\"default\":null}],"
        "\"connect.doc\":\"Geometry (POINT)\",\"connect.version\":1,"
        "\"connect.name\":\"io.debezium.data.geometry.Point\"}",
        &names);
    schema_names_clear(&names);
}

static void assert_zero(const char *type, const char *want)
{
    const struct value_type *t = nested_type(type);
    bytes_reset(&out);
    t->ops->append_zero(&out, t);
    assert_hex(want, type);
}

static void test_zeros_and_placeholders(void **state)
{
    (void)state;
    assert_zero("hstore", "047b7d");
    assert_zero("hstore_map", "00");
    assert_zero("mood", "00");
    assert_zero("vector", "00");
    assert_zero("sparsevec", "0000");
    assert_zero("geography", "12010700000000000000"
                             "00");
    assert_zero("geometry", "12010700000000000000"
                            "0000");
    assert_zero("path", "520102000000020000000000000000000000000000000000000000000000000"
                        "0f03f0000000000000000"
                        "0002020874797065087061746800");
    assert_null(nested_type("mood")->ops->append_placeholder);
    assert_null(nested_type("polygon")->ops->append_placeholder);
    const struct value_type *t = nested_type("hstore");
    bytes_reset(&out);
    t->ops->append_placeholder(&out, t);
    assert_memory_equal(out.data + 1, "{\"__debezium_unavailable_value\":\"__debezium_unavailable_value\"}",
                        63);
}

static void test_enum_default(void **state)
{
    (void)state;
    const struct value_type *t = nested_type("mood");
    bytes_reset(&out);
    assert_int_equal(t->ops->append_default(&out, t, slice_of("happy, very"), &f), VALUE_DONE);
    assert_string_equal(bytes_text(&out), "\"happy, very\"");
}

// What a function gets: the value in Avro with the type's own schema, as event JSON.
static void assert_event(const char *type, const char *text, const char *want)
{
    const struct value_type *t = nested_type(type);
    struct schema_names names = {0};
    CLEANUP(bytes_clear) struct bytes schema = {0};
    CLEANUP(bytes_clear) struct bytes json = {0};
    t->ops->append_schema(&schema, t, (struct slice){NULL, 0}, &names);
    schema_names_clear(&names);
    struct avro_type *avro;
    if (!avro_type_parse(bytes_slice(&schema), &avro, &f)) {
        fail_msg("%s: %s", type, f.text);
    }
    bytes_reset(&out);
    assert_int_equal(t->ops->append_text(&out, t, slice_of(text), &f), VALUE_DONE);
    if (!json_encode_datum(avro, bytes_slice(&out), NULL, &json, &f)) {
        fail_msg("%s: %s", type, f.text);
    }
    assert_string_equal(bytes_text(&json), want);
    avro_type_free(avro);
}

static void test_events(void **state)
{
    (void)state;
    assert_event("point", "(1.5,-2)",
                 "{\"x\":1.5,\"y\":-2,\"wkb\":\"AQEAAAAAAAAAAAD4PwAAAAAAAADA\",\"srid\":null}");
    assert_event("line", "{1,2,3}", "{\"a\":1,\"b\":2,\"c\":3}");
    assert_event("path", "[(0,0),(1,0)]",
                 "{\"wkb\":\"AQIAAAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAPA/AAAAAAAAAAA=\",\"srid\":null,"
                 "\"extensions\":{\"closed\":\"false\",\"type\":\"path\"}}");
    assert_event(
        "circle", "<(0,0),3>",
        "{\"center\":{\"x\":0,\"y\":0,\"wkb\":\"AQEAAAAAAAAAAAAAAAAAAAAAAAAA\",\"srid\":null},\"radius\":3}");
    assert_event("geometry", "0101000020E6100000000000000000F03F0000000000000040",
                 "{\"wkb\":\"AQEAACDmEAAAAAAAAAAA8D8AAAAAAAAAQA==\",\"srid\":4326,\"extensions\":null}");
    assert_event("hstore", "\"b\"=>\"2\", \"a\"=>NULL", "{\"a\":null,\"b\":\"2\"}");
    assert_event("hstore_map", "\"a\"=>NULL, \"b\"=>\"2\"", "{\"a\":null,\"b\":\"2\"}");
    assert_event("mood", "happy, very", "\"happy, very\"");
    assert_event("mood[]", "{sad,ok}", "[\"sad\",\"ok\"]");
    assert_event("int[]", "{1,NULL}", "[1,null]");
    assert_event("comp", "(1,x,)", "\"(1,x,)\"");
    assert_event("vector", "[0.1,2]", "[0.1,2]");
    assert_event("sparsevec", "{1:0.1}/3", "{\"dimensions\":3,\"vector\":[{\"key\":1,\"value\":0.1}]}");
}

// What `types: native` has instead of null: the array's nullable items, and 32 bits for a sparse vector.
static void test_exact(void **state)
{
    (void)state;
    assert_steps("mood_exact", "{sad,NULL}",
                 "0000000100000001000097700000000200000001"
                 "00000003736164"
                 "ffffffff",
                 VALUE_DONE);
    assert_hex("04"
               "0206736164"
               "00"
               "00",
               "mood_exact");
    assert_steps("mood_exact", "[0:0]={sad}",
                 "0000000100000000000097700000000100000000"
                 "00000003736164",
                 VALUE_NONE);
    assert_steps("mood_exact", "{{sad}}",
                 "00000002000000000000977000000001000000010000000100000001"
                 "00000003736164",
                 VALUE_NONE);
    assert_steps("sparse_native", "{1:1,40000:2}/40000",
                 "00009c40"
                 "00000002"
                 "00000000"
                 "00000000"
                 "00009c3f"
                 "3f800000"
                 "40000000",
                 VALUE_DONE);
    assert_steps("sparse_native", "{1:1}/2147483648", "", VALUE_FAULT);
    assert_event("sparse_native", "{1:0.1}/40000",
                 "{\"dimensions\":40000,\"vector\":[{\"key\":1,\"value\":0.1}]}");
}

// 1, NULL and a text with marks; both forms give the same record.
static void test_composite_records(void **state)
{
    (void)state;
    const char *binary = "00000003"
                         "000000170000000400000001"
                         "00000019ffffffff"
                         "000000190000000522285c2c29";
    assert_steps("shop.record", "(1,,\"\"\"(\\\\,)\")", binary, VALUE_DONE);
    assert_hex("0202"
               "00"
               "020a22285c2c29",
               "record");
    assert_text("shop.record", binary, "(1,,\"\"\"(\\\\,)\")");
    assert_event("shop.record", "(1,\"\",x)", "{\"n\":1,\"a_b_2\":\"\",\"a_b\":\"x\"}");
    assert_steps("shop.record", "(1,)", "00000002", VALUE_FAULT);
    assert_steps("shop.record", "(1,,,)", "00000003000000170000000400000001", VALUE_FAULT);
    assert_steps("shop.record", "1,,", "", VALUE_FAULT);
    assert_zero("shop.record", "000000");
    struct schema_names names = {0};
    assert_schema("shop.record",
                  "{\"type\":\"record\",\"name\":\"record\",\"namespace\":\"shop\",\"fields\":["
                  "{\"name\":\"n\",\"type\":[\"null\",\"int\"],\"default\":null},"
                  "{\"name\":\"a_b_2\",\"type\":[\"null\",\"string\"],\"default\":null},"
                  "{\"name\":\"a_b\",\"type\":[\"null\",\"string\"],\"default\":null}]}",
                  &names);
    assert_schema("shop.record[]", "{\"type\":\"array\",\"items\":[\"null\",\"shop.record\"]}", &names);
    schema_names_clear(&names);
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
        cmocka_unit_test(test_golden),        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_quotes),        cmocka_unit_test(test_array_bounds),
        cmocka_unit_test(test_no_avro_value), cmocka_unit_test(test_new_label),
        cmocka_unit_test(test_refuses),       cmocka_unit_test(test_refuses_binary_texts),
        cmocka_unit_test(test_tsquery),       cmocka_unit_test(test_tsquery_is_bounded),
        cmocka_unit_test(test_schemas),       cmocka_unit_test(test_zeros_and_placeholders),
        cmocka_unit_test(test_enum_default),  cmocka_unit_test(test_events),
        cmocka_unit_test(test_exact),         cmocka_unit_test(test_composite_records),
    };
    return cmocka_run_group_tests(tests, NULL, clear);
}
