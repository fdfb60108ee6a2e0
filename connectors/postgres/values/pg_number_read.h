// Reads big-endian integers of an exact size: the binary form of integers, and of the bits of floats.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_NUMBER_READ_H
#define CONNECTORS_POSTGRES_VALUES_PG_NUMBER_READ_H

#include "core/base/text.h"

static inline bool pg_number_read_16(struct slice data, int16_t *ret)
{
    uint16_t wire;
    if (data.size != sizeof(wire)) {
        return false;
    }
    memcpy(&wire, data.data, sizeof(wire));
    *ret = (int16_t)__builtin_bswap16(wire);
    return true;
}

static inline bool pg_number_read_32(struct slice data, uint32_t *ret)
{
    uint32_t wire;
    if (data.size != sizeof(wire)) {
        return false;
    }
    memcpy(&wire, data.data, sizeof(wire));
    *ret = __builtin_bswap32(wire);
    return true;
}

static inline bool pg_number_read_64(struct slice data, uint64_t *ret)
{
    uint64_t wire;
    if (data.size != sizeof(wire)) {
        return false;
    }
    memcpy(&wire, data.data, sizeof(wire));
    *ret = __builtin_bswap64(wire);
    return true;
}

#endif
