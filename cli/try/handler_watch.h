// Sees through the bridge what a handler answers for each change, and what its process writes meanwhile.
#ifndef CLI_TRY_HANDLER_WATCH_H
#define CLI_TRY_HANDLER_WATCH_H

#include "bridge/bridge.h"
#include "cli/try/try_ledger.h"

#define HANDLER_WATCH_HOPELESS "handler"

struct handler_watch_params {
    bool hides_output;  // of the process: it is in the log already
    /** The handler has answered for a change, or failed for it for good. */
    void (*on_call)(void *self, const struct try_ledger_call *call);
    /** It has failed, and will be called again. `event` has the strings of the call, borrowed. */
    void (*on_retry)(void *self, const struct try_ledger_event *event);
    /** To go on is pointless: its process can't start, or eight calls in a row have failed, or all within
     * half a minute. The fault's origin is HANDLER_WATCH_HOPELESS; `details` is what it wrote since its last
     * answer, lines; "": nothing. */
    void (*on_hopeless)(void *self, const struct fault *f, const char *details);
    void *self;
};

struct handler_watch;
struct handler_watch *handler_watch_new(const struct handler_watch_params *params);

/** For the bridge; borrowed. */
const struct call_observer *handler_watch_observer(const struct handler_watch *w);

/** The bridge has ended. Accepts NULL. */
void handler_watch_free(struct handler_watch *w);

#endif
