#include "connectors/postgres/catalogue/pg_types.h"

#include <stdlib.h>

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_bits.h"
#include "connectors/postgres/values/pg_bytea.h"
#include "connectors/postgres/values/pg_composite.h"
#include "connectors/postgres/values/pg_enum.h"
#include "connectors/postgres/values/pg_geometric.h"
#include "connectors/postgres/values/pg_hstore.h"
#include "connectors/postgres/values/pg_interval.h"
#include "connectors/postgres/values/pg_money.h"
#include "connectors/postgres/values/pg_network.h"
#include "connectors/postgres/values/pg_number.h"
#include "connectors/postgres/values/pg_numeric.h"
#include "connectors/postgres/values/pg_oid.h"
#include "connectors/postgres/values/pg_postgis.h"
#include "connectors/postgres/values/pg_range.h"
#include "connectors/postgres/values/pg_string.h"
#include "connectors/postgres/values/pg_system.h"
#include "connectors/postgres/values/pg_temporal.h"
#include "connectors/postgres/values/pg_tsearch.h"
#include "connectors/postgres/values/pg_vector.h"
#include "connectors/postgres/values/pg_versioned.h"
#include "core/base/memory.h"

struct pg_types_rule {
    uint32_t oid;
    uint32_t array_oid;
    uint32_t below_oid;  // a range's subtype, a multirange's range, a vector's element; else 0
    const struct type_ops *ops;
    void (*apply_modifier)(struct value_type *t);  // NULL: the modifier changes nothing
};

// numeric's modifier is ((precision << 16) | (scale & 0x7ff)) + 4; the scale is signed from PostgreSQL 15 on.
static void apply_numeric(struct value_type *t)
{
    if (t->modifier < 4) {
        t->ops = &PG_NUMERIC_VARIABLE;
        return;
    }
    int32_t packed = t->modifier - 4;
    t->precision = (packed >> 16) & 0xffff;
    t->scale = ((packed & 0x7ff) ^ 1024) - 1024;
}

static void apply_fraction(struct value_type *t)
{
    t->precision = t->modifier >= 0 ? t->modifier : -1;
}

static bool is_coarse(const struct value_type *t)
{
    return t->modifier >= 0 && t->modifier <= 3;
}

static void apply_time(struct value_type *t)
{
    apply_fraction(t);
    t->ops = is_coarse(t) ? &PG_TEMPORAL_TIME_MS : &PG_TEMPORAL_TIME_US;
}

static void apply_timestamp(struct value_type *t)
{
    apply_fraction(t);
    t->ops = is_coarse(t) ? &PG_TEMPORAL_TIMESTAMP_MS : &PG_TEMPORAL_TIMESTAMP_US;
}

// Of bit and varbit. One bit is a boolean.
static void apply_length(struct value_type *t)
{
    t->length = t->modifier;
    if (t->length == 1) {
        t->ops = &PG_BITS_BOOLEAN;
    }
}

// By pg_type.dat's oids, which never change. Types with other oids are found by their name and extension.
static const struct pg_types_rule RULES[] = {
    {16, 1000, 0, &PG_NUMBER_BOOLEAN, NULL},
    {17, 1001, 0, &PG_BYTEA_BYTES, NULL},   // bytea
    {18, 1002, 0, &PG_SYSTEM_CHAR, NULL},   // "char"
    {19, 1003, 0, &PG_STRING_OTHER, NULL},  // name
    {20, 1016, 0, &PG_NUMBER_INT64, NULL},
    {21, 1005, 0, &PG_NUMBER_INT16, NULL},
    {22, 1006, 21, &PG_ARRAY_VECTOR, NULL},  // int2vector
    {23, 1007, 0, &PG_NUMBER_INT32, NULL},
    {24, 1008, 0, &PG_SYSTEM_NAME_OF, NULL},  // regproc
    {25, 1009, 0, &PG_STRING_TEXT, NULL},     // text
    {26, 1028, 0, &PG_NUMBER_OID, NULL},
    {27, 1010, 0, &PG_SYSTEM_TID, NULL},
    {28, 1011, 0, &PG_SYSTEM_NUMBER, NULL},  // xid
    {29, 1012, 0, &PG_SYSTEM_NUMBER, NULL},  // cid
    {30, 1013, 26, &PG_ARRAY_VECTOR, NULL},  // oidvector
    {114, 199, 0, &PG_STRING_JSON, NULL},
    {142, 143, 0, &PG_STRING_XML, NULL},
    {600, 1017, 0, &PG_GEOMETRIC_POINT, NULL},
    {601, 1018, 0, &PG_GEOMETRIC, NULL},  // lseg
    {602, 1019, 0, &PG_GEOMETRIC, NULL},  // path
    {PG_OID_BOX, 1020, 0, &PG_GEOMETRIC, NULL},
    {604, 1027, 0, &PG_GEOMETRIC, NULL},    // polygon
    {628, 629, 0, &PG_GEOMETRIC, NULL},     // line
    {650, 651, 0, &PG_NETWORK_INET, NULL},  // cidr
    {700, 1021, 0, &PG_NUMBER_FLOAT32, NULL},
    {701, 1022, 0, &PG_NUMBER_FLOAT64, NULL},
    {718, 719, 0, &PG_GEOMETRIC, NULL},        // circle
    {774, 775, 0, &PG_NETWORK_MACADDR, NULL},  // macaddr8
    {790, 791, 0, &PG_MONEY_DECIMAL, NULL},
    {829, 1040, 0, &PG_NETWORK_MACADDR, NULL},  // macaddr
    {869, 1041, 0, &PG_NETWORK_INET, NULL},     // inet
    {1042, 1014, 0, &PG_STRING_TEXT, NULL},     // char(n): keeps its padding
    {1043, 1015, 0, &PG_STRING_TEXT, NULL},     // varchar
    {1082, 1182, 0, &PG_TEMPORAL_DATE, NULL},
    {1083, 1183, 0, &PG_TEMPORAL_TIME_US, apply_time},
    {1114, 1115, 0, &PG_TEMPORAL_TIMESTAMP_US, apply_timestamp},
    {1184, 1185, 0, &PG_TEMPORAL_ZONED_TIMESTAMP, apply_fraction},
    {1186, 1187, 0, &PG_INTERVAL_MICROS, NULL},
    {1266, 1270, 0, &PG_TEMPORAL_ZONED_TIME, apply_fraction},
    {1560, 1561, 0, &PG_BITS_BYTES, apply_length},  // bit
    {1562, 1563, 0, &PG_BITS_BYTES, apply_length},  // varbit
    {1700, 1231, 0, &PG_NUMERIC_DECIMAL, apply_numeric},
    {1790, 2201, 0, &PG_STRING_OTHER, NULL},    // refcursor
    {2202, 2207, 0, &PG_SYSTEM_NAME_OF, NULL},  // regprocedure
    {2203, 2208, 0, &PG_SYSTEM_NAME_OF, NULL},  // regoper
    {2204, 2209, 0, &PG_SYSTEM_NAME_OF, NULL},  // regoperator
    {2205, 2210, 0, &PG_SYSTEM_NAME_OF, NULL},  // regclass
    {2206, 2211, 0, &PG_SYSTEM_NAME_OF, NULL},  // regtype
    {2950, 2951, 0, &PG_STRING_UUID, NULL},
    {2970, 2949, 0, &PG_SYSTEM_SNAPSHOT, NULL},  // txid_snapshot
    {3220, 3221, 0, &PG_SYSTEM_LSN, NULL},
    {3614, 3643, 0, &PG_TSEARCH_VECTOR, NULL},
    {3615, 3645, 0, &PG_TSEARCH_QUERY, NULL},
    {3734, 3735, 0, &PG_SYSTEM_NAME_OF, NULL},  // regconfig
    {3769, 3770, 0, &PG_SYSTEM_NAME_OF, NULL},  // regdictionary
    {3802, 3807, 0, &PG_STRING_JSONB, NULL},
    {3904, 3905, 23, &PG_RANGE, NULL},          // int4range
    {3906, 3907, 1700, &PG_RANGE, NULL},        // numrange
    {3908, 3909, 1114, &PG_RANGE, NULL},        // tsrange
    {3910, 3911, 1184, &PG_RANGE, NULL},        // tstzrange
    {3912, 3913, 1082, &PG_RANGE, NULL},        // daterange
    {3926, 3927, 20, &PG_RANGE, NULL},          // int8range
    {4072, 4073, 0, &PG_VERSIONED_TEXT, NULL},  // jsonpath
    {4089, 4090, 0, &PG_SYSTEM_NAME_OF, NULL},  // regnamespace
    {4096, 4097, 0, &PG_SYSTEM_NAME_OF, NULL},  // regrole
    {4191, 4192, 0, &PG_SYSTEM_NAME_OF, NULL},  // regcollation
    {4451, 6150, 3904, &PG_MULTIRANGE, NULL},
    {4532, 6151, 3906, &PG_MULTIRANGE, NULL},
    {4533, 6152, 3908, &PG_MULTIRANGE, NULL},
    {4534, 6153, 3910, &PG_MULTIRANGE, NULL},
    {4535, 6155, 3912, &PG_MULTIRANGE, NULL},
    {4536, 6157, 3926, &PG_MULTIRANGE, NULL},
    {5038, 5039, 0, &PG_SYSTEM_SNAPSHOT, NULL},  // pg_snapshot
    {5069, 271, 0, &PG_SYSTEM_NUMBER, NULL},     // xid8
};

// Base types of extensions, whose oids differ from database to database.
static const struct {
    const char *extension;
    const char *name;
    const struct type_ops *ops;
} EXTENSION_RULES[] = {
    {"hstore", "hstore", &PG_HSTORE_JSON},
    {"ltree", "ltree", &PG_VERSIONED_LTREE},
    {"ltree", "lquery", &PG_VERSIONED_TEXT},
    {"ltree", "ltxtquery", &PG_VERSIONED_TEXT},
    {"postgis", "geometry", &PG_POSTGIS_GEOMETRY},
    {"postgis", "geography", &PG_POSTGIS_GEOGRAPHY},
    {"vector", "vector", &PG_VECTOR},
    {"vector", "halfvec", &PG_VECTOR_HALF},
    {"vector", "sparsevec", &PG_VECTOR_SPARSE},
    {"citext", "citext", &PG_STRING_OTHER},
};

// What a type is resolved with.
struct resolver {
    const struct pg_type *types;
    size_t type_count;
    const char *plain;  // the first type without a rule, at the column or as its array's element
    int depth;
    int count;  // of types that were resolved
    bool is_too_large;
};

static const struct pg_types_rule *find_rule(uint32_t oid, bool *ret_is_array)
{
    for (size_t i = 0; i < COUNT_OF(RULES); i++) {
        if (RULES[i].oid == oid || RULES[i].array_oid == oid) {
            *ret_is_array = RULES[i].array_oid == oid;
            return &RULES[i];
        }
    }
    return NULL;
}

bool pg_types_is_known(uint32_t oid)
{
    bool is_array;
    return find_rule(oid, &is_array) != NULL;
}

static const struct pg_type *find_type(const struct resolver *r, uint32_t oid)
{
    for (size_t i = 0; i < r->type_count; i++) {
        if (r->types[i].oid == oid) {
            return &r->types[i];
        }
    }
    return NULL;
}

static struct value_type resolve(struct resolver *r, uint32_t oid, int32_t modifier);

static struct value_type *resolve_below(struct resolver *r, uint32_t oid, int32_t modifier)
{
    struct value_type *below = memory_new(sizeof(*below));
    *below = resolve(r, oid, modifier);
    return below;
}

static struct value_type plain_type(uint32_t oid)
{
    return (struct value_type){
        .ops = &PG_STRING_PLAIN, .oid = oid, .modifier = -1, .precision = -1, .length = -1};
}

static struct value_type resolve_array(struct resolver *r, struct value_type t, uint32_t element)
{
    t.element = resolve_below(r, element, t.modifier);
    // An array in an array, over a domain: its inner arrays are their text.
    if (t.element->delimiter != '\0') {
        uint32_t inner = t.element->oid;
        value_type_clear(t.element);
        *t.element = plain_type(inner);
    }
    t.ops = t.element->ops->array;
    return t;
}

static struct value_type resolve_rule(struct resolver *r, struct value_type t,
                                      const struct pg_types_rule *rule, bool is_array)
{
    if (is_array) {
        t.delimiter = rule->oid == PG_OID_BOX ? ';' : ',';
        return resolve_array(r, t, rule->oid);
    }
    t.ops = rule->ops;
    if (rule->below_oid != 0) {
        t.element = resolve_below(r, rule->below_oid, -1);
    }
    if (rule->apply_modifier != NULL) {
        rule->apply_modifier(&t);
    }
    return t;
}

static void resolve_fields(struct resolver *r, const struct pg_type *type, struct value_type *io)
{
    io->field_count = type->field_count;
    io->fields = memory_zeroed(type->field_count, sizeof(*io->fields));
    for (size_t i = 0; i < type->field_count; i++) {
        text_list_add(&io->field_names, type->fields[i].name);
        io->fields[i] = resolve(r, type->fields[i].oid, type->fields[i].modifier);
    }
}

static const struct type_ops *find_extension_rule(const struct pg_type *type)
{
    for (size_t i = 0; type->extension != NULL && i < COUNT_OF(EXTENSION_RULES); i++) {
        if (strcmp(EXTENSION_RULES[i].extension, type->extension) == 0 &&
            strcmp(EXTENSION_RULES[i].name, type->name) == 0) {
            return EXTENSION_RULES[i].ops;
        }
    }
    return NULL;
}

// The functions of a type that is not built in; NULL: it has no rule.
static const struct type_ops *find_ops(const struct pg_type *type)
{
    switch (type->kind) {
    case 'e':
        return &PG_ENUM;
    case 'r':
        return &PG_RANGE;
    case 'm':
        return &PG_MULTIRANGE;
    case 'c':
        return &PG_COMPOSITE;
    default:
        return find_extension_rule(type);
    }
}

// A type that is not built in, or has no rule.
static struct value_type resolve_type(struct resolver *r, struct value_type t, const struct pg_type *type)
{
    if (type != NULL && type->schema != NULL) {
        t.name = memory_format("%s.%s", type->schema, type->name);
    }
    t.ops = &PG_STRING_PLAIN;
    t.is_text_only = type != NULL && type->element_oid == 0 && !type->has_send;
    r->is_too_large = r->is_too_large || r->depth >= PG_TYPES_DEPTH_MAX;
    if (type == NULL || r->is_too_large) {
        r->plain = r->plain == NULL ? type == NULL ? "unknown" : type->name : r->plain;
        return t;
    }
    if (type->element_oid != 0) {
        t.delimiter = type->delimiter;
        return resolve_array(r, t, type->element_oid);
    }
    const struct type_ops *ops = find_ops(type);
    if (ops == NULL) {
        r->plain = r->plain == NULL ? type->name : r->plain;
        return t;
    }
    t.ops = ops;
    for (size_t i = 0; i < type->labels.count; i++) {
        text_list_add(&t.labels, type->labels.items[i]);
    }
    if (type->below_oid != 0) {
        t.element = resolve_below(r, type->below_oid, -1);
    }
    if (type->field_count > 0) {
        resolve_fields(r, type, &t);
    }
    return t;
}

static struct value_type resolve(struct resolver *r, uint32_t oid, int32_t modifier)
{
    r->depth++;
    r->is_too_large = r->is_too_large || ++r->count > PG_TYPES_MAX;
    bool is_array = false;
    const struct pg_types_rule *rule = find_rule(oid, &is_array);
    const struct pg_type *type = rule == NULL ? find_type(r, oid) : NULL;
    for (int i = 0; i < PG_TYPES_DEPTH_MAX && type != NULL && type->kind == 'd'; i++) {
        oid = type->base_oid;
        modifier = type->base_modifier;
        rule = find_rule(oid, &is_array);
        type = rule == NULL ? find_type(r, oid) : NULL;
    }
    struct value_type t = {.oid = oid, .modifier = modifier, .precision = -1, .length = -1};
    t = rule != NULL ? resolve_rule(r, t, rule, is_array) : resolve_type(r, t, type);
    r->depth--;
    return t;
}

void pg_types_resolve(uint32_t oid, int32_t modifier, const struct pg_type *types, size_t type_count,
                      struct value_type *ret, const char **ret_plain)
{
    struct resolver r = {.types = types, .type_count = type_count};
    *ret = resolve(&r, oid, modifier);
    *ret_plain = r.plain;
    if (r.is_too_large) {
        const struct pg_type *type = find_type(&r, oid);
        value_type_clear(ret);
        *ret = plain_type(oid);
        *ret_plain = type == NULL ? "unknown" : type->name;
    }
}

bool pg_types_is_too_large(uint32_t oid, int32_t modifier, const struct pg_type *types, size_t type_count)
{
    struct resolver r = {.types = types, .type_count = type_count};
    struct value_type type = resolve(&r, oid, modifier);
    value_type_clear(&type);
    return r.is_too_large;
}

// Built-in types for which Debezium has no converter; of those behind ONLY_ARRAYS, for arrays of them.
static bool has_no_converter(uint32_t oid, bool is_array)
{
    static const uint32_t ALONE[] = {24,   27,   28,   29,   1790, 2202, 2203, 2204, 2205,
                                     2206, 2970, 3220, 3615, 3734, 3769, 4072, 4089, 4096,
                                     4191, 4451, 4532, 4533, 4534, 4535, 4536, 5038, 5069};
    static const uint32_t ONLY_ARRAYS[] = {19, 142, 600, 790, 1186, 1562};
    bool is_found = false;
    for (size_t i = 0; i < COUNT_OF(ALONE); i++) {
        is_found = is_found || ALONE[i] == oid;
    }
    for (size_t i = 0; is_array && i < COUNT_OF(ONLY_ARRAYS); i++) {
        is_found = is_found || ONLY_ARRAYS[i] == oid;
    }
    return is_found;
}

bool pg_types_is_left_out(uint32_t oid, const struct pg_type *types, size_t type_count)
{
    struct resolver r = {.types = types, .type_count = type_count};
    bool is_array = false;
    for (int i = 0; i < PG_TYPES_DEPTH_MAX; i++) {
        bool is_array_of_rule = false;
        const struct pg_types_rule *rule = find_rule(oid, &is_array_of_rule);
        if (rule != NULL) {
            return has_no_converter(rule->oid, is_array || is_array_of_rule);
        }
        const struct pg_type *type = find_type(&r, oid);
        if (type == NULL || (type->kind == 'd' && is_array)) {
            return true;
        }
        if (type->kind != 'd' && type->element_oid == 0) {
            const struct type_ops *ops = find_ops(type);
            return ops == NULL || ops == &PG_VERSIONED_TEXT || type->kind == 'r' || type->kind == 'm' ||
                   type->kind == 'c';
        }
        is_array = is_array || type->kind != 'd';
        oid = type->kind == 'd' ? type->base_oid : type->element_oid;
    }
    return true;
}

void pg_type_list_free(struct pg_type *types, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(types[i].name);
        free(types[i].schema);
        free(types[i].extension);
        text_list_clear(&types[i].labels);
        for (size_t k = 0; k < types[i].field_count; k++) {
            free(types[i].fields[k].name);
        }
        free(types[i].fields);
    }
    free(types);
}
