// The hash by which Kafka's Java producer chooses a partition.
#ifndef CORE_KAFKA_MURMUR2_H
#define CORE_KAFKA_MURMUR2_H

#include "core/base/bytes.h"

/** MurmurHash2 as org.apache.kafka.common.utils.Utils.murmur2. */
uint32_t murmur2(struct slice data);

/** The partition of `count` for a hash, as Java's default partitioner chooses it. */
static inline int32_t murmur2_partition(uint32_t hash, int32_t count)
{
    return (int32_t)(hash & 0x7fffffff) % count;
}

#endif
