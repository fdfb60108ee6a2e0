#include "bridge/endpoints/signed_call.h"

#include "core/base/clock.h"
#include "core/http/http_policy.h"

static void respond(struct signed_call *call, struct response *response, const struct http_response *r)
{
    auth_call_end(&call->auth);
    call->on_response(call, response, r);
}

/** There are no credentials: nothing was sent. */
static void fail(struct signed_call *call, const struct fault *f)
{
    int64_t took_us = clock_now_us() - call->started_us;
    struct response response = {
        .transport = *f,
        .is_timeout = took_us >= call->request.timeout_us,
        .failure = "credentials",
        .retry_after_us = -1,
        .took_us = took_us,
    };
    respond(call, &response, NULL);
}

static void send_request(struct signed_call *call);

static void on_credentials(struct auth_call *auth, const struct fault *f)
{
    struct signed_call *call = CONTAINER_OF(auth, struct signed_call, auth);
    if (f == NULL) {
        send_request(call);
    } else {
        fail(call, f);
    }
}

static void on_done(void *self, const struct http_response *r)
{
    static const struct http_field NO_FIELDS = {{NULL, 0}, {NULL, 0}};  // HTTP has fields, if only none
    struct signed_call *call = self;
    call->sent = NULL;
    if (r->transport.kind == FAULT_NONE && auth_call_is_refused(&call->auth, r)) {
        if (auth_call_again(&call->auth, call->started_us + call->request.timeout_us) == AUTH_READY) {
            send_request(call);
        }
        return;
    }
    struct response response = {
        .is_sent = r->is_sent,
        .is_timeout = r->is_timeout,
        .status = r->status,
        .retry_after_us = r->retry_after_us,
        .location = r->location,
        .is_abort = r->is_abort,
        .body = r->body,
        .fields = r->fields != NULL ? r->fields : &NO_FIELDS,
        .field_count = r->field_count,
        .is_cut = r->is_cut,
        .took_us = r->took_us,
    };
    if (r->transport.kind != FAULT_NONE) {
        const char *origin = r->transport.origin;
        response.transport = r->transport;
        response.failure =
            origin != NULL && strcmp(origin, HTTP_POLICY_ORIGIN) == 0 ? "refused_address" : NULL;
    }
    respond(call, &response, r);
}

/** Sends the request with credentials that are ready. */
static void send_request(struct signed_call *call)
{
    struct http_request request = call->request;
    request.timeout_us = call->started_us + call->request.timeout_us - clock_now_us();
    if (request.timeout_us <= 0) {  // what is sent now may be carried out, and is repeated
        struct fault f;
        (void)fault_set(&f, FAULT_RETRY, "there were no credentials in time");
        fail(call, &f);
        return;
    }
    const struct auth_request signed_request = {
        .head = request.head,
        .target = request.target,
        .message_id = call->message_id,
        .body = request.body,
        .wall_us = clock_wall_us(),
    };
    request.header_lines = auth_call_sign(&call->auth, &signed_request, request.header_lines);
    request.credentials = auth_call_credentials(&call->auth);
    call->sent = http_client_send(call->client, &request, on_done, call);
}

void signed_call_begin(struct signed_call *call, struct http_client *client, struct auth_chain *auth,
                       const struct http_request *request, struct slice message_id,
                       signed_call_on_response on_response)
{
    call->client = client;
    call->sent = NULL;
    call->request = *request;
    call->message_id = message_id;
    call->started_us = clock_now_us();
    call->on_response = on_response;
    if (auth_call_begin(&call->auth, auth, call->started_us + request->timeout_us, on_credentials) ==
        AUTH_READY) {
        send_request(call);
    }
}

void signed_call_cancel(struct signed_call *call)
{
    if (call->sent != NULL) {
        http_call_cancel(call->sent);
    } else {
        auth_call_cancel(&call->auth);
    }
    auth_call_end(&call->auth);
}

void signed_call_clear(struct signed_call *call)
{
    auth_call_clear(&call->auth);
}
