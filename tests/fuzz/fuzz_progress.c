// Any bytes as the metadata of a committed offset.
#include "bridge/intake/partition_spill.h"
#include "bridge/intake/progress_record.h"
#include "core/base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct progress_record record;
    static struct progress_record again;
    struct fault f;
    const int64_t offset = 1000;
    const int64_t now_ms = INT64_C(1800000000123);
    if (!progress_record_read(slice_make(data, size), offset, now_ms, &record, &f)) {
        INVARIANT(record.range_count == 0 && record.attempt_count == 0);
        return 0;
    }
    int64_t at = offset;
    for (size_t i = 0; i < record.range_count; i++) {
        INVARIANT(record.ranges[i].from >= at && record.ranges[i].to > record.ranges[i].from);
        at = record.ranges[i].to;
    }
    for (size_t i = 0; i < record.attempt_count; i++) {
        const struct progress_attempt *a = &record.attempts[i];
        INVARIANT(a->due_ms <= now_ms + INT64_C(1000) * INT32_MAX);
        INVARIANT(a->first_ms >= -INT64_C(1000) * UINT32_MAX && a->first_ms <= now_ms + 1000);
    }
    struct bytes text CLEANUP(bytes_clear) = {0};
    bool is_whole = progress_record_write(&text, offset, &record, now_ms);
    INVARIANT(text.size <= PROGRESS_TEXT_MAX);
    INVARIANT(progress_record_read(bytes_slice(&text), offset, now_ms, &again, &f));
    INVARIANT(!is_whole || progress_record_hash(&again) != 0);
    INVARIANT(again.range_count <= record.range_count && again.attempt_count <= record.attempt_count);
    int64_t spilled_offset = offset - 3;
    bool is_spilled = partition_spill_parse(slice_make(data, size), now_ms, &again, &spilled_offset, &f);
    progress_record_merge(&record, offset, &again, is_spilled ? spilled_offset : offset - 3);
    at = offset;
    for (size_t i = 0; i < record.range_count; i++) {
        INVARIANT(record.ranges[i].from >= at && record.ranges[i].to > record.ranges[i].from);
        at = record.ranges[i].to + 1;
    }
    return 0;
}
