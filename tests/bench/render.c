// An insert into the orders table, rendered by each kind of payload, and written as JSON by avro-c.
//
//   render            one line for each kind: events a second of processor time, in three rounds
//   render KIND       that kind alone, for a profiler
#include <avro.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bridge/payload/payload.h"
#include "core/base/memory.h"
#include "schemas/avro/avro_schema.h"
#include "schemas/avro/framing.h"
#include "tests/bench/orders.h"

enum { ROUNDS = 3, EVENTS = 200000, BATCH = 100, KEY_ID = 1, VALUE_ID = 2 };

/** The record and what it is made of. */
struct sample {
    struct record record;
    struct bytes key;
    struct bytes value;
    struct avro_type *key_type;
    struct avro_type *value_type;
};

static struct avro_type *parse(void (*write)(struct bytes *out, const struct table *t))
{
    struct bytes text = {0};
    struct avro_type *type = NULL;
    struct fault f;
    write(&text, &orders);
    INVARIANT(avro_type_parse(bytes_slice(&text), &type, &f));
    bytes_clear(&text);
    return type;
}

static void sample_init(struct sample *s)
{
    struct bytes after = {0};
    *s = (struct sample){.key_type = parse(avro_schema_key), .value_type = parse(avro_schema_envelope)};
    orders_row(&after, 4711, "paid");
    struct avro_envelope e = {.version = "0.1.0",
                              .connector = "postgresql",
                              .table = &orders,
                              .database = "shop",
                              .snapshot = "false",
                              .op = 'c',
                              .commit_time_us = 1795414726233631,
                              .transaction_id = 3379,
                              .lsn = 54850784,
                              .last_commit_lsn = 54850784,
                              .now_ns = 1795414726708975875,
                              .before = {NULL, 0},
                              .after = bytes_slice(&after)};
    framing_put(&s->key, KEY_ID);
    avro_encode_long(&s->key, 4711);
    framing_put(&s->value, VALUE_ID);
    avro_encode_envelope(&s->value, &e);
    s->record = (struct record){.topic = "shop.public.orders",
                                .partition = 3,
                                .offset = 123456,
                                .timestamp_ms = 1795414726708,
                                .id = slice_of("000000000344f0e0-00000000"),
                                .has_key = true,
                                .key = bytes_slice(&s->key),
                                .value = bytes_slice(&s->value),
                                .key_type = s->key_type,
                                .value_type = s->value_type,
                                .headers = rd_kafka_headers_new(1)};
    (void)rd_kafka_header_add(s->record.headers, "millrace.position", -1, s->record.id.data,
                              s->record.id.size);
    bytes_clear(&after);
}

/** Processor time in seconds. */
static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/** Events a second; *ret_size is the body's share of one. */
static double run(struct sample *s, const struct payload_options *options, size_t *ret_size)
{
    static struct payload p;
    size_t batch = options->is_batch ? BATCH : 1;
    double start = now();
    for (size_t done = 0; done < EVENTS; done += batch) {
        struct fault f;
        payload_begin(&p, options);
        for (size_t i = 0; i < batch; i++) {
            INVARIANT(payload_add(&p, &s->record, &f) == PAYLOAD_ADDED);
        }
        payload_finish(&p);
    }
    *ret_size = p.body.size / batch;
    return EVENTS / (now() - start);
}

/** avro-c's own JSON of the value, from its bytes. */
static double run_avro_c(struct sample *s, size_t *ret_size)
{
    struct bytes text = {0};
    avro_schema_envelope(&text, &orders);
    avro_schema_t schema;
    INVARIANT(avro_schema_from_json_length((const char *)text.data, text.size, &schema) == 0);
    avro_value_iface_t *interface = avro_generic_class_from_schema(schema);
    avro_value_t value;
    INVARIANT(avro_generic_value_new(interface, &value) == 0);
    const char *avro = (const char *)s->value.data + FRAMING_SIZE;
    double start = now();
    for (size_t done = 0; done < EVENTS / 10; done++) {
        char *json = NULL;
        avro_reader_t reader = avro_reader_memory(avro, (int64_t)(s->value.size - FRAMING_SIZE));
        INVARIANT(avro_value_read(reader, &value) == 0 && avro_value_to_json(&value, 1, &json) == 0);
        *ret_size = strlen(json);
        free(json);
        avro_reader_free(reader);
    }
    double rate = EVENTS / 10 / (now() - start);
    avro_value_decref(&value);
    avro_value_iface_decref(interface);
    avro_schema_decref(schema);
    bytes_clear(&text);
    return rate;
}

struct kind {
    const char *name;
    enum function_payload payload;
    bool is_batch;
    enum function_kafka_format format;
};

static struct payload_options options_of(const struct kind *kind)
{
    return (struct payload_options){.kind = kind->payload,
                                    .operations = FUNCTION_CREATE | FUNCTION_UPDATE,
                                    .is_batch = kind->is_batch,
                                    .bytes_max = 6 << 20,
                                    .schemas_url = "https://registry.example/schemas/ids/",
                                    .bootstrap_servers = "kafka:9092",
                                    .kafka_format = kind->format,
                                    .view = FUNCTION_IMAGES_NEW_AND_OLD};
}

int main(int argc, char **argv)
{
    static const struct kind KINDS[] = {
        {"row", FUNCTION_PAYLOAD_ROW, false, 0},
        {"row, batches", FUNCTION_PAYLOAD_ROW, true, 0},
        {"cloudevents", FUNCTION_PAYLOAD_CLOUDEVENTS, false, 0},
        {"cloudevents-structured", FUNCTION_PAYLOAD_CLOUDEVENTS_STRUCTURED, false, 0},
        {"cloudevents-batch", FUNCTION_PAYLOAD_CLOUDEVENTS_BATCH, true, 0},
        {"lambda-kafka, raw", FUNCTION_PAYLOAD_LAMBDA_KAFKA, true, FUNCTION_KAFKA_RAW},
        {"lambda-kafka, json", FUNCTION_PAYLOAD_LAMBDA_KAFKA, true, FUNCTION_KAFKA_JSON},
        {"dynamodb-stream", FUNCTION_PAYLOAD_DYNAMODB_STREAM, true, 0},
        {"debezium", FUNCTION_PAYLOAD_DEBEZIUM, false, 0},
    };
    struct sample s;
    size_t size;
    sample_init(&s);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
            const struct payload_options options = options_of(&KINDS[i]);
            if (argc < 2 || strcmp(argv[1], KINDS[i].name) == 0) {
                double rate = run(&s, &options, &size);
                (void)printf("%s: %.0f events/s, %zu bytes\n", KINDS[i].name, rate, size);
            }
        }
        if (argc < 2) {
            double rate = run_avro_c(&s, &size);
            (void)printf("avro-c: %.0f events/s, %zu bytes\n", rate, size);
        }
    }
    return 0;
}
