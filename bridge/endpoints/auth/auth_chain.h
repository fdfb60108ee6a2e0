// The credentials of an endpoint, in order: constant headers, tokens, then signatures. A call has an
// auth_call: it waits for credentials, keeps the header lines that have them, and overwrites them.
#ifndef BRIDGE_ENDPOINTS_AUTH_AUTH_CHAIN_H
#define BRIDGE_ENDPOINTS_AUTH_AUTH_CHAIN_H

#include "bridge/endpoints/auth/auth.h"
#include "core/base/due_heap.h"

enum { AUTH_CHAIN_MAX = 8 };

struct auth_chain;

/** @param f  FAULT_CONFIG: credentials are invalid; repeats nothing secret */
bool auth_chain_open(const struct function_config *config, uv_loop_t *loop, struct auth_chain **ret,
                     struct fault *f) MUST_USE;

/** No call uses it any more. Accepts NULL. */
void auth_chain_close(struct auth_chain *chain);

/** Embedded in a call; zero-initialised is unused. */
struct auth_call {
    struct auth_wait wait;
    struct auth_chain *chain;
    struct due_entry due;
    size_t at;  // in the chain; while it waits, what it waits for
    bool is_renewed;
    uint64_t versions[AUTH_CHAIN_MAX];
    uint64_t refused[AUTH_CHAIN_MAX];
    struct bytes lines;
    size_t credentials_at;  // in the lines
    void (*on_ready)(struct auth_call *call, const struct fault *f);
};

/**
 * Before a call's first request.
 *
 * @param deadline_us  until when credentials are waited for
 * @param on_ready     called later on the loop, once, if the result is AUTH_WAITS; `f`: no credentials can be
 *                     had, or not in time
 */
enum auth_state auth_call_begin(struct auth_call *call, struct auth_chain *chain, int64_t deadline_us,
                                void (*on_ready)(struct auth_call *call, const struct fault *f));

/** Ends the waiting: on_ready is not called. */
void auth_call_cancel(struct auth_call *call);

/** The header lines of a request: those given (NULL: none) and those of the credentials; NULL for none. Lent
 * until auth_call_end. */
const char *auth_call_sign(struct auth_call *call, const struct auth_request *request,
                           const char *header_lines);

/** The part of these lines that is secret, up to their end; NULL for none. */
const char *auth_call_credentials(const struct auth_call *call);

/** Whether the response refuses credentials that can be renewed: then auth_call_again, and the request is
 * sent once more. At most once for a call. */
bool auth_call_is_refused(struct auth_call *call, const struct http_response *r);
enum auth_state auth_call_again(struct auth_call *call, int64_t deadline_us);

/** The call is over: overwrites its lines and keeps their memory for the next call. */
void auth_call_end(struct auth_call *call);
void auth_call_clear(struct auth_call *call);

#endif
