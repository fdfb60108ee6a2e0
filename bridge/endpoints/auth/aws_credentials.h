// The keys that sign a function's requests to AWS. Functions with the same settings share them.
//
//   IDLE      no renewal runs; there may be keys
//   FETCHING  one renewal runs; calls go on with the old keys as long as they are valid, others wait
//   FAILED    the last renewal failed: until the next one may begin, calls without valid keys fail
//
// A renewal begins when a call needs keys: from five to ten minutes before they expire, in the background;
// when they have expired or were refused, the call waits. An idle function renews nothing.
#ifndef BRIDGE_ENDPOINTS_AUTH_AWS_CREDENTIALS_H
#define BRIDGE_ENDPOINTS_AUTH_AWS_CREDENTIALS_H

#include <uv.h>

#include "bridge/config/aws_config.h"
#include "bridge/endpoints/auth/auth.h"
#include "bridge/endpoints/aws/aws_keys.h"

struct aws_credentials;

/** The loop's keys for these settings, which are copied. `region`: whose STS is asked. */
struct aws_credentials *aws_credentials_open(const struct aws_config *config, const char *region,
                                             uv_loop_t *loop);

/** The last user's close frees them. Accepts NULL. */
void aws_credentials_close(struct aws_credentials *c);

enum auth_state aws_credentials_prepare(struct aws_credentials *c, struct auth_wait *wait);
void aws_credentials_cancel(struct aws_credentials *c, struct auth_wait *wait);

/** Where they come from, for faults. */
const char *aws_credentials_place(const struct aws_credentials *c);

/** After prepare: the keys and their number. */
const struct aws_keys *aws_credentials_keys(const struct aws_credentials *c, uint64_t *ret_number);

/** The keys of this number were refused, which may be for a right that one function lacks. True: others can
 * be had by prepare, for the call that was refused; other calls use these until there are others. */
bool aws_credentials_refuse(struct aws_credentials *c, uint64_t number);

#define AWS_RENEW_EARLY_MIN_US (INT64_C(300) * 1000000)
#define AWS_RENEW_EARLY_MAX_US (INT64_C(600) * 1000000)
#define AWS_EXPIRES_MARGIN_US (INT64_C(10) * 1000000)  // before their end keys count as expired
#define AWS_RETRY_INITIAL_US INT64_C(500000)
#define AWS_RETRY_MAX_US (INT64_C(30) * 1000000)
#define AWS_FORCED_MIN_US (INT64_C(10) * 1000000)  // between two renewals because of a refusal

#endif
