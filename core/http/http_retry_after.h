// The header Retry-After.
#ifndef CORE_HTTP_HTTP_RETRY_AFTER_H
#define CORE_HTTP_HTTP_RETRY_AFTER_H

#include <stdint.h>

/** From seconds or a date (RFC 9110, 10.2.3) to microseconds from now, at most 2^31 s; -1: neither of them,
 * 0, or in the past. */
int64_t http_retry_after_us(const char *text);

#endif
