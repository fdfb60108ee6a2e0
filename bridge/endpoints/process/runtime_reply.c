#include "bridge/endpoints/process/runtime_reply.h"

#include <stdio.h>

#include "core/base/clock.h"
#include "core/base/memory.h"

struct MHD_Response *runtime_reply_make(struct slice body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.size, (void *)(uintptr_t)body.data,
                                        body.size == 0 ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);
    INVARIANT(response != NULL);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    return response;
}

struct MHD_Response *runtime_reply_error(const char *type, const char *message)
{
    char text[256];
    int size =
        snprintf(text, sizeof(text), "{\"errorType\":\"%s\",\"errorMessage\":\"%s\"}\n", type, message);
    return runtime_reply_make(slice_make(text, (size_t)size));
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    enum MHD_Result added = MHD_add_response_header(response, name, value);
    INVARIANT(added == MHD_YES);
}

struct MHD_Response *runtime_reply_invocation(const struct runtime_invocation *invocation)
{
    struct MHD_Response *response = runtime_reply_make(invocation->body);
    char deadline[24];
    (void)snprintf(deadline, sizeof(deadline), "%lld",
                   (long long)(invocation->deadline_wall_us / CLOCK_US_PER_MS));
    add_header(response, "Lambda-Runtime-Aws-Request-Id", invocation->id);
    add_header(response, "Lambda-Runtime-Deadline-Ms", deadline);
    add_header(response, "Lambda-Runtime-Invoked-Function-Arn", invocation->function_arn);
    if (invocation->trace_id != NULL) {
        add_header(response, "Lambda-Runtime-Trace-Id", invocation->trace_id);
    }
    return response;
}
