// Bodies compressed as gzip (RFC 1952), always to the same bytes, so that a repeated request has the same
// body.
#ifndef CORE_HTTP_GZIP_H
#define CORE_HTTP_GZIP_H

#include "core/base/bytes.h"

struct gzip;

struct gzip *gzip_new(void);

/** Appends the compressed body; false, with `out` as it was, when that would not be smaller. */
bool gzip_append(struct gzip *g, struct slice body, struct bytes *out);

/** Accepts NULL. */
void gzip_free(struct gzip *g);

#endif
