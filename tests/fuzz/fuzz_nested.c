// Values of nested and structured types in both forms. Input: one byte for the type, one for the form, the
// value.
#include <stdint.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "nested_types.h"
#include "value_forms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
    if (data[1] % 2 == 0) {
        (void)value_forms_append_binary(t, slice_make(value, value_size), &out);
    } else {
        (void)value_forms_append_text(t, slice_make(value, value_size), &out);
    }
    free(value);
    return 0;
}
