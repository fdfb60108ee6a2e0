// When a process that may use a share of a core has to be held: the arithmetic of it.
#ifndef BRIDGE_ENDPOINTS_PROCESS_CPU_SHARE_H
#define BRIDGE_ENDPOINTS_PROCESS_CPU_SHARE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * An account of processor time: filled at the pace of the share, up to that of CPU_SHARE_PERIOD_US, and used
 * up by the process. One that is overdrawn holds the process until it is half full again.
 */
struct cpu_share {
    int64_t millis;      // thousandths of a core
    int64_t balance_us;  // below 0: overdrawn
    int64_t seen_us;     // the last update, monotonic
    int64_t used_us;     // by the process until then
    bool is_held;
};

#define CPU_SHARE_PERIOD_US INT64_C(100000)
#define CPU_SHARE_LOOK_US INT64_C(10000)    // the account is looked at no more often
#define CPU_SHARE_HOLD_US INT64_C(5000000)  // the process is held no longer, whatever it has used

void cpu_share_init(struct cpu_share *s, int64_t millis, int64_t now_us);

/**
 * Takes the time that the process has used so far; less than before counts as none (children whose time was
 * lost). Sets is_held. Returns the time until the next update.
 */
int64_t cpu_share_update(struct cpu_share *s, int64_t used_us, int64_t now_us);

#endif
