// Signs requests for tests/system/test_sigv4.py: reads one JSON object a line, prints its header lines as a
// JSON string.
//
//   {"region","service","access_key_id","secret_access_key","session_token":null,"method","target",
//    "headers":[[NAME,VALUE],…],"body":HEX,"wall_s"}
#include <jansson.h>
#include <stdio.h>

#include "bridge/endpoints/aws/sigv4.h"
#include "core/base/clock.h"
#include "core/base/memory.h"

enum { HEADERS_MAX = 32, LINE_MAX_BYTES = 1 << 20 };

static const char *text(const json_t *request, const char *key)
{
    return json_string_value(json_object_get(request, key));
}

static int digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void append_body(struct bytes *body, const char *hex)
{
    for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
        bytes_append_byte(body, (uint8_t)(digit(hex[0]) * 16 + digit(hex[1])));
    }
}

static void sign(const json_t *request, struct bytes *lines)
{
    CLEANUP(bytes_clear) struct bytes body = {0};
    append_body(&body, text(request, "body"));
    struct sigv4_header headers[HEADERS_MAX];
    size_t count = 0;
    const json_t *list = json_object_get(request, "headers");
    for (; count < json_array_size(list) && count < HEADERS_MAX; count++) {
        const json_t *pair = json_array_get(list, count);
        headers[count] = (struct sigv4_header){slice_of(json_string_value(json_array_get(pair, 0))),
                                               slice_of(json_string_value(json_array_get(pair, 1)))};
    }
    const struct sigv4_keys keys = {text(request, "access_key_id"), text(request, "secret_access_key"),
                                    text(request, "session_token")};
    const struct sigv4_request signed_request = {
        .method = text(request, "method"),
        .target = slice_of(text(request, "target")),
        .headers = headers,
        .header_count = count,
        .body = bytes_slice(&body),
        .wall_us = json_integer_value(json_object_get(request, "wall_s")) * CLOCK_US_PER_S,
    };
    static struct sigv4 *signer;  // one for all lines: they are of one region
    if (signer == NULL) {
        signer = sigv4_new(text(request, "region"), text(request, "service"));
    }
    sigv4_sign(signer, &keys, &signed_request, lines);
}

int main(void)
{
    CLEANUP(memory_free_pointer) char *line = memory_new(LINE_MAX_BYTES);
    while (fgets(line, LINE_MAX_BYTES, stdin) != NULL) {
        json_error_t error;
        json_t *request = json_loads(line, 0, &error);
        if (request == NULL) {
            (void)fprintf(stderr, "sigv4_lines: %s\n", error.text);
            return 64;
        }
        CLEANUP(bytes_clear) struct bytes lines = {0};
        sign(request, &lines);
        json_t *printed = json_stringn((const char *)lines.data, lines.size);
        (void)json_dumpf(printed, stdout, JSON_ENCODE_ANY | JSON_COMPACT);
        (void)puts("");
        json_decref(printed);
        json_decref(request);
    }
    return 0;
}
