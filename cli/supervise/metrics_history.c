#include "cli/supervise/metrics_history.h"

#include "cli/supervise/metrics_merge.h"
#include "core/base/memory.h"

struct metrics_history {
    struct bytes counters;  // exposition text, summed over all processes that have ended
    struct bytes gauges;    // of the last process that has ended
};

struct metrics_history *metrics_history_new(void)
{
    return memory_zeroed(1, sizeof(struct metrics_history));
}

void metrics_history_end(struct metrics_history *h, struct slice text)
{
    if (text.size == 0) {  // the process ended before its first report
        return;
    }
    struct metrics_merge *counters = metrics_merge_new();
    struct metrics_merge *gauges = metrics_merge_new();
    metrics_merge_add(counters, bytes_slice(&h->counters));
    metrics_merge_add_kinds(counters, text, METRICS_MERGE_COUNTERS);
    metrics_merge_add_kinds(gauges, text, METRICS_MERGE_LASTING_GAUGES);
    bytes_reset(&h->counters);
    bytes_reset(&h->gauges);
    metrics_merge_write(counters, &h->counters);
    metrics_merge_write(gauges, &h->gauges);
    metrics_merge_free(counters);
    metrics_merge_free(gauges);
}

void metrics_history_write(const struct metrics_history *h, struct slice live, struct bytes *out)
{
    struct metrics_merge *all = metrics_merge_new();
    metrics_merge_add(all, live.size > 0 ? live : bytes_slice(&h->gauges));
    metrics_merge_add(all, bytes_slice(&h->counters));
    metrics_merge_write(all, out);
    metrics_merge_free(all);
}

void metrics_history_free(struct metrics_history *h)
{
    if (h != NULL) {
        bytes_clear(&h->counters);
        bytes_clear(&h->gauges);
        free(h);
    }
}
