#include "core/http/http_retry_after.h"

#include <curl/curl.h>
#include <string.h>

#include "core/base/clock.h"

int64_t http_retry_after_us(const char *text)
{
    int64_t seconds = 0;
    if (text[strspn(text, "0123456789")] == '\0') {
        for (const char *c = text; *c != '\0' && seconds < INT32_MAX; c++) {
            seconds = seconds * 10 + (*c - '0');
        }
    } else {
        time_t at_s = curl_getdate(text, NULL);
        seconds = at_s < 0 ? 0 : (int64_t)at_s - clock_wall_us() / CLOCK_US_PER_S;
    }
    if (seconds <= 0) {
        return -1;
    }
    return (seconds > INT32_MAX ? INT32_MAX : seconds) * CLOCK_US_PER_S;
}
