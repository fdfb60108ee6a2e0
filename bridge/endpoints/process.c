// Functions that run on this machine, in processes of their own, by the AWS Lambda Runtime API. The function
// gets the body; headers of the payload are not sent, since the API has none, but for the trace.
#include "bridge/endpoints/endpoint.h"

#include "bridge/endpoints/aws/aws_trace.h"
#include "bridge/endpoints/process/error_document.h"
#include "bridge/endpoints/process/process_pool.h"

// This very program, also when its file has been replaced meanwhile.
#define PROGRAM "/proc/self/exe"

struct endpoint_call {
    struct endpoint *endpoint;
    struct process_call call;
    char trace_id[AWS_TRACE_ID_SIZE];
    size_t response_max_bytes;
    endpoint_on_response on_response;
    void *self;
    struct endpoint_call *next;  // in the free list
};

struct endpoint {
    struct process_pool *pool;
    struct endpoint_call *idle;
    struct bytes detail;
};

static bool process_open(const struct function_config *config, uv_loop_t *loop, struct endpoint **ret,
                         struct fault *f)
{
    (void)f;
    struct endpoint *e = memory_zeroed(1, sizeof(*e));
    const struct process_pool_params params = {
        .loop = loop,
        .config = &config->process,
        .function = config->name,
        .program = PROGRAM,
    };
    e->pool = process_pool_new(&params);
    *ret = e;
    return true;
}

static void process_close(struct endpoint *e)
{
    if (e == NULL) {
        return;
    }
    process_pool_close(e->pool);
    for (struct endpoint_call *call = e->idle, *next; call != NULL; call = next) {
        next = call->next;
        free(call);
    }
    bytes_clear(&e->detail);
    free(e);
}

static void recycle(struct endpoint_call *call)
{
    call->next = call->endpoint->idle;
    call->endpoint->idle = call;
}

/** Of a function that failed, whatever the status. */
static const char *failure_of(enum process_verdict verdict)
{
    switch (verdict) {
    case PROCESS_FAILED:
        return "function_error";
    case PROCESS_TOO_LARGE:
        return "response_too_large";
    case PROCESS_CRASHED:
        return "crashed";
    case PROCESS_OUT_OF_MEMORY:
        return "out_of_memory";
    case PROCESS_NOT_STARTED:
        return "init_failed";
    case PROCESS_SUCCEEDED:
    case PROCESS_TIMED_OUT:
        break;
    }
    return NULL;
}

static void describe(struct endpoint *e, const struct process_result *r)
{
    bytes_reset(&e->detail);
    if (r->verdict == PROCESS_FAILED) {
        error_document_describe(r->error_type, r->body, &e->detail);
    } else if (r->verdict == PROCESS_TOO_LARGE) {
        bytes_format(&e->detail, "the result is larger than %d bytes", RUNTIME_RESPONSE_MAX);
    } else if (r->text != NULL) {
        bytes_append_string(&e->detail, r->text);
    }
}

static void on_result(struct process_call *process_call, const struct process_result *r)
{
    struct endpoint_call *call = CONTAINER_OF(process_call, struct endpoint_call, call);
    struct endpoint *e = call->endpoint;
    size_t wanted = call->response_max_bytes;
    struct response response = {
        .status = r->verdict == PROCESS_NOT_STARTED || r->verdict == PROCESS_TIMED_OUT ? 0 : 200,
        .is_sent = r->verdict != PROCESS_NOT_STARTED,
        .is_timeout = r->verdict == PROCESS_TIMED_OUT,
        .retry_after_us = -1,
        .body = slice_make(r->body.data, r->body.size < wanted ? r->body.size : wanted),
        .failure = failure_of(r->verdict),
        .took_us = r->took_us,
    };
    if (r->verdict == PROCESS_NOT_STARTED) {
        (void)fault_set(&response.transport, FAULT_RETRY, "%s", r->text);
    } else if (r->verdict == PROCESS_TIMED_OUT) {
        (void)fault_set(&response.transport, FAULT_RETRY, "the function had no result in time");
    } else if (r->verdict != PROCESS_SUCCEEDED) {
        describe(e, r);
        response.detail = bytes_slice(&e->detail);
    }
    endpoint_on_response on_response = call->on_response;
    void *self = call->self;
    recycle(call);
    on_response(self, &response);
}

static struct endpoint_call *process_send(struct endpoint *e, const struct endpoint_request *request,
                                          endpoint_on_response on_response, void *self)
{
    struct endpoint_call *call = e->idle;
    if (call != NULL) {
        e->idle = call->next;
    } else {
        call = memory_zeroed(1, sizeof(*call));
        call->endpoint = e;
    }
    call->response_max_bytes = request->response_max_bytes;
    call->on_response = on_response;
    call->self = self;
    call->call.body = request->body;
    bool has_trace = aws_trace_write(request->header_lines, call->trace_id);
    call->call.trace_id = has_trace ? call->trace_id : NULL;
    call->call.timeout_us = request->timeout_us;
    call->call.on_result = on_result;
    process_pool_call(e->pool, &call->call);
    return call;
}

static void process_cancel(struct endpoint *e, struct endpoint_call *call)
{
    process_pool_cancel(e->pool, &call->call);
    recycle(call);
}

static const struct last_error *process_trouble(const struct endpoint *e)
{
    return process_pool_trouble(e->pool);
}

const struct endpoint_type endpoint_process = {
    .kind = "process",
    .summary = "functions in processes on this machine",
    .body_max = RUNTIME_RESPONSE_MAX,
    .is_lasting = true,
    .open = process_open,
    .send = process_send,
    .cancel = process_cancel,
    .trouble = process_trouble,
    .close = process_close,
};
