#include "cli/try/try_ledger.h"

#include <stdio.h>

#include "core/base/memory.h"
#include "core/base/table.h"

struct event {
    struct try_ledger_event seen;
    bool is_reported;  // on_whole was called
    UT_hash_handle by_id;
};

// A change that was made. A call names the row, not the change, so changes with the same row and operation
// are matched in order, which is the order in which they must arrive.
struct change {
    char key[48];  // "u orders 12"
    const char *table;
    char op;
    int64_t row_id;
    struct event *event;  // NULL: has not reached the function
    struct change *next;  // the change made after this one
    struct change *same;  // the next one with this key
};

struct same_changes {
    char key[48];
    struct change *first_open;  // the first one without a call; NULL: none
    struct change *last;
    UT_hash_handle by_key;
};

struct try_ledger {
    struct event *events;
    struct same_changes *same;
    struct change *first;
    struct change *last;
    struct try_ledger_counts counts;  // without what try_ledger_count works out
    int64_t before_called;            // initial rows
    int64_t whole;                    // changes and initial rows, seen on Kafka and with a response
    void (*on_whole)(void *self, const struct try_ledger_event *event);
    void *self;
};

struct try_ledger *try_ledger_new(void (*on_whole)(void *self, const struct try_ledger_event *event),
                                  void *self)
{
    struct try_ledger *l = memory_zeroed(1, sizeof *l);
    l->on_whole = on_whole;
    l->self = self;
    return l;
}

void try_ledger_free(struct try_ledger *l)
{
    if (l == NULL) {
        return;
    }
    struct event *event = l->events;
    HASH_CLEAR(by_id, l->events);
    while (event != NULL) {
        struct event *next = event->by_id.next;
        free(event->seen.id);
        free(event->seen.topic);
        free(event->seen.details);
        free(event);
        event = next;
    }
    struct same_changes *same = l->same;
    HASH_CLEAR(by_key, l->same);
    while (same != NULL) {
        struct same_changes *next = same->by_key.next;
        free(same);
        same = next;
    }
    while (l->first != NULL) {
        struct change *next = l->first->next;
        free(l->first);
        l->first = next;
    }
    free(l);
}

static struct same_changes *find_same(struct try_ledger *l, const char *key)
{
    struct same_changes *same = NULL;
    HASH_FIND(by_key, l->same, key, strlen(key), same);
    return same;
}

void try_ledger_expect(struct try_ledger *l, char op, const char *table, int64_t row_id)
{
    struct change *change = memory_zeroed(1, sizeof *change);
    change->op = op;
    change->table = table;
    change->row_id = row_id;
    snprintf(change->key, sizeof change->key, "%c %.20s %lld", op, table, (long long)row_id);
    if (l->last == NULL) {
        l->first = change;
    } else {
        l->last->next = change;
    }
    l->last = change;
    struct same_changes *same = find_same(l, change->key);
    if (same == NULL) {
        same = memory_zeroed(1, sizeof *same);
        memcpy(same->key, change->key, sizeof same->key);
        HASH_ADD(by_key, l->same, key, strlen(same->key), same);
    } else {
        same->last->same = change;
    }
    same->last = change;
    if (same->first_open == NULL) {
        same->first_open = change;
    }
    if (op == 'r') {
        l->counts.before++;
    } else {
        l->counts.changes++;
    }
}

static struct event *find_event(struct try_ledger *l, const char *id)
{
    struct event *event = NULL;
    HASH_FIND(by_id, l->events, id, strlen(id), event);
    if (event == NULL) {
        event = memory_zeroed(1, sizeof *event);
        event->seen.id = memory_string(id);
        HASH_ADD_KEYPTR(by_id, l->events, event->seen.id, strlen(id), event);
    }
    return event;
}

static void report_when_whole(struct try_ledger *l, struct event *event)
{
    if (event->is_reported || event->seen.topic == NULL || event->seen.table == NULL) {
        return;
    }
    event->is_reported = true;
    l->whole++;
    if (!event->seen.is_before) {
        l->counts.published++;
    }
    if (l->on_whole != NULL) {
        l->on_whole(l->self, &event->seen);
    }
}

void try_ledger_published(struct try_ledger *l, const char *id, const char *topic, int32_t partition,
                          int64_t offset)
{
    struct event *event = find_event(l, id);
    if (event->seen.topic == NULL) {
        event->seen.topic = memory_string(topic);
        event->seen.partition = partition;
        event->seen.offset = offset;
        report_when_whole(l, event);
    }
}

// The oldest change of this operation and row without a call; NULL: there is none.
static struct change *match(struct try_ledger *l, const struct try_ledger_call *call)
{
    char key[48];
    snprintf(key, sizeof key, "%c %.20s %lld", call->op, call->table, (long long)call->row_id);
    struct same_changes *same = find_same(l, key);
    if (same == NULL || same->first_open == NULL) {
        return NULL;
    }
    struct change *change = same->first_open;
    same->first_open = change->same;
    return change;
}

void try_ledger_called(struct try_ledger *l, const struct try_ledger_call *call)
{
    if (!call->is_failed && (call->status < 200 || call->status > 299)) {
        return;
    }
    struct event *event = find_event(l, call->id);
    if (event->seen.is_called) {
        l->counts.repeated++;
        return;
    }
    event->seen.is_called = true;
    event->seen.is_failed = call->is_failed;
    event->seen.details = call->details == NULL ? NULL : memory_string(call->details);
    event->seen.status = call->status;
    event->seen.latency_us = call->latency_us;
    event->seen.op = call->op;
    event->seen.row_id = call->row_id;
    struct change *change = match(l, call);
    if (change == NULL) {
        l->counts.strange++;
        return;
    }
    change->event = event;
    event->seen.table = change->table;
    event->seen.is_before = change->op == 'r';
    l->before_called += event->seen.is_before ? 1 : 0;
    if (event->seen.is_failed) {
        l->counts.refused++;
    } else if (event->seen.is_before) {
        l->counts.before_invoked++;
    } else {
        l->counts.invoked++;
    }
    report_when_whole(l, event);
}

bool try_ledger_is_complete(const struct try_ledger *l)
{
    return l->whole == l->counts.changes + l->counts.before;
}

static int compare_latency(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

// Nearest-rank percentile: the smallest latency that at least `percent` of the changes do not exceed.
static int64_t percentile(const int64_t *sorted, size_t count, size_t percent)
{
    return count == 0 ? 0 : sorted[(count * percent + 99) / 100 - 1];
}

static int64_t count_published_unanswered(const struct try_ledger *l)
{
    int64_t count = 0;
    for (const struct event *event = l->events; event != NULL; event = event->by_id.next) {
        count += event->seen.topic != NULL && !event->seen.is_called;
    }
    return count;
}

void try_ledger_count(const struct try_ledger *l, struct try_ledger_counts *ret)
{
    struct try_ledger_counts counts = l->counts;
    CLEANUP(memory_free_pointer)
    int64_t *latencies = memory_zeroed((size_t)counts.invoked + 1, sizeof *latencies);
    size_t count = 0;
    for (const struct change *change = l->first; change != NULL; change = change->next) {
        counts.missing += change->event == NULL ? 1 : 0;
        if (change->op != 'r' && change->event != NULL && !change->event->seen.is_failed) {
            latencies[count++] = change->event->seen.latency_us;
        }
    }
    qsort(latencies, count, sizeof *latencies, compare_latency);
    // A published event without a call has only its id: it counts as an initial row until all of these have a
    // call.
    int64_t unanswered = count_published_unanswered(l) - (counts.before - l->before_called);
    counts.published += unanswered > 0 ? unanswered : 0;
    counts.failed = counts.changes - counts.invoked;
    counts.p50_us = percentile(latencies, count, 50);
    counts.p99_us = percentile(latencies, count, 99);
    *ret = counts;
}

void try_ledger_missing(const struct try_ledger *l, void *self,
                        void (*on_missing)(void *self, char op, const char *table, int64_t row_id))
{
    for (const struct change *change = l->first; change != NULL; change = change->next) {
        if (change->event == NULL) {
            on_missing(self, change->op, change->table, change->row_id);
        }
    }
}
