// Network addresses, which are strings in Avro.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_NETWORK_H
#define CONNECTORS_POSTGRES_VALUES_PG_NETWORK_H

#include "schemas/avro/value_type.h"

extern const struct type_ops PG_NETWORK_INET;     // inet, cidr
extern const struct type_ops PG_NETWORK_MACADDR;  // macaddr, macaddr8

#endif
