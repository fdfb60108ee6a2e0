#include "core/base/line_reader.h"

enum line_step line_reader_next(FILE *in, struct bytes *line)
{
    bytes_reset(line);
    bool is_too_long = false;
    int byte = getc(in);
    if (byte == EOF) {
        return LINE_END;
    }
    for (; byte != EOF && byte != '\n'; byte = getc(in)) {
        is_too_long = is_too_long || line->size == LINE_READER_MAX_BYTES;
        if (!is_too_long) {
            bytes_append_byte(line, (uint8_t)byte);
        }
    }
    return is_too_long ? LINE_TOO_LONG : LINE_READ;
}

bool line_reader_is_blank(const struct bytes *line)
{
    for (size_t i = 0; i < line->size; i++) {
        if (line->data[i] != ' ' && line->data[i] != '\t' && line->data[i] != '\r') {
            return false;
        }
    }
    return true;
}
