#include "tests/unit/schemas/registry/memory_registry.h"

#include "core/base/memory.h"
#include "schemas/registry/registry_api.h"
#include "schemas/registry/schema_plan.h"

struct schema_index memory_registry_index;
struct bytes memory_registry_log;

static admin_handler handler;
static void *handler_self;
static struct text_pairs parameters;
static struct bytes *answer_body;
static int answer_status;
static int answer_count;

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
    return text_pairs_get(&parameters, name);
}

void admin_answer(struct admin_reply *reply, int status, const char *content_type, struct slice body)
{
    (void)reply;
    (void)content_type;
    answer_status = status;
    answer_count++;
    bytes_append_slice(answer_body, body);
}

void schema_store_refresh(struct schema_store *s, schema_requests_on_fresh on_fresh, void *self)
{
    (void)s;
    on_fresh(self, NULL);
}

void schema_store_lookup(struct schema_store *s, int32_t id, registry_on_schema on_schema, void *self)
{
    (void)s;
    (void)id;
    on_schema(self, (struct slice){NULL, 0}, NULL);
}

static void apply(struct schema_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct schema_record *record = &records[i];
        struct slice value = record->value.size > 0 ? bytes_slice(&record->value) : (struct slice){NULL, 0};
        INVARIANT(schema_index_apply(&memory_registry_index, bytes_slice(&record->key), value));
        bytes_append_slice(&memory_registry_log, bytes_slice(&record->key));
        bytes_append_byte(&memory_registry_log, ' ');
        bytes_append_slice(&memory_registry_log, bytes_slice(&record->value));
        bytes_append_byte(&memory_registry_log, '\n');
        bytes_clear(&record->key);
        bytes_clear(&record->value);
    }
    free(records);
}

void schema_store_change(struct schema_store *s, struct schema_change *change,
                         schema_requests_on_change on_change, void *self)
{
    (void)s;
    struct schema_batch batch = {0};
    enum schema_plan plan = schema_plan_make(&batch, &memory_registry_index, change);
    INVARIANT(plan != SCHEMA_PLAN_LATER);
    INVARIANT((plan == SCHEMA_PLAN_WRITE) == (batch.count > 0));
    INVARIANT(plan == SCHEMA_PLAN_DONE || change->error == REGISTRY_ERROR_NONE);
    size_t count = batch.count;
    apply(schema_batch_take(&batch), count);
    on_change(self, change, NULL);
    schema_change_free(change);
}

const struct schema_index *schema_store_index(const struct schema_store *s)
{
    (void)s;
    return &memory_registry_index;
}

// a=b&c=d, not encoded
static void read_parameters(const char *query)
{
    while (query[0] != '\0') {
        size_t size = strcspn(query, "&");
        size_t name_size = strcspn(query, "=&");
        char *name = slice_to_string(slice_make(query, name_size));
        char *value = name_size < size
                          ? slice_to_string(slice_make(query + name_size + 1, size - name_size - 1))
                          : memory_string("");
        text_pairs_set(&parameters, name, value);
        free(name);
        free(value);
        query += size + (query[size] == '&' ? 1 : 0);
    }
}

int memory_registry_call(const char *method, const char *target, struct slice body, struct bytes *out)
{
    size_t size = strcspn(target, "?");
    char *path = slice_to_string(slice_make(target, size));
    read_parameters(target[size] == '?' ? target + size + 1 : "");
    struct registry_api *api = registry_api_new(NULL);
    registry_api_serve(api, NULL, "");
    const struct admin_request request = {.method = method, .path = path, .body = body};
    answer_count = 0;
    answer_body = out;
    handler(handler_self, &request);
    INVARIANT(answer_count == 1);
    registry_api_free(api);
    text_pairs_clear(&parameters);
    free(path);
    return answer_status;
}

void memory_registry_clear(void)
{
    schema_index_clear(&memory_registry_index);
    bytes_clear(&memory_registry_log);
}
