// millrace filter FUNCTION: a dry run of its filter.
#ifndef CLI_FILTER_TRY_H
#define CLI_FILTER_TRY_H

#include <stdbool.h>
#include <stdint.h>

struct filter_try {
    const char *dir;  // the configuration's folder
    const char *function;
    const char *file;   // of events; NULL: Kafka; "-": standard input
    const char *topic;  // NULL: those of the function
    int64_t last;       // records of Kafka
    bool is_json;
};

/** Returns the exit code. */
int filter_try_run(const struct filter_try *try);

#endif
