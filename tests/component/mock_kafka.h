// A mock broker of librdkafka, settings that name it, and a loop: what a component test of a Kafka client
// begins with.
#ifndef TESTS_COMPONENT_MOCK_KAFKA_H
#define TESTS_COMPONENT_MOCK_KAFKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// The mock cluster needs the client first.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <uv.h>

#include "core/config/settings.h"

struct mock_kafka {
    rd_kafka_t *owner;  // the mock cluster runs in its threads
    rd_kafka_mock_cluster_t *cluster;
    struct settings settings;
    uv_loop_t loop;
};

static inline void mock_kafka_start(struct mock_kafka *m)
{
    char why[256];
    *m = (struct mock_kafka){0};
    m->owner = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof(why));
    m->cluster = rd_kafka_mock_cluster_new(m->owner, 1);
    text_pairs_set(&m->settings.kafka, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(m->cluster));
    assert_int_equal(uv_loop_init(&m->loop), 0);
}

/** Fails when a handle is left on the loop. */
static inline void mock_kafka_stop(struct mock_kafka *m)
{
    (void)uv_run(&m->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&m->loop), 0);
    text_pairs_clear(&m->settings.kafka);
    rd_kafka_mock_cluster_destroy(m->cluster);
    rd_kafka_destroy(m->owner);
}

#endif
