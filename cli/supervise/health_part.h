// What is known of one process: what the admin port's answers are made of.
#ifndef CLI_SUPERVISE_HEALTH_PART_H
#define CLI_SUPERVISE_HEALTH_PART_H

#include "cli/config_dir.h"

/** One process's part, or this process's own; everything is borrowed for the call. */
struct health_part {
    const char *kind;       // "connector" or "bridge"
    const char *name;       // the connector's; "bridge-1"
    const char *process;    // "connector/shop", "bridge-1"; supervised ones only
    const char *state;      // of the process: "running", "backing_off", "failed" …
    const char *detail;     // why; "" for nothing to say
    int64_t since_wall_us;  // when it entered that state; supervised ones only
    bool is_alive;      // its loop turned within 10 s, or it is known to be gone and waits for its restart
    bool is_ready;      // the connector streams; all functions are assigned
    bool is_reporting;  // else the state of what it runs is the process's
    bool is_supervised;
    uint64_t restarts;
    struct slice status;   // JSON: a connector's object, a bridge's array of functions, each with the members
                           // of core/base/last_error; the last one known; empty before the first
    struct slice metrics;  // exposition text; empty while unknown
};

struct health_provider {
    /** Calls on_part once for each part there is. */
    void (*each)(void *self, void (*on_part)(void *context, const struct health_part *part), void *context);
    const struct config_rejections *rejected;  // files that can't be used now
    const struct text_list *functions;         // that there are to be; NULL: those that parts report
    bool is_one_connector;                     // rejected files of others are not this process's business
    void *self;
};

#endif
