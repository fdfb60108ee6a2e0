#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/try/try_function.h"

static const char update[] =
    "{\"op\":\"u\",\"before\":null,\"after\":{\"id\":12,\"status\":\"paid\"},"
    "\"source\":{\"ts_us\":1795414726235562,\"schema\":\"public\",\"table\":\"orders\"}}";

static void a_change_is_read_from_the_data(void **state)
{
    (void)state;
    struct try_function_call call = {0};
    void *json = NULL;
    assert_true(try_function_read_data(slice_of(update), &call, &json));
    assert_int_equal(call.op, 'u');
    assert_string_equal(call.table, "orders");
    assert_int_equal(call.row_id, 12);
    assert_int_equal(call.commit_wall_us, 1795414726235562);
    json_decref(json);
}

static void a_delete_names_its_row_in_before(void **state)
{
    (void)state;
    struct try_function_call call = {0};
    void *json = NULL;
    assert_true(try_function_read_data(slice_of("{\"op\":\"d\",\"before\":{\"id\":3},\"after\":null,"
                                                "\"source\":{\"table\":\"orders\",\"ts_us\":1}}"),
                                       &call, &json));
    assert_int_equal(call.op, 'd');
    assert_int_equal(call.row_id, 3);
    json_decref(json);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    for (size_t size = 0; size < strlen(update); size++) {
        uint8_t *exact = malloc(size + (size == 0));
        memcpy(exact, update, size);
        struct try_function_call call = {0};
        void *json = NULL;
        assert_false(try_function_read_data(slice_make(exact, size), &call, &json));
        assert_null(json);
        free(exact);
    }
}

static void other_json_is_refused(void **state)
{
    (void)state;
    static const char *const others[] = {"[]", "7", "{\"op\":1}",
                                         "{\"op\":\"\",\"after\":{\"id\":1},\"source\":{}}"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct try_function_call call = {0};
        void *json = NULL;
        assert_false(try_function_read_data(slice_of(others[i]), &call, &json));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_read_from_the_data),
        cmocka_unit_test(a_delete_names_its_row_in_before),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(other_json_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
