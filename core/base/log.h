// Structured log lines to stderr: time, level, event, component, message, then key/value pairs.
#ifndef CORE_BASE_LOG_H
#define CORE_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_format { LOG_FORMAT_JSON, LOG_FORMAT_TEXT };
enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

/** One key and its value: `text`, or `number` when `text` is NULL. A list ends with a NULL key. */
struct log_value {
    const char *key;
    const char *text;
    int64_t number;
};

#define LOG_TEXT(key, text) ((struct log_value){(key), (text), 0})
#define LOG_NUMBER(key, number) ((struct log_value){(key), NULL, (int64_t)(number)})
#define LOG_WITH(...) ((const struct log_value[]){__VA_ARGS__, {NULL, NULL, 0}})

void log_start(enum log_format format, enum log_level level);

/**
 * Writes one line. Event names are fixed snake_case words (`slot_created`); component is `connector/shop`,
 * `function/order-email`, `supervisor` …; `values` may be NULL. May be called from any thread. Never waits
 * for the reader of stderr: lines that stderr does not take are buffered up to 256 KiB; further lines are
 * dropped and counted (`log_dropped`). At most 200 warnings and errors with the same event and component are
 * written in ten seconds; the others are counted (`suppressed`).
 */
void log_write(enum log_level level, const char *component, const char *event, const struct log_value *values,
               const char *format, ...) __attribute__((format(printf, 5, 6)));

typedef void (*log_on_message)(void *self, const char *event, const char *message);

/**
 * Gives the messages of all events that begin with `prefix` to `on_message` as well, whatever their level, on
 * the thread that writes them. There is one listener; NULL for `on_message` ends it. To be called while no
 * other thread writes lines.
 */
void log_listen(const char *prefix, log_on_message on_message, void *self);

/** Writes buffered lines and the counts of suppressed lines. To be called about once a second. */
void log_flush(void);

/** For the end of the process: writes buffered lines and waits up to a second for the reader of stderr. */
void log_finish(void);

/**
 * Whether another line of level info with this event and component may be written, of those that each record
 * may cause. Counts it; those beyond the limit are summed up in one line, as warnings are.
 */
bool log_may_repeat(const char *component, const char *event);

#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)

#endif
