#include "bridge/intake/log_read.h"

enum { WAIT_MS = 10000 };

static bool kafka_fault(struct fault *f, const rd_kafka_topic_t *topic, rd_kafka_resp_err_t code)
{
    return fault_from(f, FAULT_RETRY, "librdkafka", code, "reading topic %s: %s", rd_kafka_topic_name(topic),
                      rd_kafka_err2str(code));
}

bool log_read(rd_kafka_topic_t *topic, int32_t partition, int64_t from, int64_t to,
              enum log_read_step (*visit)(void *self, rd_kafka_message_t *message), void *self,
              struct fault *f)
{
    if (from >= to) {
        return true;
    }
    if (rd_kafka_consume_start(topic, partition, from) != 0) {
        return kafka_fault(f, topic, rd_kafka_last_error());
    }
    bool is_good = true;
    bool is_over = false;
    while (is_good && !is_over) {
        rd_kafka_message_t *m = rd_kafka_consume(topic, partition, WAIT_MS);
        if (m == NULL) {
            is_good = kafka_fault(f, topic, RD_KAFKA_RESP_ERR__TIMED_OUT);
            break;
        }
        if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            is_over = m->offset >= to || visit(self, m) == LOG_READ_STOP || m->offset == to - 1;
        } else if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            is_over = m->offset >= to;
        }  // others are transient: librdkafka goes on, or the time-out ends it
        rd_kafka_message_destroy(m);
    }
    (void)rd_kafka_consume_stop(topic, partition);
    return is_good;
}
