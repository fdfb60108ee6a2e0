// What the parts of the simulated Kafka share; no other file includes this.
#ifndef TESTS_SIM_SIM_KAFKA_H
#define TESTS_SIM_SIM_KAFKA_H

#include "tests/sim/sim.h"

struct rd_kafka_s {
    int process;         // -1: a reader
    bool is_fetcher;     // an offset out of range is an error: it does not begin elsewhere
    bool is_of_letters;  // asks for the offsets of dead letters
    bool is_rebalancing;
    bool is_lost;
    bool is_expelled;  // learns that it has lost its partitions once it has answered
    bool is_unaware;   // and has not read that yet
    bool could_know;   // since it could have asked whether the assignment is lost
    bool is_giving[PARTITIONS];
    bool is_assigned[PARTITIONS];
    bool is_new[PARTITIONS];  // by the assignment that is being answered
    rd_kafka_queue_t *main;
};

/** Takes over the list. */
void sim_kafka_push(rd_kafka_queue_t *q, rd_kafka_event_type_t type, rd_kafka_resp_err_t code,
                    rd_kafka_topic_partition_list_t *list);

/** Tells the owner of the queue, as code of its process. Accepts NULL. */
void sim_kafka_signal(rd_kafka_queue_t *q);

/** Those that read a partition: its log has grown. */
void sim_kafka_signal_readers(void);

/** What the group of `millrace dlq` has committed. */
void sim_letter_log_committed(rd_kafka_topic_partition_list_t *list);

#endif
