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
    struct pg_catalogue catalogue;  // empty: the table is gone
    struct column_memory *memory;
    struct text_pairs topic;  // its entries
};

static int set_up(void **state)
{
    struct fixture *x = memory_zeroed(1, sizeof(*x));
    text_pairs_set(&x->config.columns.mask, "public.people.phone", "***");
    text_pairs_set(&x->config.columns.truncate, "public.people.note", "4");
    text_list_add(&x->config.columns.exclude, "public.people.card");
    x->masks = pg_column_masks_new(&x->config);
    x->message = memory_zeroed(1, sizeof(*x->message));
    x->message->oid = 16400;
    x->memory = column_memory_new("t");
    *state = x;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *x = *state;
    pg_column_rules_clear(&x->rules);
    pg_catalogue_clear(&x->catalogue);
    column_memory_free(x->memory);
    text_pairs_clear(&x->topic);
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
    const struct pg_column_rules_params params = {.config = &x->config,
                                                  .masks = x->masks,
                                                  .component = "t",
                                                  .table = table,
                                                  .ancestors = &none,
                                                  .catalogue = &x->catalogue,
                                                  .memory = x->memory};
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

// The catalogue's columns, "1a 2b 4c"; before each its number.
static void define(struct fixture *x, const char *columns)
{
    CLEANUP(memory_free_pointer) char *names = memory_string(columns);
    char *rest = names;
    pg_catalogue_clear(&x->catalogue);
    x->catalogue.columns = memory_zeroed(10, sizeof(*x->catalogue.columns));
    for (char *name = strtok_r(rest, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest)) {
        struct pg_catalogue_column *c = &x->catalogue.columns[x->catalogue.column_count++];
        c->number = (uint16_t)(*name - '0');
        c->name = memory_string(name + 1);
    }
}

// A new process, which has what the old one wrote to the state topic.
static void restart(struct fixture *x)
{
    const char *key;
    struct slice value;
    struct column_memory *next = column_memory_new("t");
    struct state_writes *writes = column_memory_writes(x->memory);
    while (state_writes_due(writes, 0, &key, &value)) {
        CLEANUP(memory_free_pointer) char *text = slice_to_string(value);
        text_pairs_set(&x->topic, key, text);
        state_writes_taken(writes);
    }
    for (size_t i = 0; i < x->topic.count; i++) {
        column_memory_load(next, x->topic.items[i].key, slice_of(x->topic.items[i].value));
    }
    pg_column_rules_clear(&x->rules);
    column_memory_free(x->memory);
    x->memory = next;
}

static void names_that_are_exchanged_take_no_rule_with_them(void **state)
{
    struct fixture *x = *state;
    define(x, "1id 2phone 3name");
    check(x, "public.people", "id phone name", "-m-");
    define(x, "1id 2name 3phone");
    check(x, "public.people", "id name phone", "-mm");
    restart(x);
    check(x, "public.people", "id name phone", "-mm");
    // A mask counts before a beginning, whichever name the column has.
    define(x, "1id 2note 3phone");
    check(x, "public.people", "id note phone", "-mm");
    define(x, "1id 2name 3other 4note");
    check(x, "public.people", "id name other note", "-mmt");
}

static void what_was_renamed_while_the_connector_was_away_keeps_its_rule(void **state)
{
    struct fixture *x = *state;
    define(x, "1id 3phone 4name 5card");
    check(x, "public.people", "id phone name card", "-m-x");
    restart(x);
    define(x, "1id 3mobile 4name 5plastic 6more");
    // Rows from before come first: the catalogue is newer.
    check(x, "public.people", "id phone name card", "-m-x");
    check(x, "public.people", "id mobile name plastic more", "-m-x-");
    restart(x);
    define(x, "1id 4name 5plastic 6mobile");
    check(x, "public.persons", "id name plastic mobile", "--x-");
}

static void a_rule_that_is_not_configured_any_more_is_not_kept(void **state)
{
    struct fixture *x = *state;
    define(x, "1id 2card");
    check(x, "public.people", "id card", "-x");
    restart(x);
    text_list_clear(&x->config.columns.exclude);
    define(x, "1id 2plastic");
    check(x, "public.people", "id plastic", "--");
}

// The number is one of two, as a column before was dropped at a time that is not known.
static void a_column_that_may_be_the_masked_one_is_masked(void **state)
{
    struct fixture *x = *state;
    define(x, "1id 3phone 4name");
    check(x, "public.people", "id phone name", "-m-");
    restart(x);
    define(x, "1id 3a 4b");
    check(x, "public.people", "id x y", "-mm");
    check(x, "public.people", "id a b", "-m-");
    restart(x);
    pg_catalogue_clear(&x->catalogue);
    check(x, "public.people", "id x phone y", "--m-");
    restart(x);
    check(x, "public.people", "id x y z", "mmm-");
}

// Of a table that is gone only the messages tell.
static void names_that_were_exchanged_before_a_table_was_dropped(void **state)
{
    struct fixture *x = *state;
    check(x, "public.people", "id phone name other", "-m--");
    check(x, "public.people", "id name phone other", "-mm-");
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
        cmocka_unit_test_setup_teardown(names_that_are_exchanged_take_no_rule_with_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_renamed_while_the_connector_was_away_keeps_its_rule, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_rule_that_is_not_configured_any_more_is_not_kept, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_column_that_may_be_the_masked_one_is_masked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_that_were_exchanged_before_a_table_was_dropped, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_renamed_column_keeps_its_rule, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_renamed_table_keeps_its_rules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(columns_that_are_added_or_dropped_have_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_column_added_when_a_masked_one_is_dropped_may_be_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_column_that_include_names_is_taken, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
