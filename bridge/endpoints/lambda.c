// Functions of AWS Lambda, by its API Invoke. The function gets the body; headers of the payload are not
// sent, since Lambda does not pass them on.
//
//   POST /2015-03-31/functions/NAME/invocations?Qualifier=…
//   X-Amz-Invocation-Type: RequestResponse | Event
//   X-Amz-Log-Type: Tail
//
// Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
#include <ctype.h>

#include "bridge/endpoints/auth/auth_chain.h"
#include "bridge/endpoints/aws/aws_region.h"
#include "bridge/endpoints/endpoint.h"
#include "bridge/endpoints/lambda_response.h"
#include "core/base/clock.h"
#include "core/http/http_client.h"
#include "core/http/http_policy.h"

// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
enum { SYNC_BODY_MAX = 6 << 20, EVENT_BODY_MAX = 1 << 20 };

/** It waits for credentials, then its request runs; twice when the first one was refused. */
struct endpoint_call {
    struct endpoint *endpoint;
    struct auth_call auth;
    struct http_call *call;  // NULL: it waits for credentials
    struct endpoint_request request;
    int64_t started_us;
    endpoint_on_response on_response;
    void *self;
    struct endpoint_call *next;  // in the free list
};

struct endpoint {
    struct http_client *client;
    struct auth_chain *auth;
    struct http_head *head;
    struct endpoint_call *idle;
    struct bytes detail;
};

static void append_encoded(struct bytes *out, const char *text)
{
    for (; *text != '\0'; text++) {
        bool is_plain = isalnum((unsigned char)*text) != 0 || strchr("-._~", *text) != NULL;
        bytes_format(out, is_plain ? "%c" : "%%%02X", (unsigned char)*text);
    }
}

static bool append_url(const struct lambda_config *lambda, struct bytes *out, struct fault *f)
{
    CLEANUP(memory_free_pointer) char *region = NULL;
    CLEANUP(memory_free_pointer) char *base = NULL;
    if (lambda->url != NULL) {
        base = memory_string(lambda->url);
    } else if (aws_region_find(&lambda->aws, aws_region_of_arn(lambda->function), &region, f)) {
        base = aws_region_endpoint("lambda", region);
    } else {
        return fault_context(f, "endpoint.lambda");
    }
    size_t size = strlen(base);
    bytes_append(out, base, size > 0 && base[size - 1] == '/' ? size - 1 : size);
    bytes_append_string(out, "/2015-03-31/functions/");
    append_encoded(out, lambda->function);
    bytes_append_string(out, "/invocations");
    if (lambda->qualifier != NULL) {
        bytes_append_string(out, "?Qualifier=");
        append_encoded(out, lambda->qualifier);
    }
    return true;
}

static bool open_head(struct endpoint *e, const struct lambda_config *lambda, struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes url = {0};
    if (!append_url(lambda, &url, f)) {
        return false;
    }
    bool is_event = lambda->invocation == LAMBDA_EVENT;
    const struct http_header headers[] = {
        {"Content-Type", "application/json"},
        {"X-Amz-Invocation-Type", is_event ? "Event" : "RequestResponse"},
        {"X-Amz-Log-Type", "Tail"},
    };
    const struct http_head_params params = {
        .method = "POST",
        .url = bytes_text(&url),
        .headers = headers,
        .header_count = lambda->wants_log_tail && !is_event ? 3 : 2,
    };
    return http_head_new(&params, &e->head, f) || fault_context(f, "endpoint.lambda.url");
}

static void lambda_close(struct endpoint *e)
{
    if (e == NULL) {
        return;
    }
    http_client_free(e->client);
    auth_chain_close(e->auth);
    http_head_free(e->head);
    for (struct endpoint_call *call = e->idle, *next; call != NULL; call = next) {
        next = call->next;
        auth_call_clear(&call->auth);
        free(call);
    }
    bytes_clear(&e->detail);
    free(e);
}

static bool lambda_open(const struct function_config *config, uv_loop_t *loop, struct endpoint **ret,
                        struct fault *f)
{
    struct endpoint *e = memory_zeroed(1, sizeof(*e));
    if (!open_head(e, &config->lambda, f) || !auth_chain_open(config, loop, &e->auth, f)) {
        lambda_close(e);
        return false;
    }
    const struct http_client_params params = {
        .connections_max = (size_t)config->delivery.concurrency,
        .version = HTTP_VERSION_1_1,
        .tls = {.ca = config->lambda.ca.text},
        .policy = config->policy,
    };
    e->client = http_client_new(loop, &params);
    *ret = e;
    return true;
}

/** Ends the call with this response. */
static void respond(struct endpoint_call *call, const struct response *r)
{
    struct endpoint *e = call->endpoint;
    endpoint_on_response on_response = call->on_response;
    void *self = call->self;
    auth_call_end(&call->auth);
    call->next = e->idle;
    e->idle = call;
    on_response(self, r);
}

static void begin_request(struct endpoint_call *call);

static void on_credentials(struct auth_call *auth, const struct fault *f)
{
    struct endpoint_call *call = CONTAINER_OF(auth, struct endpoint_call, auth);
    if (f == NULL) {
        begin_request(call);
        return;
    }
    int64_t took_us = clock_now_us() - call->started_us;
    const struct response r = {
        .transport = *f,
        .is_timeout = took_us >= call->request.timeout_us,
        .failure = "credentials",
        .retry_after_us = -1,
        .took_us = took_us,
    };
    respond(call, &r);
}

static void translate(struct endpoint_call *call, const struct http_response *r, struct response *ret)
{
    struct endpoint *e = call->endpoint;
    size_t wanted = call->request.response_max_bytes;
    *ret = (struct response){
        .transport = r->transport,
        .is_sent = r->is_sent,
        .is_timeout = r->is_timeout,
        .status = r->status,
        .retry_after_us = r->retry_after_us,
        .location = r->location,
        .body = slice_make(r->body.data, r->body.size < wanted ? r->body.size : wanted),
        .fields = r->fields,
        .field_count = r->field_count,
        .is_cut = r->is_cut,
        .took_us = r->took_us,
    };
    if (r->transport.kind != FAULT_NONE) {
        const char *origin = r->transport.origin;
        ret->failure = origin != NULL && strcmp(origin, HTTP_POLICY_ORIGIN) == 0 ? "refused_address" : NULL;
        return;
    }
    bool is_failure = lambda_response_is_failure(r);
    if (is_failure || r->status < 200 || r->status > 299) {
        bytes_reset(&e->detail);
        lambda_response_describe(r, &e->detail);
        ret->failure = is_failure ? "function_error" : NULL;
        ret->detail = bytes_slice(&e->detail);
    }
}

static void on_done(void *self, const struct http_response *r)
{
    struct endpoint_call *call = self;
    call->call = NULL;
    if (r->transport.kind == FAULT_NONE && auth_call_is_refused(&call->auth, r)) {
        if (auth_call_again(&call->auth, call->started_us + call->request.timeout_us) == AUTH_READY) {
            begin_request(call);
        }
        return;
    }
    struct response response;
    translate(call, r, &response);
    respond(call, &response);
}

/** Sends the request with credentials that are ready. */
static void begin_request(struct endpoint_call *call)
{
    int64_t left_us = call->started_us + call->request.timeout_us - clock_now_us();
    if (left_us <= 0) {  // credentials came too late: what is sent now may be carried out, and is repeated
        struct fault f;
        (void)fault_set(&f, FAULT_RETRY, "there were no credentials in time");
        on_credentials(&call->auth, &f);
        return;
    }
    const struct http_head *head = call->endpoint->head;
    const struct auth_request signed_request = {
        .head = head,
        .message_id = call->request.message_id,
        .body = call->request.body,
        .wall_us = clock_wall_us(),
    };
    size_t wanted = call->request.response_max_bytes;
    const struct http_request r = {
        .head = head,
        .header_lines = auth_call_sign(&call->auth, &signed_request, NULL),
        .body = call->request.body,
        .timeout_us = left_us,
        .response_max_bytes = wanted > LAMBDA_ERROR_BODY_MAX ? wanted : LAMBDA_ERROR_BODY_MAX,
        .wants_fields = true,
    };
    call->call = http_client_send(call->endpoint->client, &r, on_done, call);
}

static struct endpoint_call *lambda_send(struct endpoint *e, const struct endpoint_request *request,
                                         endpoint_on_response on_response, void *self)
{
    struct endpoint_call *call = e->idle;
    if (call != NULL) {
        e->idle = call->next;
    } else {
        call = memory_zeroed(1, sizeof(*call));
        call->endpoint = e;
    }
    call->call = NULL;
    call->request = *request;
    call->started_us = clock_now_us();
    call->on_response = on_response;
    call->self = self;
    if (auth_call_begin(&call->auth, e->auth, call->started_us + request->timeout_us, on_credentials) ==
        AUTH_READY) {
        begin_request(call);
    }
    return call;
}

static void lambda_cancel(struct endpoint *e, struct endpoint_call *call)
{
    if (call->call != NULL) {
        http_call_cancel(call->call);
    } else {
        auth_call_cancel(&call->auth);
    }
    auth_call_end(&call->auth);
    call->next = e->idle;
    e->idle = call;
}

#define ON(status, verdict) [(status)-STATUS_FIRST] = (verdict)

/** Those that are not listed mean what they mean for HTTP. */
static const struct status_table statuses = {
    .verdicts =
        {
            ON(400, STATUS_DEAD),      // the request's content, or the function's configuration
            ON(402, STATUS_PAUSE),     // ServiceQuotaExceeded
            ON(403, STATUS_PAUSE),     // access denied, a wrong signature
            ON(404, STATUS_PAUSE),     // no such function, version or alias
            ON(408, STATUS_RETRY),     // EFS or S3 did not mount in time
            ON(409, STATUS_RETRY),     // the function is being changed or restored
            ON(410, STATUS_RETRY),     // EFSIOException
            ON(413, STATUS_SPLIT),     // RequestTooLarge
            ON(415, STATUS_DEAD),      // UnsupportedMediaType
            ON(429, STATUS_THROTTLE),  // TooManyRequests
        },
};

const struct endpoint_type endpoint_lambda = {
    .kind = "lambda",
    .summary = "calls of AWS Lambda that wait for the result",
    .statuses = &statuses,
    .body_max = SYNC_BODY_MAX,
    .open = lambda_open,
    .send = lambda_send,
    .cancel = lambda_cancel,
    .close = lambda_close,
};

const struct endpoint_type endpoint_lambda_event = {
    .kind = "lambda",
    .summary = "calls of AWS Lambda that are queued",
    .statuses = &statuses,
    .body_max = EVENT_BODY_MAX,
    .open = lambda_open,
    .send = lambda_send,
    .cancel = lambda_cancel,
    .close = lambda_close,
};
