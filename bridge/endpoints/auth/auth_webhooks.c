// Signatures of Standard Webhooks 1.0: the id is the same on each attempt, the timestamp is that of the
// attempt, and each active key signs.
#include "bridge/endpoints/auth/auth.h"

#include <inttypes.h>

#include "core/base/clock.h"
#include "core/http/webhook_signature.h"

enum { KEYS_MAX = 4 };

struct auth {
    struct webhook_key *keys[KEYS_MAX];
    size_t count;
};

static void webhooks_close(struct auth *a)
{
    if (a == NULL) {
        return;
    }
    for (size_t i = 0; i < a->count; i++) {
        webhook_key_free(a->keys[i]);
    }
    free(a);
}

static bool webhooks_open(const struct function_config *config, uv_loop_t *loop, struct auth **ret,
                          struct fault *f)
{
    (void)loop;
    const struct auth_config *auth = &config->http.auth;
    const struct {
        const char *text;
        enum webhook_kind kind;
    } keys[KEYS_MAX] = {
        {auth->webhooks.secret, WEBHOOK_HMAC},
        {auth->webhooks.previous_secret, WEBHOOK_HMAC},
        {auth->webhooks.private_key, WEBHOOK_ED25519},
        {auth->webhooks.previous_private_key, WEBHOOK_ED25519},
    };
    struct auth *a = memory_zeroed(1, sizeof(*a));
    for (size_t i = 0; i < KEYS_MAX; i++) {
        if (keys[i].text == NULL) {
            continue;
        }
        if (!webhook_key_new(keys[i].text, keys[i].kind, &a->keys[a->count], f)) {
            webhooks_close(a);
            return fault_context(f, "endpoint.http.auth.standard_webhooks");
        }
        a->count++;
    }
    if (a->count == 0) {
        webhooks_close(a);
        return true;
    }
    *ret = a;
    return true;
}

static uint64_t webhooks_sign(struct auth *a, const struct auth_request *request, struct bytes *lines)
{
    int64_t now_s = request->wall_us / CLOCK_US_PER_S;
    auth_begin_line(lines, "webhook-id");
    size_t id_at = lines->size;
    if (request->message_id.size > 0) {
        webhook_id_append(lines, request->message_id);
    } else {
        webhook_id_append_digest(lines, request->body);
    }
    size_t id_size = lines->size - id_at;
    bytes_format(lines, "\r\nwebhook-timestamp: %" PRId64, now_s);
    for (size_t i = 0; i < a->count; i++) {
        bytes_append_string(lines, i == 0 ? "\r\nwebhook-signature: " : " ");
        const struct webhook_message message = {
            .id = slice_make(lines->data + id_at, id_size),
            .timestamp_s = now_s,
            .body = request->body,
        };
        webhook_signature_append(lines, a->keys[i], &message);
    }
    return 0;
}

const struct auth_type auth_webhooks = {
    .kind = "standard_webhooks",
    .open = webhooks_open,
    .sign = webhooks_sign,
    .close = webhooks_close,
};
