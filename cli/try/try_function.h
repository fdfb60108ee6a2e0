// The sample function of `millrace try`: a small HTTP server that receives CloudEvents, as a user's function
// does.
#ifndef CLI_TRY_TRY_FUNCTION_H
#define CLI_TRY_TRY_FUNCTION_H

#include <uv.h>

#include "core/base/bytes.h"
#include "core/base/fault.h"

/** One call, borrowed for on_call. Missing headers are "". */
struct try_function_call {
    const char *id;     // ce-id
    char op;            // op of the data; '?' when the data is not a shop's change
    const char *table;  // the data's source.table
    int64_t row_id;
    int64_t commit_wall_us;  // the data's source.ts_us
    int status;              // of the function's response
};

typedef void (*try_function_on_call)(void *self, const struct try_function_call *call);

struct try_function;

/** Listens on a free port of 127.0.0.1, on the loop. */
bool try_function_start(uv_loop_t *loop, try_function_on_call on_call, void *self, struct try_function **ret,
                        struct fault *f) MUST_USE;

/** "http://127.0.0.1:PORT/shop"; borrowed. */
const char *try_function_url(const struct try_function *fn);

/** Accepts NULL. The memory is freed when the loop has closed the handles. */
void try_function_stop(struct try_function *fn);

/** Fills the members that come from the data; false when the data is not a shop's change. */
bool try_function_read_data(struct slice body, struct try_function_call *call, void **ret_json) MUST_USE;

#endif
