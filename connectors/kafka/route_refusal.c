// Source: Confluent Schema Registry API reference; its error codes.
#include "connectors/kafka/route_refusal.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

enum { HTTP_CONFLICT = 409, HTTP_UNPROCESSABLE = 422, NOT_PERMITTED = 42205 };

// The HTTP status that a registry's error code begins with.
static int status_of(const struct fault *f)
{
    return f->origin_code > 999 ? f->origin_code / 100 : f->origin_code;
}

static bool is_of_kafka(const struct fault *f)
{
    return f->origin != NULL && strcmp(f->origin, "librdkafka") == 0;
}

static enum route_refusal of_kafka(int code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:  // a schema, for the embedded registry's topic
        return ROUTE_REFUSAL_OWN;
    default:
        return ROUTE_REFUSAL_ALL;
    }
}

// Rights may be given, a subject's mode changed, a schema registered by others: only what the schema itself
// is refused for stays so.
static enum route_refusal of_registry(const struct fault *f)
{
    int status = status_of(f);
    return status == HTTP_CONFLICT                                           ? ROUTE_REFUSAL_INCOMPATIBLE
           : status == HTTP_UNPROCESSABLE && f->origin_code != NOT_PERMITTED ? ROUTE_REFUSAL_OWN
                                                                             : ROUTE_REFUSAL_PASSING;
}

enum route_refusal route_refusal_of(const struct fault *f)
{
    if (f->kind == FAULT_RETRY) {
        return ROUTE_REFUSAL_PASSING;
    }
    if (f->kind != FAULT_CONFIG) {
        return ROUTE_REFUSAL_ALL;
    }
    return is_of_kafka(f) ? of_kafka(f->origin_code) : f->origin == NULL ? ROUTE_REFUSAL_OWN : of_registry(f);
}

static const char *cure_of(const struct fault *f)
{
    if (route_refusal_of(f) == ROUTE_REFUSAL_INCOMPATIBLE) {
        return "permit it there and restart the connector, or set on_incompatible: fork";
    }
    if (!is_of_kafka(f)) {
        return "correct or exclude the table and restart the connector";
    }
    return f->origin_code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
               ? "raise max.message.bytes of the registry's topic and message.max.bytes under kafka:, or "
                 "exclude the table, and restart the connector"
               : "make it, or exclude the table, and restart the connector";
}

void route_refusal_explain(const char *topic, const struct fault *why, struct fault *ret)
{
    *ret = *why;
    if (route_refusal_of(why) != ROUTE_REFUSAL_ALL) {
        (void)fault_context(ret, "table of topic %s", topic);
        size_t size = strlen(ret->text);
        (void)snprintf(ret->text + size, sizeof(ret->text) - size, "; %s", cure_of(why));
    }
}
