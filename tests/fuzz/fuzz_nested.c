// Values of nested and structured types in both forms. Input: one byte for the type, one for the form, the
// value.
#include <stdint.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "nested_types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A value in binary form that is valid has a text, and both forms give the same bytes.
static void check_binary(const struct value_type *t, struct slice value)
{
    static struct bytes from_binary;
    static struct bytes text;
    static struct bytes from_text;
    struct fault f = {0};
    bytes_reset(&from_binary);
    bytes_reset(&text);
    bytes_reset(&from_text);
    enum value_step step = t->ops->append_binary(&from_binary, t, value, &f);
    INVARIANT(step == VALUE_DONE || f.kind == FAULT_REJECT);
    if (t->ops->write_text(&text, t, value, &f) != VALUE_DONE || step == VALUE_FAULT) {
        return;
    }
    (void)bytes_text(&text);
    INVARIANT(t->ops->append_text(&from_text, t, bytes_slice(&text), &f) == step);
    INVARIANT(step == VALUE_NONE || slice_equal(bytes_slice(&from_binary), bytes_slice(&from_text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bytes out;
    if (size < 2) {
        return 0;
    }
    const struct value_type *t = nested_type_at(data[0]);
    size_t value_size = size - 2;
    uint8_t *value = memory_new(value_size == 0 ? 1 : value_size);
    memcpy(value, data + 2, value_size);
    struct fault f = {0};
    bytes_reset(&out);
    if (data[1] % 2 == 0) {
        check_binary(t, slice_make(value, value_size));
    } else {
        enum value_step step = t->ops->append_text(&out, t, slice_make(value, value_size), &f);
        INVARIANT(step == VALUE_DONE || f.kind == FAULT_REJECT);
    }
    free(value);
    return 0;
}
