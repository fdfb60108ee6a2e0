#include "core/base/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef fault_set  // the analyzer's macros
#undef fault_from
#undef fault_context

// Messages of libpq and Kafka contain line ends; a fault is written as one log line.
static void make_one_line(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == ' ')) {
        text[--length] = '\0';
    }
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n' || text[i] == '\r' || text[i] == '\t') {
            text[i] = ' ';
        }
    }
}

static void fill(struct fault *f, enum fault_kind kind, const char *format, va_list arguments)
{
    char text[sizeof(f->text)];
    (void)vsnprintf(text, sizeof(text), format, arguments);
    make_one_line(text);
    f->kind = kind;
    f->origin = NULL;
    f->origin_code = 0;
    memcpy(f->text, text, sizeof(text));
}

bool fault_set(struct fault *f, enum fault_kind kind, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(f, kind, format, arguments);
    va_end(arguments);
    return false;
}

bool fault_from(struct fault *f, enum fault_kind kind, const char *origin, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(f, kind, format, arguments);
    va_end(arguments);
    f->origin = origin;
    f->origin_code = code;
    return false;
}

bool fault_context(struct fault *f, const char *format, ...)
{
    char context[sizeof(f->text)];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(context, sizeof(context), format, arguments);
    va_end(arguments);
    size_t used = length < 0 ? 0 : (size_t)length;
    if (used > sizeof(context) - 3) {
        used = sizeof(context) - 3;
    }
    memcpy(context + used, ": ", 3);
    used += 2;
    size_t room = sizeof(context) - used - 1;
    size_t rest = strnlen(f->text, room);
    memcpy(context + used, f->text, rest);
    context[used + rest] = '\0';
    memcpy(f->text, context, used + rest + 1);
    return false;
}

const char *fault_kind_name(enum fault_kind kind)
{
    switch (kind) {
    case FAULT_NONE:
        return "none";
    case FAULT_RETRY:
        return "retry";
    case FAULT_REJECT:
        return "reject";
    case FAULT_CONFIG:
        return "config";
    case FAULT_FATAL:
        return "fatal";
    }
    return "unknown";
}
