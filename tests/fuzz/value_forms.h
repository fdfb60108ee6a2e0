// What holds for a value of each type in either form.
#ifndef TESTS_FUZZ_VALUE_FORMS_H
#define TESTS_FUZZ_VALUE_FORMS_H

#include "core/base/memory.h"
#include "schemas/avro/value_type.h"

static inline enum value_step value_forms_append_text(const struct value_type *t, struct slice text,
                                                      struct bytes *out)
{
    struct fault f = {0};
    bytes_reset(out);
    enum value_step step = t->ops->append_text(out, t, text, &f);
    INVARIANT(step == VALUE_DONE || f.kind == FAULT_REJECT);
    return step;
}

// A value in binary form that is valid has a text, and both forms give the same bytes, which are returned.
static inline enum value_step value_forms_append_binary(const struct value_type *t, struct slice value,
                                                        struct bytes *out)
{
    static struct bytes text;
    static struct bytes from_text;
    struct fault f = {0};
    bytes_reset(out);
    bytes_reset(&text);
    enum value_step step = t->ops->append_binary(out, t, value, &f);
    INVARIANT(step == VALUE_DONE || f.kind == FAULT_REJECT);
    if (t->ops->write_text(&text, t, value, &f) == VALUE_DONE && step != VALUE_FAULT) {
        (void)bytes_text(&text);
        INVARIANT(value_forms_append_text(t, bytes_slice(&text), &from_text) == step);
        INVARIANT(step == VALUE_NONE || slice_equal(bytes_slice(out), bytes_slice(&from_text)));
    }
    return step;
}

#endif
