// A request with credentials: it waits for them, is signed and sent, and is sent once more when the response
// refuses credentials that can be renewed.
#ifndef BRIDGE_ENDPOINTS_SIGNED_CALL_H
#define BRIDGE_ENDPOINTS_SIGNED_CALL_H

#include "bridge/endpoints/auth/auth_chain.h"
#include "bridge/endpoints/endpoint.h"
#include "core/http/http_client.h"

struct signed_call;

/**
 * @param response  its failure is set where nothing was sent
 * @param r         what was received; NULL: nothing was sent, as there were no credentials
 */
typedef void (*signed_call_on_response)(struct signed_call *call, struct response *response,
                                        const struct http_response *r);

/** Embedded in an endpoint's call; zero-initialised is unused. Used again for calls of the same endpoint. */
struct signed_call {
    struct auth_call auth;
    struct http_client *client;
    struct http_call *sent;       // NULL: it waits for credentials
    struct http_request request;  // its header lines are those without credentials
    struct slice message_id;
    int64_t started_us;
    signed_call_on_response on_response;
};

/**
 * Begins it.
 *
 * @param request      lent until the response; timeout_us includes the wait for credentials
 * @param message_id   of the event, for signatures; size 0: the request has several events
 * @param on_response  called later on the loop, once, unless cancelled; the call is over then
 */
void signed_call_begin(struct signed_call *call, struct http_client *client, struct auth_chain *auth,
                       const struct http_request *request, struct slice message_id,
                       signed_call_on_response on_response);

/** on_response is not called. */
void signed_call_cancel(struct signed_call *call);

/** Frees the memory of a call that is over. */
void signed_call_clear(struct signed_call *call);

#endif
