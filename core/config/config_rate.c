#include "core/config/config_rate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/config/config_value.h"

enum { RATE_MAX = 1000000 };

static int64_t period_of(const char *unit)
{
    static const struct {
        const char *unit;
        int64_t us;
    } periods[] = {{"/s", CLOCK_US_PER_S}, {"/m", 60 * CLOCK_US_PER_S}, {"/h", 3600 * CLOCK_US_PER_S}};
    for (size_t i = 0; i < COUNT_OF(periods); i++) {
        if (strcmp(periods[i].unit, unit) == 0) {
            return periods[i].us;
        }
    }
    return 0;
}

bool config_rate_parse(const char *text, struct config_rate *ret, struct fault *f)
{
    char *rest = NULL;
    errno = 0;
    long long count = text[0] >= '0' && text[0] <= '9' ? strtoll(text, &rest, 10) : 0;
    int64_t period_us = count > 0 && errno == 0 ? period_of(rest) : 0;
    if (period_us == 0 || count > RATE_MAX) {
        CLEANUP(bytes_clear) struct bytes quoted = {0};
        config_value_quote(text, &quoted);
        return fault_set(f, FAULT_CONFIG, "%s is not a rate; write it as 100/s, 30/m or 5/h, at most %d",
                         bytes_text(&quoted), RATE_MAX);
    }
    *ret = (struct config_rate){.count = count, .period_us = period_us};
    return true;
}

bool config_rate_check(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    struct config_rate rate;
    return config_rate_parse(value, &rate, f);
}

int64_t config_rate_default_burst(const struct config_rate *rate)
{
    int64_t burst = rate->count == 0 ? 1 : rate->count * CLOCK_US_PER_S / rate->period_us;
    return burst < 1 ? 1 : burst;
}
