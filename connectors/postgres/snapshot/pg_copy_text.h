// Splits a line of COPY's text format.
#ifndef CONNECTORS_POSTGRES_SNAPSHOT_PG_COPY_TEXT_H
#define CONNECTORS_POSTGRES_SNAPSHOT_PG_COPY_TEXT_H

#include "connectors/postgres/wire/pgoutput.h"

/**
 * Splits a line into its fields and unescapes them, in place.
 *
 * @param line  with or without its newline; overwritten: the tuple's values point into it
 * @param f     FAULT_FATAL: not `count` fields
 */
bool pg_copy_text_split(char *line, size_t size, size_t count, struct pgoutput_tuple *ret,
                        struct fault *f) MUST_USE;

#endif
