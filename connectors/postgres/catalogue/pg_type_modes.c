#include "connectors/postgres/catalogue/pg_type_modes.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_bits.h"
#include "connectors/postgres/values/pg_bytea.h"
#include "connectors/postgres/values/pg_composite.h"
#include "connectors/postgres/values/pg_hstore.h"
#include "connectors/postgres/values/pg_interval.h"
#include "connectors/postgres/values/pg_money.h"
#include "connectors/postgres/values/pg_numeric.h"
#include "connectors/postgres/values/pg_numeric_modes.h"
#include "connectors/postgres/values/pg_oid.h"
#include "connectors/postgres/values/pg_string.h"
#include "connectors/postgres/values/pg_temporal.h"
#include "connectors/postgres/values/pg_temporal_connect.h"
#include "connectors/postgres/values/pg_temporal_iso.h"
#include "connectors/postgres/values/pg_temporal_native.h"
#include "connectors/postgres/values/pg_vector.h"
#include "core/base/memory.h"

enum mode {
    DECIMAL_DOUBLE = 1 << 0,
    DECIMAL_STRING = 1 << 1,
    TEMPORAL_CONNECT = 1 << 2,
    TEMPORAL_ISO = 1 << 3,
    BINARY_BASE64 = 1 << 4,
    BINARY_HEX = 1 << 5,
    INTERVAL_STRING = 1 << 6,
    NATIVE = 1 << 7,
    HSTORE_MAP = 1 << 8,
};

// The first rule of a mode that is on is taken: a mode of one kind of types goes before `types: native`.
static const struct {
    enum mode mode;
    const struct type_ops *from;
    const struct type_ops *to;
} RULES[] = {
    {DECIMAL_DOUBLE, &PG_NUMERIC_DECIMAL, &PG_NUMERIC_DOUBLE},
    {DECIMAL_DOUBLE, &PG_NUMERIC_VARIABLE, &PG_NUMERIC_DOUBLE},
    {DECIMAL_DOUBLE, &PG_MONEY_DECIMAL, &PG_MONEY_DOUBLE},
    {DECIMAL_STRING, &PG_NUMERIC_DECIMAL, &PG_NUMERIC_STRING},
    {DECIMAL_STRING, &PG_NUMERIC_VARIABLE, &PG_NUMERIC_STRING},
    {DECIMAL_STRING, &PG_MONEY_DECIMAL, &PG_MONEY_STRING},
    {TEMPORAL_CONNECT, &PG_TEMPORAL_DATE, &PG_TEMPORAL_CONNECT_DATE},
    {TEMPORAL_CONNECT, &PG_TEMPORAL_TIME_MS, &PG_TEMPORAL_CONNECT_TIME},
    {TEMPORAL_CONNECT, &PG_TEMPORAL_TIME_US, &PG_TEMPORAL_CONNECT_TIME},
    {TEMPORAL_CONNECT, &PG_TEMPORAL_TIMESTAMP_MS, &PG_TEMPORAL_CONNECT_TIMESTAMP},
    {TEMPORAL_CONNECT, &PG_TEMPORAL_TIMESTAMP_US, &PG_TEMPORAL_CONNECT_TIMESTAMP},
    {TEMPORAL_CONNECT, &PG_TEMPORAL_ZONED_TIMESTAMP, &PG_TEMPORAL_ZONED_TIMESTAMP},
    {TEMPORAL_ISO, &PG_TEMPORAL_DATE, &PG_TEMPORAL_ISO_DATE},
    {TEMPORAL_ISO, &PG_TEMPORAL_TIME_MS, &PG_TEMPORAL_ISO_TIME},
    {TEMPORAL_ISO, &PG_TEMPORAL_TIME_US, &PG_TEMPORAL_ISO_TIME},
    {TEMPORAL_ISO, &PG_TEMPORAL_TIMESTAMP_MS, &PG_TEMPORAL_ISO_TIMESTAMP},
    {TEMPORAL_ISO, &PG_TEMPORAL_TIMESTAMP_US, &PG_TEMPORAL_ISO_TIMESTAMP},
    {TEMPORAL_ISO, &PG_TEMPORAL_ZONED_TIMESTAMP, &PG_TEMPORAL_ZONED_TIMESTAMP},
    {BINARY_BASE64, &PG_BYTEA_BYTES, &PG_BYTEA_BASE64},
    {BINARY_HEX, &PG_BYTEA_BYTES, &PG_BYTEA_HEX},
    {INTERVAL_STRING, &PG_INTERVAL_MICROS, &PG_INTERVAL_STRING},
    {NATIVE, &PG_NUMERIC_DECIMAL, &PG_NUMERIC_NATIVE},
    {NATIVE, &PG_NUMERIC_VARIABLE, &PG_NUMERIC_STRING},
    {NATIVE, &PG_MONEY_DECIMAL, &PG_MONEY_NATIVE},
    {NATIVE, &PG_TEMPORAL_DATE, &PG_TEMPORAL_NATIVE_DATE},
    {NATIVE, &PG_TEMPORAL_TIME_MS, &PG_TEMPORAL_NATIVE_TIME},
    {NATIVE, &PG_TEMPORAL_TIME_US, &PG_TEMPORAL_NATIVE_TIME},
    {NATIVE, &PG_TEMPORAL_TIMESTAMP_MS, &PG_TEMPORAL_NATIVE_TIMESTAMP},
    {NATIVE, &PG_TEMPORAL_TIMESTAMP_US, &PG_TEMPORAL_NATIVE_TIMESTAMP},
    {NATIVE, &PG_TEMPORAL_ZONED_TIMESTAMP, &PG_TEMPORAL_NATIVE_ZONED_TIMESTAMP},
    {NATIVE, &PG_TEMPORAL_ZONED_TIME, &PG_TEMPORAL_NATIVE_ZONED_TIME},
    {NATIVE, &PG_INTERVAL_MICROS, &PG_INTERVAL_NATIVE},
    {NATIVE, &PG_BITS_BYTES, &PG_BITS_STRING},
    {NATIVE, &PG_STRING_UUID, &PG_STRING_UUID_NATIVE},
    {NATIVE, &PG_COMPOSITE, &PG_COMPOSITE_RECORD},
    {NATIVE, &PG_VECTOR_SPARSE, &PG_VECTOR_SPARSE_NATIVE},
    {NATIVE, &PG_ARRAY_NO_PLACEHOLDER, &PG_ARRAY_EXACT},
    {NATIVE, &PG_ARRAY_REQUIRED, &PG_ARRAY_EXACT},
    {NATIVE, &PG_ARRAY_PLACEHOLDER, &PG_ARRAY_EXACT_PLACEHOLDER},
    {NATIVE, &PG_ARRAY_PLACEHOLDER_CODES, &PG_ARRAY_EXACT_PLACEHOLDER_CODES},
    {HSTORE_MAP, &PG_HSTORE_JSON, &PG_HSTORE_MAP},
};

static unsigned modes_of(const struct type_modes *m)
{
    unsigned modes = 0;
    modes |= m->decimal == TYPE_MODE_DECIMAL_DOUBLE ? DECIMAL_DOUBLE : 0;
    modes |= m->decimal == TYPE_MODE_DECIMAL_STRING ? DECIMAL_STRING : 0;
    modes |= m->temporal == TYPE_MODE_TEMPORAL_CONNECT ? TEMPORAL_CONNECT : 0;
    modes |= m->temporal == TYPE_MODE_TEMPORAL_ISO ? TEMPORAL_ISO : 0;
    modes |= m->binary == TYPE_MODE_BINARY_BASE64 ? BINARY_BASE64 : 0;
    modes |= m->binary == TYPE_MODE_BINARY_HEX ? BINARY_HEX : 0;
    modes |= m->interval == TYPE_MODE_INTERVAL_STRING ? INTERVAL_STRING : 0;
    modes |= m->types == TYPE_MODE_NATIVE ? NATIVE : 0;
    modes |= m->hstore == TYPE_MODE_HSTORE_MAP ? HSTORE_MAP : 0;
    return modes;
}

// Two have no form of their own in `types: native` that keeps all their values: varbit(1) may be empty, and
// Avro's decimal has no scale below 0 or above its precision.
static const struct type_ops *choose_native(const struct value_type *t)
{
    if (t->ops == &PG_BITS_BOOLEAN && t->oid == PG_OID_VARBIT) {
        return &PG_BITS_STRING;
    }
    if (t->ops == &PG_NUMERIC_NATIVE && (t->scale < 0 || t->scale > t->precision)) {
        return &PG_NUMERIC_STRING;
    }
    return t->ops;
}

static const struct type_ops *find(const struct type_ops *ops, unsigned modes)
{
    for (size_t i = 0; i < COUNT_OF(RULES); i++) {
        if ((modes & RULES[i].mode) != 0 && ops == RULES[i].from) {
            return RULES[i].to;
        }
    }
    return ops;
}

static void apply(struct value_type *t, unsigned modes)
{
    bool is_array = t->element != NULL && t->ops == t->element->ops->array;
    t->ops = find(t->ops, modes);
    if ((modes & NATIVE) != 0) {
        t->ops = choose_native(t);
    }
    if (t->element != NULL) {
        apply(t->element, modes);
    }
    for (size_t i = 0; i < t->field_count; i++) {
        apply(&t->fields[i], modes);
    }
    if (is_array) {
        t->ops = find(t->element->ops->array, modes);
    }
}

void pg_type_modes_apply(struct value_type *t, const struct type_modes *modes)
{
    unsigned on = modes_of(modes);
    if (on != 0) {
        apply(t, on);
    }
}
