// A record's headers as bytes, so that a record that waits keeps them without an allocation.
#ifndef CONNECTORS_KAFKA_RECORD_HEADERS_H
#define CONNECTORS_KAFKA_RECORD_HEADERS_H

#include "core/base/bytes.h"

/** Appends one header. @param value  may hold any bytes; data NULL: a header without a value */
void record_headers_add(struct bytes *out, const char *name, struct slice value);

/** Takes the first header off. False: none is left. The name is NUL-terminated; both are borrowed. */
bool record_headers_next(struct slice *io_headers, const char **ret_name, struct slice *ret_value);

#endif
