// Defines append_text and append_binary of a type whose values are read from either form into one struct.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_FORMS_H
#define CONNECTORS_POSTGRES_VALUES_PG_FORMS_H

#include "schemas/avro/value_type.h"

/**
 * Defines NAME_text and NAME_binary. READ_TEXT and READ_BINARY are functions (slice, VALUE *, fault *) that
 * return false for bytes that are not valid; EMIT appends the value: (bytes *out, const struct value_type *t,
 * const VALUE *value, fault *), an enum value_step.
 */
#define PG_FORMS(NAME, VALUE, READ_TEXT, READ_BINARY, EMIT)                                                  \
    static enum value_step NAME##_text(struct bytes *out, const struct value_type *t, struct slice text,     \
                                       struct fault *f)                                                      \
    {                                                                                                        \
        VALUE value;                                                                                         \
        return READ_TEXT(text, &value, f) ? EMIT(out, t, &value, f) : VALUE_FAULT;                           \
    }                                                                                                        \
    static enum value_step NAME##_binary(struct bytes *out, const struct value_type *t, struct slice data,   \
                                         struct fault *f)                                                    \
    {                                                                                                        \
        VALUE value;                                                                                         \
        return READ_BINARY(data, &value, f) ? EMIT(out, t, &value, f) : VALUE_FAULT;                         \
    }

#endif
