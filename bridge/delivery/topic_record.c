#include "bridge/delivery/topic_record.h"

void topic_record_free(struct topic_record *r)
{
    rd_kafka_headers_destroy(r->headers);
    free(r);
}

rd_kafka_resp_err_t topic_record_produce(const struct topic_record *r, rd_kafka_t *rk, const char *topic)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_copy(r->headers);
    rd_kafka_vu_t fields[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)r->key.data, r->key.size}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)r->value.data, r->value.size}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *)(uintptr_t)r},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(rk, fields, COUNT_OF(fields));
    if (error == NULL) {
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    rd_kafka_headers_destroy(headers);
    return code;
}
