// A row change as the parts of its records: event id, key, value, headers.
#ifndef CONNECTORS_CHANGE_RECORD_H
#define CONNECTORS_CHANGE_RECORD_H

#include "connectors/change.h"
#include "connectors/record_plan.h"
#include "schemas/avro/schema_change_encode.h"

/** Writes the event id: 16 hex digits, '-', 8 hex digits; more from row 2^32 of a transaction on. Returns its
 * size. */
size_t change_record_position(char ret_position[RECORD_POSITION_MAX], uint64_t commit_lsn, uint64_t index);

/** Appends the key, framed with the schema's id; null if the change has none. */
struct record_part change_record_key(struct record_plan *p, const struct change *c, int32_t key_id);

/** Appends the envelope with these row images, framed with the schema's id. @param kind  of source */
struct record_part change_record_value(struct record_plan *p, const char *kind, const struct change *c,
                                       int32_t value_id, struct slice before, struct slice after);

/** Appends a MESSAGE as its record's value, framed. @param content  data NULL: null */
struct record_part change_record_message(struct record_plan *p, const char *kind, const struct change *c,
                                         int32_t value_id, struct slice content);

/** Appends the value of a schema change of the change's table, framed. */
struct record_part change_record_schema_change(struct record_plan *p, const char *kind,
                                               const struct change *c, int32_t value_id,
                                               const struct schema_change *what);

/** Appends the headers besides the position: all records of a key change have them. */
struct record_part change_record_headers(struct record_plan *p, const struct change *c);

#endif
