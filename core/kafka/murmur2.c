#include "core/kafka/murmur2.h"

enum { SHIFT = 24 };
#define SEED UINT32_C(0x9747b28c)
#define FACTOR UINT32_C(0x5bd1e995)

uint32_t murmur2(struct slice data)
{
    uint32_t hash = SEED ^ (uint32_t)data.size;
    size_t at = 0;
    for (; at + 4 <= data.size; at += 4) {
        const uint8_t *p = data.data + at;
        uint32_t k = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        k *= FACTOR;
        k ^= k >> SHIFT;
        k *= FACTOR;
        hash = (hash * FACTOR) ^ k;
    }
    for (size_t left = data.size - at; left > 0; left--) {
        hash ^= (uint32_t)data.data[at + left - 1] << (8 * (left - 1));
        if (left == 1) {
            hash *= FACTOR;
        }
    }
    hash ^= hash >> 13;
    hash *= FACTOR;
    return hash ^ hash >> 15;
}
