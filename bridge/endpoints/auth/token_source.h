// Tokens of OAuth 2.0 client credentials. Functions with the same settings share one source.
//
//   IDLE         no request runs; there may be a token
//   FETCHING     one request runs; calls go on with the old token as long as it is valid, others wait
//   FAILED       the last request failed: until the next one may begin, calls without a valid token fail
//
// A request begins when a call needs a token: after four fifths of the token's life, more or less, in the
// background; when the token has expired or was refused, the call waits. An idle function asks for nothing.
#ifndef BRIDGE_ENDPOINTS_AUTH_TOKEN_SOURCE_H
#define BRIDGE_ENDPOINTS_AUTH_TOKEN_SOURCE_H

#include <uv.h>

#include "bridge/config/auth_config.h"
#include "bridge/endpoints/auth/auth.h"

struct token_source;

/**
 * The loop's source for these settings, which are copied.
 *
 * @param policy  which addresses the token endpoint may have; lent until the source is closed; NULL: all
 * @param f       FAULT_CONFIG: the settings are invalid
 */
bool token_source_open(const struct oauth2_config *config, const struct http_policy *policy, uv_loop_t *loop,
                       struct token_source **ret, struct fault *f) MUST_USE;

/** The last user's close frees it and overwrites the token. Accepts NULL. */
void token_source_close(struct token_source *s);

/** As auth_type.prepare. */
enum auth_state token_source_prepare(struct token_source *s, struct auth_wait *wait);
void token_source_cancel(struct token_source *s, struct auth_wait *wait);

/** The token endpoint, for logs and faults. */
const char *token_source_place(const struct token_source *s);

/** The token, lent until the loop's next turn, and its number. token_source_prepare has said that there is
 * one. */
struct slice token_source_token(const struct token_source *s, uint64_t *ret_number);

/** Renewals that one function's refusals force: at growing intervals only, from TOKEN_FORCED_MIN_US on, until
 * it accepts a token. A function that refuses every token would have the token endpoint called for each
 * event. Zero-initialised is valid. */
struct token_refusals {
    int64_t next_us;  // none before
    int64_t wait_us;
};

/**
 * A function refused the token of this number (401). True: another one is there or can be had, for the call
 * that was refused. Other calls use the token until there is another one: what one function refuses, others
 * with the same settings may accept.
 */
bool token_source_refuse(struct token_source *s, struct token_refusals *of, uint64_t number);

/** A function accepted the token of this number. */
void token_source_accept(const struct token_source *s, struct token_refusals *of, uint64_t number);

#define TOKEN_FORCED_MIN_US (INT64_C(10) * 1000000)
#define TOKEN_FORCED_MAX_US (INT64_C(300) * 1000000)
#define TOKEN_LIFE_DEFAULT_US (INT64_C(300) * 1000000)  // when the response does not say
#define TOKEN_LIFE_MIN_US INT64_C(1000000)
#define TOKEN_LIFE_MAX_US (INT64_C(30) * 86400 * 1000000)
// Before its end a token counts as expired: a tenth of its life, for clocks and the way, and a second at
// least, as many providers count in whole seconds.
#define TOKEN_MARGIN_MIN_US INT64_C(1000000)
#define TOKEN_MARGIN_MAX_US (INT64_C(10) * 1000000)
#define TOKEN_USE_MIN_US INT64_C(500000)  // so long each is used, or there would be a request for each call
#define TOKEN_RETRY_INITIAL_US INT64_C(500000)
#define TOKEN_RETRY_MAX_US (INT64_C(30) * 1000000)

#endif
