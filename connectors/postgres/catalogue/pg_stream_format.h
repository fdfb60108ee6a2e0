// Whether a stream of the published tables can have values in binary form.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_STREAM_FORMAT_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_STREAM_FORMAT_H

#include <libpq-fe.h>

#include "core/base/bytes.h"

/**
 * Appends a query of the types of all published tables, one statement. It locks no table.
 *
 * @param publications    SQL literals joined by commas
 * @param server_version  as PQserverVersion returns it
 */
void pg_stream_format_query(struct bytes *out, const char *publications, int server_version);

/** The name of a type whose values can't be read in binary form; the caller frees it. NULL: there is none. */
char *pg_stream_format_text_type(const PGresult *types);

#endif
