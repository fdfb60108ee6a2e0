#include "tests/component/bridge/bridge_case.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>

#include "connectors/postgres/values/pg_number.h"
#include "connectors/postgres/values/pg_string.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/kafka/kafka_client.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/avro_schema.h"
#include "schemas/avro/framing.h"

static struct column columns[] = {
    {.name = (char *)"id", .type = {.ops = &PG_NUMBER_INT64}, .is_key = true},
    {.name = (char *)"note", .type = {.ops = &PG_STRING_TEXT}, .is_nullable = true},
};
static size_t key_columns[] = {0};
static struct table orders = {
    .prefix = (char *)"shop",
    .schema = (char *)"public",
    .name = (char *)"orders",
    .topic = (char *)CASE_TOPIC,
    .columns = columns,
    .column_count = 2,
    .key_columns = key_columns,
    .key_count = 1,
};

static void start_broker(struct bridge_case *c)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    INVARIANT(rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", why, sizeof(why)) == RD_KAFKA_CONF_OK);
    c->broker = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    INVARIANT(c->broker != NULL);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_handle_mock_cluster(c->broker);
    INVARIANT(rd_kafka_mock_topic_create(cluster, CASE_TOPIC, 1, 1) == RD_KAFKA_RESP_ERR_NO_ERROR);
    INVARIANT(rd_kafka_mock_topic_create(cluster, "millrace.state", 1, 1) == RD_KAFKA_RESP_ERR_NO_ERROR);
    INVARIANT(rd_kafka_mock_topic_create(cluster, "millrace.schemas", 1, 1) == RD_KAFKA_RESP_ERR_NO_ERROR);
    INVARIANT(rd_kafka_mock_topic_create(cluster, "millrace.dlq.fn", 1, 1) == RD_KAFKA_RESP_ERR_NO_ERROR);
    text_pairs_set(&c->settings.kafka, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster));
}

static rd_kafka_t *open_client(const struct bridge_case *c, enum kafka_role role, const char *const *extra)
{
    struct fault f;
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk = NULL;
    INVARIANT(kafka_client_conf(&c->settings, role, extra, &conf, &f));
    INVARIANT(kafka_client_open(conf, role, &rk, &f));
    return rk;
}

static void on_key_id(void *self, int32_t id, const struct fault *f)
{
    INVARIANT(f == NULL);
    ((struct bridge_case *)self)->key_schema = id;
}

static void on_value_id(void *self, int32_t id, const struct fault *f)
{
    INVARIANT(f == NULL);
    ((struct bridge_case *)self)->value_schema = id;
}

static bool has_schemas(struct bridge_case *c, int64_t n)
{
    (void)n;
    return c->key_schema != 0 && c->value_schema != 0;
}

static void register_schemas(struct bridge_case *c)
{
    CLEANUP(bytes_clear) struct bytes key = {0};
    CLEANUP(bytes_clear) struct bytes value = {0};
    avro_schema_key(&key, &orders);
    avro_schema_envelope(&value, &orders);
    registry_register(c->registry, CASE_TOPIC "-key", bytes_text(&key), on_key_id, c);
    registry_register(c->registry, CASE_TOPIC "-value", bytes_text(&value), on_value_id, c);
    case_run_until(c, has_schemas, 0);
}

static void on_end(void *self, const struct fault *f)
{
    INVARIANT(f == NULL);
    struct bridge_case *c = self;
    c->end_count++;
    c->is_over_at_end = bridge_is_over(c->bridge);
}

void case_start(struct bridge_case *c, stub_script script, void *self)
{
    case_start_limited(c, script, self, 0, 0);
}

void case_start_limited(struct bridge_case *c, stub_script script, void *self, uint64_t drain_ms,
                        uint64_t leave_ms)
{
    struct fault f;
    *c = (struct bridge_case){0};
    log_start(LOG_FORMAT_TEXT, getenv("CASE_VERBOSE") != NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
    INVARIANT(uv_loop_init(&c->loop) == 0);
    (void)uv_timer_init(&c->loop, &c->timer);
    start_broker(c);
    c->metrics = metrics_new();
    c->script = self;
    c->stub = stub_function_start(&c->loop, script, self);
    c->producer = open_client(c, KAFKA_PRODUCER, NULL);
    INVARIANT(registry_open(&c->loop, &c->settings, &c->registry, &f));
    register_schemas(c);
    struct bridge_params params = {
        .loop = &c->loop,
        .settings = &c->settings,
        .registry = c->registry,
        .metrics = c->metrics,
        .on_end = on_end,
        .self = c,
        .drain_ms = drain_ms,
        .leave_ms = leave_ms,
    };
    INVARIANT(bridge_start(&params, &c->bridge, &f));
}

static bool has_ended(struct bridge_case *c, int64_t n)
{
    (void)n;
    return c->end_count > 0;
}

void case_drain(struct bridge_case *c)
{
    bridge_drain(c->bridge);
    case_run_until(c, has_ended, 0);
}

void case_stop(struct bridge_case *c)
{
    if (c->end_count == 0) {
        case_drain(c);
    }
    bridge_free(c->bridge);
    registry_close(c->registry);
    stub_function_stop(c->stub);
    uv_close((uv_handle_t *)&c->timer, NULL);
    (void)uv_run(&c->loop, UV_RUN_DEFAULT);
    INVARIANT(uv_loop_close(&c->loop) == 0);
    metrics_free(c->metrics);
    rd_kafka_destroy(c->producer);
    rd_kafka_destroy(c->broker);
    settings_clear(&c->settings);
}

struct function_config *case_config(const struct bridge_case *c, const char *name)
{
    struct function_config *config = memory_zeroed(1, sizeof(*config));
    config->name = memory_string(name);
    text_list_add(&config->source.topics, CASE_TOPIC);
    config->source.operations = FUNCTION_CREATE | FUNCTION_READ | FUNCTION_UPDATE | FUNCTION_DELETE;
    config->source.start = FUNCTION_START_EARLIEST;
    config->http.url = memory_string(stub_function_url(c->stub));
    config->delivery.concurrency = 16;
    config->delivery.batch.events = 1;
    config->delivery.batch.bytes = 6 << 20;
    config->delivery.timeout_us = 30 * CLOCK_US_PER_S;
    config->delivery.retry.attempts = 10;
    config->delivery.retry.max_age_us = 86400 * CLOCK_US_PER_S;
    config->delivery.retry.backoff.initial_us = 5 * CLOCK_US_PER_MS;
    config->delivery.retry.backoff.max_us = 50 * CLOCK_US_PER_MS;
    config->delivery.on_failure.bisect = true;
    config->delivery.on_failure.dead_letter = memory_format("millrace.dlq.%s", name);
    return config;
}

void case_apply(struct bridge_case *c, struct function_config *config)
{
    bridge_apply(c->bridge, &config, 1);
}

static void produce(const struct bridge_case *c, const char *topic, struct slice key, struct slice value)
{
    rd_kafka_vu_t fields[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = 0},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key.data, key.size}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value.data, value.size}},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(c->producer, fields, COUNT_OF(fields));
    INVARIANT(error == NULL);
}

static void flush(const struct bridge_case *c)
{
    INVARIANT(rd_kafka_flush(c->producer, 10000) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void case_raw(struct bridge_case *c, struct slice key, struct slice value)
{
    produce(c, CASE_TOPIC, key, value);
    flush(c);
}

static void put_key(const struct bridge_case *c, struct bytes *key, int64_t id)
{
    framing_put(key, c->key_schema);
    avro_encode_long(key, id);
}

void case_tombstone(struct bridge_case *c, int64_t id)
{
    CLEANUP(bytes_clear) struct bytes key = {0};
    put_key(c, &key, id);
    case_raw(c, bytes_slice(&key), (struct slice){NULL, 0});
}

static void produce_keyed_change(struct bridge_case *c, struct slice key, int64_t id, char op,
                                 const char *note)
{
    CLEANUP(bytes_clear) struct bytes row = {0};
    CLEANUP(bytes_clear) struct bytes value = {0};
    avro_encode_long(&row, id);
    avro_encode_long(&row, 1);
    avro_encode_string(&row, slice_of(note));
    struct slice image = bytes_slice(&row);
    struct avro_envelope e = {
        .version = "0",
        .connector = "postgresql",
        .table = &orders,
        .database = "shop",
        .snapshot = "false",
        .op = op,
        .commit_time_us = clock_wall_us(),
        .lsn = 1,
        .now_ns = clock_wall_ns(),
        .before = op == 'd' ? image : (struct slice){NULL, 0},
        .after = op == 'd' ? (struct slice){NULL, 0} : image,
    };
    framing_put(&value, c->value_schema);
    avro_encode_envelope(&value, &e);
    produce(c, CASE_TOPIC, key, bytes_slice(&value));
}

static void produce_change(struct bridge_case *c, int64_t id, char op, const char *note)
{
    CLEANUP(bytes_clear) struct bytes key = {0};
    put_key(c, &key, id);
    produce_keyed_change(c, bytes_slice(&key), id, op, note);
}

void case_keyed_change(struct bridge_case *c, struct slice key, int64_t id, char op, const char *note)
{
    produce_keyed_change(c, key, id, op, note);
    flush(c);
}

void case_change(struct bridge_case *c, int64_t id, char op, const char *note)
{
    produce_change(c, id, op, note);
    flush(c);
}

void case_changes(struct bridge_case *c, int count, int64_t id, const char *note)
{
    for (int i = 0; i < count; i++) {
        produce_change(c, id, 'u', note);
        if (i % 100 == 99) {
            flush(c);
        }
    }
    flush(c);
}

void case_distinct_changes(struct bridge_case *c, int count, int64_t first_id)
{
    for (int i = 0; i < count; i++) {
        produce_change(c, first_id + i, 'c', "x");
        if (i % 1000 == 999) {
            flush(c);
        }
    }
    flush(c);
}

void case_numbered_changes(struct bridge_case *c, int count, int64_t id)
{
    for (int i = 0; i < count; i++) {
        CLEANUP(memory_free_pointer) char *note = memory_format("n%d", i);
        produce_change(c, id, 'u', note);
        if (i % 1000 == 999) {
            flush(c);
        }
    }
    flush(c);
}

static void on_time(uv_timer_t *timer)
{
    (void)timer;
}

void case_run_until(struct bridge_case *c, bool (*is_true)(struct bridge_case *c, int64_t n), int64_t n)
{
    int64_t deadline_us = clock_now_us() + 80 * CLOCK_US_PER_S;
    (void)uv_timer_start(&c->timer, on_time, 5, 5);
    while (!is_true(c, n)) {
        INVARIANT(clock_now_us() < deadline_us);
        (void)uv_run(&c->loop, UV_RUN_ONCE);
    }
    (void)uv_timer_stop(&c->timer);
}

static bool is_past(struct bridge_case *c, int64_t at_us)
{
    (void)c;
    return clock_now_us() >= at_us;
}

void case_run_ms(struct bridge_case *c, uint64_t ms)
{
    case_run_until(c, is_past, clock_now_us() + (int64_t)ms * CLOCK_US_PER_MS);
}

bool case_has_calls(struct bridge_case *c, int64_t n)
{
    return stub_function_count(c->stub) >= (size_t)n;
}

double case_metric(const struct bridge_case *c, const char *series)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    metrics_write(c->metrics, &text);
    const char *at = strstr(bytes_text(&text), series);
    return at == NULL ? 0 : strtod(at + strlen(series), NULL);
}

bool case_has_settled(struct bridge_case *c, int64_t n)
{
    return case_metric(c, "millrace_function_events_total{function=\"fn\",outcome=\"delivered\"}") +
               case_metric(c, "millrace_function_events_total{function=\"fn\",outcome=\"filtered\"}") +
               case_metric(c, "millrace_function_events_total{function=\"fn\",outcome=\"dead_lettered\"}") >=
           (double)n;
}

int64_t case_committed(const struct bridge_case *c, const char *function)
{
    CLEANUP(memory_free_pointer) char *group = memory_format("millrace.%s", function);
    rd_kafka_t *rk = open_client(c, KAFKA_CONSUMER, (const char *[]){"group.id", group, NULL});
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, CASE_TOPIC, 0);
    INVARIANT(rd_kafka_committed(rk, list, 10000) == RD_KAFKA_RESP_ERR_NO_ERROR);
    int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return offset < 0 ? -1 : offset;
}

void case_register(const struct bridge_case *c, const char *function, int64_t offset)
{
    CLEANUP(memory_free_pointer) char *key = memory_format("function/%s", function);
    produce(c, "millrace.state", slice_of(key), slice_of("{\"partitions\":{\"" CASE_TOPIC "\":[0]}}"));
    flush(c);
    CLEANUP(memory_free_pointer) char *group = memory_format("millrace.%s", function);
    rd_kafka_t *rk = open_client(c, KAFKA_CONSUMER, (const char *[]){"group.id", group, NULL});
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, CASE_TOPIC, 0)->offset = offset;
    INVARIANT(rd_kafka_commit(rk, list, 0) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
}

/** Replaces NUL bytes by dots, to get a C string. */
static void write_bytes(struct bytes *out, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = ((const uint8_t *)data)[i];
        bytes_append_byte(out, byte == 0 ? '.' : byte);
    }
}

static void write_record(struct bytes *out, rd_kafka_message_t *message)
{
    write_bytes(out, message->key, message->key_len);
    bytes_append_byte(out, '|');
    write_bytes(out, message->payload, message->len);
    bytes_append_byte(out, '|');
    rd_kafka_headers_t *headers;
    const char *name;
    const void *value;
    size_t size;
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        for (size_t i = 0;
             rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
            bytes_format(out, "%s=%.*s;", name, (int)size, (const char *)value);
        }
    }
    bytes_append_byte(out, '\n');
}

char *case_read_topic(const struct bridge_case *c, const char *topic, int count)
{
    rd_kafka_t *rk = open_client(c, KAFKA_CONSUMER, (const char *[]){"group.id", "reader", NULL});
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    INVARIANT(rd_kafka_assign(rk, list) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    CLEANUP(bytes_clear) struct bytes out = {0};
    while (count > 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 10000);
        INVARIANT(message != NULL);
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            write_record(&out, message);
            count--;
        }
        rd_kafka_message_destroy(message);
    }
    (void)rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return slice_to_string(bytes_slice(&out));
}
