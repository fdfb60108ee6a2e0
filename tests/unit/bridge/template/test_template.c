// bridge/template: what is a reference, where a mistake is, and that an encoded value can't leave its place.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/template/template.h"
#include "core/base/memory.h"

/** The parts as text: literals, and references as <ENCODING:ROOT.NAME.NAME:DEFAULT>. */
static char *shown(const char *text, enum template_kind kind)
{
    static const char *const ENCODINGS[] = {
        [TEMPLATE_AS_JSON] = "json",   [TEMPLATE_IN_STRING] = "string", [TEMPLATE_IN_PATH] = "path",
        [TEMPLATE_IN_QUERY] = "query", [TEMPLATE_IN_HEADER] = "header", [TEMPLATE_AS_TEXT] = "text"};
    struct template_refs refs = {0};
    struct template *t = NULL;
    struct template_place place;
    struct fault f;
    struct bytes out = {0};
    if (!template_compile(slice_of(text), kind, &refs, &t, &place, &f)) {
        bytes_format(&out, "%u:%u: %s", place.line, place.column, f.text);
    }
    for (size_t i = 0; t != NULL && i < t->count; i++) {
        const struct template_part *part = &t->parts[i];
        bytes_append(&out, part->literal, part->literal_size);
        if (part->has_ref) {
            const struct template_ref *ref = &refs.items[part->ref];
            bytes_format(&out, "<%s:%d", ENCODINGS[part->encoding], (int)ref->root);
            for (size_t k = 0; k < ref->depth; k++) {
                bytes_format(&out, ".%.*s", (int)ref->names[k].size, (const char *)ref->names[k].data);
            }
            bytes_format(&out, "%s%s>", part->otherwise == NULL ? "" : ":",
                         part->otherwise == NULL ? "" : part->otherwise);
        }
    }
    template_free(t);
    template_refs_clear(&refs);
    char *ret = slice_to_string(bytes_slice(&out));
    bytes_clear(&out);
    return ret;
}

struct row {
    const char *text;
    enum template_kind kind;
    const char *expected;
};

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(memory_free_pointer) char *got = shown(rows[i].text, rows[i].kind);
        if (strcmp(got, rows[i].expected) != 0) {
            fail_msg("%s\n  expected %s\n  was      %s", rows[i].text, rows[i].expected, got);
        }
    }
}

static void a_text_is_literals_and_references(void **state)
{
    (void)state;
    static const struct row ROWS[] = {
        {"", TEMPLATE_OF_TEXT, ""},
        {"$5 and $$5 { }", TEMPLATE_OF_TEXT, "$5 and $$5 { }"},
        {"a ${op} b", TEMPLATE_OF_TEXT, "a <text:6> b"},
        {"$${op} $$${op}", TEMPLATE_OF_TEXT, "${op} $${op}"},
        {"${key.id}${after.a.b}", TEMPLATE_OF_TEXT, "<text:0.id><text:2.a.b>"},
        {"${after.\"a.b}\".c}", TEMPLATE_OF_TEXT, "<text:2.a.b}.c>"},
        {"${after.Größe 1}", TEMPLATE_OF_TEXT, "<text:2.Größe 1>"},
        {"${headers.millrace.position}", TEMPLATE_OF_TEXT, "<text:5.millrace.position>"},
        {"${after.a:b}", TEMPLATE_OF_TEXT, "<text:2.a:b>"},
        {"${after.a:-}${after.a:-x y:-z}", TEMPLATE_OF_TEXT, "<text:2.a:><text:2.a:x y:-z>"},
        {"${after.a:-{\"b\":{}}}", TEMPLATE_OF_JSON, "<json:2.a:{\"b\":{}}>"},
        {"/a/${id}/b?c=${id:-d e}", TEMPLATE_OF_TARGET, "/a/<path:8>/b?c=<query:8:d%20e>"},
        {"?c=${id}", TEMPLATE_OF_TARGET, "?c=<query:8>"},
        {"/a/${id:-../x}", TEMPLATE_OF_TARGET, "/a/<path:8:..%2Fx>"},
        {"a ${id:-ü}", TEMPLATE_OF_HEADER, "a <header:8:%C3%BC>"},
        {"a=${id}&b=${id:-&}", TEMPLATE_OF_FORM, "a=<query:8>&b=<query:8:%26>"},
    };
    check(ROWS, sizeof(ROWS) / sizeof(ROWS[0]));
}

static void json_templates_know_where_a_reference_stands(void **state)
{
    (void)state;
    static const struct row ROWS[] = {
        {"{\"a\": ${id}, \"b\": \"x ${id} y\"}", TEMPLATE_OF_JSON,
         "{\"a\": <json:8>, \"b\": \"x <string:8> y\"}"},
        {"[\"\\\"${id}\", ${id}]", TEMPLATE_OF_JSON, "[\"\\\"<string:8>\", <json:8>]"},
        {"[\"\\\\\", ${id}]", TEMPLATE_OF_JSON, "[\"\\\\\", <json:8>]"},
        {"{\"${op}\": 1}", TEMPLATE_OF_JSON, "{\"<string:6>\": 1}"},
        {"[${id:-none}, ${id:-0}, ${id:-\"0\"}, \"${id:-\"}\"]", TEMPLATE_OF_JSON,
         "[<json:8:\"none\">, <json:8:0>, <json:8:\"0\">, \"<string:8:\\\">\"]"},
        {"\"$${id}\"", TEMPLATE_OF_JSON, "\"${id}\""},
        {"${after}", TEMPLATE_OF_JSON, "<json:2>"},
    };
    check(ROWS, sizeof(ROWS) / sizeof(ROWS[0]));
}

static void a_mistake_is_refused_where_it_stands(void **state)
{
    (void)state;
    static const struct row ROWS[] = {
        {"ü${after", TEMPLATE_OF_TEXT,
         "1:2: the reference has no closing brace; write $${ for a ${ of the text"},
        {"a\nbc${\n}", TEMPLATE_OF_TEXT,
         "2:5: an event has no \"\"; a reference begins with key, before, after, row, source, headers, op, "
         "operation, id, topic, partition, offset or time"},
        {"${aftr.id}", TEMPLATE_OF_TEXT, "1:3: an event has no \"aftr\"; did you mean \"after\"?"},
        {"${after.}", TEMPLATE_OF_TEXT, "1:9: a name is missing"},
        {"${after..b}", TEMPLATE_OF_TEXT, "1:9: a name is missing"},
        {"${after.\"b}", TEMPLATE_OF_TEXT, "1:9: the name has no closing quote"},
        {"${after.\"b\"c}", TEMPLATE_OF_TEXT,
         "1:12: a reference is ${PART}, ${PART.NAME} or ${PART.NAME:-DEFAULT}"},
        {"${op.x}", TEMPLATE_OF_TEXT, "1:5: it has no members"},
        {"${headers}", TEMPLATE_OF_TEXT, "1:10: name a header: ${headers.NAME}"},
        {"${id:-${op}}", TEMPLATE_OF_TEXT, "1:7: a default is a text without references"},
        {"${id:-a", TEMPLATE_OF_TEXT,
         "1:1: the reference has no closing brace; write $${ for a ${ of the text"},
        {"${after.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q}", TEMPLATE_OF_TEXT,
         "1:40: a reference has 16 names at most"},
    };
    check(ROWS, sizeof(ROWS) / sizeof(ROWS[0]));
    static const char *const NO_JSON[] = {"{\"a\": ${id}", "{a: ${id}}", "${id} ${id}", "\"\\${id}\"",
                                          "$${id}",        "{${id}: 1}", "[1,]",        ""};
    for (size_t i = 0; i < sizeof(NO_JSON) / sizeof(NO_JSON[0]); i++) {
        CLEANUP(memory_free_pointer) char *got = shown(NO_JSON[i], TEMPLATE_OF_JSON);
        assert_non_null(strstr(got, ": it makes no JSON: "));
    }
    CLEANUP(memory_free_pointer) char *got = shown("{\"a\": ${id},\n \"b\" ${id:-ü}}", TEMPLATE_OF_JSON);
    assert_memory_equal(got, "2:6: ", 5);
}

static void encodings_can_not_be_left(void **state)
{
    (void)state;
    static const struct {
        enum template_encoding encoding;
        const char *text;
        size_t size;
        const char *expected;
    } ROWS[] = {
        {TEMPLATE_IN_PATH, "a/../b?c#d%2f;e&f=g+h", 21, "a%2F..%2Fb%3Fc%23d%252f%3Be%26f%3Dg%2Bh"},
        {TEMPLATE_IN_PATH, "\0\r\n \\", 5, "%00%0D%0A%20%5C"},
        {TEMPLATE_IN_QUERY, "a&b=c#\xf0\x9f\x98\x80+", 11, "a%26b%3Dc%23%F0%9F%98%80%2B"},
        {TEMPLATE_IN_HEADER, "a\r\nx-b: c\0\x7f", 11, "a%0D%0Ax-b: c%00%7F"},
        {TEMPLATE_IN_HEADER, "Zo\xc3\xab 50%", 8, "Zo%C3%AB 50%25"},
        {TEMPLATE_IN_STRING, "\"\\\r\n\0\xff", 6, "\\\"\\\\\\r\\n\\u0000\xef\xbf\xbd"},
        {TEMPLATE_AS_TEXT, "\"<&\n", 4, "\"<&\n"},
    };
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        CLEANUP(bytes_clear) struct bytes out = {0};
        template_encode(&out, ROWS[i].encoding, slice_make(ROWS[i].text, ROWS[i].size));
        assert_string_equal(bytes_text(&out), ROWS[i].expected);
    }
}

static void a_skeleton_has_a_text_in_place_of_each_reference(void **state)
{
    (void)state;
    CLEANUP(bytes_clear) struct bytes out = {0};
    template_skeleton("https://a/${id}/$${x?b=${after.a b:-c d}&${bad", &out);
    assert_string_equal(bytes_text(&out), "https://a/x/xx?b=x&${bad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_literals_and_references),
        cmocka_unit_test(json_templates_know_where_a_reference_stands),
        cmocka_unit_test(a_mistake_is_refused_where_it_stands),
        cmocka_unit_test(encodings_can_not_be_left),
        cmocka_unit_test(a_skeleton_has_a_text_in_place_of_each_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
