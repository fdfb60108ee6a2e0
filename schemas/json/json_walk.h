// One pass over Avro binary along its schema that writes JSON; shared by json_encode's functions.
#ifndef SCHEMAS_JSON_JSON_WALK_H
#define SCHEMAS_JSON_JSON_WALK_H

#include "core/base/cursor.h"
#include "schemas/json/json_encode.h"

/** Plain data. The first failure is kept in `bad` (or `in` is short); every later read returns zeros. */
struct json_walk {
    struct cursor in;
    struct bytes *out;
    size_t out_max;  // limit of `out`: a few bytes of Avro must not become gigabytes of JSON
    bool int64_as_string;
    bool as_stored;
    const char *bad;  // static text; NULL: no failure
    uint32_t depth;
};

void json_walk_begin(struct json_walk *w, struct slice avro, const struct json_options *options,
                     struct bytes *out);

/** Reads one value of the type and appends it as JSON. */
void json_walk_value(struct json_walk *w, const struct avro_type *type);

/** Reads one value of the type and writes nothing. It checks only what it needs to find the value's end. */
void json_walk_skip(struct json_walk *w, const struct avro_type *type);

/** The value of an int or a long, also as a union's branch, without consuming or writing it; 0 for other
 * types. */
int64_t json_walk_peek_long(const struct json_walk *w, const struct avro_type *type);

/** Reads one string, borrowed from the input. */
struct slice json_walk_string(struct json_walk *w);

void json_walk_fail(struct json_walk *w, const char *why);

/** True when nothing failed and the input was read to its end, else FAULT_REJECT. */
bool json_walk_finish(const struct json_walk *w, struct fault *f) MUST_USE;

static inline bool json_walk_has_failed(const struct json_walk *w)
{
    return w->in.is_short;
}

#endif
