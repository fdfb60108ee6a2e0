#include "core/kafka/state_entries.h"

#include "core/base/memory.h"
#include "core/base/table.h"

enum { NUMBER_DIGITS = 19 };  // so that the number fits

struct state_entry {
    char *key;
    struct bytes value;
    bool is_dropped;
    uint64_t generation;  // 0: the record has none
    uint64_t version;     // its offset plus 1
    UT_hash_handle hh;
};

/** False: the record has no such header, or none that is a number. */
static bool header_number(const rd_kafka_message_t *m, const char *name, uint64_t *ret)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t size;
    uint64_t number = 0;
    if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        value == NULL || size > NUMBER_DIGITS) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        uint8_t digit = (uint8_t)(((const uint8_t *)value)[i] - '0');
        if (digit > 9) {
            return false;
        }
        number = 10 * number + digit;
    }
    *ret = number;
    return true;
}

/** Whether a newer record counts before this one. After compaction the value that it replaced is gone: then
 * it counts. */
static bool is_outdated(const struct state_entry *entry, const rd_kafka_message_t *m, uint64_t generation)
{
    uint64_t replaced;
    return (generation != 0 && generation < entry->generation) ||
           (header_number(m, STATE_TOPIC_REPLACES, &replaced) && replaced != entry->version);
}

static struct state_entry *find(const struct state_entries *e, const char *key)
{
    struct state_entry *entry;
    HASH_FIND_STR(e->table, key, entry);
    return entry;
}

static bool is_large(size_t size)
{
    return size > STATE_ENTRIES_LARGE_BYTES;
}

static void forget_value(struct state_entries *e, struct state_entry *entry)
{
    e->large_bytes -= is_large(entry->value.size) ? entry->value.size : 0;
    if (is_large(entry->value.capacity)) {
        bytes_clear(&entry->value);
    }
    bytes_reset(&entry->value);
}

static void set_value(struct state_entries *e, struct state_entry *entry, const rd_kafka_message_t *m)
{
    entry->is_dropped = false;
    (void)bytes_reserve(&entry->value, 1);  // data NULL would mean no such key
    bytes_append(&entry->value, m->payload, m->len);
    e->large_bytes += is_large(m->len) ? m->len : 0;
}

static void remove_entry(struct state_entries *e, struct state_entry *entry)
{
    forget_value(e, entry);
    HASH_DEL(e->table, entry);
    free(entry->key);
    bytes_clear(&entry->value);
    free(entry);
}

bool state_entries_find(const struct state_entries *e, const char *key, struct state_value *ret)
{
    const struct state_entry *entry = find(e, key);
    if (entry != NULL) {
        *ret = (struct state_value){.bytes = bytes_slice(&entry->value),
                                    .is_dropped = entry->is_dropped,
                                    .generation = entry->generation,
                                    .version = entry->version};
    }
    return entry != NULL;
}

void state_entries_apply(struct state_entries *e, const char *key, const rd_kafka_message_t *m,
                         bool is_awaited)
{
    struct state_entry *entry = find(e, key);
    uint64_t generation = 0;
    (void)header_number(m, STATE_TOPIC_GENERATION, &generation);
    if (entry != NULL && is_outdated(entry, m, generation)) {
        return;
    }
    if (m->payload == NULL) {
        if (entry != NULL) {
            remove_entry(e, entry);
        }
        return;
    }
    if (entry == NULL) {
        entry = memory_zeroed(1, sizeof(*entry));
        entry->key = memory_string(key);
        HASH_ADD_KEYPTR(hh, e->table, entry->key, strlen(entry->key), entry);
    }
    entry->generation = generation;
    entry->version = (uint64_t)m->offset + 1;
    forget_value(e, entry);
    entry->is_dropped =
        !is_awaited && is_large(m->len) && e->large_bytes + m->len > STATE_ENTRIES_LARGE_BYTES_MAX;
    if (!entry->is_dropped) {
        set_value(e, entry, m);
    }
}

void state_entries_restore(struct state_entries *e, const char *key, const rd_kafka_message_t *m)
{
    struct state_entry *entry = find(e, key);
    if (entry != NULL && entry->is_dropped && entry->version == (uint64_t)m->offset + 1 &&
        m->payload != NULL) {
        set_value(e, entry, m);
    }
}

void state_entries_trim(struct state_entries *e)
{
    struct state_entry *entry;
    struct state_entry *next;
    HASH_ITER (hh, e->table, entry, next) {
        if (e->large_bytes > STATE_ENTRIES_LARGE_BYTES_MAX && is_large(entry->value.size)) {
            forget_value(e, entry);
            entry->is_dropped = true;
        }
    }
}

void state_entries_each(const struct state_entries *e, const char *prefix,
                        void (*on_value)(void *self, const char *key, struct slice value), void *self)
{
    const struct state_entry *entry;
    size_t size = strlen(prefix);
    for (entry = e->table; entry != NULL; entry = entry->hh.next) {
        if (!entry->is_dropped && strncmp(entry->key, prefix, size) == 0) {
            on_value(self, entry->key, bytes_slice(&entry->value));
        }
    }
}

void state_entries_clear(struct state_entries *e)
{
    struct state_entry *entry;
    struct state_entry *next;
    HASH_ITER (hh, e->table, entry, next) {
        remove_entry(e, entry);
    }
}
