#include "connectors/postgres/catalogue/pg_column_numbers.h"

#include "core/base/memory.h"

static bool is_column(const struct pgoutput_column *column, const struct pg_catalogue_column *fact)
{
    return column->type_oid == fact->type_oid && slice_equal(column->name, slice_of(fact->name));
}

static bool find_all(const struct pgoutput_relation *message, const struct pg_catalogue *now,
                     struct pg_column_range *ret)
{
    size_t at = 0;
    for (size_t i = 0; i < message->column_count; i++) {
        while (at < now->column_count && !is_column(&message->columns[i], &now->columns[at])) {
            at++;
        }
        if (at == now->column_count) {
            return false;
        }
        ret[i].low = ret[i].high = now->columns[at++].number;
    }
    return true;
}

// The stream has none of the generated columns, or all.
static bool has_generated(const struct pgoutput_relation *message, const struct pg_catalogue *now)
{
    for (size_t i = 0; i < message->column_count; i++) {
        const struct pg_catalogue_column *fact = pg_catalogue_find(now, message->columns[i].name);
        if (fact != NULL && fact->is_generated) {
            return true;
        }
    }
    return false;
}

static bool is_unsent(const struct pg_catalogue *now, uint16_t number)
{
    for (size_t i = 0; i < now->column_count; i++) {
        if (now->columns[i].number == number) {
            return now->columns[i].is_generated;
        }
    }
    return false;
}

static void count_columns(const struct pgoutput_relation *message, const struct pg_catalogue *now,
                          struct pg_column_range *ret)
{
    bool sends_generated = has_generated(message, now);
    size_t at = 0;
    uint16_t number = 0;
    for (size_t i = 0; i < message->column_count; i++) {
        number++;
        while (!sends_generated && is_unsent(now, number)) {
            number++;
        }
        while (at < now->column_count && !sends_generated && now->columns[at].is_generated) {
            at++;
        }
        ret[i].low = number;
        ret[i].high = at < now->column_count ? now->columns[at++].number : UINT16_MAX;
        if (ret[i].high < ret[i].low) {
            ret[i].high = UINT16_MAX;
        }
    }
}

// The number of the column that has the name now, if it may be this one; 0: none.
static uint16_t number_by_name(const struct pgoutput_column *column, const struct pg_catalogue *now,
                               const struct pg_column_range *range)
{
    const struct pg_catalogue_column *fact = pg_catalogue_find(now, column->name);
    bool may_be =
        fact != NULL && is_column(column, fact) && fact->number >= range->low && fact->number <= range->high;
    return may_be ? fact->number : 0;
}

// A name whose number can't be the column's was given to another one since, and tells nothing. The others
// tell if their numbers rise.
static bool is_in_order(const struct pgoutput_relation *message, const struct pg_catalogue *now,
                        const struct pg_column_range *ranges)
{
    uint16_t last = 0;
    for (size_t i = 0; i < message->column_count; i++) {
        uint16_t number = number_by_name(&message->columns[i], now, &ranges[i]);
        if (number != 0 && number <= last) {
            return false;
        }
        last = number == 0 ? last : number;
    }
    return true;
}

// Numbers only rise.
static void narrow(struct pg_column_range *io, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (io[i].low <= io[i - 1].low && io[i - 1].low < io[i].high) {
            io[i].low = (uint16_t)(io[i - 1].low + 1);
        }
    }
    for (size_t i = count; i-- > 1;) {
        if (io[i - 1].high >= io[i].high && io[i].high > io[i - 1].low) {
            io[i - 1].high = (uint16_t)(io[i].high - 1);
        }
    }
}

bool pg_column_numbers_find(const struct pgoutput_relation *message, const struct pg_catalogue *now,
                            struct pg_column_range *ret)
{
    if (find_all(message, now, ret)) {
        return true;
    }
    count_columns(message, now, ret);
    bool has_names = is_in_order(message, now, ret);
    for (size_t i = 0; has_names && i < message->column_count; i++) {
        uint16_t number = number_by_name(&message->columns[i], now, &ret[i]);
        if (number != 0) {
            ret[i].low = ret[i].high = number;
        }
    }
    narrow(ret, message->column_count);
    bool is_all = true;
    for (size_t i = 0; i < message->column_count; i++) {
        is_all = is_all && pg_column_range_is_exact(&ret[i]);
    }
    return is_all;
}
