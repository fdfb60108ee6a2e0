// A function to call, on the loop: an HTTP/1.1 server that records every call and responds as the test
// decides.
#ifndef TESTS_COMPONENT_BRIDGE_STUB_FUNCTION_H
#define TESTS_COMPONENT_BRIDGE_STUB_FUNCTION_H

#include <uv.h>

#include "core/base/bytes.h"

struct stub_call {
    char *head;  // request line and headers
    char *body;
    int64_t at_us;
    int64_t answered_us;  // time of the response; 0: none yet
};

struct stub_answer {
    int status;    // 0: resets the connection
    bool is_held;  // not sent before stub_function_release
    uint64_t delay_ms;
    const char *headers;   // "Retry-After: 1\r\n"; NULL for none
    const char *body;      // lent until it is sent; NULL: garbage
    size_t garbage_bytes;  // size of the body
};

/** Decides the response to a call; `number` is the count of earlier calls. */
typedef struct stub_answer (*stub_script)(void *self, const struct stub_call *call, size_t number);

struct stub_function;

struct stub_function *stub_function_start(uv_loop_t *loop, stub_script script, void *self);
const char *stub_function_url(const struct stub_function *s);

/** Sends all held responses. */
void stub_function_release(struct stub_function *s);

/** The number of calls so far. */
size_t stub_function_count(const struct stub_function *s);
const struct stub_call *stub_function_call(const struct stub_function *s, size_t number);
size_t stub_function_running_max(const struct stub_function *s);

/** A header's value of the call, NULL when absent; the caller frees it. */
char *stub_call_header(const struct stub_call *call, const char *name);
void stub_function_stop(struct stub_function *s);

#endif
