#include "connectors/postgres/catalogue/pg_default.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "connectors/postgres/values/pg_enum.h"
#include "connectors/postgres/values/pg_float.h"
#include "connectors/postgres/values/pg_number.h"
#include "connectors/postgres/values/pg_string.h"
#include "core/base/memory.h"
#include "core/base/text.h"

enum { FLOAT_TEXT_MAX = 40 };  // more than PostgreSQL writes for a float

static const char *const PG_DEFAULT_NOW[] = {"current_timestamp", "current_time", "current_date", "localtime",
                                             "localtimestamp"};

// Whether the expression is a function call, name(…), possibly in parentheses: its value is not known.
static bool is_generated(const char *expression)
{
    for (size_t i = 0; i < COUNT_OF(PG_DEFAULT_NOW); i++) {
        if (strcasecmp(expression, PG_DEFAULT_NOW[i]) == 0) {
            return true;
        }
    }
    const char *at = expression + (expression[0] == '(' ? 1 : 0);
    size_t name = 0;
    while (isalnum((unsigned char)at[name]) || at[name] == '_' || at[name] == '.') {
        name++;
    }
    return name > 0 && at[name] == '(' && strchr(at + name, ')') != NULL;
}

// Appends the text between the first pair of quotes, in which '' is a quote; the whole expression without
// quotes.
static bool append_literal(const char *expression, struct bytes *out)
{
    const char *at = strchr(expression, '\'');
    if (at == NULL) {
        bytes_append_string(out, expression);
        return strncmp(expression, "NULL::", 6) != 0;
    }
    for (at++; *at != '\0'; at++) {
        if (*at == '\'' && at[1] != '\'') {
            return strncmp(expression, "NULL::", 6) != 0;
        }
        at += *at == '\'' ? 1 : 0;
        bytes_append_byte(out, (uint8_t)*at);
    }
    return false;
}

// As Debezium: domains over text and enums have no default, domains over other types have their base type's.
static bool is_domain_over_text(const struct column *c)
{
    bool is_text = c->type.ops == &PG_STRING_TEXT || c->type.ops == &PG_ENUM;
    return is_text && c->type_oid != c->type.oid;
}

// A boolean's literal has another form than its value: any other than true is false, as in Java.
static void adjust_boolean(const struct column *c, struct bytes *io_literal)
{
    if (c->type.ops == &PG_NUMBER_BOOLEAN) {
        bool is_true = strcasecmp(bytes_text(io_literal), "true") == 0;
        bytes_reset(io_literal);
        bytes_append_byte(io_literal, is_true ? 't' : 'f');
    }
}

// A float's literal may be a numeric of any number of digits: 1e300 is kept as a 1 and 300 zeros.
static void shorten_float(const struct column *c, struct bytes *io_literal)
{
    bool is_float = c->type.ops == &PG_NUMBER_FLOAT32 || c->type.ops == &PG_NUMBER_FLOAT64;
    if (is_float && io_literal->size >= FLOAT_TEXT_MAX) {
        double value = strtod(bytes_text(io_literal), NULL);
        bytes_reset(io_literal);
        pg_float_write_double(io_literal, value);
    }
}

void pg_default_set(struct column *c, const char *expression)
{
    const struct type_ops *ops = c->type.ops;
    if (expression == NULL || ops->append_default == NULL || is_domain_over_text(c)) {
        return;
    }
    CLEANUP(bytes_clear) struct bytes literal = {0};
    if (is_generated(expression)) {
        if (ops->computed_default == NULL) {
            return;
        }
        bytes_append_string(&literal, ops->computed_default);
    } else if (append_literal(expression, &literal)) {
        adjust_boolean(c, &literal);
        shorten_float(c, &literal);
    } else {
        return;
    }
    struct fault f;
    struct slice text = bytes_slice(&literal);
    if (ops->append_text(&c->default_avro, &c->type, text, &f) != VALUE_DONE ||
        ops->append_default(&c->default_json, &c->type, text, &f) != VALUE_DONE) {
        bytes_clear(&c->default_avro);
        bytes_clear(&c->default_json);
    }
}
