#include "bridge/endpoints/auth/auth_chain.h"

#include "core/base/clock.h"

/** In the order in which they sign: a signature of all headers comes last. */
static const struct auth_type *const TYPES[] = {&auth_headers, &auth_oauth2, &auth_webhooks, &auth_aws};

struct link {
    const struct auth_type *type;
    struct auth *auth;
};

struct auth_chain {
    struct link links[AUTH_CHAIN_MAX];
    size_t count;
    uv_timer_t timer;  // active while a call waits
    struct due_heap deadlines;
};

static void on_closed(uv_handle_t *timer)
{
    free(timer->data);
}

bool auth_chain_open(const struct function_config *config, uv_loop_t *loop, struct auth_chain **ret,
                     struct fault *f)
{
    _Static_assert(COUNT_OF(TYPES) <= AUTH_CHAIN_MAX, "a chain has room for all");
    struct auth_chain *chain = memory_zeroed(1, sizeof(*chain));
    (void)uv_timer_init(loop, &chain->timer);
    chain->timer.data = chain;
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        struct auth *auth = NULL;
        if (!TYPES[i]->open(config, loop, &auth, f)) {
            auth_chain_close(chain);
            return false;
        }
        if (auth != NULL) {
            chain->links[chain->count++] = (struct link){TYPES[i], auth};
        }
    }
    *ret = chain;
    return true;
}

void auth_chain_close(struct auth_chain *chain)
{
    if (chain == NULL) {
        return;
    }
    for (size_t i = 0; i < chain->count; i++) {
        chain->links[i].type->close(chain->links[i].auth);
    }
    due_heap_clear(&chain->deadlines);
    uv_close((uv_handle_t *)&chain->timer, on_closed);
}

static void on_timer(uv_timer_t *timer);

/** To the first deadline; stopped when nothing waits. */
static void arm_timer(struct auth_chain *chain)
{
    const struct due_entry *first = due_heap_first(&chain->deadlines);
    if (first == NULL) {
        (void)uv_timer_stop(&chain->timer);
        return;
    }
    int64_t wait_us = first->due_us - clock_now_us();
    uint64_t wait_ms = wait_us <= 0 ? 0 : (uint64_t)((wait_us + CLOCK_US_PER_MS - 1) / CLOCK_US_PER_MS);
    (void)uv_timer_start(&chain->timer, on_timer, wait_ms, 0);
}

static void end_wait(struct auth_call *call)
{
    due_heap_remove(&call->chain->deadlines, &call->due);
    arm_timer(call->chain);
}

static void on_timer(uv_timer_t *timer)
{
    struct auth_chain *chain = timer->data;
    struct due_entry *first = due_heap_first(&chain->deadlines);
    if (first == NULL || first->due_us > clock_now_us()) {
        arm_timer(chain);
        return;
    }
    struct auth_call *call = CONTAINER_OF(first, struct auth_call, due);
    const struct link *link = &chain->links[call->at];
    auth_call_cancel(call);  // the next one that is due has the next turn of the loop
    struct fault f;
    (void)fault_set(&f, FAULT_RETRY, "%s: no credentials in time from %.200s", link->type->kind,
                    link->type->place(link->auth));
    call->on_ready(call, &f);
}

static void on_ready(struct auth_wait *wait, const struct fault *f);

/** Prepares the credentials from call->at on. */
static enum auth_state prepare(struct auth_call *call, int64_t deadline_us)
{
    struct auth_chain *chain = call->chain;
    for (; call->at < chain->count; call->at++) {
        const struct link *link = &chain->links[call->at];
        call->wait = (struct auth_wait){.on_ready = on_ready, .refused = call->refused[call->at]};
        if (link->type->prepare != NULL && link->type->prepare(link->auth, &call->wait) == AUTH_WAITS) {
            due_heap_add(&chain->deadlines, &call->due, deadline_us);
            arm_timer(chain);
            return AUTH_WAITS;
        }
    }
    return AUTH_READY;
}

static void on_ready(struct auth_wait *wait, const struct fault *f)
{
    struct auth_call *call = CONTAINER_OF(wait, struct auth_call, wait);
    int64_t deadline_us = call->due.due_us;
    end_wait(call);
    if (f != NULL) {
        call->on_ready(call, f);
        return;
    }
    call->at++;
    if (prepare(call, deadline_us) == AUTH_READY) {
        call->on_ready(call, NULL);
    }
}

enum auth_state auth_call_begin(struct auth_call *call, struct auth_chain *chain, int64_t deadline_us,
                                void (*on_call_ready)(struct auth_call *call, const struct fault *f))
{
    call->chain = chain;
    call->on_ready = on_call_ready;
    call->is_renewed = false;
    memset(call->refused, 0, sizeof(call->refused));
    return auth_call_again(call, deadline_us);
}

enum auth_state auth_call_again(struct auth_call *call, int64_t deadline_us)
{
    call->at = 0;
    return prepare(call, deadline_us);
}

void auth_call_cancel(struct auth_call *call)
{
    const struct link *link = &call->chain->links[call->at];
    link->type->cancel(link->auth, &call->wait);
    end_wait(call);
}

const char *auth_call_sign(struct auth_call *call, const struct auth_request *request,
                           const char *header_lines)
{
    struct auth_chain *chain = call->chain;
    if (chain->count == 0) {
        return header_lines;
    }
    bytes_erase(&call->lines);
    call->lines.is_secret = true;
    if (header_lines != NULL) {
        bytes_append_string(&call->lines, header_lines);
    }
    call->credentials_at = call->lines.size;
    for (size_t i = 0; i < chain->count; i++) {
        const struct link *link = &chain->links[i];
        call->versions[i] = link->type->sign(link->auth, request, &call->lines);
    }
    return call->lines.size == 0 ? NULL : bytes_text(&call->lines);
}

bool auth_call_is_refused(struct auth_call *call, const struct http_response *r)
{
    bool ret = false;
    for (size_t i = 0; i < call->chain->count; i++) {
        const struct link *link = &call->chain->links[i];
        if (link->type->on_response != NULL && link->type->on_response(link->auth, call->versions[i], r)) {
            call->refused[i] = call->versions[i];
            ret = true;
        }
    }
    ret = ret && !call->is_renewed;
    call->is_renewed = call->is_renewed || ret;
    return ret;
}

const char *auth_call_credentials(const struct auth_call *call)
{
    return call->lines.size == 0 ? NULL : (const char *)call->lines.data + call->credentials_at;
}

void auth_call_end(struct auth_call *call)
{
    bytes_erase(&call->lines);
}

void auth_call_clear(struct auth_call *call)
{
    bytes_wipe(&call->lines);
}

void auth_begin_line(struct bytes *lines, const char *name)
{
    if (lines->size > 0) {
        bytes_append_string(lines, "\r\n");
    }
    bytes_append_string(lines, name);
    bytes_append_string(lines, ": ");
}
