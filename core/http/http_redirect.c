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

static void send_request(struct redirect_call *call)
{
    call->request.timeout_us = call->started_us + call->timeout_us - clock_now_us();
    call->inner = call->all->type->send(call->all->transport, &call->request, on_inner_done, call);
}

/** Goes to where the response says, if that is permitted. */
static bool follow(struct redirect_call *call, const struct http_response *r)
{
    bool is_kept = r->transport.kind == FAULT_NONE && (r->status == 307 || r->status == 308);
    if (!is_kept || r->location == NULL || call->left == 0) {
        return false;
    }
    char *target = http_head_target_of(call->request.head, r->location);
    if (target == NULL) {
        return false;
    }
    call->left--;
    free(call->target);
    call->target = target;
    call->request.target = target;
    send_request(call);
    return true;
}

static void on_inner_done(void *self, const struct http_response *r)
{
    struct redirect_call *call = self;
    if (follow(call, r)) {
        return;
    }
    struct http_response last = *r;
    last.took_us = clock_now_us() - call->started_us;
    http_on_done on_done = call->on_done;
    void *of = call->self;
    free_call(call);
    on_done(of, &last);
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
    send_request(call);
    return &call->base;
}

void http_redirects_clear(struct http_redirects *r)
{
    while (r->calls != NULL) {
        free_call(r->calls);
    }
}
