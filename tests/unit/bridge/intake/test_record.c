// bridge/intake/record with a registry that has no schemas and counts the look-ups.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/intake/record.h"
#include "core/base/clock.h"
#include "schemas/registry/registry_kind.h"

static size_t asked;
static registry_on_schema pending;
static void *pending_self;

static void lookup(struct registry *r, int32_t id, registry_on_schema on_schema, void *self)
{
    (void)r;
    (void)id;
    asked++;
    pending = on_schema;
    pending_self = self;
}

static const struct registry_type TYPE = {.kind = "counting", .lookup = lookup};
static struct registry registry = {.type = &TYPE};
static uv_loop_t loop;
static struct schema_cache *cache;

static int start(void **state)
{
    (void)state;
    asked = 0;
    pending = NULL;
    (void)uv_loop_init(&loop);
    cache = schema_cache_new(&loop, &registry);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    clock_fake(-1, 0);
    schema_cache_free(cache);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

static void answer_unknown(void)
{
    struct fault f;
    (void)fault_set(&f, FAULT_REJECT, "no such id");
    registry_on_schema on_schema = pending;
    pending = NULL;
    assert_non_null(on_schema);
    on_schema(pending_self, (struct slice){NULL, 0}, &f);
}

/** Resolves a record that arrives now; returns its reason to be rejected, or NULL. */
static const char *resolve(struct slice key, struct slice value, const struct avro_type *value_type)
{
    struct record r = {
        .arrived_us = clock_now_us(), .has_key = true, .key = key, .value = value, .value_type = value_type};
    while (!record_resolve(&r, cache)) {
        answer_unknown();
    }
    assert_null(r.key_type);
    free(r.reject_message);
    return r.reject_reason;
}

/** As Java's LongSerializer writes them: the registry would be asked by each of them. */
static void a_key_of_another_producer_asks_the_registry_once_a_minute(void **state)
{
    (void)state;
    static const uint8_t LONG[] = {0, 0, 0, 7, 0, 0, 0, 1};
    const struct slice key = slice_make(LONG, sizeof(LONG));
    const struct avro_type *known = (const struct avro_type *)(uintptr_t)&LONG;  // is not looked into
    for (int64_t i = 0; i < 1000; i++) {
        clock_fake(CLOCK_US_PER_S + i, 0);
        assert_null(resolve(key, slice_of("value"), known));
    }
    assert_int_equal(asked, 1);
    clock_fake(62 * CLOCK_US_PER_S, 0);
    assert_null(resolve(key, slice_of("value"), known));
    assert_int_equal(asked, 2);
}

static void a_value_of_an_unknown_schema_asks_for_it_each_time(void **state)
{
    (void)state;
    static const uint8_t VALUE[] = {0, 0, 0, 0, 7, 'x'};
    for (int64_t i = 0; i < 3; i++) {
        clock_fake(CLOCK_US_PER_S + i, 0);
        assert_string_equal(resolve(slice_of("key"), slice_make(VALUE, sizeof(VALUE)), NULL),
                            "unknown_schema");
    }
    assert_int_equal(asked, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_key_of_another_producer_asks_the_registry_once_a_minute, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_value_of_an_unknown_schema_asks_for_it_each_time, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
