// What Confluent's registry answers to its clients, request by request, on the embedded registry's index.
// Source: confluentinc/schema-registry, rest/resources, rest/exceptions/Errors.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "tests/unit/schemas/registry/memory_registry.h"

struct row {
    const char *method;
    const char *target;
    const char *body;
    int status;
    const char *answer;  // its begin; with '=' at the end the whole of it
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        struct bytes out = {0};
        struct slice body = row->body != NULL ? slice_of(row->body) : (struct slice){NULL, 0};
        int status = memory_registry_call(row->method, row->target, body, &out);
        size_t size = strlen(row->answer);
        bool is_whole = size > 0 && row->answer[size - 1] == '=';
        size -= is_whole ? 1 : 0;
        if (status != row->status || out.size < size || (is_whole && out.size != size) ||
            strncmp(bytes_text(&out), row->answer, size) != 0) {
            fail_msg("row %zu: %s %s %s: %d %s, expected %d %s", i, row->method, row->target,
                     row->body != NULL ? row->body : "", status, bytes_text(&out), row->status, row->answer);
        }
        bytes_clear(&out);
    }
}

static int clear(void **state)
{
    (void)state;
    memory_registry_clear();
    return 0;
}

static const struct row REGISTERING_AND_READING[] = {
    {"POST", "/subjects/s/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"a\\\",\\\"type\\\":\\\"int\\\"}]}\"}",
     200, "{\"id\":"},
    {"POST", "/subjects/s/versions",
     "{\"schema\":\" {\\\"name\\\":\\\"R\\\", "
     "\\\"type\\\":\\\"record\\\",\\\"fields\\\":[{\\\"type\\\":{\\\"type\\\":\\\"int\\\"},\\\"name\\\":"
     "\\\"a\\\"}]}\"}",
     200, "{\"id\":"},
    {"GET", "/subjects", NULL, 200, "[\"s\"]="},
    {"GET", "/subjects/s/versions", NULL, 200, "[1]="},
    {"POST", "/subjects/s/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"a\\\",\\\"type\\\":\\\"long\\\"},{\\\"name\\\":\\\"b\\\",\\\"type\\\":\\\"string\\\","
     "\\\"default\\\":\\\"\\\"}]}\"}",
     200, "{\"id\":"},
    {"POST", "/subjects/t/versions", "{\"schema\":\"\\\"int\\\"\",\"id\":5,\"version\":1}", 422,
     "{\"error_code\":42205,\"message\":\"Subject t in context  is not in import mode\"}="},
    {"POST", "/subjects/s/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"a\\\",\\\"type\\\":\\\"long\\\"},{\\\"name\\\":\\\"c\\\",\\\"type\\\":\\\"string\\\"}]}\","
     "\"version\":9}",
     422, "{\"error_code\":42201,\"message\":\"Version is not one more than previous version\"}="},
    {"POST", "/subjects/s/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"a\\\",\\\"type\\\":\\\"long\\\"},{\\\"name\\\":\\\"c\\\",\\\"type\\\":\\\"string\\\"}]}\","
     "\"version\":3}",
     200, "{\"id\":"},
    {"GET", "/subjects/s/versions?offset=1&limit=1", NULL, 200, "[2]="},
    {"GET", "/subjects/s/versions/9", NULL, 404,
     "{\"error_code\":40402,\"message\":\"Version 9 not found.\"}="},
    {"GET", "/subjects/s/versions/0", NULL, 422,
     "{\"error_code\":42202,\"message\":\"The specified version '0' is not a valid version id. Allowed "
     "values are between [1, 2^31-1] and the string \\\"latest\\\"\"}="},
    {"GET", "/subjects/x/versions/1", NULL, 404,
     "{\"error_code\":40401,\"message\":\"Subject 'x' not found.\"}="},
    {"GET", "/subjects/x/versions", NULL, 404,
     "{\"error_code\":40401,\"message\":\"Subject 'x' not found.\"}="},
    {"GET", "/schemas/ids/99", NULL, 404, "{\"error_code\":40403,\"message\":\"Schema 99 not found\"}="},
    {"GET", "/subjects/s/versions/1/schema", NULL, 200,
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}="},
    {"POST", "/subjects/s",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"a\\\",\\\"type\\\":\\\"long\\\"},{\\\"name\\\":\\\"b\\\",\\\"type\\\":\\\"string\\\","
     "\\\"default\\\":\\\"\\\"}]}\"}",
     200, "{\"subject\":\"s\",\"version\":2,\"id\":"},
    {"POST", "/subjects/s", "{\"schema\":\"\\\"int\\\"\"}", 404,
     "{\"error_code\":40403,\"message\":\"Schema not found\"}="},
    {"POST", "/subjects/x", "{\"schema\":\"\\\"int\\\"\"}", 404,
     "{\"error_code\":40401,\"message\":\"Subject 'x' not found.\"}="},
    {"POST", "/subjects/s", "{\"schema\":\"{\"}", 422,
     "{\"error_code\":42201,\"message\":\"Invalid schema of type AVRO, details: "},
    {"POST", "/subjects/s/versions", "{\"schema\":\" \"}", 422,
     "{\"error_code\":42201,\"message\":\"Empty schema\"}="},
    {"POST", "/subjects/s/versions", "{\"schema\":\"{}\",\"schemaType\":\"JSON\"}", 422,
     "{\"error_code\":42201,\"message\":\"Invalid schema type JSON: only AVRO\"}="},
    {"POST", "/subjects/s/versions", "[]", 400, "{\"error_code\":400,"},
    {"POST", "/subjects/s/versions", "", 400, "{\"error_code\":400,"},
    {"POST", "/subjects/__GLOBAL/versions", "{\"schema\":\"\\\"int\\\"\"}", 422,
     "{\"error_code\":42208,\"message\":\"The specified subject '__GLOBAL' is not a valid.\"}="},
    {"PATCH", "/subjects", NULL, 405, "{\"error_code\":405,\"message\":\"HTTP 405 Method Not Allowed\"}="},
    {"GET", "/nothing", NULL, 404, "{\"error_code\":404,\"message\":\"HTTP 404 Not Found\"}="},
    {"GET", "/schemas/types", NULL, 200, "[\"AVRO\"]="},
    {"GET", "/schemas?latestOnly=true", NULL, 200, "[{\"subject\":\"s\",\"version\":3,\"id\":"},
    {"GET", "/subjects/s/metadata", NULL, 200, "{\"subject\":\"s\",\"version\":3,\"id\":"},
};

static void registering_and_reading(void **state)
{
    (void)state;
    check_rows(REGISTERING_AND_READING, COUNT_OF(REGISTERING_AND_READING));
}

static const struct row COMPATIBILITY[] = {
    {"GET", "/config", NULL, 200, "{\"compatibilityLevel\":\"NONE\"}="},
    {"GET", "/config/", NULL, 200, "{\"compatibilityLevel\":\"NONE\"}="},
    {"PUT", "/config/", "{\"compatibility\":\"NONE\"}", 200, "{\"compatibility\":\"NONE\"}="},
    {"DELETE", "/config/", NULL, 200, "{\"compatibilityLevel\":\"NONE\"}="},
    {"GET", "/config/s", NULL, 404,
     "{\"error_code\":40408,\"message\":\"Subject 's' does not have subject-level compatibility "
     "configured\"}="},
    {"GET", "/config/s?defaultToGlobal=true", NULL, 200, "{\"compatibilityLevel\":\"NONE\"}="},
    {"PUT", "/config", "{\"compatibility\":\"backward\"}", 200, "{\"compatibility\":\"backward\"}="},
    {"PUT", "/config", "{\"compatibility\":\"NEARLY\"}", 422, "{\"error_code\":42203,"},
    {"PUT", "/config", "{\"alias\":\"t\"}", 422, "{\"error_code\":42205,"},
    {"POST", "/subjects/s/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"a\\\",\\\"type\\\":\\\"int\\\"}]}\"}",
     200, "{\"id\":"},
    {"POST", "/compatibility/subjects/s/versions/latest",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"a\\\",\\\"type\\\":\\\"long\\\"},{\\\"name\\\":\\\"b\\\",\\\"type\\\":\\\"string\\\","
     "\\\"default\\\":\\\"\\\"}]}\"}",
     200, "{\"is_compatible\":true}="},
    {"POST", "/compatibility/subjects/s/versions/latest",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"a\\\",\\\"type\\\":\\\"long\\\"},{\\\"name\\\":\\\"c\\\",\\\"type\\\":\\\"string\\\"}]}\"}",
     200, "{\"is_compatible\":false}="},
    {"POST", "/compatibility/subjects/s/versions?verbose=true",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"a\\\",\\\"type\\\":\\\"long\\\"},{\\\"name\\\":\\\"c\\\",\\\"type\\\":\\\"string\\\"}]}\"}",
     200,
     "{\"is_compatible\":false,\"messages\":[\"{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', "
     "description:'The field 'c' at path '/fields/1' in the new schema has no default value and is "
     "missing in the old schema', additionalInfo:'c'}\",\"{oldSchemaVersion: 1}\""},
    {"POST", "/compatibility/subjects/s/versions/7",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"a\\\",\\\"type\\\":\\\"long\\\"},{\\\"name\\\":\\\"b\\\",\\\"type\\\":\\\"string\\\","
     "\\\"default\\\":\\\"\\\"}]}\"}",
     404, "{\"error_code\":40402,\"message\":\"Version 7 not found.\"}="},
    {"POST", "/compatibility/subjects/new/versions/latest",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"a\\\",\\\"type\\\":\\\"long\\\"},{\\\"name\\\":\\\"b\\\",\\\"type\\\":\\\"string\\\","
     "\\\"default\\\":\\\"\\\"}]}\"}",
     200, "{\"is_compatible\":true}="},
    {"POST", "/compatibility/subjects/new/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"a\\\",\\\"type\\\":\\\"long\\\"},{\\\"name\\\":\\\"b\\\",\\\"type\\\":\\\"string\\\","
     "\\\"default\\\":\\\"\\\"}]}\"}",
     200, "{\"is_compatible\":true}="},
    {"POST", "/compatibility/subjects/s/versions", "{\"schema\":\"{\"}", 422, "{\"error_code\":42201,"},
    {"POST", "/compatibility/subjects/s/versions?verbose=true", "{\"schema\":\"{\"}", 200,
     "{\"is_compatible\":false,\"messages\":[\"Invalid schema of type AVRO"},
    {"POST", "/subjects/s/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"a\\\",\\\"type\\\":\\\"long\\\"},{\\\"name\\\":\\\"c\\\",\\\"type\\\":\\\"string\\\"}]}\"}",
     409,
     "{\"error_code\":409,\"message\":\"Schema being registered is incompatible with an earlier schema "
     "for subject \\\"s\\\", details: [{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE'"},
    {"POST", "/subjects/s/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"a\\\",\\\"type\\\":\\\"long\\\"},{\\\"name\\\":\\\"b\\\",\\\"type\\\":\\\"string\\\","
     "\\\"default\\\":\\\"\\\"}]}\"}",
     200, "{\"id\":"},
    {"PUT", "/config/s", "{\"compatibility\":\"FORWARD\"}", 200, "{\"compatibility\":\"FORWARD\"}="},
    {"POST", "/subjects/s/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[]}\"}", 409,
     "{\"error_code\":409,"},
    {"POST", "/subjects/s/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"a\\\",\\\"type\\\":\\\"long\\\"},{\\\"name\\\":\\\"c\\\",\\\"type\\\":\\\"string\\\"}]}\"}",
     200, "{\"id\":"},
    {"PUT", "/config/s", "{\"compatibility\":\"BACKWARD_TRANSITIVE\"}", 200, "{\"compatibility\""},
    {"POST", "/subjects/s/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"a\\\",\\\"type\\\":\\\"long\\\"}]}\"}",
     200, "{\"id\":"},
    {"PUT", "/config/s", "{\"compatibility\":\"FULL_TRANSITIVE\"}", 200, "{\"compatibility\""},
    {"POST", "/subjects/s/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"a\\\",\\\"type\\\":\\\"int\\\"}]}\"}",
     200, "{\"id\":"},
    {"POST", "/subjects/s/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"a\\\",\\\"type\\\":\\\"double\\\"}]}\"}",
     409, "{\"error_code\":409,"},
    {"POST", "/subjects/s/versions?force=true",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"a\\\",\\\"type\\\":\\\"double\\\"}]}\"}",
     200, "{\"id\":"},
    {"DELETE", "/config/s", NULL, 200, "{\"compatibilityLevel\":\"FULL_TRANSITIVE\"}="},
    {"DELETE", "/config/s", NULL, 404, "{\"error_code\":40401,\"message\":\"Subject 's' not found.\"}="},
    {"DELETE", "/config", NULL, 200, "{\"compatibilityLevel\":\"BACKWARD\"}="},
    {"GET", "/config", NULL, 200, "{\"compatibilityLevel\":\"NONE\"}="},
};

static void compatibility(void **state)
{
    (void)state;
    check_rows(COMPATIBILITY, COUNT_OF(COMPATIBILITY));
}

#define GROUPED(type, line)                                                                                  \
    "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"       \
    "\\\"a\\\",\\\"type\\\":\\\"" type "\\\"}]}\",\"metadata\":{\"properties\":{\"line\":\"" line "\"}}}"

// Only versions with the same value of the property are compared.
static const struct row COMPATIBILITY_GROUP[] = {
    {"PUT", "/config/s", "{\"compatibility\":\"BACKWARD\",\"compatibilityGroup\":\"line\"}", 200,
     "{\"compatibility\":\"BACKWARD\",\"compatibilityGroup\":\"line\"}="},
    {"GET", "/config/s", NULL, 200, "{\"compatibilityGroup\":\"line\",\"compatibilityLevel\":\"BACKWARD\"}="},
    {"POST", "/subjects/s/versions", GROUPED("int", "1"), 200, "{\"id\":"},
    {"POST", "/subjects/s/versions", GROUPED("string", "1"), 409, "{\"error_code\":409,"},
    {"POST", "/compatibility/subjects/s/versions/latest", GROUPED("string", "1"), 200,
     "{\"is_compatible\":false}="},
    {"POST", "/compatibility/subjects/s/versions/latest", GROUPED("string", "2"), 200,
     "{\"is_compatible\":true}="},
    {"POST", "/subjects/s/versions", GROUPED("string", "2"), 200, "{\"id\":"},
    // The newest of its group is not the newest.
    {"POST", "/subjects/s/versions", GROUPED("long", "1"), 200, "{\"id\":"},
    {"POST", "/subjects/s/versions", GROUPED("long", "2"), 409, "{\"error_code\":409,"},
    {"POST", "/subjects/s/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"a\\\",\\\"type\\\":\\\"boolean\\\"}]}\"}",
     200, "{\"id\":"},
    {"PUT", "/config/s", "{\"compatibilityGroup\":null}", 200, "{\"compatibilityGroup\":null}="},
    {"GET", "/config/s", NULL, 200, "{\"compatibilityLevel\":\"BACKWARD\"}="},
    {"POST", "/subjects/s/versions", GROUPED("int", "3"), 409, "{\"error_code\":409,"},
};

static void compatibility_group(void **state)
{
    (void)state;
    check_rows(COMPATIBILITY_GROUP, COUNT_OF(COMPATIBILITY_GROUP));
}

static const struct row DELETED_CONTEXTS[] = {
    {"POST", "/subjects/:.c:s/versions", "{\"schema\":\"\\\"int\\\"\"}", 200, "{\"id\":"},
    {"GET", "/contexts?contextPrefix=.c", NULL, 200, "[\".c\"]="},
    {"GET", "/contexts?contextPrefix=.d", NULL, 200, "[]="},
    {"DELETE", "/contexts/.c", NULL, 422,
     "{\"error_code\":42211,\"message\":\"The specified context ':.c:' is not empty.\"}="},
    {"DELETE", "/subjects/:.c:s", NULL, 200, "[1]="},
    {"DELETE", "/contexts/:.c:", NULL, 422, "{\"error_code\":42211,"},
    {"DELETE", "/subjects/:.c:s?permanent=true", NULL, 200, "[1]="},
    {"GET", "/contexts", NULL, 200, "[\".\",\".c\"]="},
    {"DELETE", "/contexts/:.c:", NULL, 204, "="},
    {"GET", "/contexts", NULL, 200, "[\".\"]="},
    {"DELETE", "/contexts/.c", NULL, 204, "="},
    {"DELETE", "/contexts/.", NULL, 204, "="},
    {"GET", "/subjects?deleted=true", NULL, 200, "[]="},
    {"POST", "/subjects/:.c:s/versions", "{\"schema\":\"\\\"int\\\"\"}", 200, "{\"id\":"},
    {"GET", "/contexts", NULL, 200, "[\".\",\".c\"]="},
};

static void deleted_contexts(void **state)
{
    (void)state;
    check_rows(DELETED_CONTEXTS, COUNT_OF(DELETED_CONTEXTS));
}

static const struct row DELETION[] = {
    {"POST", "/subjects/s/versions", "{\"schema\":\"\\\"int\\\"\"}", 200, "{\"id\":"},
    {"POST", "/subjects/s/versions", "{\"schema\":\"\\\"long\\\"\"}", 200, "{\"id\":"},
    {"DELETE", "/subjects/s/versions/1?permanent=true", NULL, 404,
     "{\"error_code\":40407,\"message\":\"Subject 's' Version 1 was not deleted first before being "
     "permanently deleted\"}="},
    {"DELETE", "/subjects/s/versions/x", NULL, 422, "{\"error_code\":42202,"},
    {"DELETE", "/subjects/s/versions/1", NULL, 200, "1="},
    {"DELETE", "/subjects/s/versions/1", NULL, 404,
     "{\"error_code\":40406,\"message\":\"Subject 's' Version 1 was soft deleted.Set permanent=true to "
     "delete permanently\"}="},
    {"DELETE", "/subjects/s/versions/8", NULL, 404,
     "{\"error_code\":40402,\"message\":\"Version 8 not found.\"}="},
    {"DELETE", "/subjects/x/versions/1", NULL, 404,
     "{\"error_code\":40401,\"message\":\"Subject 'x' not found.\"}="},
    {"GET", "/subjects/s/versions", NULL, 200, "[2]="},
    {"GET", "/subjects/s/versions?deleted=true", NULL, 200, "[1,2]="},
    {"GET", "/subjects/s/versions?deletedOnly=true", NULL, 200, "[1]="},
    {"GET", "/subjects/s/versions?deletedAsNegative=true", NULL, 200, "[-1,2]="},
    {"GET", "/subjects/s/versions/1", NULL, 404,
     "{\"error_code\":40402,\"message\":\"Version 1 not found.\"}="},
    {"GET", "/subjects/s/versions/1?deleted=true", NULL, 200, "{\"subject\":\"s\",\"version\":1,\"id\":"},
    {"POST", "/subjects/s?deleted=true", "{\"schema\":\"\\\"int\\\"\"}", 200,
     "{\"subject\":\"s\",\"version\":1,\"id\":"},
    {"POST", "/subjects/s", "{\"schema\":\"\\\"int\\\"\"}", 404,
     "{\"error_code\":40403,\"message\":\"Schema not found\"}="},
    {"DELETE", "/subjects/s/versions/1?permanent=true", NULL, 200, "1="},
    {"GET", "/subjects/s/versions?deleted=true", NULL, 200, "[2]="},
    {"DELETE", "/subjects/s?permanent=true", NULL, 404,
     "{\"error_code\":40405,\"message\":\"Subject 's' was not deleted first before being permanently "
     "deleted\"}="},
    {"DELETE", "/subjects/s", NULL, 200, "[2]="},
    {"DELETE", "/subjects/s", NULL, 404,
     "{\"error_code\":40404,\"message\":\"Subject 's' was soft deleted.Set permanent=true to delete "
     "permanently\"}="},
    {"GET", "/subjects", NULL, 200, "[]="},
    {"GET", "/subjects?deleted=true", NULL, 200, "[\"s\"]="},
    {"GET", "/subjects?deletedOnly=true", NULL, 200, "[\"s\"]="},
    {"POST", "/subjects/s/versions", "{\"schema\":\"\\\"long\\\"\"}", 200, "{\"id\":"},
    {"GET", "/subjects/s/versions?deleted=true", NULL, 200, "[3]="},
    {"DELETE", "/subjects/s", NULL, 200, "[3]="},
    {"DELETE", "/subjects/s?permanent=true", NULL, 200, "[3]="},
    {"DELETE", "/subjects/s?permanent=true", NULL, 404,
     "{\"error_code\":40401,\"message\":\"Subject 's' not found.\"}="},
    {"GET", "/subjects?deleted=true", NULL, 200, "[]="},
    {"DELETE", "/subjects/x", NULL, 404, "{\"error_code\":40401,\"message\":\"Subject 'x' not found.\"}="},
};

static void deletion(void **state)
{
    (void)state;
    check_rows(DELETION, COUNT_OF(DELETION));
}

static const struct row MODES_AND_IMPORT[] = {
    {"GET", "/mode", NULL, 200, "{\"mode\":\"READWRITE\"}="},
    {"GET", "/mode/s", NULL, 404,
     "{\"error_code\":40409,\"message\":\"Subject 's' does not have subject-level mode configured\"}="},
    {"GET", "/mode/s?defaultToGlobal=true", NULL, 200, "{\"mode\":\"READWRITE\"}="},
    {"PUT", "/mode", "{\"mode\":\"SLEEP\"}", 422, "{\"error_code\":42204,"},
    {"POST", "/subjects/s/versions", "{\"schema\":\"\\\"int\\\"\"}", 200, "{\"id\":"},
    {"PUT", "/mode", "{\"mode\":\"IMPORT\"}", 422,
     "{\"error_code\":42205,\"message\":\"Cannot import since found existing subjects\"}="},
    {"PUT", "/mode/s", "{\"mode\":\"READONLY\"}", 200, "{\"mode\":\"READONLY\"}="},
    {"POST", "/subjects/s/versions", "{\"schema\":\"\\\"long\\\"\"}", 422,
     "{\"error_code\":42205,\"message\":\"Subject s in context  is in read-only mode\"}="},
    {"DELETE", "/subjects/s", NULL, 422,
     "{\"error_code\":42205,\"message\":\"Subject s in context  is in read-only mode\"}="},
    {"DELETE", "/subjects/s/versions/1", NULL, 422,
     "{\"error_code\":42205,\"message\":\"Subject s in context  is in read-only mode\"}="},
    {"POST", "/subjects/t/versions", "{\"schema\":\"\\\"long\\\"\"}", 200, "{\"id\":"},
    {"DELETE", "/mode/s", NULL, 200, "{\"mode\":\"READONLY\"}="},
    {"DELETE", "/mode/s", NULL, 404, "{\"error_code\":40401,\"message\":\"Subject 's' not found.\"}="},
    {"PUT", "/mode/new?force=false", "{\"mode\":\"IMPORT\"}", 200, "{\"mode\":\"IMPORT\"}="},
    {"POST", "/subjects/new/versions", "{\"schema\":\"\\\"bytes\\\"\"}", 422,
     "{\"error_code\":42205,\"message\":\"Subject new in context  is not in read-write mode\"}="},
    {"POST", "/subjects/new/versions", "{\"schema\":\"\\\"bytes\\\"\",\"id\":42,\"version\":7}", 200,
     "{\"id\":42,\"version\":7}="},
    {"POST", "/subjects/new/versions", "{\"schema\":\"\\\"string\\\"\",\"id\":42,\"version\":8}", 422,
     "{\"error_code\":42205,\"message\":\"Overwrite new schema with id 42 in context  is not "
     "permitted.\"}="},
    {"POST", "/subjects/new/versions", "{\"schema\":\"\\\"bytes\\\"\",\"id\":42,\"version\":7}", 200,
     "{\"id\":42,\"version\":7}="},
    {"POST", "/subjects/new/versions", "{\"schema\":\"\\\"int\\\"\",\"id\":0}", 422,
     "{\"error_code\":422,\"message\":\"references, metadata, ruleSet, version or id has a wrong type; an id "
     "is from 1 "
     "to 2147483647\"}="},
    {"POST", "/subjects/new/versions", "{\"schema\":\"\\\"long\\\"\",\"id\":43,\"version\":2147483647}", 200,
     "{\"id\":43,\"version\":2147483647}="},
    {"POST", "/subjects/new/versions", "{\"schema\":\"\\\"float\\\"\",\"id\":44}", 422,
     "{\"error_code\":42202,\"message\":\"Subject 'new' has version 2147483647: there is none after it\"}="},
    {"GET", "/schemas/ids/42", NULL, 200, "{\"schemaType\":\"AVRO\",\"schema\":\"\\\"bytes\\\"\"}="},
    {"PUT", "/mode/new", "{\"mode\":\"READWRITE\"}", 200, "{\"mode\":\"READWRITE\"}="},
    {"POST", "/subjects/again/versions", "{\"schema\":\"\\\"bytes\\\"\"}", 200, "{\"id\":42,\"version\":1}="},
    {"PUT", "/mode?force=true", "{\"mode\":\"IMPORT\"}", 200, "{\"mode\":\"IMPORT\"}="},
    {"GET", "/mode", NULL, 200, "{\"mode\":\"IMPORT\"}="},
};

static void modes_and_import(void **state)
{
    (void)state;
    check_rows(MODES_AND_IMPORT, COUNT_OF(MODES_AND_IMPORT));
}

static const struct row REFERENCES[] = {
    {"POST", "/subjects/f/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"fixed\\\",\\\"name\\\":\\\"n.F\\\",\\\"size\\\":4}\"}", 200,
     "{\"id\":"},
    {"POST", "/subjects/g/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"n.G\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"f\\\",\\\"type\\\":\\\"F\\\"}]}\"}",
     422,
     "{\"error_code\":42201,\"message\":\"Invalid schema of type AVRO, details: Undefined name: n.F\"}="},
    {"POST", "/subjects/g/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"n.G\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"f\\\",\\\"type\\\":\\\"F\\\"}]}\",\"references\":[{\"name\":\"n.F\",\"subject\":\"f\","
     "\"version\":2}]}",
     422,
     "{\"error_code\":42201,\"message\":\"Invalid schema of type AVRO, details: No schema reference "
     "found for subject \\\"f\\\" and version 2\"}="},
    {"POST", "/subjects/g/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"n.G\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"f\\\",\\\"type\\\":\\\"F\\\"}]}\",\"references\":[{\"name\":\"n.F\"}]}",
     422, "{\"error_code\":42201,"},
    {"POST", "/subjects/g/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"n.G\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"f\\\",\\\"type\\\":\\\"F\\\"}]}\",\"references\":[{\"name\":\"n.F\",\"subject\":\"f\","
     "\"version\":1}]}",
     200, "{\"id\":"},
    {"POST", "/subjects/g/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"n.G\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"f\\\",\\\"type\\\":\\\"F\\\"}]}\",\"references\":[{\"name\":\"n.F\",\"subject\":\"f\","
     "\"version\":1}]}",
     200, "{\"id\":"},
    {"GET", "/subjects/g/versions", NULL, 200, "[1]="},
    {"POST", "/subjects/g",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"n.G\\\",\\\"fields\\\":[{\\\"name\\\":"
     "\\\"f\\\",\\\"type\\\":{\\\"type\\\":\\\"fixed\\\",\\\"name\\\":\\\"n.F\\\",\\\"size\\\":4}}]}\"}",
     200, "{\"subject\":\"g\",\"version\":1,\"id\":"},
    {"GET", "/subjects/g/versions/1/schema?format=resolved", NULL, 200,
     "{\"type\":\"record\",\"name\":\"n.G\",\"fields\":[{\"name\":\"f\",\"type\":{\"type\":\"fixed\","
     "\"name\":\"n.F\",\"size\":4}}]}="},
    {"GET", "/subjects/f/versions/1/referencedby", NULL, 200, "["},
    {"DELETE", "/subjects/f", NULL, 422,
     "{\"error_code\":42206,\"message\":\"One or more references exist to the schema "
     "{magic=1,keytype=SCHEMA,subject=f,version=1}.\"}="},
    {"DELETE", "/subjects/f/versions/1", NULL, 422, "{\"error_code\":42206,"},
    {"DELETE", "/subjects/g", NULL, 200, "[1]="},
    {"DELETE", "/subjects/f", NULL, 200, "[1]="},
    {"DELETE", "/subjects/f?permanent=true", NULL, 422, "{\"error_code\":42206,"},
    {"DELETE", "/subjects/g?permanent=true", NULL, 200, "[1]="},
    {"DELETE", "/subjects/f?permanent=true", NULL, 200, "[1]="},
};

static void references(void **state)
{
    (void)state;
    check_rows(REFERENCES, COUNT_OF(REFERENCES));
}

static const struct row CONTEXTS[] = {
    {"POST", "/subjects/:.c:s/versions", "{\"schema\":\"\\\"int\\\"\"}", 200, "{\"id\":"},
    {"POST", "/subjects/s/versions", "{\"schema\":\"\\\"long\\\"\"}", 200, "{\"id\":"},
    {"GET", "/contexts", NULL, 200, "[\".\",\".c\"]="},
    {"GET", "/subjects", NULL, 200, "[\":.c:s\",\"s\"]="},
    {"GET", "/subjects?subjectPrefix=:.c:", NULL, 200, "[\":.c:s\"]="},
    {"GET", "/subjects?subjectPrefix=:*:s", NULL, 200, "[\":.c:s\",\"s\"]="},
    {"GET", "/contexts/:.c:/subjects/s/versions", NULL, 200, "[1]="},
    {"GET", "/contexts/:.c:/subjects", NULL, 200, "[\":.c:s\"]="},
    {"GET", "/contexts/.c/subjects/s/versions/latest", NULL, 200,
     "{\"subject\":\":.c:s\",\"version\":1,\"id\":"},
    {"GET", "/contexts/.c/config", NULL, 404,
     "{\"error_code\":40408,\"message\":\"Subject ':.c:' does not have subject-level compatibility "
     "configured\"}="},
    {"PUT", "/config/:.c:", "{\"compatibility\":\"FULL\"}", 200, "{\"compatibility\":\"FULL\"}="},
    {"GET", "/config/:.c:s?defaultToGlobal=true", NULL, 200, "{\"compatibilityLevel\":\"FULL\"}="},
    {"GET", "/config/s?defaultToGlobal=true", NULL, 200, "{\"compatibilityLevel\":\"NONE\"}="},
    {"POST", "/subjects/:.c:s/versions", "{\"schema\":\"\\\"string\\\"\"}", 409, "{\"error_code\":409,"},
    {"POST", "/subjects/:.:s/versions", "{\"schema\":\"\\\"string\\\"\"}", 200, "{\"id\":"},
    {"GET", "/subjects/s/versions", NULL, 200, "[1,2]="},
};

static void contexts(void **state)
{
    (void)state;
    check_rows(CONTEXTS, COUNT_OF(CONTEXTS));
}

static const struct row NORMAL_FORM_AND_METADATA[] = {
    {"POST", "/subjects/s/versions?normalize=true",
     "{\"schema\":\"{\\\"name\\\":\\\"F\\\",\\\"namespace\\\":\\\"n\\\",\\\"size\\\":4,\\\"type\\\":"
     "\\\"fixed\\\"}\"}",
     200, "{\"id\":"},
    {"GET", "/subjects/s/versions/1/schema", NULL, 200, "{\"type\":\"fixed\",\"name\":\"n.F\",\"size\":4}="},
    {"PUT", "/config/t", "{\"normalize\":true}", 200, "{\"normalize\":true}="},
    {"POST", "/subjects/t/versions", "{\"schema\":\"{\\\"type\\\":\\\"int\\\"}\"}", 200, "{\"id\":"},
    {"GET", "/subjects/t/versions/1/schema", NULL, 200, "\"int\"="},
    {"POST", "/subjects/m/versions",
     "{\"schema\":\"\\\"int\\\"\",\"metadata\":{\"properties\":{\"k\":\"v\"}}}", 200, "{\"id\":"},
    {"POST", "/subjects/m/versions",
     "{\"schema\":\"\\\"int\\\"\",\"metadata\":{\"properties\":{\"k\":\"w\"}}}", 200, "{\"id\":"},
    {"GET", "/subjects/m/versions", NULL, 200, "[1,2]="},
    {"GET", "/subjects/m/metadata?key=k&value=v", NULL, 200, "{\"subject\":\"m\",\"version\":1,\"id\":"},
    {"GET", "/subjects/m/metadata?key=k&value=z", NULL, 404,
     "{\"error_code\":40403,\"message\":\"Schema not found\"}="},
    {"POST", "/subjects/m/versions", "{\"schema\":\"\\\"int\\\"\",\"metadata\":5}", 422,
     "{\"error_code\":422,"},
};

static void normal_form_and_metadata(void **state)
{
    (void)state;
    check_rows(NORMAL_FORM_AND_METADATA, COUNT_OF(NORMAL_FORM_AND_METADATA));
}

static struct slice call(const char *method, const char *target, const char *body, int status)
{
    static struct bytes out;
    bytes_clear(&out);
    assert_int_equal(memory_registry_call(method, target, slice_of(body), &out), status);
    return slice_of(bytes_text(&out));
}

// Each record's key and value, as other programs read them from the topic.
static void records_have_confluents_format(void **state)
{
    (void)state;
    (void)call("PUT", "/mode/s", "{\"mode\":\"IMPORT\"}", 200);
    (void)call("POST", "/subjects/s/versions", "{\"schema\":\"\\\"int\\\"\",\"id\":7,\"version\":3}", 200);
    (void)call("PUT", "/mode/s", "{\"mode\":\"READWRITE\"}", 200);
    (void)call("PUT", "/config/s", "{\"compatibility\":\"FULL\"}", 200);
    (void)call("PUT", "/config", "{\"compatibility\":\"NONE\"}", 200);
    (void)call("DELETE", "/subjects/s/versions/3", "", 200);
    (void)call("DELETE", "/subjects/s/versions/3?permanent=true", "", 200);
    assert_string_equal(
        bytes_text(&memory_registry_log),
        "{\"keytype\":\"CLEAR_SUBJECT\",\"subject\":\"s\",\"magic\":0} {\"subject\":\"s\"}\n"
        "{\"keytype\":\"MODE\",\"subject\":\"s\",\"magic\":0} {\"subject\":\"s\",\"mode\":\"IMPORT\"}\n"
        "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":3,\"magic\":1} "
        "{\"subject\":\"s\",\"version\":3,"
        "\"id\":7,\"schema\":\"\\\"int\\\"\",\"deleted\":false}\n"
        "{\"keytype\":\"MODE\",\"subject\":\"s\",\"magic\":0} {\"subject\":\"s\",\"mode\":\"READWRITE\"}\n"
        "{\"keytype\":\"CONFIG\",\"subject\":\"s\",\"magic\":0} {\"subject\":\"s\",\"compatibilityLevel\":"
        "\"FULL\"}\n"
        "{\"keytype\":\"CONFIG\",\"magic\":0} {\"compatibilityLevel\":\"NONE\"}\n"
        "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":3,\"magic\":1} "
        "{\"subject\":\"s\",\"version\":3,"
        "\"id\":7,\"schema\":\"\\\"int\\\"\",\"deleted\":true}\n"
        "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":3,\"magic\":1} \n"
        "{\"keytype\":\"MODE\",\"subject\":\"s\",\"magic\":0} \n"
        "{\"keytype\":\"CONFIG\",\"subject\":\"s\",\"magic\":0} \n");
}

// A schema of 2 MiB and a body nested without end are refused or taken, and nothing else happens.
static void hostile_bodies_are_bounded(void **state)
{
    (void)state;
    struct bytes body = {0};
    bytes_append_string(&body, "{\"schema\":\"\\\"int\\\"\",\"metadata\":");
    for (int i = 0; i < 1000; i++) {
        bytes_append_string(&body, "{\"a\":");
    }
    bytes_append_byte(&body, '1');
    for (int i = 0; i < 1001; i++) {
        bytes_append_byte(&body, '}');
    }
    (void)call("POST", "/subjects/s/versions", bytes_text(&body), 400);
    bytes_reset(&body);
    bytes_append_string(&body, "{\"schema\":\"\\\"int\\\"\",\"references\":[");
    for (int i = 0; i < 2000; i++) {
        bytes_append_string(&body, i == 0 ? "{}" : ",{}");
    }
    bytes_append_string(&body, "]}");
    (void)call("POST", "/subjects/s/versions", bytes_text(&body), 422);
    bytes_reset(&body);
    bytes_append_string(&body, "{\"schema\":\"[");
    for (int i = 0; i < 30000; i++) {
        bytes_format(&body, "%s{\\\"type\\\":\\\"fixed\\\",\\\"name\\\":\\\"F%d\\\",\\\"size\\\":1}",
                     i == 0 ? "" : ",", i);
    }
    bytes_append_string(&body, "]\"}");
    (void)call("PUT", "/config", "{\"compatibility\":\"FULL\"}", 200);
    (void)call("POST", "/subjects/s/versions", bytes_text(&body), 200);
    body.data[body.size - 5] = '2';  // the size of the last one
    (void)call("POST", "/subjects/s/versions", bytes_text(&body), 409);
    bytes_clear(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(registering_and_reading, clear, clear),
        cmocka_unit_test_setup_teardown(compatibility, clear, clear),
        cmocka_unit_test_setup_teardown(compatibility_group, clear, clear),
        cmocka_unit_test_setup_teardown(deleted_contexts, clear, clear),
        cmocka_unit_test_setup_teardown(deletion, clear, clear),
        cmocka_unit_test_setup_teardown(modes_and_import, clear, clear),
        cmocka_unit_test_setup_teardown(references, clear, clear),
        cmocka_unit_test_setup_teardown(contexts, clear, clear),
        cmocka_unit_test_setup_teardown(normal_form_and_metadata, clear, clear),
        cmocka_unit_test_setup_teardown(records_have_confluents_format, clear, clear),
        cmocka_unit_test_setup_teardown(hostile_bodies_are_bounded, clear, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
