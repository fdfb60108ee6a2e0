// Any bytes as a record in Confluent's wire format.
#include "core/base/memory.h"
#include "schemas/avro/framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int32_t id = -1;
    struct slice avro = {0};
    struct fault f;
    if (framing_split(slice_make(data, size), &id, &avro, &f)) {
        INVARIANT(id >= 0 && avro.size == size - FRAMING_SIZE);
        struct bytes again CLEANUP(bytes_clear) = {0};
        framing_put(&again, id);
        bytes_append_slice(&again, avro);
        INVARIANT(slice_equal(bytes_slice(&again), slice_make(data, size)));
    }
    return 0;
}
