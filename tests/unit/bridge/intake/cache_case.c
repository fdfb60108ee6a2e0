#include "tests/unit/bridge/intake/cache_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "schemas/registry/registry_kind.h"

size_t cache_case_asked;
static registry_on_schema pending;
static void *pending_self;

static void lookup(struct registry *r, int32_t id, registry_on_schema on_schema, void *self)
{
    (void)r;
    (void)id;
    cache_case_asked++;
    pending = on_schema;
    pending_self = self;
}

static const struct registry_type TYPE = {.kind = "counting", .lookup = lookup};
static struct registry registry = {.type = &TYPE};
static uv_loop_t loop;
struct schema_cache *cache_case_cache;

int cache_case_start(void **state)
{
    (void)state;
    cache_case_asked = 0;
    pending = NULL;
    (void)uv_loop_init(&loop);
    cache_case_cache = schema_cache_new(&loop, &registry);
    return 0;
}

int cache_case_stop(void **state)
{
    (void)state;
    clock_fake(-1, 0);
    schema_cache_free(cache_case_cache);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

void cache_case_answer(const struct fault *f)
{
    registry_on_schema on_schema = pending;
    pending = NULL;
    assert_non_null(on_schema);
    on_schema(pending_self, (struct slice){NULL, 0}, f);
}

void cache_case_answer_unknown(void)
{
    struct fault f;
    (void)fault_set(&f, FAULT_REJECT, "no such id");
    cache_case_answer(&f);
}
