// A change of a table `orders` of two columns, as a record, and the requests made of it.
#ifndef TESTS_UNIT_BRIDGE_PAYLOAD_PAYLOAD_SAMPLE_H
#define TESTS_UNIT_BRIDGE_PAYLOAD_PAYLOAD_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/payload/payload.h"
#include "core/base/memory.h"
#include "schemas/avro/table.h"

/** `shop.public.orders`: id, the key, and note. */
extern struct table orders;

/** A record and the memory it borrows. */
struct sample {
    struct record record;
    struct bytes key;
    struct bytes value;
    struct avro_type *key_type;
    struct avro_type *value_type;
};

/** The row has id 7; a delete has it as `before`, others as `after`. */
void sample_init(struct sample *s, char op, const char *note);
void sample_clear(struct sample *s);

/** Options of that kind, which take any operation and a MiB. */
struct payload_options options_of(enum function_payload kind);

/** The body of one event in that form; the caller frees it. */
char *body_of(struct payload *p, const struct payload_options *options, struct sample *s);

#endif
