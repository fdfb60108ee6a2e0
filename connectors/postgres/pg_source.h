// PostgreSQL as a source: logical replication with pgoutput.
#ifndef CONNECTORS_POSTGRES_PG_SOURCE_H
#define CONNECTORS_POSTGRES_PG_SOURCE_H

#include "connectors/source.h"

extern const struct source_type pg_source_type;

#endif
