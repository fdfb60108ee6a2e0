// Calls through libcurl: one multi handle on the loop. core/http/http_sockets watches its sockets; one timer
// serves curl's time-outs and our deadlines. The work of one turn of the loop is done together before the
// loop sleeps.
#include "core/http/http_transport.h"

#include <stdio.h>
#include <utlist.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/http/http_curl_handle.h"
#include "core/http/http_curl_sink.h"
#include "core/http/http_head.h"

enum { ROUNDS_MAX = 4 };

struct curl_call {
    struct http_call base;
    struct curl_client *client;
    struct http_curl_handle handle;
    http_on_done on_done;  // NULL: idle
    void *self;
    struct curl_call *next;  // in the list of active or of idle calls
    struct curl_call *previous;
    bool was_sent_before;  // curl wanted to resend after bytes were sent, and was stopped
    int64_t started_us;
    int64_t deadline_us;
    struct http_curl_sink sink;
    const struct http_head *head;  // of the request, as the target
    const char *target;
    char *location;
    char why[CURL_ERROR_SIZE];
};

struct curl_client {
    CURLM *multi;
    const struct http_client_params *params;
    struct http_sockets sockets;
    uv_poll_t poll;
    uv_timer_t timer;
    uv_prepare_t prepare;
    struct curl_call *active;
    struct curl_call *idle;
    int64_t curl_due_us;  // curl's next time-out; -1: none
    int64_t call_due_us;  // at or before the earliest deadline of the active calls; INT64_MAX: none
    bool has_work;        // requests were added or calls may have ended: do_work() before the loop sleeps
    bool is_working;
    int open_handles;
    bool is_freed;
};

static int on_curl_timer(CURLM *multi, long wait_ms, void *self)
{
    (void)multi;
    struct curl_client *c = self;
    c->curl_due_us = wait_ms < 0 ? -1 : clock_now_us() + wait_ms * CLOCK_US_PER_MS;
    c->has_work = true;
    return 0;
}

static long number_of(const struct curl_call *call, CURLINFO info)
{
    long ret = 0;
    curl_easy_getinfo(call->handle.easy, info, &ret);
    return ret;
}

/**
 * Called before each attempt of one transfer. When a reused connection is closed without a response, curl
 * sends the request again, although the server may have processed it. The caller must decide about that: stop
 * curl.
 */
static int on_before_request(void *self, char *peer, char *local, int peer_port, int local_port)
{
    (void)peer;
    (void)local;
    (void)peer_port;
    (void)local_port;
    struct curl_call *call = self;
    call->was_sent_before = number_of(call, CURLINFO_REQUEST_SIZE) > 0;
    return call->was_sent_before ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static void set_callbacks(struct curl_call *call)
{
    CURL *easy = call->handle.easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->why);
    http_curl_sink_attach(&call->sink, easy);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
}

static struct curl_call *new_call(struct curl_client *c)
{
    struct curl_call *call = memory_zeroed(1, sizeof(*call));
    call->base.type = &http_curl;
    call->client = c;
    http_curl_handle_init(&call->handle, &c->sockets, c->params);
    set_callbacks(call);
    return call;
}

static void free_call(struct curl_call *call)
{
    http_curl_handle_clear(&call->handle);
    http_curl_sink_clear(&call->sink);
    free(call->location);
    free(call);
}

/** Removes the call from curl and keeps its handle and buffers for the next one. */
static void release_call(struct curl_call *call)
{
    struct curl_client *c = call->client;
    curl_multi_remove_handle(c->multi, call->handle.easy);
    call->on_done = NULL;
    DL_DELETE2(c->active, call, previous, next);
    DL_PREPEND2(c->idle, call, previous, next);
}

static struct http_call *curl_send(void *transport, const struct http_request *request, http_on_done on_done,
                                   void *self)
{
    struct curl_client *c = transport;
    struct curl_call *call = c->idle;
    if (call != NULL) {
        DL_DELETE2(c->idle, call, previous, next);
    } else {
        call = new_call(c);
    }
    http_curl_handle_configure(&call->handle, request);
    call->on_done = on_done;
    call->self = self;
    call->was_sent_before = false;
    call->why[0] = '\0';
    call->head = request->head;
    call->target = request->target;
    http_curl_sink_begin(&call->sink, request->response_max_bytes, request->wants_fields);
    call->started_us = clock_now_us();
    call->deadline_us = call->started_us + request->timeout_us;
    if (call->deadline_us < c->call_due_us) {
        c->call_due_us = call->deadline_us;
    }
    DL_PREPEND2(c->active, call, previous, next);
    curl_multi_add_handle(c->multi, call->handle.easy);
    c->has_work = true;
    return &call->base;
}

static void curl_cancel(struct http_call *call)
{
    release_call(CONTAINER_OF(call, struct curl_call, base));
}

static const char *location_of(struct curl_call *call)
{
    struct curl_header *header = NULL;
    free(call->location);
    call->location = NULL;
    if (curl_easy_header(call->handle.easy, "location", 0, CURLH_HEADER, -1, &header) == CURLHE_OK) {
        call->location = http_head_resolve(call->head, call->target, header->value);
    }
    return call->location;
}

static void fill_response(struct curl_call *call, struct http_response *r)
{
    long status = number_of(call, CURLINFO_RESPONSE_CODE);
    r->status = (int)status;
    r->body = bytes_slice(&call->sink.body);
    r->is_cut = call->sink.is_cut;
    r->fields = http_field_list_end(&call->sink.fields);
    r->field_count = call->sink.fields.count;
    struct curl_header *control = NULL;
    r->is_abort =
        curl_easy_header(call->handle.easy, "webhook-delivery", 0, CURLH_HEADER, -1, &control) == CURLHE_OK &&
        strcasecmp(control->value, "abort-message") == 0;
    if (status == 429 || status == 503) {
        curl_off_t retry_after_s = 0;  // curl reads both forms; a date becomes seconds from now
        curl_easy_getinfo(call->handle.easy, CURLINFO_RETRY_AFTER, &retry_after_s);
        if (retry_after_s > 0) {
            curl_off_t capped = retry_after_s > INT32_MAX ? INT32_MAX : retry_after_s;
            r->retry_after_us = capped * CLOCK_US_PER_S;
        }
    }
    if (status >= 300 && status < 400) {
        r->location = location_of(call);
    }
}

/** Ends the call and calls on_done. `code` is CURLE_OPERATION_TIMEDOUT when our deadline has passed. */
static void finish(struct curl_call *call, CURLcode code)
{
    http_on_done on_done = call->on_done;
    INVARIANT(on_done != NULL);
    struct http_response r = {.retry_after_us = -1, .took_us = clock_now_us() - call->started_us};
    if (code == CURLE_OK || call->sink.is_cut) {
        fill_response(call, &r);
    } else {
        r.is_sent = number_of(call, CURLINFO_REQUEST_SIZE) > 0;
        r.is_timeout = code == CURLE_OPERATION_TIMEDOUT;
        const char *why = call->was_sent_before         ? "the connection was closed without a response"
                          : call->sink.is_head_too_long ? "the response's headers are larger than 64 KiB"
                          : r.is_timeout && number_of(call, CURLINFO_RESPONSE_CODE) != 0
                              ? "the response was not complete in time"
                          : r.is_timeout         ? "no response in time"
                          : call->why[0] != '\0' ? call->why
                                                 : curl_easy_strerror(code);
        (void)fault_from(&r.transport, FAULT_RETRY, "libcurl", (int)code, "%s", why);
    }
    // The body lies in the call's buffer, so the call becomes idle only after on_done has returned.
    DL_DELETE2(call->client->active, call, previous, next);
    curl_multi_remove_handle(call->client->multi, call->handle.easy);
    call->on_done = NULL;
    on_done(call->self, &r);
    DL_PREPEND2(call->client->idle, call, previous, next);
}

static void finish_late_calls(struct curl_client *c, int64_t now_us)
{
    if (now_us < c->call_due_us) {
        return;
    }
    struct curl_call *late = NULL;
    do {
        int64_t next_us = INT64_MAX;
        late = NULL;
        for (struct curl_call *call = c->active; call != NULL; call = call->next) {
            if (call->deadline_us <= now_us) {
                late = call;
                break;
            }
            next_us = call->deadline_us < next_us ? call->deadline_us : next_us;
        }
        c->call_due_us = next_us;
        if (late != NULL) {
            finish(late, CURLE_OPERATION_TIMEDOUT);
        }
    } while (late != NULL && !c->is_freed);
}

static void finish_ended_calls(struct curl_client *c)
{
    CURLMsg *message;
    int left;
    while (!c->is_freed && (message = curl_multi_info_read(c->multi, &left)) != NULL) {
        struct curl_call *call = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        finish(call, code);
    }
}

static void release(struct curl_client *c);
static void on_timer(uv_timer_t *timer);

/** Sets the timer to the earlier of curl's time-out and the calls' deadlines. */
static void arm_timer(struct curl_client *c, int64_t now_us)
{
    int64_t due_us = c->active == NULL ? INT64_MAX : c->call_due_us;
    if (c->curl_due_us >= 0 && c->curl_due_us < due_us) {
        due_us = c->curl_due_us;
    }
    if (due_us == INT64_MAX) {
        return;  // an idle expiry costs less than stopping the timer each time
    }
    uint64_t wait_ms = due_us <= now_us ? 0 : (uint64_t)((due_us - now_us + 999) / CLOCK_US_PER_MS);
    if (!uv_is_active((uv_handle_t *)&c->timer) || uv_timer_get_due_in(&c->timer) > wait_ms) {
        (void)uv_timer_start(&c->timer, on_timer, wait_ms, 0);
    }
}

/** Does the work that needs no descriptor event: curl's time-outs, ended calls, deadlines. */
static void do_work(struct curl_client *c)
{
    if (c->is_working) {
        return;
    }
    c->is_working = true;
    for (int round = 0; round < ROUNDS_MAX && !c->is_freed; round++) {
        int64_t now_us = clock_now_us();
        if (c->curl_due_us >= 0 && c->curl_due_us <= now_us) {
            int running;
            c->curl_due_us = -1;
            curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }
        c->has_work = false;
        finish_ended_calls(c);
        finish_late_calls(c, now_us);
        if (!c->has_work) {
            break;
        }
    }
    c->is_working = false;
    if (c->is_freed) {
        release(c);
        return;
    }
    arm_timer(c, clock_now_us());
}

static void on_timer(uv_timer_t *timer)
{
    do_work(timer->data);
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct curl_client *c = prepare->data;
    if (c->has_work) {
        do_work(c);
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct curl_client *c = poll->data;
    http_sockets_read(&c->sockets);
    do_work(c);
}

static void *curl_open(uv_loop_t *loop, const struct http_client_params *params)
{
    struct curl_client *c = memory_zeroed(1, sizeof(*c));
    c->params = params;
    c->curl_due_us = -1;
    c->call_due_us = INT64_MAX;
    c->multi = curl_multi_init();
    INVARIANT(c->multi != NULL);
    http_sockets_init(&c->sockets, c->multi);
    long connections = (long)params->connections_max;
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, connections);
    curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
    INVARIANT(uv_poll_init(loop, &c->poll, c->sockets.epoll_fd) == 0);
    (void)uv_timer_init(loop, &c->timer);
    (void)uv_prepare_init(loop, &c->prepare);
    c->poll.data = c->timer.data = c->prepare.data = c;
    (void)uv_poll_start(&c->poll, UV_READABLE, on_readable);
    (void)uv_prepare_start(&c->prepare, on_prepare);
    uv_unref((uv_handle_t *)&c->poll);
    uv_unref((uv_handle_t *)&c->prepare);
    c->open_handles = 3;
    return c;
}

static void on_closed(uv_handle_t *handle)
{
    struct curl_client *c = handle->data;
    if (--c->open_handles == 0) {
        http_sockets_clear(&c->sockets);
        free(c);
    }
}

static void release(struct curl_client *c)
{
    struct curl_call *lists[] = {c->active, c->idle};
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        for (struct curl_call *call = lists[i], *next; call != NULL; call = next) {
            next = call->next;
            curl_multi_remove_handle(c->multi, call->handle.easy);
            free_call(call);
        }
    }
    curl_multi_cleanup(c->multi);
    uv_close((uv_handle_t *)&c->poll, on_closed);
    uv_close((uv_handle_t *)&c->timer, on_closed);
    uv_close((uv_handle_t *)&c->prepare, on_closed);
}

static void curl_close(void *transport)
{
    struct curl_client *c = transport;
    if (c == NULL) {
        return;
    }
    c->is_freed = true;
    if (!c->is_working) {
        release(c);
    }
}

const struct http_transport_type http_curl = {
    .open = curl_open,
    .send = curl_send,
    .cancel = curl_cancel,
    .close = curl_close,
};
