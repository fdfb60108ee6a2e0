// What a token endpoint answers (RFC 6749, 5).
#ifndef BRIDGE_ENDPOINTS_AUTH_OAUTH2_RESPONSE_H
#define BRIDGE_ENDPOINTS_AUTH_OAUTH2_RESPONSE_H

#include "bridge/config/auth_config.h"
#include "core/http/http_request.h"

enum {
    OAUTH2_BODY_MAX = 64 << 10,   // of a response; a longer one is refused
    OAUTH2_TOKEN_MAX = 16 << 10,  // of a token, which each request carries
};

/** Zero-initialised may be cleared. */
struct oauth2_token {
    struct bytes text;
    int64_t life_us;  // from the request on; -1: the response does not say
};

/**
 * Reads a response.
 *
 * @param config   its secrets are not repeated, not even if the response does
 * @param wall_us  now: a clock that differs from the endpoint's is named
 * @param f        FAULT_RETRY: there is no token, and why
 */
bool oauth2_response_read(const struct http_response *r, const struct oauth2_config *config, int64_t wall_us,
                          struct oauth2_token *ret, struct fault *f) MUST_USE;

#endif
