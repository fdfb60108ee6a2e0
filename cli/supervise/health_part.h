// The state of one process, from which the admin port makes its responses.
#ifndef CLI_SUPERVISE_HEALTH_PART_H
#define CLI_SUPERVISE_HEALTH_PART_H

#include "cli/config_dir.h"

/** One process, supervised or this one; everything is borrowed for the call. */
struct health_part {
    const char *kind;       // "connector" or "bridge"
    const char *name;       // the connector's; "bridge-1"
    const char *process;    // "connector/shop", "bridge-1"; supervised ones only
    const char *state;      // of the process: "running", "backing_off", "failed" …
    const char *detail;     // why it is in this state; may be ""
    int64_t since_wall_us;  // when it entered that state; supervised ones only
    bool is_alive;          // its loop turned within 10 s, or it has ended and waits for its restart
    bool is_ready;          // the connector streams; all functions are assigned
    bool is_reporting;      // false: its connector or functions have the state of the process
    bool is_supervised;
    uint64_t restarts;
    struct slice status;   // JSON: a connector's object, a bridge's array of functions, each with the members
                           // of core/base/last_error; as reported last; empty before the first report
    struct slice metrics;  // exposition text; empty before the first report
};

struct health_provider {
    /** Calls on_part once for each process. */
    void (*each)(void *self, void (*on_part)(void *context, const struct health_part *part), void *context);
    const struct config_rejections *rejected;  // files that can't be used now
    const struct text_list *functions;  // names of the configured functions; NULL: use the reported ones
    bool is_one_connector;              // ignore other connectors' rejected files
    void *self;
};

#endif
