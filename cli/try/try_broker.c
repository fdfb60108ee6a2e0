#include "cli/try/try_broker.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

struct try_broker {
    rd_kafka_t *handle;  // owns the mock cluster
    rd_kafka_mock_cluster_t *cluster;
};

bool try_broker_start(struct try_broker **ret, struct fault *f)
{
    char error[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    // The mock broker logs every disconnect as an error; our own clients report what matters.
    rd_kafka_conf_set_log_cb(conf, NULL);
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
    if (handle == NULL) {
        rd_kafka_conf_destroy(conf);
        return fault_from(f, FAULT_FATAL, "librdkafka", 0, "embedded broker: %s", error);
    }
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(handle, 1);
    if (cluster == NULL) {
        rd_kafka_destroy(handle);
        return fault_from(f, FAULT_FATAL, "librdkafka", 0, "embedded broker: no port to listen on");
    }
    struct try_broker *b = memory_zeroed(1, sizeof *b);
    b->handle = handle;
    b->cluster = cluster;
    *ret = b;
    return true;
}

const char *try_broker_bootstrap(const struct try_broker *b)
{
    return rd_kafka_mock_cluster_bootstraps(b->cluster);
}

bool try_broker_make_topic(struct try_broker *b, const char *name, int partitions, struct fault *f)
{
    rd_kafka_resp_err_t error = rd_kafka_mock_topic_create(b->cluster, name, partitions, 1);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        return fault_from(f, FAULT_FATAL, "librdkafka", error, "embedded broker: topic %s: %s", name,
                          rd_kafka_err2str(error));
    }
    return true;
}

void try_broker_stop(struct try_broker *b)
{
    if (b == NULL) {
        return;
    }
    rd_kafka_mock_cluster_destroy(b->cluster);
    rd_kafka_destroy(b->handle);
    free(b);
}
