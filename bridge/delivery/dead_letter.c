#include "bridge/delivery/dead_letter.h"

#include "bridge/delivery/dead_letter_record.h"
#include "core/base/log.h"

static struct dead_letter_record *letter_of(struct topic_record *r)
{
    return (struct dead_letter_record *)r;
}

static bool shrink(struct topic_record *r)
{
    static const char *const LEFT_OUT[] = {
        [DEAD_LETTER_WITHOUT_VALUE] = "value is",
        [DEAD_LETTER_WITHOUT_HEADERS] = "headers are",
        [DEAD_LETTER_WITHOUT_KEY] = "key is",
    };
    struct dead_letter_record *letter = letter_of(r);
    if (!dead_letter_record_shrink(letter)) {
        return false;
    }
    const struct record *record = r->item->record;
    log_warn("bridge", "dead_letter_shrunk",
             LOG_WITH(LOG_TEXT("from", record->topic), LOG_NUMBER("partition", record->partition),
                      LOG_NUMBER("offset", record->offset)),
             "too large for its dead-letter topic: its %s left out", LEFT_OUT[letter->form]);
    return true;
}

static void stored(struct topic_record *r, const struct topic_place *place)
{
    struct work_item *item = r->item;
    item->letter.topic = progress_letter_topic(place->topic);
    item->letter.partition = place->partition;
    item->letter.offset = place->offset;
    letter_of(r)->on_stored(r->self, item);
}

static const struct topic_record_type DEAD_LETTER = {
    .what = "dead letters",
    .failed = "dead_letter_failed",
    .retention = "-1",  // they are kept for ever
    .is_large = true,
    .shrink = shrink,
    .stored = stored,
};

void dead_letter_write(struct topic_writer *w, struct work_item *item, const struct dead_letter_cause *cause,
                       dead_letter_on_stored on_stored, void *self)
{
    struct dead_letter_record *letter = dead_letter_record_new(item, cause);
    letter->record.type = &DEAD_LETTER;
    letter->record.self = self;
    letter->on_stored = on_stored;
    topic_writer_put(w, &letter->record, cause->topic);
}

void dead_letter_redirect(struct topic_writer *w, const void *self, const char *topic)
{
    topic_writer_redirect(w, &DEAD_LETTER, self, topic);
}

void dead_letter_give_up(struct topic_writer *w, void *self, int64_t wait_us,
                         dead_letter_on_stored on_given_up)
{
    topic_writer_give_up(w, &DEAD_LETTER, self, wait_us, on_given_up);
}
