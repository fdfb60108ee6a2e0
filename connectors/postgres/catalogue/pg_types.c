#include "connectors/postgres/catalogue/pg_types.h"

#include "connectors/postgres/values/pg_values.h"
#include "core/base/memory.h"

// pg_type.dat's oids; they never change.
struct pg_types_rule {
    uint32_t oid;
    uint32_t array_oid;
    enum column_type type;
};

static const struct pg_types_rule PG_TYPES_RULES[] = {
    {16, 1000, COLUMN_BOOLEAN},            // bool
    {17, 1001, COLUMN_BYTES},              // bytea
    {18, 1002, COLUMN_STRING},             // "char"
    {19, 1003, COLUMN_STRING},             // name
    {20, 1016, COLUMN_INT64},              // int8
    {21, 1005, COLUMN_INT16},              // int2
    {23, 1007, COLUMN_INT32},              // int4
    {25, 1009, COLUMN_STRING},             // text
    {26, 1028, COLUMN_INT64},              // oid
    {114, 199, COLUMN_JSON},               // json
    {142, 143, COLUMN_XML},                // xml
    {650, 651, COLUMN_STRING},             // cidr
    {700, 1021, COLUMN_FLOAT32},           // float4
    {701, 1022, COLUMN_FLOAT64},           // float8
    {774, 775, COLUMN_STRING},             // macaddr8
    {829, 1040, COLUMN_STRING},            // macaddr
    {869, 1041, COLUMN_STRING},            // inet
    {1042, 1014, COLUMN_STRING},           // bpchar: keeps its padding
    {1043, 1015, COLUMN_STRING},           // varchar
    {1082, 1182, COLUMN_DATE},             // date
    {1083, 1183, COLUMN_TIME_US},          // time: _MS by modifier
    {1114, 1115, COLUMN_TIMESTAMP_US},     // timestamp: _MS by modifier
    {1184, 1185, COLUMN_ZONED_TIMESTAMP},  // timestamptz
    {1266, 1270, COLUMN_ZONED_TIME},       // timetz
    {1700, 1231, COLUMN_DECIMAL},          // numeric: VARIABLE by modifier
    {2950, 2951, COLUMN_UUID},             // uuid
    {3802, 3807, COLUMN_JSON},             // jsonb
    {3904, 3905, COLUMN_STRING},           // int4range
    {3906, 3907, COLUMN_STRING},           // numrange
    {3908, 3909, COLUMN_STRING},           // tsrange
    {3910, 3911, COLUMN_STRING},           // tstzrange
    {3912, 3913, COLUMN_STRING},           // daterange
    {3926, 3927, COLUMN_STRING},           // int8range
};

// Variable-length types without a rule whose text has a fixed format, so that a placeholder would be invalid.
static const uint32_t PG_TYPES_NO_PLACEHOLDER[] = {
    602,   // path
    604,   // polygon
    1560,  // bit
    1562,  // varbit
};

enum { PG_TYPES_DEPTH_MAX = 32 };  // domains over domains

static bool has_placeholder(uint32_t oid)
{
    for (size_t i = 0; i < COUNT_OF(PG_TYPES_NO_PLACEHOLDER); i++) {
        if (PG_TYPES_NO_PLACEHOLDER[i] == oid) {
            return false;
        }
    }
    return true;
}

static const struct pg_types_rule *find_rule(uint32_t oid, bool *ret_is_array)
{
    for (size_t i = 0; i < COUNT_OF(PG_TYPES_RULES); i++) {
        if (PG_TYPES_RULES[i].oid == oid || PG_TYPES_RULES[i].array_oid == oid) {
            *ret_is_array = PG_TYPES_RULES[i].array_oid == oid;
            return &PG_TYPES_RULES[i];
        }
    }
    return NULL;
}

bool pg_types_is_known(uint32_t oid)
{
    bool is_array;
    return find_rule(oid, &is_array) != NULL;
}

static const struct pg_type *find_type(const struct pg_type *types, size_t count, uint32_t oid)
{
    for (size_t i = 0; i < count; i++) {
        if (types[i].oid == oid) {
            return &types[i];
        }
    }
    return NULL;
}

// numeric's modifier is ((precision << 16) | (scale & 0x7ff)) + 4; the scale is signed from PostgreSQL 15 on.
static void apply_numeric_modifier(int32_t modifier, struct column *c)
{
    if (modifier < 4) {
        c->type = COLUMN_VARIABLE_DECIMAL;
        return;
    }
    int32_t packed = modifier - 4;
    c->precision = (packed >> 16) & 0xffff;
    c->scale = ((packed & 0x7ff) ^ 1024) - 1024;
}

static void apply_modifier(int32_t modifier, struct column *c)
{
    c->precision = modifier >= 0 ? modifier : -1;
    bool is_coarse = modifier >= 0 && modifier <= 3;
    if (c->type == COLUMN_DECIMAL) {
        apply_numeric_modifier(modifier, c);
    } else if (c->type == COLUMN_TIME_US && is_coarse) {
        c->type = COLUMN_TIME_MS;
    } else if (c->type == COLUMN_TIMESTAMP_US && is_coarse) {
        c->type = COLUMN_TIMESTAMP_MS;
    }
}

// Follows domains and array elements to a type that has a rule; other types are published as their text.
static const struct pg_types_rule *resolve_type(const struct pg_type *types, size_t type_count,
                                                struct column *c, uint32_t *io_oid, const char **ret_name)
{
    uint32_t oid = *io_oid;
    for (int depth = 0; depth < PG_TYPES_DEPTH_MAX; depth++) {
        bool is_array = false;
        const struct pg_types_rule *rule = find_rule(oid, &is_array);
        if (rule != NULL && !(is_array && c->is_array)) {
            c->is_array = c->is_array || is_array;
            c->element_oid = c->is_array ? rule->oid : 0;
            return rule;
        }
        const struct pg_type *type = find_type(types, type_count, oid);
        *ret_name = type == NULL ? "unknown" : type->name;
        *io_oid = oid;
        if (type == NULL || rule != NULL) {
            break;
        }
        if (type->kind == 'd') {
            c->type_modifier = type->base_modifier;
            oid = type->base_oid;
        } else if (type->element_oid != 0 && !c->is_array) {
            c->is_array = true;
            c->element_oid = type->element_oid;
            c->element_delimiter = type->delimiter;
            oid = type->element_oid;
        } else {
            break;
        }
    }
    return NULL;
}

void pg_types_map(uint32_t oid, int32_t modifier, const struct pg_type *types, size_t type_count,
                  struct column *ret, const char **ret_name)
{
    ret->type_oid = oid;
    ret->type_modifier = modifier;
    ret->is_array = false;
    ret->element_oid = 0;
    ret->element_delimiter = ',';
    ret->scale = 0;
    ret->precision = -1;
    *ret_name = NULL;
    const struct pg_types_rule *rule = resolve_type(types, type_count, ret, &oid, ret_name);
    if (rule == NULL) {
        ret->type = COLUMN_STRING;
        pg_values_bind_plain(ret, has_placeholder(oid));
        return;
    }
    ret->type = rule->type;
    apply_modifier(ret->type_modifier, ret);
    pg_values_bind(ret);
    *ret_name = NULL;
}
