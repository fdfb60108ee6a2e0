// The sink's insides, shared by publishing (kafka_sink_publish.c) and the life around it (kafka_sink.c).
#ifndef CONNECTORS_KAFKA_KAFKA_SINK_PRIVATE_H
#define CONNECTORS_KAFKA_KAFKA_SINK_PRIVATE_H

#include <uthash.h>

#include "connectors/kafka/gather.h"
#include "connectors/kafka/kafka_sink.h"

struct kafka_sink_topic {
    char *name;
    rd_kafka_topic_t *handle;
    struct gather waiting;
    struct kafka_sink_topic *prev;  // in the list of those that have something waiting
    struct kafka_sink_topic *next;
    UT_hash_handle hh;
};

struct kafka_sink {
    uv_loop_t *loop;
    struct kafka_sink_listener listener;
    rd_kafka_t *producer;
    rd_kafka_queue_t *queue;
    struct kafka_watch *watch;
    struct kafka_sink_topic *topics;
    struct kafka_sink_topic *waiting;  // topics with records that wait here, the longest first
    size_t waiting_topics;
    size_t waiting_records;
    size_t waiting_bytes;
    size_t in_flight;   // taken and not settled, those that wait here included
    size_t round_left;  // records of the round that is being handed on
    size_t message_max_bytes;
    bool is_full;      // librdkafka's queue took nothing more
    bool owes_room;    // SINK_FULL was said and on_room not yet
    bool is_failed;    // on_fault was called
    bool is_draining;  // inside kafka_sink_on_ready
    bool is_closed;    // kafka_sink_close came from inside a listener's callback
};

#endif
