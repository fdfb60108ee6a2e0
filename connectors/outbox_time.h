// The time of an outbox's event, from the column that has it.
#ifndef CONNECTORS_OUTBOX_TIME_H
#define CONNECTORS_OUTBOX_TIME_H

#include "schemas/avro/avro_type.h"

/**
 * A timestamp or timestamptz, in any of its forms, as milliseconds since 1970; a timestamp is taken for UTC,
 * as Debezium's router does. -1: no time since 1970, or none at all.
 *
 * @param type  without a union
 */
int64_t outbox_time_ms(const struct avro_type *type, struct slice avro);

#endif
