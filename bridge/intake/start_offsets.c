#include "bridge/intake/start_offsets.h"

#include "bridge/intake/consumer_conf.h"
#include "bridge/intake/log_read.h"
#include "bridge/intake/record.h"

enum {
    KAFKA_TIMEOUT_MS = 10000,
    READ_AHEAD_BYTES = 64 << 10,
    READ_AHEAD_RECORDS = 1000,
    LSN_DIGITS = 16,
    WINDOW = 10000,  // records that are read before the place that the binary search has found
};

static bool kafka_fault(struct fault *f, rd_kafka_resp_err_t code)
{
    return fault_from(f, FAULT_RETRY, "librdkafka", code, "listing the start offsets: %s",
                      rd_kafka_err2str(code));
}

/** ListOffsets for the timestamps in the list; two special ones mean beginning and end. */
static bool list_offsets(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list, struct fault *f)
{
    rd_kafka_resp_err_t code =
        list->cnt == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_offsets_for_times(rk, list, KAFKA_TIMEOUT_MS);
    for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        code = list->elems[i].err;
    }
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || kafka_fault(f, code);
}

static bool list_at(rd_kafka_t *rk, int64_t timestamp, rd_kafka_topic_partition_list_t *list, struct fault *f)
{
    for (int i = 0; i < list->cnt; i++) {
        list->elems[i].offset = timestamp;
    }
    return list_offsets(rk, list, f);
}

bool start_offsets_ends(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list, struct fault *f)
{
    return list_at(rk, RD_KAFKA_OFFSET_END, list, f);
}

/** A partition without a record of that time or later begins at the end that it had before the look-up. */
static bool find_by_time(rd_kafka_t *rk, int64_t ms, rd_kafka_topic_partition_list_t *list, struct fault *f)
{
    rd_kafka_topic_partition_list_t *ends = rd_kafka_topic_partition_list_copy(list);
    bool is_good = start_offsets_ends(rk, ends, f) && list_at(rk, ms, list, f);
    for (int i = 0; i < list->cnt && is_good; i++) {
        if (list->elems[i].offset < 0) {
            list->elems[i].offset = ends->elems[i].offset;
        }
    }
    rd_kafka_topic_partition_list_destroy(ends);
    return is_good;
}

/** One partition that is searched. */
struct search {
    rd_kafka_topic_t *topic;
    int32_t partition;
    uint64_t lsn;
    struct fault *f;
};

/** The commit LSN in the record's header. False: it has none. */
static bool read_lsn(const rd_kafka_message_t *m, uint64_t *ret)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t size;
    if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, EVENT_ID_HEADER, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        value == NULL || size < LSN_DIGITS) {
        return false;
    }
    uint64_t lsn = 0;
    for (int i = 0; i < LSN_DIGITS; i++) {
        uint8_t digit = ((const uint8_t *)value)[i];
        if (digit >= '0' && digit <= '9') {
            lsn = lsn << 4 | (uint64_t)(digit - '0');
        } else if (digit >= 'a' && digit <= 'f') {
            lsn = lsn << 4 | (uint64_t)(digit - 'a' + 10);
        } else if (digit >= 'A' && digit <= 'F') {
            lsn = lsn << 4 | (uint64_t)(digit - 'A' + 10);
        } else {
            return false;
        }
    }
    *ret = lsn;
    return true;
}

/** The first record with a position. */
struct probe {
    int64_t offset;  // -1: there is none
    uint64_t lsn;
};

static enum log_read_step visit_probe(void *self, rd_kafka_message_t *message)
{
    struct probe *p = self;
    if (!read_lsn(message, &p->lsn)) {
        return LOG_READ_ON;
    }
    p->offset = message->offset;
    return LOG_READ_STOP;
}

/** The first record at or after an LSN. */
struct window {
    uint64_t lsn;
    int64_t found;  // -1: none
};

static enum log_read_step visit_window(void *self, rd_kafka_message_t *message)
{
    struct window *w = self;
    uint64_t lsn;
    if (!read_lsn(message, &lsn) || lsn < w->lsn) {
        return LOG_READ_ON;
    }
    w->found = message->offset;
    return LOG_READ_STOP;
}

static bool find_by_lsn(const struct search *s, int64_t begin, int64_t end, int64_t *ret)
{
    int64_t low = begin;
    int64_t high = end;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        struct probe p = {-1, 0};
        if (!log_read(s->topic, s->partition, middle, high, visit_probe, &p, s->f)) {
            return false;
        }
        if (p.offset >= 0 && p.lsn < s->lsn) {
            low = p.offset + 1;
        } else {
            high = middle;
        }
    }
    struct window w = {.lsn = s->lsn};
    do {
        w.found = -1;
        if (!log_read(s->topic, s->partition, low - begin > WINDOW ? low - WINDOW : begin, low, visit_window,
                      &w, s->f)) {
            return false;
        }
        low = w.found >= 0 ? w.found : low;
    } while (w.found >= 0);
    *ret = low;
    return true;
}

static bool find_all_by_lsn(rd_kafka_t *rk, const struct settings *settings, uint64_t lsn,
                            rd_kafka_topic_partition_list_t *list, struct fault *f)
{
    static const struct partition_limits LIMITS = {.records = READ_AHEAD_RECORDS, .bytes = READ_AHEAD_BYTES};
    rd_kafka_t *reader = NULL;
    rd_kafka_topic_partition_list_t *ends = rd_kafka_topic_partition_list_copy(list);
    bool is_good = start_offsets_ends(rk, ends, f) && list_at(rk, RD_KAFKA_OFFSET_BEGINNING, list, f) &&
                   consumer_conf_open_reader(settings, &LIMITS, &reader, f);
    for (int i = 0; i < list->cnt && is_good; i++) {
        rd_kafka_topic_partition_t *which = &list->elems[i];
        struct search s = {.topic = rd_kafka_topic_new(reader, which->topic, NULL),
                           .partition = which->partition,
                           .lsn = lsn,
                           .f = f};
        is_good = find_by_lsn(&s, which->offset, ends->elems[i].offset, &which->offset);
        rd_kafka_topic_destroy(s.topic);
    }
    rd_kafka_topic_partition_list_destroy(ends);
    if (reader != NULL) {
        rd_kafka_destroy(reader);
    }
    return is_good;
}

bool start_offsets_find(rd_kafka_t *rk, const struct settings *settings, const struct start_position *at,
                        rd_kafka_topic_partition_list_t *list, struct fault *f)
{
    switch (at->kind) {
    case FUNCTION_START_LATEST:
        return start_offsets_ends(rk, list, f);
    case FUNCTION_START_EARLIEST:
        return list_at(rk, RD_KAFKA_OFFSET_BEGINNING, list, f);
    case FUNCTION_START_TIME:
        return find_by_time(rk, at->value, list, f);
    case FUNCTION_START_LSN:
        return find_all_by_lsn(rk, settings, (uint64_t)at->value, list, f);
    case FUNCTION_START_OFFSET:
        break;
    }
    for (int i = 0; i < list->cnt; i++) {
        list->elems[i].offset = at->value;
    }
    return true;
}
