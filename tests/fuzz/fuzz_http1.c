// Any bytes as a response in HTTP/1.1: the first byte says how the rest is cut. In pieces it means the same
// as whole.
#include "core/base/memory.h"
#include "core/http/http1_parser.h"

enum { BODY_MAX = 64, DISCARD_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t feed_pieces(struct http1_parser *p, struct slice all, size_t piece)
{
    size_t at = 0;
    while (at < all.size && p->state < HTTP1_DONE) {
        size_t left = all.size - at;
        at += http1_parser_feed(p, slice_make(all.data + at, left < piece ? left : piece));
    }
    return at;
}

static bool is_equal(const struct http1_parser *a, const struct http1_parser *b)
{
    return a->state == b->state && a->is_cut == b->is_cut && a->fields.status == b->fields.status &&
           a->why == b->why && http1_parser_may_reuse(a) == http1_parser_may_reuse(b) &&
           a->fields.keep_alive_s == b->fields.keep_alive_s &&
           slice_equal(bytes_slice(&a->body), bytes_slice(&b->body)) &&
           slice_equal(bytes_slice(&a->fields.location), bytes_slice(&b->fields.location)) &&
           strcmp(a->fields.retry_after, b->fields.retry_after) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct slice response = slice_make(data + 1, size - 1);
    struct http1_parser whole = {0};
    struct http1_parser cut = {0};
    http1_parser_begin(&whole, BODY_MAX, DISCARD_MAX);
    http1_parser_begin(&cut, BODY_MAX, DISCARD_MAX);
    size_t used = http1_parser_feed(&whole, response);
    size_t used_cut = feed_pieces(&cut, response, (size_t)data[0] % 61 + 1);
    INVARIANT(used <= response.size && (used == response.size || whole.state >= HTTP1_DONE));
    INVARIANT(whole.state != HTTP1_DONE || used == used_cut);
    INVARIANT(is_equal(&whole, &cut));
    INVARIANT(whole.body.size <= BODY_MAX && whole.line.size <= HTTP1_HEAD_BYTES_MAX);
    http1_parser_end(&whole);
    http1_parser_end(&cut);
    INVARIANT(whole.state >= HTTP1_DONE && is_equal(&whole, &cut));
    http1_parser_clear(&whole);
    http1_parser_clear(&cut);
    return 0;
}
