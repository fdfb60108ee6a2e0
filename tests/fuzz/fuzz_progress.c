// Any bytes as the metadata of a committed offset.
#include "bridge/intake/progress_record.h"
#include "core/base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct progress_record record;
    static struct progress_record again;
    struct fault f;
    const int64_t offset = 1000;
    if (!progress_record_read(slice_make(data, size), offset, &record, &f)) {
        INVARIANT(record.range_count == 0 && record.attempt_count == 0);
        return 0;
    }
    int64_t at = offset;
    for (size_t i = 0; i < record.range_count; i++) {
        INVARIANT(record.ranges[i].from >= at && record.ranges[i].to > record.ranges[i].from);
        at = record.ranges[i].to;
    }
    struct bytes text CLEANUP(bytes_clear) = {0};
    progress_record_write(&text, offset, &record, INT64_C(1800000000000));
    INVARIANT(text.size <= PROGRESS_TEXT_MAX);
    INVARIANT(progress_record_read(bytes_slice(&text), offset, &again, &f));
    INVARIANT(again.range_count <= record.range_count && again.attempt_count <= record.attempt_count);
    return 0;
}
