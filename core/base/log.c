#include "core/base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log_output.h"
#include "core/base/log_repeats.h"
#include "core/base/memory.h"
#include "core/base/text.h"

// log_start writes both before any other thread exists; librdkafka's threads read them in its log callback.
static enum log_format log_format_now = LOG_FORMAT_TEXT;
static enum log_level log_level_now = LOG_LEVEL_INFO;

// Likewise written before other threads exist, by log_listen.
static struct {
    const char *prefix;
    log_on_message on_message;  // NULL: there is no listener
    void *self;
} log_listener;

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;  // guards log_output and log_repeats

static const char *const LOG_LEVEL_NAMES[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_ERROR] = "error",
};

void log_start(enum log_format format, enum log_level level)
{
    log_format_now = format;
    log_level_now = level;
}

void log_listen(const char *prefix, log_on_message on_message, void *self)
{
    log_listener.prefix = prefix;
    log_listener.on_message = on_message;
    log_listener.self = self;
}

static void append_member(struct bytes *line, const char *key, const char *text)
{
    bytes_append_byte(line, ',');
    text_append_json(line, slice_of(key));
    bytes_append_byte(line, ':');
    text_append_json(line, slice_of(text));
}

static void append_json_values(struct bytes *line, const struct log_value *values)
{
    for (const struct log_value *v = values; v != NULL && v->key != NULL; v++) {
        if (v->text != NULL) {
            append_member(line, v->key, v->text);
        } else {
            bytes_append_byte(line, ',');
            text_append_json(line, slice_of(v->key));
            bytes_format(line, ":%lld", (long long)v->number);
        }
    }
}

/** A value in the text format: plain when that is unambiguous, else as a JSON string. */
static void append_word(struct bytes *line, const char *text)
{
    bool is_plain = text[0] != '\0';
    for (const char *c = text; *c != '\0' && is_plain; c++) {
        is_plain = (unsigned char)*c > ' ' && *c != '"' && *c != '=' && *c != '\\' && *c != 0x7f;
    }
    if (is_plain) {
        bytes_append_string(line, text);
    } else {
        text_append_json(line, slice_of(text));
    }
}

static void append_text_values(struct bytes *line, const struct log_value *values)
{
    for (const struct log_value *v = values; v != NULL && v->key != NULL; v++) {
        bytes_format(line, " %s=", v->key);
        if (v->text != NULL) {
            append_word(line, v->text);
        } else {
            bytes_format(line, "%lld", (long long)v->number);
        }
    }
}

/** Appends the text with blanks for control characters, so that one event stays one line. */
static void append_one_line(struct bytes *line, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        bytes_append_byte(line, (unsigned char)*c < ' ' || *c == 0x7f ? ' ' : (uint8_t)*c);
    }
}

static void append_line(struct bytes *line, enum log_level level, const char *component, const char *event,
                        const struct log_value *values, const char *message)
{
    if (log_format_now == LOG_FORMAT_JSON) {
        bytes_append_string(line, "{\"time\":\"");
        text_append_time(line, clock_wall_us());
        bytes_format(line, "\",\"level\":\"%s\"", LOG_LEVEL_NAMES[level]);
        append_member(line, "event", event);
        append_member(line, "component", component);
        append_member(line, "message", message);
        append_json_values(line, values);
        bytes_append_string(line, "}\n");
    } else {
        text_append_time(line, clock_wall_us());
        bytes_format(line, " %-5s %s %s: ", LOG_LEVEL_NAMES[level], event, component);
        append_one_line(line, message);
        append_text_values(line, values);
        bytes_append_byte(line, '\n');
    }
}

static void write_suppressed(const struct log_repeat *repeat)
{
    CLEANUP(bytes_clear) struct bytes line = {0};
    CLEANUP(memory_free_pointer)
    char *message = memory_format("%llu more lines with this event in %d s",
                                  (unsigned long long)repeat->suppressed, LOG_REPEAT_SECONDS);
    append_line(&line, LOG_LEVEL_WARN, repeat->component, repeat->event,
                LOG_WITH(LOG_NUMBER("suppressed", repeat->suppressed)), message);
    log_output_write(bytes_slice(&line));
}

void log_write(enum log_level level, const char *component, const char *event, const struct log_value *values,
               const char *format, ...)
{
    bool is_heard = log_listener.on_message != NULL &&
                    strncmp(event, log_listener.prefix, strlen(log_listener.prefix)) == 0;
    if (level < log_level_now && !is_heard) {
        return;
    }
    char short_text[512];
    CLEANUP(memory_free_pointer) char *long_text = NULL;
    const char *message = short_text;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(short_text, sizeof(short_text), format, arguments);
    va_end(arguments);
    if (length >= (int)sizeof(short_text)) {
        long_text = memory_new((size_t)length + 1);
        va_start(arguments, format);
        (void)vsnprintf(long_text, (size_t)length + 1, format, arguments);
        va_end(arguments);
        message = long_text;
    }
    if (is_heard) {
        log_listener.on_message(log_listener.self, event, message);
    }
    if (level < log_level_now) {
        return;
    }

    CLEANUP(bytes_clear) struct bytes line = {0};
    append_line(&line, level, component, event, values, message);
    (void)pthread_mutex_lock(&log_lock);
    if (level < LOG_LEVEL_WARN || log_repeats_count(component, event, write_suppressed)) {
        log_output_write(bytes_slice(&line));
    }
    (void)pthread_mutex_unlock(&log_lock);
}

bool log_may_repeat(const char *component, const char *event)
{
    if (log_level_now != LOG_LEVEL_INFO) {
        return true;
    }
    (void)pthread_mutex_lock(&log_lock);
    bool is_within = log_repeats_count(component, event, write_suppressed);
    (void)pthread_mutex_unlock(&log_lock);
    return is_within;
}

void log_flush(void)
{
    (void)pthread_mutex_lock(&log_lock);
    log_repeats_expire(write_suppressed);
    uint64_t dropped = log_output_flush();
    if (dropped > 0) {
        CLEANUP(bytes_clear) struct bytes line = {0};
        append_line(&line, LOG_LEVEL_WARN, "log", "log_dropped", LOG_WITH(LOG_NUMBER("dropped", dropped)),
                    "lines were dropped because standard error was not read");
        log_output_write(bytes_slice(&line));
    }
    (void)pthread_mutex_unlock(&log_lock);
}

void log_finish(void)
{
    log_flush();
    (void)pthread_mutex_lock(&log_lock);
    log_output_finish();
    (void)pthread_mutex_unlock(&log_lock);
}
