// A function to call, on the loop: an HTTP/1.1 server that remembers every call and answers as the test says.
#ifndef TESTS_COMPONENT_BRIDGE_STUB_FUNCTION_H
#define TESTS_COMPONENT_BRIDGE_STUB_FUNCTION_H

#include <uv.h>

#include "core/base/bytes.h"

struct stub_call {
    char *head;  // request line and headers
    char *body;
    int64_t at_us;
    int64_t answered_us;  // 0: not yet
};

struct stub_answer {
    int status;    // 0: resets the connection
    bool is_held;  // comes with stub_function_release
    uint64_t delay_ms;
    const char *headers;   // "Retry-After: 1\r\n"; NULL for none
    size_t garbage_bytes;  // of body
};

/** Decides by what came, `number` calls before it. */
typedef struct stub_answer (*stub_script)(void *self, const struct stub_call *call, size_t number);

struct stub_function;

struct stub_function *stub_function_start(uv_loop_t *loop, stub_script script, void *self);
const char *stub_function_url(const struct stub_function *s);

/** Gives all answers that are held. */
void stub_function_release(struct stub_function *s);

/** How many calls came. */
size_t stub_function_count(const struct stub_function *s);
const struct stub_call *stub_function_call(const struct stub_function *s, size_t number);
size_t stub_function_running_max(const struct stub_function *s);

/** A header's value of the call, NULL when absent; the caller frees it. */
char *stub_call_header(const struct stub_call *call, const char *name);
void stub_function_stop(struct stub_function *s);

#endif
