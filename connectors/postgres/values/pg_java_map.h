// The order in which Java's HashMap yields its entries, which Debezium's maps have in Avro and JSON.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_JAVA_MAP_H
#define CONNECTORS_POSTGRES_VALUES_PG_JAVA_MAP_H

#include "core/base/bytes.h"

/** String.hashCode of a UTF-8 text. */
uint32_t pg_java_map_hash(struct slice text);

/**
 * Orders entries that were put into an empty HashMap one after another.
 *
 * @param hashes   of each entry's key, in order of insertion
 * @param scratch  pg_java_map_scratch(count) numbers
 * @param ret      the entries' numbers, in the map's order
 */
void pg_java_map_order(const uint32_t *hashes, size_t count, uint32_t *scratch, uint32_t *ret);

/** How many numbers pg_java_map_order needs. */
size_t pg_java_map_scratch(size_t count);

#endif
