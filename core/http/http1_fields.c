#include "core/http/http1_fields.h"

#include <string.h>
#include <strings.h>

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static struct slice trim(struct slice s)
{
    while (s.size > 0 && is_blank(s.data[0])) {
        s = slice_make(s.data + 1, s.size - 1);
    }
    while (s.size > 0 && is_blank(s.data[s.size - 1])) {
        s.size--;
    }
    return s;
}

static bool is_word(struct slice s, const char *word)
{
    return s.size == strlen(word) && strncasecmp((const char *)s.data, word, s.size) == 0;
}

/** Takes the next element out of a comma-separated list; false at its end. */
static bool next_element(struct slice *list, struct slice *ret)
{
    if (list->size == 0) {
        return false;
    }
    const uint8_t *comma = memchr(list->data, ',', list->size);
    size_t size = comma == NULL ? list->size : (size_t)(comma - list->data);
    size_t used = comma == NULL ? size : size + 1;
    *ret = trim(slice_make(list->data, size));
    *list = slice_make(list->data + used, list->size - used);
    return true;
}

const char *http1_fields_take_status_line(struct http1_fields *f, struct slice line)
{
    const uint8_t *c = line.data;
    if (memchr(c, '\0', line.size) != NULL || memchr(c, '\r', line.size) != NULL) {
        return "the response has a status line with a CR or NUL in it";
    }
    bool is_status = line.size >= 12 && memcmp(c, "HTTP/1.", 7) == 0 && is_digit(c[7]) && c[8] == ' ' &&
                     c[9] >= '1' && c[9] <= '9' && is_digit(c[10]) && is_digit(c[11]) &&
                     (line.size == 12 || c[12] == ' ');
    if (!is_status) {
        return "the response does not begin with an HTTP/1 status line";
    }
    f->minor = c[7] - '0';
    f->status = (c[9] - '0') * 100 + (c[10] - '0') * 10 + (c[11] - '0');
    if (f->status == 101) {
        return "the response is 101, a change of protocols that was not asked for";
    }
    return NULL;
}

static const char *take_content_length(struct http1_fields *f, struct slice value)
{
    if (f->has_length) {
        return "the response has more than one Content-Length";
    }
    uint64_t length = 0;
    for (size_t i = 0; i < value.size; i++) {
        if (!is_digit(value.data[i]) || length > (INT64_MAX - 9) / 10) {
            return "the response's Content-Length is not a number that is possible";
        }
        length = length * 10 + (uint64_t)(value.data[i] - '0');
    }
    if (value.size == 0) {
        return "the response's Content-Length is empty";
    }
    f->has_length = true;
    f->length = length;
    return NULL;
}

static const char *take_transfer_encoding(struct http1_fields *f, struct slice value)
{
    struct slice coding;
    f->has_coding = true;
    while (next_element(&value, &coding)) {
        if (coding.size == 0) {
            continue;
        }
        if (f->is_chunked) {
            return "the response's Transfer-Encoding goes on after chunked";
        }
        f->is_chunked = is_word(coding, "chunked");
    }
    return NULL;
}

static void take_connection(struct http1_fields *f, struct slice value)
{
    struct slice option;
    while (next_element(&value, &option)) {
        f->is_close = f->is_close || is_word(option, "close");
        f->is_keep_alive = f->is_keep_alive || is_word(option, "keep-alive");
    }
}

/** Keep-Alive: timeout=5, max=100 */
static void take_keep_alive(struct http1_fields *f, struct slice value)
{
    static const char NAME[] = "timeout=";
    const size_t name_size = sizeof(NAME) - 1;
    struct slice element;
    while (next_element(&value, &element)) {
        if (element.size <= name_size || strncasecmp((const char *)element.data, NAME, name_size) != 0) {
            continue;
        }
        int64_t seconds = 0;
        for (size_t i = name_size; i < element.size && is_digit(element.data[i]) && seconds < 1000000; i++) {
            seconds = seconds * 10 + (element.data[i] - '0');
        }
        f->keep_alive_s = seconds;
    }
}

static void take_retry_after(struct http1_fields *f, struct slice value)
{
    if (!f->has_retry_after && value.size < sizeof(f->retry_after)) {
        memcpy(f->retry_after, value.data, value.size);
        f->retry_after[value.size] = '\0';
    }
    f->has_retry_after = true;
}

static void take_location(struct http1_fields *f, struct slice value)
{
    if (!f->has_location) {
        bytes_append_slice(&f->location, value);
        (void)bytes_text(&f->location);
    }
    f->has_location = true;
}

const char *http1_fields_take_pair(struct http1_fields *f, struct slice name, struct slice value)
{
    http_field_list_add(&f->list, name, value);
    // By length first: most fields are of no interest.
    switch (name.size) {
    case 8:
        if (is_word(name, "Location")) {
            take_location(f, value);
        }
        return NULL;
    case 10:
        if (is_word(name, "Connection")) {
            take_connection(f, value);
        } else if (is_word(name, "Keep-Alive")) {
            take_keep_alive(f, value);
        }
        return NULL;
    case 11:
        if (is_word(name, "Retry-After")) {
            take_retry_after(f, value);
        }
        return NULL;
    case 14:
        return is_word(name, "Content-Length") ? take_content_length(f, value) : NULL;
    case 16:
        f->is_abort = f->is_abort || (is_word(name, "Webhook-Delivery") && is_word(value, "abort-message"));
        return NULL;
    case 17:
        return is_word(name, "Transfer-Encoding") ? take_transfer_encoding(f, value) : NULL;
    default:
        return NULL;
    }
}

/** RFC 9110, 5.6.2: a bit for each character of a token. */
static bool is_token_character(uint8_t c)
{
    static const uint32_t BITS[8] = {0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff};
    return ((BITS[c >> 5] >> (c & 31)) & 1) != 0;
}

const char *http1_fields_take(struct http1_fields *f, struct slice line)
{
    size_t size = 0;
    while (size < line.size && is_token_character(line.data[size])) {
        size++;
    }
    if (size == 0 || size == line.size || line.data[size] != ':') {
        return "the response has a header without a valid name";
    }
    if (memchr(line.data, '\0', line.size) != NULL || memchr(line.data, '\r', line.size) != NULL) {
        return "the response has a header with a CR or NUL in it";
    }
    struct slice name = slice_make(line.data, size);
    struct slice value = trim(slice_make(line.data + size + 1, line.size - size - 1));
    return http1_fields_take_pair(f, name, value);
}

void http1_fields_begin(struct http1_fields *f, bool wants_list)
{
    struct bytes location = f->location;
    struct http_field_list list = f->list;
    bytes_reset(&location);
    http_field_list_begin(&list, wants_list);
    *f = (struct http1_fields){.location = location, .list = list, .keep_alive_s = -1};
}

void http1_fields_clear(struct http1_fields *f)
{
    bytes_clear(&f->location);
    http_field_list_clear(&f->list);
}
