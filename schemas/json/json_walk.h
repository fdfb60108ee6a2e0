// One pass over Avro binary along its schema, writing JSON: the part json_encode's functions share.
#ifndef SCHEMAS_JSON_JSON_WALK_H
#define SCHEMAS_JSON_JSON_WALK_H

#include "core/base/cursor.h"
#include "schemas/json/json_encode.h"

/** Plain data. A failure latches: `bad` says why (or `in` is short), every later read gives zeros. */
struct json_walk {
    struct cursor in;
    struct bytes *out;
    size_t out_max;  // a few bytes of Avro may not become gigabytes of JSON
    bool int64_as_string;
    bool as_stored;
    const char *bad;  // static text; NULL while all is well
    uint32_t depth;
};

void json_walk_begin(struct json_walk *w, struct slice avro, const struct json_options *options,
                     struct bytes *out);

/** Reads one value of the type and appends it as JSON. */
void json_walk_value(struct json_walk *w, const struct avro_type *type);

/** The number of an int, a long or a union's branch of these, without writing it; 0 for anything else. */
int64_t json_walk_peek_long(const struct json_walk *w, const struct avro_type *type);

/** Reads one string, borrowed from the input. */
struct slice json_walk_string(struct json_walk *w);

void json_walk_fail(struct json_walk *w, const char *why);

/** True when all was read and nothing is left, else FAULT_REJECT. */
bool json_walk_finish(const struct json_walk *w, struct fault *f) MUST_USE;

static inline bool json_walk_has_failed(const struct json_walk *w)
{
    return w->in.is_short;
}

#endif
