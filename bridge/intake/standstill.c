#include "bridge/intake/standstill.h"

#include <stddef.h>

#include "core/base/clock.h"

void standstill_init(struct standstill *s, int64_t session_ms, int64_t heartbeat_ms, int64_t now_us)
{
    int64_t limit_ms = session_ms - heartbeat_ms;
    limit_ms = limit_ms < session_ms / 2 ? session_ms / 2 : limit_ms;
    *s = (struct standstill){.state = STANDSTILL_NONE};
    pulse_init(&s->pulse, limit_ms * CLOCK_US_PER_MS, now_us);
}

bool standstill_check(struct standstill *s, int64_t now_us)
{
    if (!pulse_beat(&s->pulse, now_us, NULL)) {
        s->state = STANDSTILL_DOUBTFUL;  // also from ASKED: the response may be older than this standstill
    }
    return s->state == STANDSTILL_NONE;
}

void standstill_asked(struct standstill *s)
{
    if (s->state == STANDSTILL_DOUBTFUL) {
        s->state = STANDSTILL_ASKED;
    }
}

void standstill_answered(struct standstill *s, bool is_member)
{
    if (s->state == STANDSTILL_ASKED) {
        s->state = is_member ? STANDSTILL_NONE : STANDSTILL_DOUBTFUL;
    }
}
