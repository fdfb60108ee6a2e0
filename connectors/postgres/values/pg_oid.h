// Oids of built-in types that code beside the type table asks for; pg_type.dat's, which never change.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_OID_H
#define CONNECTORS_POSTGRES_VALUES_PG_OID_H

enum {
    PG_OID_BYTEA = 17,
    PG_OID_TEXT = 25,
    PG_OID_JSON = 114,
    PG_OID_XML = 142,
    PG_OID_BOX = 603,
    PG_OID_BPCHAR = 1042,
    PG_OID_VARCHAR = 1043,
    PG_OID_BIT = 1560,
    PG_OID_VARBIT = 1562,
    PG_OID_NUMERIC = 1700,
};

#endif
