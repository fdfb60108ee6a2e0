#include "bridge/delivery/record_memory.h"

void record_memory_add(struct record_memory *m, const struct record *r)
{
    m->count++;
    m->bytes += record_bytes(r);
}

void record_memory_remove(struct record_memory *m, const struct record *r)
{
    m->count--;
    m->bytes -= record_bytes(r);
}

size_t record_memory_left(const struct record_memory *m, enum record_memory_use use)
{
    size_t more = use == RECORD_MEMORY_RELOADED ? 1 : 0;
    size_t count_max = m->count_max + more * (m->count_max / 4);
    size_t bytes_max = RECORD_MEMORY_BYTES_MAX + more * (RECORD_MEMORY_BYTES_MAX / 4);
    bool is_full = m->count >= count_max || m->bytes >= bytes_max;
    return is_full ? 0 : count_max - m->count;
}

bool record_memory_is_half_empty(const struct record_memory *m)
{
    return m->count <= m->count_max / 2 && m->bytes <= RECORD_MEMORY_BYTES_MAX / 2;
}
