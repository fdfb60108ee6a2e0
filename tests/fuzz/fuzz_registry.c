// Requests to the registry's REST API. Its two neighbours, the HTTP server and the store, are this file's:
// the server hands over what the input says, the store answers at once from an index that never changes.
// Input: the method, the path and the query's value, each ended by a newline, then the body.
#include <stdint.h>

#include "core/base/memory.h"
#include "schemas/json/json_check.h"
#include "schemas/registry/registry_api.h"

static struct schema_index index_of_all;
static admin_handler handler;
static void *handler_self;
static char *query;
static int answers;

void admin_route_writable(struct admin *a, const char *prefix, admin_handler on_request, void *self)
{
    (void)a;
    (void)prefix;
    handler = on_request;
    handler_self = self;
}

const char *admin_request_query(const struct admin_request *request, const char *name)
{
    (void)request;
    (void)name;
    return query;
}

void admin_answer(struct admin_reply *reply, int status, const char *content_type, struct slice body)
{
    (void)reply;
    (void)content_type;
    INVARIANT(status >= 200 && status < 600);
    // A plain schema is the answer of …/schema.
    INVARIANT(json_check_value(body));
    answers++;
}

void schema_store_refresh(struct schema_store *s, schema_requests_on_fresh on_fresh, void *self)
{
    (void)s;
    on_fresh(self, NULL);
}

void schema_store_register(struct schema_store *s, const char *subject, const char *text,
                           registry_on_id on_id, void *self)
{
    (void)s;
    (void)subject;
    on_id(self, schema_index_content_id(text), NULL);
}

void schema_store_lookup(struct schema_store *s, int32_t id, registry_on_schema on_schema, void *self)
{
    (void)s;
    const char *text = schema_index_text(&index_of_all, id);
    struct fault f;
    (void)fault_set(&f, FAULT_REJECT, "unknown");
    on_schema(self, text == NULL ? (struct slice){NULL, 0} : slice_of(text), text == NULL ? &f : NULL);
}

const struct schema_index *schema_store_index(const struct schema_store *s)
{
    (void)s;
    return &index_of_all;
}

static void fill_index(void)
{
    static const char *const RECORDS[][2] = {
        {"{\"keytype\":\"SCHEMA\",\"subject\":\"a-value\",\"version\":1,\"magic\":1}",
         "{\"subject\":\"a-value\",\"version\":1,\"id\":7,\"schema\":\"\\\"string\\\"\",\"deleted\":false}"},
        {"{\"keytype\":\"SCHEMA\",\"subject\":\"a-value\",\"version\":2,\"magic\":1}",
         "{\"subject\":\"a-value\",\"version\":2,\"id\":8,\"schema\":\"\\\"int\\\"\",\"deleted\":false}"},
        {"{\"keytype\":\"SCHEMA\",\"subject\":\"b/c\",\"version\":1,\"magic\":1}",
         "{\"subject\":\"b/c\",\"version\":1,\"id\":7,\"schema\":\"\\\"string\\\"\",\"deleted\":true}"},
    };
    for (size_t i = 0; i < COUNT_OF(RECORDS); i++) {
        INVARIANT(schema_index_apply(&index_of_all, slice_of(RECORDS[i][0]), slice_of(RECORDS[i][1])));
    }
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    if (index_of_all.subjects == NULL) {
        fill_index();
    }
    struct slice rest = slice_make(data, size);
    char *method CLEANUP(memory_free_pointer) = take_line(&rest);
    char *path CLEANUP(memory_free_pointer) = take_line(&rest);
    char *value CLEANUP(memory_free_pointer) = take_line(&rest);
    query = value[0] == '\0' ? NULL : value;
    answers = 0;
    struct registry_api *api = registry_api_new(NULL, NULL, "/registry");
    const struct admin_request request = {.method = method, .path = path, .body = rest};
    handler(handler_self, &request);
    INVARIANT(answers == 1);
    registry_api_free(api);
    return 0;
}
