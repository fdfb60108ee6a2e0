#include "core/base/pulse.h"

#include <stddef.h>

void pulse_init(struct pulse *p, int64_t limit_us, int64_t now_us)
{
    *p = (struct pulse){.limit_us = limit_us, .seen_us = now_us};
}

bool pulse_beat(struct pulse *p, int64_t now_us, int64_t *ret_gap_us)
{
    int64_t gap_us = now_us - p->seen_us;
    p->seen_us = now_us;
    if (ret_gap_us != NULL) {
        *ret_gap_us = gap_us;
    }
    return gap_us < p->limit_us;
}
