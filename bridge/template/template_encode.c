#include "bridge/template/template.h"

#include "schemas/json/json_text.h"

static void append_percent(struct bytes *out, uint8_t c)
{
    static const char HEX[] = "0123456789ABCDEF";
    const uint8_t encoded[] = {'%', (uint8_t)HEX[c >> 4], (uint8_t)HEX[c & 15]};
    bytes_append(out, encoded, sizeof(encoded));
}

// Source: RFC 3986, 2.3: the characters that mean nothing in any part of a URL.
static bool is_unreserved(uint8_t c)
{
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

/** A percent sign is encoded, too, so that the text can be had back. */
static bool is_plain_in_header(uint8_t c)
{
    return c >= ' ' && c < 0x7f && c != '%';
}

static void append_encoded(struct bytes *out, struct slice text, bool (*is_plain)(uint8_t c))
{
    for (size_t at = 0; at < text.size;) {
        size_t from = at;
        while (at < text.size && is_plain(text.data[at])) {
            at++;
        }
        bytes_append(out, text.data + from, at - from);
        if (at < text.size) {
            append_percent(out, text.data[at++]);
        }
    }
}

void template_encode(struct bytes *out, enum template_encoding encoding, struct slice text)
{
    switch (encoding) {
    case TEMPLATE_AS_JSON:
        json_text_string(out, text);
        return;
    case TEMPLATE_IN_STRING:
        json_text_content(out, text);
        return;
    case TEMPLATE_IN_PATH:
    case TEMPLATE_IN_QUERY:
        append_encoded(out, text, is_unreserved);
        return;
    case TEMPLATE_IN_HEADER:
        append_encoded(out, text, is_plain_in_header);
        return;
    case TEMPLATE_AS_TEXT:
        bytes_append_slice(out, text);
        return;
    }
}
