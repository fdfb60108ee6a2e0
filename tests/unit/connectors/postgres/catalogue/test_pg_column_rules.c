// connectors/postgres/catalogue/pg_column_rules: masks and exclusions stay with renamed columns.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/postgres/catalogue/pg_column_rules.h"
#include "core/base/memory.h"

struct fixture {
    struct connector_config config;
    struct pg_column_masks *masks;
    struct pg_column_rules rules;
    struct pgoutput_relation *message;
};

static int set_up(void **state)
{
    struct fixture *x = memory_zeroed(1, sizeof(*x));
    text_pairs_set(&x->config.columns.mask, "public.people.phone", "***");
    text_pairs_set(&x->config.columns.truncate, "public.people.note", "4");
    text_list_add(&x->config.columns.exclude, "public.people.card");
    x->masks = pg_column_masks_new(&x->config);
    x->message = memory_zeroed(1, sizeof(*x->message));
    *state = x;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *x = *state;
    pg_column_rules_clear(&x->rules);
    pg_column_masks_free(x->masks);
    text_pairs_clear(&x->config.columns.mask);
    text_pairs_clear(&x->config.columns.truncate);
    text_list_clear(&x->config.columns.include);
    text_list_clear(&x->config.columns.exclude);
    free(x->message);
    free(x);
    return 0;
}

// Each column of a table, "a b c", as a letter: m masked, t truncated, x left out, - no rule.
static void check(struct fixture *x, const char *table, const char *columns, const char *expected)
{
    static const struct text_list none = {0};
    const struct pg_column_rules_params params = {
        .config = &x->config, .masks = x->masks, .component = "t", .table = table, .ancestors = &none};
    CLEANUP(memory_free_pointer) char *names = memory_string(columns);
    char *rest = names;
    uint16_t count = 0;
    for (char *name = strtok_r(rest, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest)) {
        x->message->columns[count++].name = slice_of(name);
    }
    x->message->column_count = count;
    pg_column_rules_update(&x->rules, &params, x->message);
    CLEANUP(bytes_clear) struct bytes found = {0};
    for (size_t i = 0; i < count; i++) {
        const struct pg_mask *mask = pg_column_rules_mask(&x->rules, i);
        bytes_append_byte(&found, pg_column_rules_leave_out(&x->rules, i) ? 'x'
                                  : mask == NULL                          ? '-'
                                  : mask->kind == PG_MASK_TRUNCATE        ? 't'
                                                                          : 'm');
    }
    assert_string_equal(bytes_text(&found), expected);
}

static void a_renamed_column_keeps_its_rule(void **state)
{
    struct fixture *x = *state;
    check(x, "public.people", "id phone name card note", "-m-xt");
    check(x, "public.people", "id mobile name card note", "-m-xt");
    check(x, "public.people", "id mobile name plastic note extra", "-m-xt-");
    check(x, "public.people", "key tel label plastic remark extra", "-m-xt-");
    check(x, "public.people", "key phone label card note extra", "-m-xt-");
}

static void a_renamed_table_keeps_its_rules(void **state)
{
    struct fixture *x = *state;
    check(x, "public.people", "id phone name card note", "-m-xt");
    check(x, "public.persons", "id phone name card note", "-m-xt");
    check(x, "public.users", "id tel name card note", "-m-xt");
}

static void columns_that_are_added_or_dropped_have_none(void **state)
{
    struct fixture *x = *state;
    check(x, "public.people", "id phone name", "-m-");
    check(x, "public.people", "id name", "--");
    check(x, "public.people", "id name mobile", "---");
    check(x, "public.people", "id name mobile phone", "---m");
    check(x, "public.people", "id name mobile phone last", "---m-");
}

static void a_column_added_when_a_masked_one_is_dropped_may_be_it(void **state)
{
    struct fixture *x = *state;
    check(x, "public.people", "id name phone", "--m");
    check(x, "public.people", "id name a b", "--mm");
    check(x, "public.people", "id name b c", "--m-");
    check(x, "public.people", "id c", "--");
}

static void a_column_that_include_names_is_taken(void **state)
{
    struct fixture *x = *state;
    text_list_add(&x->config.columns.include, "public.people.[!p]*");
    check(x, "public.people", "id phone note", "-xt");
    check(x, "public.people", "id mobile note", "-mt");
    check(x, "public.people", "id pager note", "-xt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_renamed_column_keeps_its_rule, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_renamed_table_keeps_its_rules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(columns_that_are_added_or_dropped_have_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_column_added_when_a_masked_one_is_dropped_may_be_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_column_that_include_names_is_taken, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
