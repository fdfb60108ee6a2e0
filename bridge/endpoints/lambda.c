// Functions of AWS Lambda, by its API Invoke. The function gets the body; headers of the payload are not
// sent, since Lambda does not pass them on, but for the trace.
//
//   POST /2015-03-31/functions/NAME/invocations?Qualifier=…
//   X-Amz-Invocation-Type: RequestResponse | Event
//   X-Amz-Log-Type: Tail
//   X-Amzn-Trace-Id: Root=…;Parent=…;Sampled=…
//
// Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
#include <ctype.h>

#include "bridge/endpoints/aws/aws_authorities.h"
#include "bridge/endpoints/aws/aws_region.h"
#include "bridge/endpoints/aws/aws_trace.h"
#include "bridge/endpoints/endpoint.h"
#include "bridge/endpoints/lambda_response.h"
#include "bridge/endpoints/signed_call.h"

// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
enum { SYNC_BODY_MAX = 6 << 20, EVENT_BODY_MAX = 1 << 20 };

#define TRACE_LINE "X-Amzn-Trace-Id: "

struct endpoint_call {
    struct endpoint *endpoint;
    struct signed_call signed_call;
    size_t response_max_bytes;  // as it was asked for; more of an error is read, for its text
    endpoint_on_response on_response;
    void *self;
    struct endpoint_call *next;  // in the free list
    char trace_line[sizeof(TRACE_LINE) + AWS_TRACE_ID_SIZE];
};

struct endpoint {
    struct http_client *client;
    struct auth_chain *auth;
    struct http_head *head;
    struct bytes authorities;  // PEM of AWS_CA_BUNDLE, if the file names none
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
    } else if (!aws_region_find(&lambda->aws, aws_region_of_arn(lambda->function), &region, f) ||
               !aws_region_endpoint(&lambda->aws, "lambda", region, &base, f)) {
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
        {"Content-Type", "application/json", false},
        {"X-Amz-Invocation-Type", is_event ? "Event" : "RequestResponse", false},
        {"X-Amz-Log-Type", "Tail", false},
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
        signed_call_clear(&call->signed_call);
        free(call);
    }
    bytes_clear(&e->detail);
    bytes_clear(&e->authorities);
    free(e);
}

static bool lambda_open(const struct function_config *config, uv_loop_t *loop, struct endpoint **ret,
                        struct fault *f)
{
    struct endpoint *e = memory_zeroed(1, sizeof(*e));
    const char *ca = config->lambda.ca.text;
    if (!open_head(e, &config->lambda, f) || !auth_chain_open(config, loop, &e->auth, f) ||
        (ca == NULL && !aws_authorities_load(&e->authorities, f))) {
        lambda_close(e);
        return false;
    }
    ca = e->authorities.size == 0 ? ca : bytes_text(&e->authorities);
    const struct http_client_params params = {
        .connections_max = (size_t)config->delivery.concurrency,
        .version = HTTP_VERSION_1_1,
        .tls = {.ca = ca},
        .policy = config->policy,
    };
    e->client = http_client_new(loop, &params);
    *ret = e;
    return true;
}

static void recycle(struct endpoint_call *call)
{
    struct endpoint *e = call->endpoint;
    call->next = e->idle;
    e->idle = call;
}

/** Makes Lambda's response that of the function, and adds what Lambda says of errors. */
static void describe(struct endpoint_call *call, struct response *response, const struct http_response *r)
{
    struct endpoint *e = call->endpoint;
    response->fields = NULL;  // the headers are Lambda's: a function has none
    response->field_count = 0;
    size_t wanted = call->response_max_bytes;
    response->body.size = response->body.size < wanted ? response->body.size : wanted;
    bool is_failure = lambda_response_is_failure(r);
    if (is_failure || r->status < 200 || r->status > 299) {
        bytes_reset(&e->detail);
        lambda_response_describe(r, &e->detail);
        response->failure = is_failure ? "function_error" : NULL;
        response->detail = bytes_slice(&e->detail);
    }
}

static void on_response(struct signed_call *signed_call, struct response *response,
                        const struct http_response *r)
{
    struct endpoint_call *call = CONTAINER_OF(signed_call, struct endpoint_call, signed_call);
    endpoint_on_response on_call_response = call->on_response;
    void *self = call->self;
    if (response->transport.kind == FAULT_NONE) {
        describe(call, response, r);
    }
    recycle(call);
    on_call_response(self, response);
}

/** The request's header lines; NULL: none. */
static const char *lines_of(struct endpoint_call *call, const char *header_lines)
{
    memcpy(call->trace_line, TRACE_LINE, sizeof(TRACE_LINE));
    bool has_trace = aws_trace_write(header_lines, call->trace_line + sizeof(TRACE_LINE) - 1);
    return has_trace ? call->trace_line : NULL;
}

static struct endpoint_call *lambda_send(struct endpoint *e, const struct endpoint_request *request,
                                         endpoint_on_response on_call_response, void *self)
{
    struct endpoint_call *call = e->idle;
    if (call != NULL) {
        e->idle = call->next;
    } else {
        call = memory_zeroed(1, sizeof(*call));
        call->endpoint = e;
    }
    size_t wanted = request->response_max_bytes;
    call->response_max_bytes = wanted;
    call->on_response = on_call_response;
    call->self = self;
    const struct http_request r = {
        .head = e->head,
        .header_lines = lines_of(call, request->header_lines),
        .body = request->body,
        .timeout_us = request->timeout_us,
        .response_max_bytes = wanted > LAMBDA_ERROR_BODY_MAX ? wanted : LAMBDA_ERROR_BODY_MAX,
        .wants_fields = true,
    };
    signed_call_begin(&call->signed_call, e->client, e->auth, &r, request->message_id, on_response);
    return call;
}

static void lambda_cancel(struct endpoint *e, struct endpoint_call *call)
{
    (void)e;
    signed_call_cancel(&call->signed_call);
    recycle(call);
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
