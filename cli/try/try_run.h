// The part of `millrace try` that runs on the loop: connector, bridge, function, shop, and a consumer that
// watches the topics.
#ifndef CLI_TRY_TRY_RUN_H
#define CLI_TRY_TRY_RUN_H

#include <libpq-fe.h>

#include "cli/try/handler_watch.h"
#include "cli/try/try_ledger.h"
#include "core/base/fault.h"
#include "core/config/settings.h"

#define TRY_PREFIX "try"              // of the topics
#define TRY_RUN_INTERRUPTED "signal"  // the fault's origin when a signal ended it

struct try_run_params {
    const char *name;  // of connector and function: "try-4711"
    const struct settings *settings;
    const char *dsn;
    PGconn *conn;  // for the shop's changes
    const char *schema;
    const char *const *topics;  // NULL-ended, one for each of the shop's tables
    int partitions;             // of each topic
    int64_t changes;
    const char *function;   // payload and endpoint of a handler, in flow style; NULL: the sample function
    bool is_verbose;        // the log has what a handler's process writes
    struct bytes *details;  // gets what the process wrote before a HANDLER_WATCH_HOPELESS; lines
    void (*on_retry)(void *self, const struct try_ledger_event *event);  // of handler_watch_params
    void *self;
    struct try_ledger *ledger;  // has the initial rows already
};

/**
 * Waits until the initial rows have arrived, makes the changes, waits for them (a minute, and 20 ms for each
 * change; with a handler since its last answer), then drains connector and bridge. Call with signals blocked;
 * they are blocked again afterwards.
 *
 * @param ret_is_left  the bridge was not drained: its threads use the settings until the process ends
 * @return             whether everything arrived; else the fault says why not
 */
bool try_run(const struct try_run_params *params, bool *ret_is_left, struct fault *f) MUST_USE;

#endif
