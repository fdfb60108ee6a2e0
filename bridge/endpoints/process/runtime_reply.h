// What the Runtime API responds, as responses of libmicrohttpd, which the caller destroys.
#ifndef BRIDGE_ENDPOINTS_PROCESS_RUNTIME_REPLY_H
#define BRIDGE_ENDPOINTS_PROCESS_RUNTIME_REPLY_H

#include <microhttpd.h>

#include "bridge/endpoints/process/runtime_invocation.h"

/** A response of JSON; `body` is copied. */
struct MHD_Response *runtime_reply_make(struct slice body);

/** {"errorType":…,"errorMessage":…}; both are plain texts. */
struct MHD_Response *runtime_reply_error(const char *type, const char *message);

/** The invocation for a request that waited: its body and its headers. */
struct MHD_Response *runtime_reply_invocation(const struct runtime_invocation *invocation);

#endif
