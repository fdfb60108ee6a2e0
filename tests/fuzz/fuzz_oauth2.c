// Any bytes as a token endpoint's response: the first one chooses the status.
#include "bridge/endpoints/auth/oauth2_response.h"
#include "core/base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char token_url[] = "https://t.example/token";
    char client_id[] = "shop";
    char client_secret[] = "hunter2";
    const struct oauth2_config config = {
        .token_url = token_url, .client_id = client_id, .client_secret = client_secret};
    if (size == 0) {
        return 0;
    }
    const struct http_response r = {
        .status = data[0] == '2' ? 200 : 401, .body = slice_make(data + 1, size - 1), .retry_after_us = -1};
    struct oauth2_token token = {0};
    struct fault f = {0};
    bool is_read = oauth2_response_read(&r, &config, 0, &token, &f);
    INVARIANT(is_read == (f.text[0] == '\0') && is_read == (token.text.size > 0));
    INVARIANT(!is_read || (token.text.size <= OAUTH2_TOKEN_MAX && token.life_us >= -1));
    for (size_t i = 0; i < token.text.size; i++) {
        INVARIANT(token.text.data[i] > ' ' && token.text.data[i] < 0x7f);
    }
    INVARIANT(strstr(f.text, client_secret) == NULL && strchr(f.text, '\n') == NULL);
    bytes_clear(&token.text);
    return 0;
}
