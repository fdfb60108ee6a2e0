#include "bridge/endpoints/aws/aws_trace.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/trace/trace_context.h"

/** The value of `traceparent`; size 0: there is none. */
static struct slice find(const char *lines)
{
    static const char NAME[] = "traceparent: ";
    size_t name_size = sizeof(NAME) - 1;
    while (lines != NULL && *lines != '\0') {
        size_t size = strcspn(lines, "\r\n");
        if (size > name_size && strncasecmp(lines, NAME, name_size) == 0) {
            return slice_make(lines + name_size, size - name_size);
        }
        lines += size;
        lines += strspn(lines, "\r\n");
    }
    return (struct slice){NULL, 0};
}

static char *put_hex(char *to, const uint8_t *from, size_t size)
{
    static const char DIGITS[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        *to++ = DIGITS[from[i] >> 4];
        *to++ = DIGITS[from[i] & 0xf];
    }
    return to;
}

bool aws_trace_write(const char *header_lines, char ret[AWS_TRACE_ID_SIZE])
{
    enum { TIME_BYTES = 4 };  // what is the time of the trace's begin in ids that X-Ray makes
    struct trace_context context;
    if (!trace_context_read(find(header_lines), &context)) {
        return false;
    }
    char *at = stpcpy(ret, "Root=1-");
    at = put_hex(at, context.trace_id, TIME_BYTES);
    *at++ = '-';
    at = put_hex(at, context.trace_id + TIME_BYTES, TRACE_ID_BYTES - TIME_BYTES);
    at = stpcpy(at, ";Parent=");
    at = put_hex(at, context.span_id, TRACE_SPAN_ID_BYTES);
    (void)stpcpy(at, (context.flags & TRACE_FLAG_SAMPLED) != 0 ? ";Sampled=1" : ";Sampled=0");
    return true;
}
