// Requests to the registry's REST API, one after the other on one index: METHOD, TARGET and body, each on a
// line of its own. What they change goes through the records of the topic, as in the store.
#include <stdint.h>

#include "core/base/memory.h"
#include "schemas/json/json_check.h"
#include "tests/unit/schemas/registry/memory_registry.h"

enum { REQUESTS_MAX = 20 };

static void apply(const char *key, const char *value)
{
    INVARIANT(schema_index_apply(&memory_registry_index, slice_of(key), slice_of(value)));
}

static void fill_index(void)
{
    apply("{\"keytype\":\"SCHEMA\",\"subject\":\"a-value\",\"version\":1,\"magic\":1}",
          "{\"subject\":\"a-value\",\"version\":1,\"id\":7,\"schema\":\"\\\"string\\\"\",\"deleted\":false}");
    apply("{\"keytype\":\"SCHEMA\",\"subject\":\"a-value\",\"version\":2,\"magic\":1}",
          "{\"subject\":\"a-value\",\"version\":2,\"id\":8,\"schema\":\"{\\\"type\\\":\\\"fixed\\\","
          "\\\"name\\\":"
          "\\\"F\\\",\\\"size\\\":2}\",\"deleted\":false}");
    apply(
        "{\"keytype\":\"SCHEMA\",\"subject\":\"b/c\",\"version\":1,\"magic\":1}",
        "{\"subject\":\"b/c\",\"version\":1,\"id\":9,\"references\":[{\"name\":\"F\",\"subject\":\"a-value\","
        "\"version\":2}],\"schema\":\"{\\\"type\\\":\\\"array\\\",\\\"items\\\":\\\"F\\\"}\",\"deleted\":"
        "true}");
    apply("{\"keytype\":\"SCHEMA\",\"subject\":\":.x:a\",\"version\":1,\"magic\":1}",
          "{\"subject\":\":.x:a\",\"version\":1,\"id\":7,\"schema\":\"\\\"int\\\"\",\"deleted\":false}");
    apply("{\"keytype\":\"CONFIG\",\"subject\":\"a-value\",\"magic\":0}",
          "{\"compatibilityLevel\":\"FULL\"}");
}

static char *take_line(struct slice *io_rest)
{
    const uint8_t *end = io_rest->size == 0 ? NULL : memchr(io_rest->data, '\n', io_rest->size);
    size_t size = end == NULL ? io_rest->size : (size_t)(end - io_rest->data);
    char *line = slice_to_string(slice_make(io_rest->data, size));
    size_t used = end == NULL ? size : size + 1;
    *io_rest = slice_make(io_rest->data + used, io_rest->size - used);
    return line;
}

static void call(struct slice *io_rest)
{
    CLEANUP(memory_free_pointer) char *method = take_line(io_rest);
    CLEANUP(memory_free_pointer) char *target = take_line(io_rest);
    CLEANUP(memory_free_pointer) char *body = take_line(io_rest);
    CLEANUP(bytes_clear) struct bytes out = {0};
    int status = memory_registry_call(method, target, slice_of(body), &out);
    INVARIANT(status >= 200 && status < 500);
    // A plain schema is the answer of …/schema.
    INVARIANT(status == 204 ? out.size == 0 : json_check_value(bytes_slice(&out)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fill_index();
    struct slice rest = slice_make(data, size);
    for (int i = 0; i < REQUESTS_MAX && rest.size > 0; i++) {
        call(&rest);
    }
    memory_registry_clear();
    return 0;
}
