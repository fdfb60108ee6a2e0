// Credentials that are the same in all requests.
#include "bridge/endpoints/auth/auth.h"

#include <openssl/evp.h>

struct auth {
    struct bytes lines;  // joined by CR LF
};

/** RFC 7617: the base64 of USER:PASSWORD in UTF-8. */
static void append_basic(struct bytes *lines, const char *user, const char *password)
{
    struct bytes pair CLEANUP(bytes_wipe) = {.is_secret = true};
    bytes_append_string(&pair, user);
    bytes_append_byte(&pair, ':');
    bytes_append_string(&pair, password);
    auth_begin_line(lines, "Authorization");
    bytes_append_string(lines, "Basic ");
    uint8_t *at = bytes_reserve(lines, (pair.size + 2) / 3 * 4 + 1);
    lines->size += (size_t)EVP_EncodeBlock(at, pair.data, (int)pair.size);
}

static bool headers_open(const struct function_config *config, uv_loop_t *loop, struct auth **ret,
                         struct fault *f)
{
    (void)loop;
    (void)f;
    const struct auth_config *c = &config->http.auth;
    struct bytes lines = {.is_secret = true};
    if (c->bearer != NULL) {
        auth_begin_line(&lines, "Authorization");
        bytes_append_string(&lines, "Bearer ");
        bytes_append_string(&lines, c->bearer);
    }
    if (c->basic.user != NULL) {
        append_basic(&lines, c->basic.user, c->basic.password);
    }
    if (c->api_key.header != NULL) {
        auth_begin_line(&lines, c->api_key.header);
        bytes_append_string(&lines, c->api_key.value);
    }
    if (lines.size > 0) {
        *ret = memory_new(sizeof(**ret));
        (*ret)->lines = lines;
    }
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
