// Every response is fed whole, a byte at a time, and cut in two at every place: the result is the same.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "core/http/http1_parser.h"

enum { BODY_MAX = 12, DISCARD_MAX = 1 << 20 };

static size_t discard_max = DISCARD_MAX;

struct example {
    const char *response;  // `~` stands for NUL
    const char *result;    // as describe() writes it; after `end:` once the connection is closed
};

static void describe(struct bytes *out, const struct http1_parser *p)
{
    if (p->state == HTTP1_BAD) {
        bytes_format(out, "bad: %s", p->why);
        return;
    }
    if (p->state != HTTP1_DONE) {
        bytes_append_string(out, "more");
        return;
    }
    bytes_format(out, "%d %s%s %.*s", p->fields.status, http1_parser_may_reuse(p) ? "reuse" : "close",
                 p->is_cut ? " cut" : "", (int)p->body.size,
                 p->body.size == 0 ? "" : (const char *)p->body.data);
    if (p->fields.location.size > 0) {
        bytes_format(out, " location=%.*s", (int)p->fields.location.size,
                     (const char *)p->fields.location.data);
    }
    if (p->fields.is_abort) {
        bytes_append_string(out, " abort");
    }
    if (p->fields.retry_after[0] != '\0') {
        bytes_format(out, " retry_after=%s", p->fields.retry_after);
    }
    if (p->fields.keep_alive_s >= 0) {
        bytes_format(out, " keep_alive=%d", (int)p->fields.keep_alive_s);
    }
}

/** Feeds a piece from a heap block of its own size. Returns the bytes used. */
static size_t feed(struct http1_parser *p, struct slice piece)
{
    uint8_t *copy CLEANUP(memory_free_pointer) = memory_new(piece.size == 0 ? 1 : piece.size);
    memcpy(copy, piece.data, piece.size);
    size_t used = http1_parser_feed(p, slice_make(copy, piece.size));
    assert_true(used <= piece.size);
    assert_true(used == piece.size || p->state >= HTTP1_DONE);
    return used;
}

/** Feeds `all` in pieces: up to `cut`, then `rest` bytes at a time. */
static void expect_result(struct slice all, size_t cut, size_t rest, const char *wanted)
{
    struct http1_parser p = {0};
    http1_parser_begin(&p, BODY_MAX, discard_max);
    size_t at = feed(&p, slice_make(all.data, cut));
    while (at < all.size && p.state < HTTP1_DONE) {
        at += feed(&p, slice_make(all.data + at, all.size - at < rest ? all.size - at : rest));
    }
    struct bytes got CLEANUP(bytes_clear) = {0};
    bool was_open = p.state < HTTP1_DONE;
    if (was_open) {
        bytes_append_string(&got, "end: ");
        http1_parser_end(&p);
    }
    describe(&got, &p);
    if (p.state == HTTP1_DONE && at < all.size) {
        bytes_format(&got, " left=%zu", all.size - at);
    }
    if (strcmp(bytes_text(&got), wanted) != 0) {
        fail_msg("%.*s\ncut at %zu, then by %zu:\n%s, not\n%s", (int)all.size, (const char *)all.data, cut,
                 rest, bytes_text(&got), wanted);
    }
    http1_parser_clear(&p);
}

static void expect_always(struct slice all, const char *wanted)
{
    for (size_t cut = 0; cut <= all.size; cut++) {
        expect_result(all, cut, all.size, wanted);
    }
    expect_result(all, 0, 1, wanted);
    expect_result(all, 0, 3, wanted);
}

static void expect_examples(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *text CLEANUP(memory_free_pointer) = memory_string(examples[i].response);
        size_t size = strlen(text);
        for (size_t k = 0; k < size; k++) {
            text[k] = (char)(text[k] == '~' ? '\0' : text[k]);
        }
        expect_always(slice_make(text, size), examples[i].result);
    }
}

#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"
#define NO_STATUS_LINE "bad: the response does not begin with an HTTP/1 status line"
#define CUT_OFF "end: bad: the connection was closed before the response was complete"
#define BAD_NAME "bad: the response has a header without a valid name"
#define BAD_FIELD "bad: the response has a header with a CR or NUL in it"
#define BAD_CHUNK "bad: the response has a chunk whose size line is invalid"

static void status_lines(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {OK "Content-Length: 0\r\n\r\n", "200 reuse "},
        {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "200 reuse "},
        {"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "200 reuse "},
        {"HTTP/1.1 599 We can\xc3\xa9\nContent-Length: 0\n\n", "599 reuse "},
        {"HTTP/1.9 200 OK\r\nContent-Length: 0\r\n\r\n", "200 reuse "},
        {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "200 close "},
        {"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", "200 reuse "},
        {"HTTP/2.0 200 OK\r\n", NO_STATUS_LINE},
        {"HTTP/1.1 2000 OK\r\n", NO_STATUS_LINE},
        {"HTTP/1.1 20 OK\r\n", NO_STATUS_LINE},
        {"HTTP/1.1  200 OK\r\n", NO_STATUS_LINE},
        {"HTTP/1.1 099 OK\r\n", NO_STATUS_LINE},
        {"http/1.1 200 OK\r\n", NO_STATUS_LINE},
        {"SSH-2.0-OpenSSH_9.2\r\n", NO_STATUS_LINE},
        {"\r\nHTTP/1.1 200 OK\r\n", NO_STATUS_LINE},
        {"HTTP/1.1 200 O\rK\r\n", "bad: the response has a status line with a CR or NUL in it"},
        {"HTTP/1.1 200 O~K\r\n", "bad: the response has a status line with a CR or NUL in it"},
        {"", "end: bad: the connection was closed without a response"},
        {"H", CUT_OFF},
        {OK, CUT_OFF},
        {OK "A: b\r\n", CUT_OFF},
    };
    expect_examples(examples, COUNT_OF(examples));
}

static void informational_responses_are_skipped(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 2\r\n\r\nhi", "200 reuse hi"},
        {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLocation: /a\r\nContent-Length: 5\r\nConnection: "
         "close\r\n\r\n"
         "HTTP/1.1 102 Processing\r\nRetry-After: 9\r\n\r\n"
         "HTTP/1.1 302 X\r\nContent-Length: 2\r\n\r\nhi",
         "302 reuse hi"},
        {"HTTP/1.1 101 Switching Protocols\r\n\r\n",
         "bad: the response is 101, a change of protocols that was not asked for"},
        {"HTTP/1.1 100 Continue\r\n\r\n", CUT_OFF},
    };
    expect_examples(examples, COUNT_OF(examples));
}

static void bodies_end_where_the_head_says(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {OK "Content-Length: 5\r\n\r\nhello", "200 reuse hello"},
        {OK "content-LENGTH:\t5 \r\n\r\nhello", "200 reuse hello"},
        {OK "Content-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK", "200 reuse hello left=15"},
        {OK "Content-Length: 5\r\n\r\nhello\r\n", "200 reuse hello left=2"},
        {OK "Content-Length: 20\r\n\r\n01234567890123456789", "200 reuse 012345678901"},
        {OK "Content-Length: 5\r\n\r\nhell", CUT_OFF},
        {OK "Connection: close\r\nContent-Length: 5\r\n\r\nhello", "200 close hello"},
        {OK "Connection: x, CLOSE\r\nContent-Length: 5\r\n\r\nhello", "200 close hello"},
        {OK "Connection: close\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", "200 close "},
        {OK "\r\n", "end: 200 close "},
        {OK "\r\nuntil the end of it", "end: 200 close until the en"},
        {OK "Transfer-Encoding: gzip\r\n\r\nxyz", "end: 200 close xyz"},
        {"HTTP/1.1 204 No Content\r\n\r\n", "204 reuse "},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", "204 close  left=5"},
        {"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "204 close  left=5"},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "304 close "},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "204 reuse "},
        {"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", "205 reuse "},
    };
    expect_examples(examples, COUNT_OF(examples));
}

static void lengths_that_contradict_are_refused(void **state)
{
    (void)state;
    static const char TWICE[] = "bad: the response has more than one Content-Length";
    static const char IMPOSSIBLE[] = "bad: the response's Content-Length is not a number that is possible";
    static const struct example examples[] = {
        {OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", TWICE},
        {OK "Content-Length: 5\r\ncontent-length: 5\r\n\r\n", TWICE},
        {OK "Content-Length: 5, 5\r\n\r\n", IMPOSSIBLE},
        {OK "Content-Length: +5\r\n\r\n", IMPOSSIBLE},
        {OK "Content-Length: -5\r\n\r\n", IMPOSSIBLE},
        {OK "Content-Length: 0x5\r\n\r\n", IMPOSSIBLE},
        {OK "Content-Length: 5 5\r\n\r\n", IMPOSSIBLE},
        {OK "Content-Length: 99999999999999999999\r\n\r\n", IMPOSSIBLE},
        {OK "Content-Length:\r\n\r\n", "bad: the response's Content-Length is empty"},
        {OK "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", "200 close "},
        {OK "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "200 close "},
        {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "200 close "},
        {OK "Transfer-Encoding: chunked, chunked\r\n\r\n",
         "bad: the response's Transfer-Encoding goes on after chunked"},
        {OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
         "bad: the response's Transfer-Encoding goes on after chunked"},
    };
    expect_examples(examples, COUNT_OF(examples));
}

static void chunks(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {CHUNKED "0\r\n\r\n", "200 reuse "},
        {CHUNKED "5\r\nhello\r\n0\r\n\r\n", "200 reuse hello"},
        {CHUNKED "5\r\nhello\r\n1\r\n \r\n00A\r\n0123456789\r\n000\r\n\r\n", "200 reuse hello 012345"},
        {OK "Transfer-Encoding: gzip , Chunked,\r\n\r\na ;x=\"y\"\r\n0123456789\r\n0\r\n\r\n",
         "200 reuse 0123456789"},
        {OK "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
         "200 reuse x"},
        {CHUNKED "0\r\nContent-Length: 7\r\nTrailer\n folded: y\r\n\r\nHTTP", "200 reuse  left=4"},
        {CHUNKED "0\r\n\n", "200 reuse "},
        {CHUNKED "5\nhello\r\n0\r\n\r\n", BAD_CHUNK},
        {CHUNKED "5\r\nhello0\r\n\r\n", "bad: the response has a chunk that is longer than its size says"},
        {CHUNKED "5\r\nhello\n0\r\n\r\n", "bad: the response has a chunk that is longer than its size says"},
        {CHUNKED "\r\n", BAD_CHUNK},
        {CHUNKED "-1\r\n", BAD_CHUNK},
        {CHUNKED "5 5\r\n", BAD_CHUNK},
        {CHUNKED "0x5\r\n", BAD_CHUNK},
        {CHUNKED "5;a\rb\r\n", BAD_CHUNK},
        {CHUNKED "ffffffffffffffffff\r\n", "bad: the response has a chunk of an impossible size"},
        {CHUNKED "5\r\nhello\r\n", CUT_OFF},
        {CHUNKED "0\r\n", CUT_OFF},
        {CHUNKED "0\r\nA: b\r\n", CUT_OFF},
    };
    expect_examples(examples, COUNT_OF(examples));
}

static void fields(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"HTTP/1.1 302 X\nLocation:/a b\t\nContent-Length: 0\n\n", "302 reuse  location=/a b"},
        {"HTTP/1.1 302 X\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",
         "302 reuse  location=/a"},
        {"HTTP/1.1 503 X\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\nRetry-After: 1\r\nContent-Length: "
         "0\r\n\r\n",
         "503 reuse  retry_after=Fri, 31 Dec 1999 23:59:59 GMT"},
        {"HTTP/1.1 503 X\r\nRetry-After: "
         "00000000000000000000000000000000000000000000000000000000000000001\r\n"
         "Content-Length: 0\r\n\r\n",
         "503 reuse "},
        {OK "Keep-Alive: max=3, Timeout=5\r\nContent-Length: 0\r\n\r\n", "200 reuse  keep_alive=5"},
        {OK "Keep-Alive: timeout=99999999999999999999\r\nContent-Length: 0\r\n\r\n",
         "200 reuse  keep_alive=9999999"},
        {"HTTP/1.1 500 X\r\nwebhook-delivery: Abort-Message \r\nContent-Length: 0\r\n\r\n",
         "500 reuse  abort"},
        {"HTTP/1.1 500 X\r\nWebhook-Delivery: disable\r\nContent-Length: 0\r\n\r\n", "500 reuse "},
        {"HTTP/1.1 103 X\r\nWebhook-Delivery: abort-message\r\n\r\nHTTP/1.1 500 X\r\nContent-Length: "
         "0\r\n\r\n",
         "500 reuse "},
        {OK "X:\r\nX: \x01\xff\r\nContent-Length: 0\r\n\r\n", "200 reuse "},
        {"HTTP/1.1 302 X\r\nLocation: /a\r\n /b\r\n\t \r\n\tc\r\nContent-Length:\r\n 0\r\n\r\n",
         "302 reuse  location=/a /b   c"},
        {OK "A: b\r\n ", CUT_OFF},
        {OK " folded: x\r\n\r\n", BAD_NAME},
        {OK "no colon\r\n\r\n", BAD_NAME},
        {OK "none\r\n\r\n", BAD_NAME},
        {OK ": x\r\n\r\n", BAD_NAME},
        {OK "Content-Length : 5\r\n\r\n", BAD_NAME},
        {OK "A(b): 5\r\n\r\n", BAD_NAME},
        {OK "A: b\rc\r\n\r\n", BAD_FIELD},
        {OK "A: b~c\r\n\r\n", BAD_FIELD},
        {OK "A: b\r\r\n\r\n", BAD_FIELD},
    };
    expect_examples(examples, COUNT_OF(examples));
}

/** A response of `before`, `count` times `part`, and `after`. */
static void expect_long(const char *before, const char *part, size_t count, const char *after,
                        const char *wanted)
{
    struct bytes text CLEANUP(bytes_clear) = {0};
    bytes_append_string(&text, before);
    for (size_t i = 0; i < count; i++) {
        bytes_append_string(&text, part);
    }
    bytes_append_string(&text, after);
    expect_result(bytes_slice(&text), 0, text.size, wanted);
    expect_result(bytes_slice(&text), text.size / 2, 1, wanted);
    expect_result(bytes_slice(&text), 0, 4096, wanted);
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    static const char TOO_LARGE[] = "bad: the response's headers are larger than 64 KiB";
    static const char END[] = "Content-Length: 0\r\n\r\n";
    size_t room = HTTP1_HEAD_BYTES_MAX - strlen(OK) - strlen(END);
    expect_long(OK "X:", "x", room - 4, "\r\nContent-Length: 0\r\n\r\n", "200 reuse ");
    expect_long(OK "X:", "x", room - 3, "\r\nContent-Length: 0\r\n\r\n", TOO_LARGE);
    expect_long(OK "X:", "x", HTTP1_HEAD_BYTES_MAX, "", TOO_LARGE);
    expect_long(OK, "X: y\r\n", 20000, END, TOO_LARGE);
    expect_long("", "HTTP/1.1 100 Continue\r\n\r\n", 5000, OK "Content-Length: 0\r\n\r\n", TOO_LARGE);
    expect_long(CHUNKED "0\r\n", "X: y\r\n", 20000, "\r\n", TOO_LARGE);
    expect_long(CHUNKED "0;", "x", HTTP1_CHUNK_LINE_MAX - 4, "\r\n\r\n", "200 reuse ");
    expect_long(CHUNKED "0;", "x", HTTP1_CHUNK_LINE_MAX - 3, "\r\n\r\n",
                "bad: the response has a chunk whose size line is too long");
    expect_long(CHUNKED, "1\r\nx\r\n", 50000, "0\r\n\r\n", "200 reuse xxxxxxxxxxxx");
    expect_long(CHUNKED, "1;name=a-value-1234\r\nx\r\n", 70000, "0\r\n\r\n",
                "bad: the response's chunk extensions are larger than 64 KiB");
    expect_long(CHUNKED, "1;name=a-value-123\r\nx\r\n", 70000, "0\r\n\r\n", "200 reuse xxxxxxxxxxxx");
}

/** 12 bytes are kept and 20 more are read: without reading more when the length says that there is more. */
static void bodies_that_are_too_long_are_cut_off(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {OK "Content-Length: 32\r\n\r\nabcdefghijklmnopqrstuvwxyz123456", "200 reuse abcdefghijkl"},
        {OK "Content-Length: 33\r\n\r\nabcdefghijklmnopqrstuvwxyz1234567",
         "200 close cut abcdefghijkl left=21"},
        {OK "Content-Length: 922337203685477579\r\n\r\nabcdefghijklmn", "200 close cut abcdefghijkl left=2"},
        {OK "Content-Length: 33\r\n\r\nabcdefghijkl", CUT_OFF},
        {OK "\r\nabcdefghijklmnopqrstuvwxyz123456", "end: 200 close abcdefghijkl"},
        {OK "\r\nabcdefghijklmnopqrstuvwxyz1234567", "200 close cut abcdefghijkl left=1"},
        {CHUNKED "20\r\nabcdefghijklmnopqrstuvwxyz123456\r\n0\r\n\r\n", "200 reuse abcdefghijkl"},
        {CHUNKED "20\r\nabcdefghijklmnopqrstuvwxyz123456\r\n1\r\n7\r\n", "200 close cut abcdefghijkl left=3"},
        {CHUNKED "fffffffffffff\r\nabcdefghijklmnopqrstuvwxyz123456", CUT_OFF},
        {CHUNKED "fffffffffffff\r\nabcdefghijklmnopqrstuvwxyz1234567", "200 close cut abcdefghijkl left=1"},
    };
    discard_max = 20;
    expect_examples(examples, COUNT_OF(examples));
    discard_max = DISCARD_MAX;
    // Nothing of the body is wanted, and there is too much: not a byte of it is waited for.
    struct http1_parser p = {0};
    http1_parser_begin(&p, 0, 20);
    (void)http1_parser_feed(&p, slice_of(OK "Content-Length: 21\r\n\r\n"));
    assert_int_equal(p.state, HTTP1_DONE);
    assert_true(p.is_cut);
    http1_parser_clear(&p);
}

static void the_next_response_knows_nothing_of_the_last(void **state)
{
    (void)state;
    struct http1_parser p = {0};
    http1_parser_begin(&p, BODY_MAX, DISCARD_MAX);
    (void)http1_parser_feed(
        &p, slice_of("HTTP/1.0 302 X\r\nLocation: /a\r\nRetry-After: 7\r\nKeep-Alive: timeout=5\r\n"
                     "Connection: close\r\nContent-Length: 2\r\n\r\nhi"));
    assert_int_equal(p.state, HTTP1_DONE);
    http1_parser_begin(&p, BODY_MAX, DISCARD_MAX);
    assert_false(p.has_begun);
    (void)http1_parser_feed(&p, slice_of(OK "Content-Length: 0\r\n\r\n"));
    struct bytes got CLEANUP(bytes_clear) = {0};
    describe(&got, &p);
    assert_string_equal(bytes_text(&got), "200 reuse ");
    http1_parser_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_lines),
        cmocka_unit_test(informational_responses_are_skipped),
        cmocka_unit_test(bodies_end_where_the_head_says),
        cmocka_unit_test(lengths_that_contradict_are_refused),
        cmocka_unit_test(chunks),
        cmocka_unit_test(fields),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(bodies_that_are_too_long_are_cut_off),
        cmocka_unit_test(the_next_response_knows_nothing_of_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
