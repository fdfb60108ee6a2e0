// A row change as the parts of its record: event id, key, value, headers.
#ifndef CONNECTORS_CHANGE_RECORD_H
#define CONNECTORS_CHANGE_RECORD_H

#include <librdkafka/rdkafka.h>

#include "connectors/change.h"

enum { CHANGE_RECORD_POSITION_MAX = 16 + 1 + 16 };

/** Embedded; zero-initialised but for `kind`. Its parts are valid until the next call of the same function.
 */
struct change_record {
    const char *kind;  // lent: the kind of source, for the envelope
    struct bytes key;
    struct bytes value;
    char position[CHANGE_RECORD_POSITION_MAX];
    size_t position_size;
};

/** The event id: 16 hex digits, '-', 8 hex digits; more from row 2^32 of a transaction on. */
struct slice change_record_position(struct change_record *r, const struct change *c);

/** Framed with the schema's id; data NULL: the change has no key. */
struct slice change_record_key(struct change_record *r, const struct change *c, int32_t key_id);

/** The envelope with these row images, framed with the schema's id. */
struct slice change_record_value(struct change_record *r, const struct change *c, int32_t value_id,
                                 struct slice before, struct slice after);

/** Headers besides the position: the records of a key change have them, its tombstone too. NULL: none; else
 * to be destroyed by the caller. */
rd_kafka_headers_t *change_record_headers(const struct change *c);

void change_record_clear(struct change_record *r);

#endif
