#include "bridge/endpoints/process/output_text.h"

#include "core/base/text.h"

enum { ESCAPE = 0x1b, DELETE = 0x7f };

/** The bytes of the UTF-8 character that `first` begins; 1: none. */
static size_t length_of(uint8_t first)
{
    return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
}

static bool is_between(struct slice s, size_t at, uint8_t least, uint8_t most)
{
    return at < s.size && s.data[at] >= least && s.data[at] <= most;
}

/** The bytes of the control character or sequence at `at`. */
static size_t control_length(struct slice s, size_t at)
{
    if (s.data[at] != ESCAPE || !is_between(s, at + 1, '[', '[')) {
        return 1;
    }
    size_t end = at + 2;
    while (is_between(s, end, 0x20, 0x3f)) {  // parameters
        end++;
    }
    return end + (is_between(s, end, 0x40, 0x7e) ? 1 : 0) - at;
}

static bool is_control(uint8_t byte)
{
    return byte < ' ' || byte == DELETE;
}

/** A character of several bytes, or bytes that are none. */
static size_t append_long(struct bytes *out, struct slice s, size_t at)
{
    size_t length = length_of(s.data[at]);
    if (length > s.size - at || !text_is_utf8(slice_make(s.data + at, length))) {
        bytes_append_string(out, "\xef\xbf\xbd");
        return 1;
    }
    if (s.data[at] != 0xc2 || s.data[at + 1] > 0x9f) {
        bytes_append(out, s.data + at, length);
    }
    return length;
}

void output_text_append(struct bytes *out, struct slice line)
{
    size_t at = 0;
    while (at < line.size) {
        size_t plain = at;
        while (is_between(line, plain, ' ', '~')) {
            plain++;
        }
        bytes_append(out, line.data + at, plain - at);
        at = plain;
        if (at == line.size) {
            return;
        }
        if (line.data[at] == '\t' || (line.data[at] == '\r' && at + 1 < line.size)) {
            bytes_append_byte(out,
                              ' ');  // Lambda's clients end the lines of one message with a carriage return
            at++;
        } else if (is_control(line.data[at])) {
            at += control_length(line, at);
        } else {
            at += append_long(out, line, at);
        }
    }
}
