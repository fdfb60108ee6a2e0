#include "connectors/postgres/values/pg_values.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_number.h"
#include "connectors/postgres/values/pg_numeric.h"
#include "connectors/postgres/values/pg_string.h"
#include "connectors/postgres/values/pg_temporal.h"

// Arrays have Debezium's placeholders, which consumers know, or none where Debezium has none.
static const struct {
    const struct value_ops *scalar;
    const struct value_ops *array;
} PG_VALUES[] = {
    [COLUMN_BOOLEAN] = {&PG_NUMBER_BOOLEAN, &PG_ARRAY_NO_PLACEHOLDER},
    [COLUMN_INT16] = {&PG_NUMBER_INT16, &PG_ARRAY_NO_PLACEHOLDER},
    [COLUMN_INT32] = {&PG_NUMBER_INT32, &PG_ARRAY_PLACEHOLDER_CODES},
    [COLUMN_INT64] = {&PG_NUMBER_INT64, &PG_ARRAY_PLACEHOLDER_CODES},
    [COLUMN_FLOAT32] = {&PG_NUMBER_FLOAT32, &PG_ARRAY_NO_PLACEHOLDER},
    [COLUMN_FLOAT64] = {&PG_NUMBER_FLOAT64, &PG_ARRAY_NO_PLACEHOLDER},
    [COLUMN_DECIMAL] = {&PG_NUMERIC_DECIMAL, &PG_ARRAY_NO_PLACEHOLDER},
    [COLUMN_VARIABLE_DECIMAL] = {&PG_NUMERIC_VARIABLE, &PG_ARRAY_NO_PLACEHOLDER},
    [COLUMN_STRING] = {&PG_STRING_TEXT, &PG_ARRAY_PLACEHOLDER},
    [COLUMN_BYTES] = {&PG_STRING_BYTES, &PG_ARRAY_PLACEHOLDER},
    [COLUMN_DATE] = {&PG_TEMPORAL_DATE, &PG_ARRAY_PLACEHOLDER_CODES},
    [COLUMN_TIME_MS] = {&PG_TEMPORAL_TIME_MS, &PG_ARRAY_NO_PLACEHOLDER},
    [COLUMN_TIME_US] = {&PG_TEMPORAL_TIME_US, &PG_ARRAY_NO_PLACEHOLDER},
    [COLUMN_TIMESTAMP_MS] = {&PG_TEMPORAL_TIMESTAMP_MS, &PG_ARRAY_NO_PLACEHOLDER},
    [COLUMN_TIMESTAMP_US] = {&PG_TEMPORAL_TIMESTAMP_US, &PG_ARRAY_NO_PLACEHOLDER},
    [COLUMN_ZONED_TIMESTAMP] = {&PG_TEMPORAL_ZONED_TIMESTAMP, &PG_ARRAY_NO_PLACEHOLDER},
    [COLUMN_ZONED_TIME] = {&PG_TEMPORAL_ZONED_TIME, &PG_ARRAY_NO_PLACEHOLDER},
    [COLUMN_UUID] = {&PG_STRING_UUID, &PG_ARRAY_PLACEHOLDER},
    [COLUMN_JSON] = {&PG_STRING_TEXT, &PG_ARRAY_PLACEHOLDER},
    [COLUMN_XML] = {&PG_STRING_TEXT, &PG_ARRAY_PLACEHOLDER},
};

void pg_values_bind(struct column *c)
{
    const struct value_ops *scalar = PG_VALUES[c->type].scalar;
    c->ops = c->is_array ? PG_VALUES[c->type].array : scalar;
    c->element_ops = c->is_array ? scalar : NULL;
}

void pg_values_bind_plain(struct column *c, bool has_placeholder)
{
    const struct value_ops *scalar = has_placeholder ? &PG_STRING_TEXT : &PG_STRING_NO_PLACEHOLDER;
    c->ops = c->is_array ? &PG_ARRAY_NO_PLACEHOLDER : scalar;
    c->element_ops = c->is_array ? scalar : NULL;
}
