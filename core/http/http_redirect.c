#include "core/http/http_redirect.h"

#include <utlist.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/http/http_head.h"

struct redirect_call {
    struct http_call base;
    struct http_redirects *all;
    struct redirect_call *next;
    struct redirect_call *prev;
    struct http_call *inner;
    struct http_request request;
    char *target;  // of the last redirect; NULL: none yet
    int left;
    http_on_done on_done;
    void *self;
    int64_t started_us;
    int64_t timeout_us;
};

static void free_call(struct redirect_call *call)
{
    DL_DELETE(call->all->calls, call);
    free(call->target);
    free(call);
}

static void on_inner_done(void *self, const struct http_response *r);

static int64_t time_left(const struct redirect_call *call)
{
    return call->started_us + call->timeout_us - clock_now_us();
}

static void send_request(struct redirect_call *call, int64_t timeout_us)
{
    call->request.timeout_us = timeout_us;
    call->inner = call->all->type->send(call->all->transport, &call->request, on_inner_done, call);
}

/** The path to where the response says, if that is permitted; else NULL. The caller frees it. */
static char *target_of(const struct redirect_call *call, const struct http_response *r)
{
    bool is_kept = r->transport.kind == FAULT_NONE && (r->status == 307 || r->status == 308);
    return is_kept && r->location != NULL && call->left > 0
               ? http_head_target_of(call->request.head, r->location)
               : NULL;
}

static void respond(struct redirect_call *call, const struct http_response *r)
{
    struct http_response last = *r;
    last.took_us = clock_now_us() - call->started_us;
    http_on_done on_done = call->on_done;
    void *of = call->self;
    free_call(call);
    on_done(of, &last);
}

static void time_out(struct redirect_call *call)
{
    struct http_response late = {.is_sent = true, .is_timeout = true, .retry_after_us = -1};
    (void)fault_set(&late.transport, FAULT_RETRY, "no time was left to follow a redirect");
    respond(call, &late);
}

static void on_inner_done(void *self, const struct http_response *r)
{
    struct redirect_call *call = self;
    char *target = target_of(call, r);
    if (target == NULL) {
        respond(call, r);
        return;
    }
    call->left--;
    free(call->target);
    call->target = target;
    call->request.target = target;
    int64_t left_us = time_left(call);
    if (left_us > 0) {
        send_request(call, left_us);
    } else {
        time_out(call);
    }
}

static void cancel(struct http_call *base)
{
    struct redirect_call *call = CONTAINER_OF(base, struct redirect_call, base);
    call->all->type->cancel(call->inner);
    free_call(call);
}

struct http_call *http_redirects_send(struct http_redirects *r, const struct http_request *request,
                                      http_on_done on_done, void *self)
{
    static const struct http_transport_type REDIRECTING = {.cancel = cancel};
    struct redirect_call *call = memory_zeroed(1, sizeof(*call));
    *call = (struct redirect_call){
        .base = {&REDIRECTING},
        .all = r,
        .request = *request,
        .left = r->max,
        .on_done = on_done,
        .self = self,
        .started_us = clock_now_us(),
        .timeout_us = request->timeout_us,
    };
    DL_APPEND(r->calls, call);
    send_request(call, call->timeout_us);
    return &call->base;
}

void http_redirects_clear(struct http_redirects *r)
{
    while (r->calls != NULL) {
        free_call(r->calls);
    }
}
