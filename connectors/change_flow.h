// The loop that moves changes from the source to the publisher and the ledger, a bounded number in each turn
// of the event loop. While a change can't be taken, the source is paused.
#ifndef CONNECTORS_CHANGE_FLOW_H
#define CONNECTORS_CHANGE_FLOW_H

#include <uv.h>

#include "connectors/change_delivery.h"
#include "connectors/publisher.h"
#include "connectors/source.h"

enum change_flow_state {
    CHANGE_FLOW_CLOSED,    // no session
    CHANGE_FLOW_OPEN,      // a session: the source is read once it is ready
    CHANGE_FLOW_DRAINING,  // a session, but nothing more is read
};

enum change_flow_peer {
    CHANGE_FLOW_SOURCE,
    CHANGE_FLOW_KAFKA,
    CHANGE_FLOW_NEITHER,  // no error: the source asks for a new session
};

/** What is read and not published yet. */
enum change_flow_pending {
    CHANGE_FLOW_NOTHING,
    CHANGE_FLOW_BEGIN,   // the BEGIN of the transaction, and its first event
    CHANGE_FLOW_CHANGE,  // `change`
};

/** Embedded. The owner fills in the members up to `listener` before change_flow_init. */
struct change_flow {
    const struct source_type *source_type;
    struct source *source;              // lent
    struct change_delivery *delivery;   // lent
    struct publisher *publisher;        // lent
    struct change_trace *trace;         // lent; NULL: none
    struct transaction_counts *counts;  // lent; NULL: none
    // Called inside change_flow_run and from the loop; may call change_flow_end.
    struct {
        // The peer failed: RETRY, CONFIG or FATAL; with NEITHER always RETRY. The session is over.
        void (*on_fault)(void *self, enum change_flow_peer peer, const struct fault *f);
        // Changes were moved, or none can be now.
        void (*on_turn)(void *self);
        void *self;
    } listener;
    enum change_flow_state state;
    struct change change;
    enum change_flow_pending pending;
    bool is_paused;
    bool is_moving;
    int64_t now_ns;  // when the clock was read last
    int clock_left;  // changes that still have that time
    uv_idle_t next_turn;
};

void change_flow_init(struct change_flow *w, uv_loop_t *loop);

/** A session begins. */
void change_flow_begin(struct change_flow *w);

/** The session ends; what was read and not published is dropped. Closes the source. */
void change_flow_end(struct change_flow *w);

/** Reads nothing more; the session goes on. */
void change_flow_drain(struct change_flow *w);

/** Moves changes until there are none, or none can be taken; goes on in the next turn if there are many. To
 * be called when the source is ready, and when there is room again. */
void change_flow_run(struct change_flow *w);

/** In both CHANGE_FLOW_OPEN and CHANGE_FLOW_DRAINING. */
bool change_flow_has_session(const struct change_flow *w);

/** Closes its handle. */
void change_flow_close(struct change_flow *w, uv_close_cb on_closed);

#endif
