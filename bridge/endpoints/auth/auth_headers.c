// Credentials that are the same in all requests.
#include "bridge/endpoints/auth/auth.h"

struct auth {
    struct bytes lines;  // joined by CR LF
};

static bool headers_open(const struct function_config *config, uv_loop_t *loop, struct auth **ret,
                         struct fault *f)
{
    (void)loop;
    (void)f;
    if (config->http.bearer == NULL) {
        return true;
    }
    struct auth *a = memory_zeroed(1, sizeof(*a));
    a->lines.is_secret = true;
    auth_begin_line(&a->lines, "Authorization");
    bytes_append_string(&a->lines, "Bearer ");
    bytes_append_string(&a->lines, config->http.bearer);
    *ret = a;
    return true;
}

static uint64_t headers_sign(struct auth *a, const struct auth_request *request, struct bytes *lines)
{
    (void)request;
    if (lines->size > 0) {
        bytes_append_string(lines, "\r\n");
    }
    bytes_append_slice(lines, bytes_slice(&a->lines));
    return 0;
}

static void headers_close(struct auth *a)
{
    if (a != NULL) {
        bytes_wipe(&a->lines);
        free(a);
    }
}

const struct auth_type auth_headers = {
    .kind = "headers",
    .open = headers_open,
    .sign = headers_sign,
    .close = headers_close,
};
