// Converts the types of PostgreSQL's own catalogue. All are strings, as their text is, without defaults.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_SYSTEM_H
#define CONNECTORS_POSTGRES_VALUES_PG_SYSTEM_H

#include "schemas/avro/value_type.h"

extern const struct type_ops PG_SYSTEM_CHAR;      // "char": one byte
extern const struct type_ops PG_SYSTEM_NUMBER;    // xid, cid, xid8
extern const struct type_ops PG_SYSTEM_LSN;       // pg_lsn: 0/16B3748
extern const struct type_ops PG_SYSTEM_TID;       // tid: (block,offset)
extern const struct type_ops PG_SYSTEM_SNAPSHOT;  // pg_snapshot, txid_snapshot: 10:20:10,14
extern const struct type_ops
    PG_SYSTEM_NAME_OF;  // regclass …: their binary form is a number, without the name

#endif
