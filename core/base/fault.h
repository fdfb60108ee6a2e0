// An error as a value: nothing to free; its kind says what the caller may do about it.
#ifndef CORE_BASE_FAULT_H
#define CORE_BASE_FAULT_H

#include <stdbool.h>

#include "core/base/memory.h"

enum fault_kind {
    FAULT_NONE = 0,
    FAULT_RETRY,   // transient: the same call may succeed later
    FAULT_REJECT,  // this one item can never succeed: dead-letter it and continue
    FAULT_CONFIG,  // the operator must change something: exit 78
    FAULT_FATAL,   // an invariant or the environment is broken: exit 70, the supervisor restarts the process
};

struct fault {
    enum fault_kind kind;
    int origin_code;     // rd_kafka_resp_err_t, CURLcode, errno …; 0 when there is none
    const char *origin;  // "libpq", "librdkafka", "libcurl", "avro", "errno"; static; NULL: our own error
    char text[480];      // one line, outermost context first
};

/** Fills the fault and returns false: `return fault_set(f, …)`. Line ends in the text become spaces. */
bool fault_set(struct fault *f, enum fault_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** As fault_set, for the error `code` of another library. */
bool fault_from(struct fault *f, enum fault_kind kind, const char *origin, int code, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/** Puts "context: " before the text and returns false. */
bool fault_context(struct fault *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

#ifdef __clang_analyzer__  // It does not look into them.
#define fault_set(...) ((void)fault_set(__VA_ARGS__), false)
#define fault_from(...) ((void)fault_from(__VA_ARGS__), false)
#define fault_context(...) ((void)fault_context(__VA_ARGS__), false)
#endif

/** "retry", "reject", "config", "fatal" or "none". */
const char *fault_kind_name(enum fault_kind kind);

#endif
