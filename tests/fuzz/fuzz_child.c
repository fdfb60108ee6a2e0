// What a supervisor reads from a child's socket: frames of length-prefixed JSON, and whatever else comes.
#include <stdint.h>

#include "cli/supervise/child.h"
#include "core/base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What was understood is understood again when it is written.
static void write_and_read(const struct child_report *report)
{
    struct bytes frame CLEANUP(bytes_clear) = {0};
    struct child_report again CLEANUP(child_report_clear) = {0};
    struct fault f;
    child_report_write(report, &frame);
    INVARIANT(child_report_read(&frame, &again, &f) == CHILD_REPORT);
    INVARIANT(frame.size == 0 && again.is_ready == report->is_ready);
    INVARIANT(slice_equal(bytes_slice(&again.fault), bytes_slice(&report->fault)));
    INVARIANT(slice_equal(bytes_slice(&again.metrics), bytes_slice(&report->metrics)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes buffer CLEANUP(bytes_clear) = {0};
    struct child_report report CLEANUP(child_report_clear) = {0};
    struct fault f;
    bytes_append(&buffer, data, size);
    enum child_step step = CHILD_REPORT;
    while (step == CHILD_REPORT) {
        size_t before = buffer.size;
        step = child_report_read(&buffer, &report, &f);
        INVARIANT(buffer.size <= before);
        if (step == CHILD_REPORT) {
            write_and_read(&report);
        }
    }
    INVARIANT(step != CHILD_FAULT || f.kind == FAULT_REJECT);
    return 0;
}
