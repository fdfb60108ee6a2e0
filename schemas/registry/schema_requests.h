// The pending requests of the embedded registry. Each is served from the index at once, or waits for a round
// of the topic; a text that is unknown after its round waits to be written. Callbacks come later, one a turn.
#ifndef SCHEMAS_REGISTRY_SCHEMA_REQUESTS_H
#define SCHEMAS_REGISTRY_SCHEMA_REQUESTS_H

#include "schemas/registry/registry.h"
#include "schemas/registry/schema_batch.h"
#include "schemas/registry/schema_change.h"
#include "schemas/registry/schema_index.h"

/** f is NULL when the index has all records written before the request; FAULT_RETRY: Kafka did not respond;
 * FAULT_CONFIG: the topic can't be used. */
typedef void (*schema_requests_on_fresh)(void *self, const struct fault *f);

/** f is NULL when the change is written, was so already, or is refused (its `error`); otherwise as for
 * schema_requests_on_fresh. `change` is borrowed for the call. */
typedef void (*schema_requests_on_change)(void *self, const struct schema_change *change,
                                          const struct fault *f);

/** A request, in exactly one of the lists. Exactly one callback is set. */
struct schema_request {
    registry_on_id on_id;          // `change` registers a schema of this process
    registry_on_schema on_schema;  // look up id
    schema_requests_on_fresh on_fresh;
    schema_requests_on_change on_change;
    void *self;
    struct schema_change *change;
    char *identity;  // on_id: of the schema
    int32_t id;
    bool is_cancelled;  // no callback; it stays in its list, since a transaction may hold it
    bool is_planned;    // the transaction under way writes it
    uint64_t round;     // the round that must have ended
    int64_t started_us;
    struct fault fault;
    struct schema_request *next;
};

struct schema_requests;

/** @param index  lent */
struct schema_requests *schema_requests_new(uv_loop_t *loop, const struct schema_index *index);

/** A request without callback; the caller sets one and what it asks for. */
struct schema_request *schema_requests_make(void *self);

/** Takes over a request that is refused with q->fault. */
void schema_requests_refuse(struct schema_requests *r, struct schema_request *q);

/** Takes over the request and serves it from the index; false when the index has no result: `q` is still the
 * caller's. */
bool schema_requests_serve(struct schema_requests *r, struct schema_request *q) MUST_USE;

/** Takes over the request, which waits for this round. */
void schema_requests_wait(struct schema_requests *r, struct schema_request *q, uint64_t round);

/** The round has ended: what waited for it is served, rejected, or waits to be written. */
void schema_requests_on_round(struct schema_requests *r, uint64_t round);

/** Whether some wait to be written. */
bool schema_requests_has_unwritten(const struct schema_requests *r);

/** Adds up to `max` of them to the batch, those that may be written in one transaction, and ends those that
 * need not be written any more. Returns how many were added. */
size_t schema_requests_plan(struct schema_requests *r, struct schema_batch *batch, size_t max);

/** Ends those that were planned: they are written. */
void schema_requests_serve_planned(struct schema_requests *r);

/** Those that were planned are not written: they wait again. */
void schema_requests_unplan(struct schema_requests *r);

/** Refuses those that were planned. */
void schema_requests_refuse_planned(struct schema_requests *r, const struct fault *f);

/** Refuses all that wait for a round, or all that wait to be written. */
void schema_requests_refuse_reading(struct schema_requests *r, const struct fault *f);
void schema_requests_refuse_writing(struct schema_requests *r, const struct fault *f);

/** Ends what has waited for too long; true when nothing waits any more. */
bool schema_requests_expire(struct schema_requests *r);

/** Drops the callbacks of the requests with this `self`. */
void schema_requests_cancel(struct schema_requests *r, const void *self);

/** Calls nothing back. */
void schema_requests_free(struct schema_requests *r);

#endif
