// Tokens of OAuth 2.0 client credentials in the header Authorization (RFC 6750, 2.1).
#include "bridge/endpoints/auth/auth.h"
#include "bridge/endpoints/auth/token_source.h"

enum { STATUS_UNAUTHORIZED = 401 };

struct auth {
    struct token_source *source;
    struct token_refusals refusals;
};

static bool oauth2_open(const struct function_config *config, uv_loop_t *loop, struct auth **ret,
                        struct fault *f)
{
    if (config->http.auth.oauth2.token_url == NULL) {
        return true;
    }
    struct token_source *source = NULL;
    if (!token_source_open(&config->http.auth.oauth2, config->policy, loop, &source, f)) {
        return fault_context(f, "endpoint.http.auth");
    }
    *ret = memory_zeroed(1, sizeof(**ret));
    (*ret)->source = source;
    return true;
}

static enum auth_state oauth2_prepare(struct auth *a, struct auth_wait *wait)
{
    return token_source_prepare(a->source, wait);
}

static void oauth2_cancel(struct auth *a, struct auth_wait *wait)
{
    token_source_cancel(a->source, wait);
}

static const char *oauth2_place(const struct auth *a)
{
    return token_source_place(a->source);
}

static uint64_t oauth2_sign(struct auth *a, const struct auth_request *request, struct bytes *lines)
{
    (void)request;
    uint64_t number;
    auth_begin_line(lines, "Authorization");
    bytes_append_string(lines, "Bearer ");
    bytes_append_slice(lines, token_source_token(a->source, &number));
    return number;
}

static bool oauth2_on_response(struct auth *a, uint64_t version, const struct http_response *r)
{
    if (r->status == STATUS_UNAUTHORIZED) {
        return token_source_refuse(a->source, &a->refusals, version);
    }
    token_source_accept(a->source, &a->refusals, version);
    return false;
}

static void oauth2_close(struct auth *a)
{
    if (a != NULL) {
        token_source_close(a->source);
        free(a);
    }
}

const struct auth_type auth_oauth2 = {
    .kind = "oauth2",
    .open = oauth2_open,
    .prepare = oauth2_prepare,
    .cancel = oauth2_cancel,
    .place = oauth2_place,
    .sign = oauth2_sign,
    .on_response = oauth2_on_response,
    .close = oauth2_close,
};
