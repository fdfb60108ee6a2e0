// An error that attempts repeat: logged when it begins, then at growing intervals, and when it is over.
#ifndef CORE_BASE_OUTAGE_H
#define CORE_BASE_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

/** Plain data, embedded; zero-initialised: no error. */
struct outage {
    bool is_on;
    char text[400];
    int64_t since_us;
    int64_t logged_us;
    int64_t wait_us;  // after logged_us, until the same error is logged again
};

/**
 * An attempt failed. True: log it. That is so for the first one, for another text 30 s or more after the last
 * line, and for the same text after 1, 2, 4 … minutes, at most an hour.
 */
bool outage_failed(struct outage *o, const char *text);

/** An attempt succeeded. True: log that it is over, after `ret_us`. */
bool outage_ended(struct outage *o, int64_t *ret_us);

/** How long it has lasted; 0: none. */
int64_t outage_age_us(const struct outage *o);

#endif
