#include "connectors/postgres/catalogue/pg_type_names.h"

#include <stdio.h>

#include "connectors/postgres/values/pg_oid.h"
#include "core/base/memory.h"

// java.sql.Types.
enum {
    JDBC_BIT = -7,
    JDBC_BIGINT = -5,
    JDBC_BINARY = -2,
    JDBC_CHAR = 1,
    JDBC_NUMERIC = 2,
    JDBC_INTEGER = 4,
    JDBC_SMALLINT = 5,
    JDBC_REAL = 7,
    JDBC_DOUBLE = 8,
    JDBC_VARCHAR = 12,
    JDBC_DATE = 91,
    JDBC_TIME = 92,
    JDBC_TIMESTAMP = 93,
    JDBC_OTHER = 1111,
    JDBC_DISTINCT = 2001,
    JDBC_STRUCT = 2002,
    JDBC_ARRAY = 2003,
    JDBC_SQLXML = 2009,
    JDBC_REF_CURSOR = 2012,
};

// By pg_type.dat's oids, which never change.
static const struct type_name {
    uint32_t oid;
    uint32_t array_oid;
    int32_t jdbc;
    const char *name;
} NAMES[] = {
    {16, 1000, JDBC_BIT, "bool"},
    {17, 1001, JDBC_BINARY, "bytea"},
    {18, 1002, JDBC_CHAR, "char"},
    {19, 1003, JDBC_VARCHAR, "name"},
    {20, 1016, JDBC_BIGINT, "int8"},
    {21, 1005, JDBC_SMALLINT, "int2"},
    {22, 1006, JDBC_OTHER, "int2vector"},
    {23, 1007, JDBC_INTEGER, "int4"},
    {24, 1008, JDBC_OTHER, "regproc"},
    {25, 1009, JDBC_VARCHAR, "text"},
    {26, 1028, JDBC_BIGINT, "oid"},
    {27, 1010, JDBC_OTHER, "tid"},
    {28, 1011, JDBC_OTHER, "xid"},
    {29, 1012, JDBC_OTHER, "cid"},
    {30, 1013, JDBC_OTHER, "oidvector"},
    {114, 199, JDBC_OTHER, "json"},
    {142, 143, JDBC_SQLXML, "xml"},
    {600, 1017, JDBC_OTHER, "point"},
    {601, 1018, JDBC_OTHER, "lseg"},
    {602, 1019, JDBC_OTHER, "path"},
    {603, 1020, JDBC_OTHER, "box"},
    {604, 1027, JDBC_OTHER, "polygon"},
    {628, 629, JDBC_OTHER, "line"},
    {650, 651, JDBC_OTHER, "cidr"},
    {700, 1021, JDBC_REAL, "float4"},
    {701, 1022, JDBC_DOUBLE, "float8"},
    {718, 719, JDBC_OTHER, "circle"},
    {774, 775, JDBC_OTHER, "macaddr8"},
    {790, 791, JDBC_DOUBLE, "money"},
    {829, 1040, JDBC_OTHER, "macaddr"},
    {869, 1041, JDBC_OTHER, "inet"},
    {PG_OID_BPCHAR, 1014, JDBC_CHAR, "bpchar"},
    {PG_OID_VARCHAR, 1015, JDBC_VARCHAR, "varchar"},
    {1082, 1182, JDBC_DATE, "date"},
    {1083, 1183, JDBC_TIME, "time"},
    {1114, 1115, JDBC_TIMESTAMP, "timestamp"},
    {1184, 1185, JDBC_TIMESTAMP, "timestamptz"},
    {1186, 1187, JDBC_OTHER, "interval"},
    {1266, 1270, JDBC_TIME, "timetz"},
    {PG_OID_BIT, 1561, JDBC_BIT, "bit"},
    {PG_OID_VARBIT, 1563, JDBC_OTHER, "varbit"},
    {PG_OID_NUMERIC, 1231, JDBC_NUMERIC, "numeric"},
    {1790, 2201, JDBC_REF_CURSOR, "refcursor"},
    {2202, 2207, JDBC_OTHER, "regprocedure"},
    {2203, 2208, JDBC_OTHER, "regoper"},
    {2204, 2209, JDBC_OTHER, "regoperator"},
    {2205, 2210, JDBC_OTHER, "regclass"},
    {2206, 2211, JDBC_OTHER, "regtype"},
    {2950, 2951, JDBC_OTHER, "uuid"},
    {2970, 2949, JDBC_OTHER, "txid_snapshot"},
    {3220, 3221, JDBC_OTHER, "pg_lsn"},
    {3614, 3643, JDBC_OTHER, "tsvector"},
    {3615, 3645, JDBC_OTHER, "tsquery"},
    {3734, 3735, JDBC_OTHER, "regconfig"},
    {3769, 3770, JDBC_OTHER, "regdictionary"},
    {3802, 3807, JDBC_OTHER, "jsonb"},
    {3904, 3905, JDBC_OTHER, "int4range"},
    {3906, 3907, JDBC_OTHER, "numrange"},
    {3908, 3909, JDBC_OTHER, "tsrange"},
    {3910, 3911, JDBC_OTHER, "tstzrange"},
    {3912, 3913, JDBC_OTHER, "daterange"},
    {3926, 3927, JDBC_OTHER, "int8range"},
    {4072, 4073, JDBC_OTHER, "jsonpath"},
    {4089, 4090, JDBC_OTHER, "regnamespace"},
    {4096, 4097, JDBC_OTHER, "regrole"},
    {4191, 4192, JDBC_OTHER, "regcollation"},
    {4451, 6150, JDBC_OTHER, "int4multirange"},
    {4532, 6151, JDBC_OTHER, "nummultirange"},
    {4533, 6152, JDBC_OTHER, "tsmultirange"},
    {4534, 6153, JDBC_OTHER, "tstzmultirange"},
    {4535, 6155, JDBC_OTHER, "datemultirange"},
    {4536, 6157, JDBC_OTHER, "int8multirange"},
    {5038, 5039, JDBC_OTHER, "pg_snapshot"},
    {5069, 271, JDBC_OTHER, "xid8"},
};

static const struct type_name *find_name(uint32_t oid)
{
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (NAMES[i].oid == oid || NAMES[i].array_oid == oid) {
            return &NAMES[i];
        }
    }
    return NULL;
}

// The parameters of a built-in type, or of an array's elements.
static void set_parameters(uint32_t oid, int32_t modifier, struct column_shape *ret)
{
    if (modifier < 0) {
        return;
    }
    switch (oid) {
    case PG_OID_BPCHAR:
    case PG_OID_VARCHAR:
        ret->length = modifier - 4;
        break;
    case PG_OID_BIT:
    case PG_OID_VARBIT:
        ret->length = modifier;
        break;
    case PG_OID_NUMERIC:
        ret->length = ((modifier - 4) >> 16) & 0xffff;
        ret->scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
        break;
    case 1083:
    case 1114:
    case 1184:
    case 1266:
        ret->scale = modifier;
        break;
    default:
        break;
    }
}

static char *write_expression(const struct column_shape *c, const char *name, bool is_array)
{
    char text[40] = "";
    const bool has_length = c->length != COLUMN_SHAPE_NONE;
    // A scale may be negative, but not of a type that has no length.
    if (has_length && c->scale != COLUMN_SHAPE_NONE) {
        (void)snprintf(text, sizeof(text), "(%d,%d)", c->length, c->scale);
    } else if (has_length || c->scale >= 0) {
        (void)snprintf(text, sizeof(text), "(%d)", has_length ? c->length : c->scale);
    }
    return memory_format("%s%s%s", name, text, is_array ? "[]" : "");
}

static void set_built_in(const struct type_name *n, uint32_t oid, int32_t modifier, struct column_shape *ret)
{
    bool is_array = n->oid != oid;
    set_parameters(n->oid, modifier, ret);
    ret->jdbc_type = is_array ? JDBC_ARRAY : n->jdbc;
    ret->type = memory_format("%s%s", is_array ? "_" : "", n->name);
    ret->expression = write_expression(ret, n->name, is_array);
}

static int32_t jdbc_of(const struct pg_type *t)
{
    switch (t->element_oid != 0 ? 'a' : t->kind) {
    case 'a':
        return JDBC_ARRAY;
    case 'e':
        return JDBC_VARCHAR;
    case 'c':
        return JDBC_STRUCT;
    case 'd':
        return JDBC_DISTINCT;
    default:
        return JDBC_OTHER;
    }
}

void pg_type_names_set(uint32_t oid, int32_t modifier, const struct pg_type *types, size_t type_count,
                       struct column_shape *ret)
{
    const struct type_name *name = find_name(oid);
    ret->length = ret->scale = COLUMN_SHAPE_NONE;
    if (name != NULL) {
        set_built_in(name, oid, modifier, ret);
        return;
    }
    ret->jdbc_type = JDBC_OTHER;
    for (size_t i = 0; i < type_count && ret->type == NULL; i++) {
        if (types[i].oid == oid) {
            ret->jdbc_type = jdbc_of(&types[i]);
            ret->type = memory_string(types[i].name);
            ret->expression = memory_format("%s%s%s", types[i].schema == NULL ? "" : types[i].schema,
                                            types[i].schema == NULL ? "" : ".", types[i].name);
        }
    }
    if (ret->type == NULL) {  // it was dropped
        ret->type = memory_string("unknown");
        ret->expression = memory_format("type %u", oid);
    }
}
