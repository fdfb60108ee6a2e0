#include "connectors/kafka/gather.h"

#include <string.h>

#include "core/base/memory.h"

#define GATHER_NULL UINT32_MAX  // as a size

struct gather_head {
    uint64_t ticket;
    uint32_t key_size;
    uint32_t value_size;
    char position[GATHER_POSITION_SIZE];
};

static uint32_t gather_size(struct slice part)
{
    return part.data == NULL ? GATHER_NULL : (uint32_t)part.size;
}

static size_t gather_length(uint32_t size)
{
    return size == GATHER_NULL ? 0 : size;
}

void gather_put(struct gather *g, const struct gather_record *record)
{
    INVARIANT(record->position.size == GATHER_POSITION_SIZE);
    struct gather_head head = {record->ticket, gather_size(record->key), gather_size(record->value), ""};
    memcpy(head.position, record->position.data, GATHER_POSITION_SIZE);
    bytes_append(&g->records, &head, sizeof(head));
    bytes_append_slice(&g->records, record->key);
    bytes_append_slice(&g->records, record->value);
    g->count++;
}

// Records lie as they fall: a head is copied out before it is read.
static struct gather_head gather_head_of(const struct gather *g)
{
    struct gather_head head;
    INVARIANT(g->count > 0);
    memcpy(&head, g->records.data + g->at, sizeof(head));
    return head;
}

static struct slice gather_part(const uint8_t *at, uint32_t size)
{
    return slice_make(size == GATHER_NULL ? NULL : at, gather_length(size));
}

struct gather_record gather_first(const struct gather *g)
{
    struct gather_head head = gather_head_of(g);
    const uint8_t *at = g->records.data + g->at;
    const uint8_t *key = at + sizeof(head);
    return (struct gather_record){
        .ticket = head.ticket,
        .key = gather_part(key, head.key_size),
        .value = gather_part(key + gather_length(head.key_size), head.value_size),
        .position = slice_make(at + offsetof(struct gather_head, position), GATHER_POSITION_SIZE),
    };
}

void gather_pop(struct gather *g, size_t keep_bytes)
{
    struct gather_head head = gather_head_of(g);
    g->at += sizeof(head) + gather_length(head.key_size) + gather_length(head.value_size);
    if (--g->count > 0) {
        return;
    }
    g->at = 0;
    if (g->records.capacity > keep_bytes) {
        bytes_clear(&g->records);
    } else {
        bytes_reset(&g->records);
    }
}

void gather_clear(struct gather *g)
{
    bytes_clear(&g->records);
    *g = (struct gather){0};
}
