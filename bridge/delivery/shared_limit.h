// Limits that several functions of a process share, by name: millrace.yaml, `limits`. Functions that wait for
// one take turns: each begins one call, then waits behind the others.
#ifndef BRIDGE_DELIVERY_SHARED_LIMIT_H
#define BRIDGE_DELIVERY_SHARED_LIMIT_H

#include "bridge/delivery/limiter_rate.h"
#include "core/config/settings.h"

struct shared_limits;
struct shared_limit;

/** A function that uses a shared limit; embedded. */
struct shared_member {
    struct shared_member *next;  // while it waits
    struct shared_member *previous;
    struct shared_limit *limit;  // NULL: it uses none
    bool is_waiting;
    size_t running;  // its calls that count against the limit
    /** It is its turn: ask the limit again, soon, and not from inside this call. */
    void (*on_turn)(void *self);
    void *self;
};

/** The limits of millrace.yaml. */
struct shared_limits *shared_limits_new(const struct settings *settings);

/** No member is left. Accepts NULL. */
void shared_limits_free(struct shared_limits *limits);

/** Makes the member use the limit of this name instead of the one that it uses (NULL, or unknown: none). Its
 * running calls move along. */
void shared_limit_join(struct shared_limits *limits, struct shared_member *m, const char *name);

/** What a shared limit says to one more call. */
struct shared_verdict {
    bool admits;
    int64_t at_us;  // not before; -1: on_turn says when
};

struct shared_verdict shared_limit_admits(const struct shared_member *m, int64_t now_us);

/** A call begins; the member's turn is over. */
void shared_limit_begin(struct shared_member *m, int64_t now_us);
void shared_limit_end(struct shared_member *m);

/** The limit refused a call that could begin otherwise: the member waits for its turn. */
void shared_limit_wait(struct shared_member *m);

/** The member has no call to begin: it gives up its turn. */
void shared_limit_pass(struct shared_member *m);

#endif
