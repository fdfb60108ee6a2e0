// Any bytes as what a server sends in HTTP/2, after two requests: the first byte says how the rest is cut.
// Whatever comes, each exchange ends at most once, and what is kept of a response stays within its limits.
#include "core/base/memory.h"
#include "core/http/http2_session.h"
#include "core/http/http_head.h"

enum { BODY_MAX = 64, OUT_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_head *the_head(void)
{
    static struct http_head *head;
    struct fault f;
    const struct http_head_params params = {.method = "POST", .url = "http://a/b"};
    if (head == NULL) {
        INVARIANT(http_head_new(&params, &head, &f));
    }
    return head;
}

/** Takes what nghttp2 wants to send, as a socket would. */
static bool drain(struct http2_session *s)
{
    struct bytes out CLEANUP(bytes_clear) = {0};
    return http2_session_collect(s, &out, OUT_MAX) == 0;
}

static void check(const struct http2_session *s)
{
    size_t running = 0;
    for (const struct http2_exchange *e = s->running; e != NULL; e = e->next) {
        running++;
        INVARIANT(!e->is_ended);
    }
    INVARIANT(running == s->running_count);
    for (const struct http2_exchange *e = s->ended; e != NULL; e = e->next) {
        INVARIANT(e->is_ended && e->parser->body.size <= BODY_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    static const uint8_t BODY[70000];
    struct http2_session s;
    struct http2_exchange exchanges[2];
    struct http1_parser parsers[2] = {{.wants_fields = true}, {.wants_fields = false}};
    const struct http_request requests[2] = {
        {.head = the_head(), .body = slice_make(BODY, 5), .response_max_bytes = BODY_MAX},
        {.head = the_head(), .body = slice_make(BODY, sizeof(BODY)), .response_max_bytes = BODY_MAX},
    };
    http2_session_init(&s);
    for (size_t i = 0; i < 2; i++) {
        http1_parser_begin(&parsers[i], BODY_MAX, HTTP_BODY_DISCARD_MAX);
        http2_session_send(&s, &exchanges[i], &requests[i], &parsers[i]);
    }
    bool is_good = drain(&s);
    size_t piece = (size_t)data[0] + 1;
    for (size_t at = 1; at < size && is_good; at += piece) {
        size_t left = size - at;
        is_good =
            http2_session_feed(&s, slice_make(data + at, left < piece ? left : piece)) == 0 && drain(&s);
        check(&s);
    }
    if (s.running != NULL && data[0] % 2 == 0) {
        http2_session_cancel(s.running);
    }
    http2_session_end_all(&s);
    check(&s);
    http2_session_clear(&s);
    http1_parser_clear(&parsers[0]);
    http1_parser_clear(&parsers[1]);
    return 0;
}
