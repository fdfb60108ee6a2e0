// A function's consumer: takes records from its partitions in turn, and handles what librdkafka says between
// the records.
#include <utlist.h>

#include "bridge/intake/consumer_state.h"
#include "bridge/intake/partition_spill.h"
#include "bridge/intake/record.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/memory.h"

/** The log was replaced, or lost its first records: continues at its earliest record. */
static void restart(struct consumer *c, struct partition *p)
{
    c->listener.on_offset_reset(c->listener.self, p);
    // Commit 0 before the first record: the old offset becomes valid again once the new log outgrows it.
    progress_restart(&p->progress);
    partition_spill_reset(p);
    p->end_offset = -1;
    p->doubted_us = 0;
    partition_restart(p);
}

/** Its offset is out of range, and its feed has ended. */
static void restart_at_earliest(struct consumer *c, struct partition *p)
{
    log_error(c->component, "offset_out_of_range",
              LOG_WITH(LOG_TEXT("topic", p->topic), LOG_NUMBER("partition", p->number)),
              "records were deleted before they were delivered (retention?): continuing at the earliest");
    restart(c, p);
}

void consumer_topic_made_again(void *self, struct partition *p)
{
    struct consumer *c = self;
    log_warn(c->component, "topic_made_again",
             LOG_WITH(LOG_TEXT("topic", p->topic), LOG_NUMBER("partition", p->number)),
             "Kafka has deleted the group's offset, so the topic was deleted: continuing at the first record "
             "of the new log; what was delivered of it already is delivered again");
    // A feed of another function may still have records of the old log.
    fetcher_close_windows(p->fetcher, p->topic, p->number);
    if (p->state == PARTITION_REVOKED) {
        p->state = PARTITION_LOST;  // what is left of it is of the old log
        return;
    }
    restart(c, p);
}

/** The broker has records there, and librdkafka makes nothing of them: it fetches them again and again. */
static bool is_unreadable(rd_kafka_resp_err_t code)
{
    static const rd_kafka_resp_err_t CODES[] = {
        RD_KAFKA_RESP_ERR__BAD_COMPRESSION, RD_KAFKA_RESP_ERR__BAD_MSG,
        RD_KAFKA_RESP_ERR_INVALID_MSG,      RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED,
        RD_KAFKA_RESP_ERR__UNDERFLOW,       RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE,
    };
    for (size_t i = 0; i < COUNT_OF(CODES); i++) {
        if (code == CODES[i]) {
            return true;
        }
    }
    return false;
}

/** Nothing is skipped: the partition waits, and the status says why. */
static void note_unreadable(const struct consumer *c, struct partition *p, const char *text)
{
    CLEANUP(memory_free_pointer)
    char *why = memory_format("partition %d of %s can't be read: %s", (int)p->number, p->topic, text);
    if (p->error == NULL) {
        p->error = memory_zeroed(1, sizeof(*p->error));
        log_error(c->component, "records_unreadable",
                  LOG_WITH(LOG_TEXT("topic", p->topic), LOG_NUMBER("partition", p->number)),
                  "%s; the partition waits", why);
    }
    last_error_set(p->error, why);
}

static bool is_unknown_topic(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
           code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
}

/** Errors, and the partition's end, come between the records. */
static void on_partition_error(struct consumer *c, struct partition *p, const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        partition_end(p, message->offset);
    } else if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
               message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
        restart_at_earliest(c, p);
        return;  // the message is freed
    } else if (is_unknown_topic(message->err)) {
        p->doubted_us = clock_now_us();
        consumer_on_error(c, message->err, rd_kafka_message_errstr(message));
    } else if (is_unreadable(message->err)) {
        note_unreadable(c, p, rd_kafka_message_errstr(message));
    } else {
        consumer_on_error(c, message->err, rd_kafka_message_errstr(message));
    }
    partition_pop(p);
}

/** Takes records of one partition; returns how many. */
static size_t take_from(struct consumer *c, struct partition *p, size_t count)
{
    size_t taken = 0;
    while (taken < count && !p->is_held && p->state == PARTITION_ASSIGNED) {
        if (progress_is_full(&p->progress)) {
            break;  // it can't track more records behind an unsettled one
        }
        const struct feed_item *next = partition_peek(p);
        if (next == NULL) {
            break;
        }
        if (next->record == NULL) {
            on_partition_error(c, p, next->message);
            continue;
        }
        free(TAKE(p->error));
        if (progress_skip(&p->progress, next->record->offset)) {
            partition_pop(p);  // settled before a restart
            taken++;
            continue;
        }
        if (c->listener.on_record(c->listener.self, p, next->record) == CONSUMER_HELD) {
            p->is_held = true;
            break;
        }
        partition_pop(p);
        taken++;
    }
    return taken;
}

size_t consumer_take(struct consumer *c, size_t count)
{
    size_t taken = 0;
    size_t visits = 0;
    struct partition *p;
    LL_COUNT(c->partitions, p, visits);
    for (; visits > 0 && taken < count; visits--) {
        p = c->turn == NULL ? c->partitions : c->turn;
        c->turn = p->next;
        taken += take_from(c, p, count - taken);
    }
    return taken;
}

bool consumer_has_more(const struct consumer *c)
{
    struct partition *p;
    LL_FOREACH (c->partitions, p) {
        if (p->state == PARTITION_ASSIGNED && !p->is_held && partition_has_more(p) &&
            !progress_is_full(&p->progress)) {
            return true;
        }
    }
    return false;
}
