#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/postgres/catalogue/pg_catalogue_set.h"
#include "core/base/clock.h"

enum { TABLE = 16401, SEEN = 90, HIDDEN = 95 };

#define START_US (INT64_C(1000) * CLOCK_US_PER_S)

static PGresult *result(int columns)
{
    static PGresAttDesc names[18];
    for (int i = 0; i < 18; i++) {
        names[i].name = (char *)"c";
    }
    PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    assert_int_equal(PQsetResultAttrs(r, columns, names), 1);
    return r;
}

static void put(PGresult *r, int row, const char *const *values, int count)
{
    for (int i = 0; i < count; i++) {
        int size = values[i] == NULL ? -1 : (int)strlen(values[i]);
        assert_int_equal(PQsetvalue(r, row, i, (char *)values[i], size), 1);
    }
}

// One table with a column "id" of type int.
static struct pg_catalogue_set read_set(void)
{
    static const char *const lsn[] = {"1000", "91:97:95"};
    static const char *const column[] = {"id",    "23", "-1", "t", NULL, "f",   "t", "0",   "t",
                                         "16401", "d",  "0",  "1", "4",  "750", "t", "2032"};
    PGresult *results[PG_CATALOGUE_SET_RESULTS] = {result(2), result(17), result(13), result(2),
                                                   result(5), result(2),  result(3)};
    put(results[0], 0, lsn, 2);
    put(results[1], 0, column, 17);
    struct pg_catalogue_set s;
    clock_fake(START_US, START_US);
    pg_catalogue_set_read(results, &s);
    for (int i = 0; i < PG_CATALOGUE_SET_RESULTS; i++) {
        PQclear(results[i]);
    }
    return s;
}

static struct pgoutput_relation message;

static void describe(uint32_t oid, const char *name, uint32_t type)
{
    message.oid = oid;
    message.column_count = 1;
    message.columns[0] = (struct pgoutput_column){slice_of(name), type, -1, true};
}

static void facts_serve_every_message_of_a_transaction_that_was_visible(void **state)
{
    (void)state;
    struct pg_catalogue_set s = read_set();
    describe(TABLE, "id", 23);
    clock_fake(START_US + 3600 * CLOCK_US_PER_S, 0);
    const struct pg_catalogue *c = pg_catalogue_set_take(&s, &message, SEEN);
    assert_non_null(c);
    assert_true(c->columns[0].is_not_null && c->columns[0].primary_position == 0);
    assert_non_null(pg_catalogue_set_take(&s, &message, SEEN));
    assert_null(pg_catalogue_set_take(&s, &message, HIDDEN));
    assert_null(pg_catalogue_set_take(&s, &message, 97));
    pg_catalogue_set_clear(&s);
}

static void facts_of_other_columns_serve_nobody(void **state)
{
    (void)state;
    struct pg_catalogue_set s = read_set();
    describe(TABLE, "id", 20);
    assert_null(pg_catalogue_set_take(&s, &message, 1));
    describe(TABLE, "name", 23);
    assert_null(pg_catalogue_set_take(&s, &message, 1));
    describe(TABLE + 1, "id", 23);
    assert_null(pg_catalogue_set_take(&s, &message, 1));
    pg_catalogue_set_clear(&s);
}

static void the_whole_set_is_due_when_as_much_was_spent_on_single_tables(void **state)
{
    (void)state;
    struct pg_catalogue_set s = read_set();
    s.last_count = 1000;
    s.queried = 41;
    pg_catalogue_set_forget(&s);
    assert_int_equal(s.count, 0);
    assert_false(pg_catalogue_set_is_due(&s));
    s.queried++;
    assert_true(pg_catalogue_set_is_due(&s));
    s.retry_us = START_US + CLOCK_US_PER_S;
    assert_false(pg_catalogue_set_is_due(&s));
    clock_fake(START_US + CLOCK_US_PER_S, 0);
    assert_true(pg_catalogue_set_is_due(&s));
    pg_catalogue_set_clear(&s);
}

static int restore_clock(void **state)
{
    (void)state;
    clock_fake(-1, 0);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_serve_every_message_of_a_transaction_that_was_visible),
        cmocka_unit_test(facts_of_other_columns_serve_nobody),
        cmocka_unit_test(the_whole_set_is_due_when_as_much_was_spent_on_single_tables),
    };
    return cmocka_run_group_tests(tests, NULL, restore_clock);
}
