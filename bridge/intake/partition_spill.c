#include "bridge/intake/partition_spill.h"

#include <inttypes.h>

#include "core/base/clock.h"
#include "core/base/log.h"

enum {
    AGAIN_US = 100 * 1000,
    BYTES_A_SECOND = 64 << 10,  // of records of one partition
    PENDING_US = 5 * 1000 * 1000,
    DIGITS_MAX = 18,
};

static void log_unusable(const struct partition *p, const char *why)
{
    log_warn("bridge", "progress_unreadable",
             LOG_WITH(LOG_TEXT("topic", p->topic), LOG_NUMBER("partition", p->number),
                      LOG_TEXT("key", p->spill.key)),
             "%s: events that were settled beyond the committed offset may be delivered again", why);
}

bool partition_spill_parse(struct slice value, int64_t now_ms, struct progress_record *ret,
                           int64_t *ret_offset, struct fault *f)
{
    int64_t offset = 0;
    size_t at = 0;
    for (; at < value.size && at < DIGITS_MAX && value.data[at] >= '0' && value.data[at] <= '9'; at++) {
        offset = offset * 10 + (value.data[at] - '0');
    }
    if (at == 0 || at == value.size || value.data[at] != ' ') {
        return fault_set(f, FAULT_REJECT, "the spilled progress does not begin with an offset");
    }
    *ret_offset = offset;
    return progress_record_read(slice_make(value.data + at + 1, value.size - at - 1), offset, now_ms, ret, f);
}

void partition_spill_open(struct partition *p, struct state_topic *state, const char *name)
{
    p->spill.state = state;
    p->spill.key = partition_spill_key(name, p->topic, p->number);
}

char *partition_spill_key(const char *name, const char *topic, int32_t number)
{
    return memory_format("progress/%s/%s/%" PRId32, name, topic, number);
}

bool partition_spill_add(struct progress_record *record, int64_t offset, struct slice value)
{
    struct fault f;
    CLEANUP(memory_free_pointer) struct progress_record *spilled = memory_zeroed(1, sizeof(*spilled));
    int64_t spilled_offset;
    if (value.data == NULL ||
        !partition_spill_parse(value, clock_wall_us() / CLOCK_US_PER_MS, spilled, &spilled_offset, &f) ||
        spilled->spill.log != record->spill.log) {
        return false;
    }
    progress_record_merge(record, offset, spilled, spilled_offset);
    return true;
}

static bool take_loaded(struct partition *p, struct slice value)
{
    struct fault f;
    CLEANUP(memory_free_pointer) struct progress_record *spilled = memory_new(sizeof(*spilled));
    int64_t offset;
    if (value.data == NULL) {
        log_unusable(p, "the spilled progress is missing");
        return false;
    }
    if (!partition_spill_parse(value, clock_wall_us() / CLOCK_US_PER_MS, spilled, &offset, &f)) {
        log_unusable(p, f.text);
        return false;
    }
    if (spilled->spill.log != p->spill.named.log) {
        log_unusable(p, "the spilled progress is of another log");
        return false;
    }
    if (spilled->spill.sequence > p->spill.named.sequence) {
        p->spill.named.sequence = spilled->spill.sequence;
    }
    partition_restore_more(p, spilled, offset);
    return true;
}

static void on_read(void *self, struct slice value, const struct fault *f)
{
    struct partition *p = self;
    p->spill.is_loading = false;
    if (f != NULL) {
        log_unusable(p, f->text);
    } else {
        (void)take_loaded(p, value);
    }
    p->spill.on_done(p->spill.self, p);
}

void partition_spill_load(struct partition *p)
{
    if (p->spill.state != NULL && p->spill.named.log != 0) {
        p->spill.is_loading = true;
        state_topic_read(p->spill.state, p->spill.key, on_read, p);
    }
}

static void on_written(void *self, const struct fault *f)
{
    struct partition *p = self;
    struct partition_spill *s = &p->spill;
    s->is_writing = false;
    if (f == NULL) {
        s->named = s->sent;
        s->hash = s->sent_hash;
        s->failures = s->sent_failures;
    } else {
        s->is_refused = f->kind == FAULT_CONFIG;
        log_write(s->is_refused ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, "bridge", "progress_refused",
                  LOG_WITH(LOG_TEXT("topic", p->topic), LOG_NUMBER("partition", p->number)),
                  "%s: after a restart, events that are settled far behind an unsettled one are delivered "
                  "again",
                  f->text);
    }
    s->on_done(s->self, p);
}

void partition_spill_write(struct partition *p, struct progress_record *record, uint64_t hash, bool is_last)
{
    struct partition_spill *s = &p->spill;
    int64_t again_us = (int64_t)s->sent_size * CLOCK_US_PER_S / BYTES_A_SECOND;
    again_us = again_us < AGAIN_US ? AGAIN_US : again_us;
    bool is_early = !is_last && s->sent_us != 0 && clock_now_us() - s->sent_us < again_us;
    if (s->state == NULL || s->is_writing || s->is_refused || is_early) {
        return;
    }
    uint64_t now = (uint64_t)clock_wall_us();
    s->sent.log = s->named.log == 0 ? now : s->named.log;
    s->sent.sequence = s->named.sequence >= now ? s->named.sequence + 1 : now;
    s->sent_hash = hash;
    s->sent_failures = p->failures;
    s->sent_us = clock_now_us();
    CLEANUP(bytes_clear) struct bytes value = {0};
    int64_t offset = progress_safe(&p->progress);
    bytes_format(&value, "%" PRId64 " ", offset);
    record->spill = s->sent;
    (void)progress_record_write_up_to(&value, offset, record, clock_wall_us() / CLOCK_US_PER_MS,
                                      PROGRESS_SPILL_MAX);
    s->sent_size = value.size;
    s->is_writing = true;
    state_topic_write(s->state, s->key, bytes_slice(&value), on_written, p);
}

static void on_deleted(void *self, const struct fault *f)
{
    struct partition *p = self;
    p->spill.is_deleting = false;
    if (f != NULL) {
        log_debug("bridge", "progress_not_deleted", NULL, "%s", f->text);
    }
    p->spill.on_done(p->spill.self, p);
}

void partition_spill_delete(struct partition *p)
{
    struct partition_spill *s = &p->spill;
    if (s->state != NULL && s->named.log != 0 && !s->is_writing && !s->is_loading) {
        s->named = (struct progress_spill){0};
        s->hash = 0;
        s->is_deleting = true;
        s->sent_us = clock_now_us();
        state_topic_write(s->state, s->key, (struct slice){NULL, 0}, on_deleted, p);
    }
}

void partition_spill_reset(struct partition *p)
{
    struct partition_spill *s = &p->spill;
    if (s->state != NULL) {
        state_topic_forget(s->state, p);
    }
    s->named = (struct progress_spill){0};
    s->hash = 0;
    s->is_writing = s->is_loading = s->is_deleting = false;
}

bool partition_spill_is_pending(const struct partition *p)
{
    return (p->spill.is_writing || p->spill.is_deleting) && clock_now_us() - p->spill.sent_us < PENDING_US;
}
