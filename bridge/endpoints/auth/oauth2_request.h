// A request for a token by client credentials (RFC 6749, 4.4).
#ifndef BRIDGE_ENDPOINTS_AUTH_OAUTH2_REQUEST_H
#define BRIDGE_ENDPOINTS_AUTH_OAUTH2_REQUEST_H

#include "bridge/config/auth_config.h"

/**
 * Appends the form and, if the client's secret goes into one, a header line.
 *
 * @param key      of private_key_jwt; NULL: none
 * @param wall_us  now, for the assertion
 */
void oauth2_request_write(const struct oauth2_config *config, const struct jws_key *key, int64_t wall_us,
                          struct bytes *form, struct bytes *lines);

/** Appends a text as in a form (application/x-www-form-urlencoded). */
void oauth2_request_encode(struct bytes *out, const char *text);

#endif
