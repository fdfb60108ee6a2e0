#include "schemas/registry/schema_requests.h"

#include <utlist.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "schemas/registry/schema_identity.h"
#include "schemas/registry/schema_plan.h"
#include "schemas/registry/schema_references.h"

#define SCHEMA_REQUESTS_LIMIT_US (30 * CLOCK_US_PER_S)  // then the caller must retry

struct schema_requests {
    const struct schema_index *index;
    uv_timer_t *deliver;
    struct schema_request *reading;  // wait for their round
    struct schema_request *writing;  // wait to be written
    struct schema_request *done;     // wait for their callback
};

static void free_request(struct schema_request *q)
{
    if (q->change != NULL) {
        schema_change_free(q->change);
    }
    free(q->identity);
    free(q);
}

// The text with all that it refers to in it.
static void call_with_schema(const struct schema_requests *r, const struct schema_request *q)
{
    const struct schema_text *schema = schema_index_any(r->index, q->id);
    struct bytes whole CLEANUP(bytes_clear) = {0};
    struct slice text = schema != NULL ? slice_of(schema->text) : (struct slice){NULL, 0};
    struct fault f = q->fault;
    if (f.kind == FAULT_NONE && schema == NULL) {  // it was deleted for good meanwhile
        (void)fault_set(&f, FAULT_REJECT, "schema id %d is unknown", q->id);
    }
    if (f.kind == FAULT_NONE && schema->references != NULL) {
        const char *subject = schema_index_user(r->index, schema);
        if (!schema_references_resolve(r->index, subject, schema, &whole)) {
            (void)fault_set(&f, FAULT_REJECT, "schema id %d refers to schemas that are gone", q->id);
        }
        text = bytes_slice(&whole);
    }
    bool is_good = f.kind == FAULT_NONE;
    q->on_schema(q->self, is_good ? text : (struct slice){NULL, 0}, is_good ? NULL : &f);
}

static void call_with_id(const struct schema_request *q)
{
    struct fault f = q->fault;
    if (f.kind == FAULT_NONE && q->id == 0) {
        struct schema_change *change = q->change;
        if (change->error != REGISTRY_ERROR_NONE) {
            (void)fault_from(&f, FAULT_CONFIG, "registry", (int)change->error, "registry: subject %s: %s",
                             change->subject, bytes_text(&change->answer));
        }
        q->on_id(q->self, change->result_id, f.kind != FAULT_NONE ? &f : NULL);
        return;
    }
    q->on_id(q->self, q->id, f.kind != FAULT_NONE ? &f : NULL);
}

static void call_back(const struct schema_requests *r, const struct schema_request *q)
{
    const struct fault *f = q->fault.kind != FAULT_NONE ? &q->fault : NULL;
    if (q->is_cancelled) {
        return;
    }
    if (q->on_id != NULL) {
        call_with_id(q);
    } else if (q->on_fresh != NULL) {
        q->on_fresh(q->self, f);
    } else if (q->on_change != NULL) {
        q->on_change(q->self, q->change, f);
    } else {
        call_with_schema(r, q);
    }
}

static void on_deliver(uv_timer_t *timer)
{
    struct schema_requests *r = timer->data;
    struct schema_request *q = r->done;
    if (q == NULL) {
        return;
    }
    LL_DELETE(r->done, q);
    if (r->done != NULL) {
        (void)uv_timer_start(r->deliver, on_deliver, 0, 0);
    }
    call_back(r, q);  // may free the requests
    free_request(q);
}

static void finish(struct schema_requests *r, struct schema_request **list, struct schema_request *q)
{
    if (list != NULL) {
        LL_DELETE(*list, q);
    }
    q->next = NULL;
    LL_APPEND(r->done, q);
    (void)uv_timer_start(r->deliver, on_deliver, 0, 0);
}

static void refuse_all(struct schema_requests *r, struct schema_request **list, const struct fault *f)
{
    struct schema_request *q = NULL;
    struct schema_request *next = NULL;
    LL_FOREACH_SAFE (*list, q, next) {
        q->fault = *f;
        finish(r, list, q);
    }
}

/** True when the index has the result. */
static bool is_served(const struct schema_requests *r, struct schema_request *q)
{
    if (q->on_id != NULL) {
        const struct schema_version *found = schema_index_find(r->index, q->change->subject, q->identity);
        q->id = found != NULL ? found->id : 0;
        return found != NULL;
    }
    return q->on_schema != NULL && schema_index_any(r->index, q->id) != NULL;
}

struct schema_request *schema_requests_make(void *self)
{
    struct schema_request *q = memory_zeroed(1, sizeof *q);
    q->self = self;
    q->started_us = clock_now_us();
    return q;
}

void schema_requests_refuse(struct schema_requests *r, struct schema_request *q)
{
    finish(r, NULL, q);
}

bool schema_requests_serve(struct schema_requests *r, struct schema_request *q)
{
    if (!is_served(r, q)) {
        return false;
    }
    finish(r, NULL, q);
    return true;
}

void schema_requests_wait(struct schema_requests *r, struct schema_request *q, uint64_t round)
{
    q->round = round;
    LL_APPEND(r->reading, q);
}

// Whether the change needs no writing; its result is filled then.
static bool is_settled(const struct schema_requests *r, struct schema_request *q)
{
    struct schema_batch scratch = {0};
    enum schema_plan plan = schema_plan_make(&scratch, r->index, q->change);
    schema_batch_clear(&scratch);
    return plan == SCHEMA_PLAN_DONE;
}

static void end_round(struct schema_requests *r, struct schema_request *q)
{
    if (q->on_fresh != NULL || is_served(r, q) || (q->change != NULL && is_settled(r, q))) {
        finish(r, &r->reading, q);
    } else if (q->change != NULL) {
        LL_DELETE(r->reading, q);
        q->next = NULL;
        LL_APPEND(r->writing, q);
    } else {
        (void)fault_set(&q->fault, FAULT_REJECT, "schema id %d is unknown", q->id);
        finish(r, &r->reading, q);
    }
}

void schema_requests_on_round(struct schema_requests *r, uint64_t round)
{
    struct schema_request *q = NULL;
    struct schema_request *next = NULL;
    LL_FOREACH_SAFE (r->reading, q, next) {
        if (q->round <= round) {
            end_round(r, q);
        }
    }
}

bool schema_requests_has_unwritten(const struct schema_requests *r)
{
    return r->writing != NULL;
}

size_t schema_requests_plan(struct schema_requests *r, struct schema_batch *batch, size_t max)
{
    size_t count = 0;
    struct schema_request *q = NULL;
    struct schema_request *next = NULL;
    LL_FOREACH_SAFE (r->writing, q, next) {
        if (count == max) {
            break;
        }
        enum schema_plan plan = schema_plan_make(batch, r->index, q->change);
        if (plan == SCHEMA_PLAN_DONE) {
            finish(r, &r->writing, q);
        } else if (plan == SCHEMA_PLAN_WRITE) {
            q->is_planned = true;
            count++;
        }
    }
    return count;
}

void schema_requests_serve_planned(struct schema_requests *r)
{
    struct schema_request *q = NULL;
    struct schema_request *next = NULL;
    LL_FOREACH_SAFE (r->writing, q, next) {
        if (q->is_planned) {
            finish(r, &r->writing, q);
        }
    }
}

void schema_requests_unplan(struct schema_requests *r)
{
    struct schema_request *q = NULL;
    LL_FOREACH (r->writing, q) {
        q->is_planned = false;
    }
}

void schema_requests_refuse_planned(struct schema_requests *r, const struct fault *f)
{
    struct schema_request *q = NULL;
    struct schema_request *next = NULL;
    LL_FOREACH_SAFE (r->writing, q, next) {
        if (q->is_planned) {
            q->fault = *f;
            finish(r, &r->writing, q);
        }
    }
}

void schema_requests_refuse_reading(struct schema_requests *r, const struct fault *f)
{
    refuse_all(r, &r->reading, f);
}

void schema_requests_refuse_writing(struct schema_requests *r, const struct fault *f)
{
    refuse_all(r, &r->writing, f);
}

bool schema_requests_expire(struct schema_requests *r)
{
    int64_t now_us = clock_now_us();
    struct schema_request **lists[] = {&r->reading, &r->writing};
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        struct schema_request *q = NULL;
        struct schema_request *next = NULL;
        LL_FOREACH_SAFE (*lists[i], q, next) {
            if (now_us - q->started_us > SCHEMA_REQUESTS_LIMIT_US) {
                (void)fault_set(&q->fault, FAULT_RETRY, "reading the schema topic timed out");
                finish(r, lists[i], q);
            }
        }
    }
    return r->reading == NULL && r->writing == NULL;
}

void schema_requests_cancel(struct schema_requests *r, const void *self)
{
    struct schema_request *lists[] = {r->reading, r->writing, r->done};
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        struct schema_request *q = NULL;
        LL_FOREACH (lists[i], q) {
            q->is_cancelled = q->is_cancelled || q->self == self;
        }
    }
}

struct schema_requests *schema_requests_new(uv_loop_t *loop, const struct schema_index *index)
{
    struct schema_requests *r = memory_zeroed(1, sizeof *r);
    r->index = index;
    r->deliver = memory_zeroed(1, sizeof *r->deliver);
    (void)uv_timer_init(loop, r->deliver);
    r->deliver->data = r;
    return r;
}

static void free_list(struct schema_request *list)
{
    struct schema_request *q = NULL;
    struct schema_request *next = NULL;
    LL_FOREACH_SAFE (list, q, next) {
        free_request(q);
    }
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle);
}

void schema_requests_free(struct schema_requests *r)
{
    uv_close((uv_handle_t *)r->deliver, on_timer_closed);
    free_list(r->reading);
    free_list(r->writing);
    free_list(r->done);
    free(r);
}
