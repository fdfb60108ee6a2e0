#include "core/kafka/kafka_refusal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"

// A refused batch is sent again after at most retry.backoff.ms and the broker's answer.
#define FRESH_US (20 * CLOCK_US_PER_S)

struct kafka_refusal {
    struct kafka_log_reader reader;
    uv_mutex_t mutex;
    char text[320];
    int64_t noted_us;
};

void kafka_refusal_free(struct kafka_refusal *r)
{
    if (r != NULL) {
        uv_mutex_destroy(&r->mutex);
        free(r);
    }
}

/** The name of the error that librdkafka describes with these words; "" for none. */
static const char *name_of(const char *words, size_t size)
{
    const struct rd_kafka_err_desc *all;
    size_t count;
    rd_kafka_get_err_descs(&all, &count);
    for (size_t i = 0; i < count; i++) {
        if (all[i].desc != NULL && strlen(all[i].desc) == size && memcmp(all[i].desc, words, size) == 0) {
            return all[i].name;
        }
    }
    return "";
}

/** The parts of a line about a refused batch; they point into the line. */
struct refusal_line {
    const char *topic;
    const char *partition;
    const char *words;
    int topic_size;
    int partition_size;
    int words_size;
};

static bool read_line(const char *text, struct refusal_line *ret)
{
    static const char MARK[] = " encountered error: ";
    const char *mark = strstr(text, MARK);
    const char *end = strstr(text, "]: MessageSet with ");
    if (mark == NULL || end == NULL || end > mark) {
        return false;
    }
    const char *bracket = end;
    while (bracket > text && *bracket != '[') {
        bracket--;
    }
    if (bracket == text) {
        return false;
    }
    const char *space = bracket - 1;  // "TOPIC [": a topic's name has no space
    const char *topic = space;
    while (topic > text && topic[-1] != ' ') {
        topic--;
    }
    if (topic == text || *space != ' ') {
        return false;
    }
    const char *words = mark + sizeof(MARK) - 1;
    const char *words_end = strstr(words, " (actions ");
    *ret = (struct refusal_line){.topic = topic,
                                 .topic_size = (int)(space - topic),
                                 .partition = bracket + 1,
                                 .partition_size = (int)(end - bracket - 1),
                                 .words = words,
                                 .words_size =
                                     (int)(words_end == NULL ? strlen(words) : (size_t)(words_end - words))};
    return true;
}

void kafka_refusal_note(struct kafka_refusal *r, const char *facility, const char *text)
{
    struct refusal_line line;
    if (strcmp(facility, "MSGSET") != 0 || !read_line(text, &line)) {
        return;
    }
    const char *name = name_of(line.words, (size_t)line.words_size);
    uv_mutex_lock(&r->mutex);
    (void)snprintf(r->text, sizeof(r->text), "topic %.*s, partition %.*s: %.*s%s%s%s", line.topic_size,
                   line.topic, line.partition_size, line.partition, line.words_size, line.words,
                   name[0] == '\0' ? "" : " (", name, name[0] == '\0' ? "" : ")");
    r->noted_us = clock_now_us();
    uv_mutex_unlock(&r->mutex);
}

static void on_line(void *self, const char *facility, const char *text)
{
    kafka_refusal_note(self, facility, text);
}

struct kafka_refusal *kafka_refusal_new(void)
{
    struct kafka_refusal *r = memory_zeroed(1, sizeof(*r));
    r->reader = (struct kafka_log_reader){.on_line = on_line, .self = r};
    INVARIANT(uv_mutex_init(&r->mutex) == 0);
    return r;
}

struct kafka_log_reader *kafka_refusal_reader(struct kafka_refusal *r)
{
    return &r->reader;
}

bool kafka_refusal_get(struct kafka_refusal *r, char *ret_text, size_t size)
{
    uv_mutex_lock(&r->mutex);
    bool is_fresh = r->text[0] != '\0' && clock_now_us() - r->noted_us < FRESH_US;
    if (is_fresh) {
        (void)snprintf(ret_text, size, "%s", r->text);
    }
    uv_mutex_unlock(&r->mutex);
    return is_fresh;
}
