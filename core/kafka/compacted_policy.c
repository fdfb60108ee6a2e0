//   MAKING: CreateTopics  ->  DESCRIBING: DescribeConfigs  ->  (REPAIRING: AlterConfigs)  ->  COUNTING  ->
//   ENDED
//
// AlterConfigs replaces all settings of a topic, so the request repeats those that were set on it. COUNTING
// is a dry run of CreatePartitions to two, which the broker refuses when the topic has two already.
#include "core/kafka/compacted_policy.h"

#include <string.h>

#include "core/base/log.h"

#define POLICY_NAME "cleanup.policy"
#define POLICY_VALUE "compact"

enum { REQUEST_TIMEOUT_MS = 10000 };

// clang-format off
#define STATES(X) X(MAKING) X(DESCRIBING) X(REPAIRING) X(COUNTING) X(ENDED)
// clang-format on

enum state {
#define X(name) STATE_##name,
    STATES(X)
#undef X
};

struct compacted_policy {
    rd_kafka_t *rk;  // lent
    char *topic;
    const char *bootstrap;  // lent
    struct kafka_admin *admin;
    rd_kafka_queue_t *queue;
    struct kafka_watch *watch;
    enum state state;
    kafka_on_done on_done;
    void *self;
};

#define BIT(name) (1u << STATE_##name)

static void enter(struct compacted_policy *p, enum state to)
{
    static const unsigned TO[] = {
        [STATE_MAKING] = BIT(DESCRIBING) | BIT(ENDED),
        [STATE_DESCRIBING] = BIT(REPAIRING) | BIT(COUNTING) | BIT(ENDED),
        [STATE_REPAIRING] = BIT(COUNTING) | BIT(ENDED),
        [STATE_COUNTING] = BIT(ENDED),
        [STATE_ENDED] = 0,
    };
    INVARIANT((TO[p->state] & (1u << to)) != 0);
    p->state = to;
}

static void end(struct compacted_policy *p, const struct fault *f)
{
    enter(p, STATE_ENDED);
    p->on_done(p->self, f);
}

static bool is_forbidden(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

static rd_kafka_AdminOptions_t *new_options(const struct compacted_policy *p, rd_kafka_admin_op_t kind)
{
    char why[128];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(p->rk, kind);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, REQUEST_TIMEOUT_MS, why, sizeof(why));
    return options;
}

static void describe(struct compacted_policy *p)
{
    enter(p, STATE_DESCRIBING);
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, p->topic);
    rd_kafka_AdminOptions_t *options = new_options(p, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_DescribeConfigs(p->rk, &resource, 1, options, p->queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy(resource);
}

static void count_partitions(struct compacted_policy *p)
{
    char why[128];
    enter(p, STATE_COUNTING);
    rd_kafka_NewPartitions_t *second = rd_kafka_NewPartitions_new(p->topic, 2, why, sizeof(why));
    rd_kafka_AdminOptions_t *options = new_options(p, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS);
    (void)rd_kafka_AdminOptions_set_validate_only(options, 1, why, sizeof(why));
    rd_kafka_CreatePartitions(p->rk, &second, 1, options, p->queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewPartitions_destroy(second);
}

static void repair(struct compacted_policy *p, const rd_kafka_ConfigEntry_t **entries, size_t count)
{
    enter(p, STATE_REPAIRING);
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, p->topic);
    for (size_t i = 0; i < count; i++) {
        const char *name = rd_kafka_ConfigEntry_name(entries[i]);
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (rd_kafka_ConfigEntry_source(entries[i]) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG &&
            value != NULL && strcmp(name, POLICY_NAME) != 0) {
            (void)rd_kafka_ConfigResource_set_config(resource, name, value);
        }
    }
    (void)rd_kafka_ConfigResource_set_config(resource, POLICY_NAME, POLICY_VALUE);
    rd_kafka_AdminOptions_t *options = new_options(p, RD_KAFKA_ADMIN_OP_ALTERCONFIGS);
    rd_kafka_AlterConfigs(p->rk, &resource, 1, options, p->queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy(resource);
}

static const char *find_policy(const rd_kafka_ConfigEntry_t **entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), POLICY_NAME) == 0) {
            return rd_kafka_ConfigEntry_value(entries[i]);
        }
    }
    return NULL;
}

static void on_described(struct compacted_policy *p, const rd_kafka_ConfigResource_t *resource)
{
    rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resource);
    size_t count = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    const char *policy = find_policy(entries, count);
    struct fault f;
    if (is_forbidden(code)) {
        log_info("kafka", "topic_unchecked", LOG_WITH(LOG_TEXT("topic", p->topic)),
                 "not allowed to describe the settings of topic %s: its " POLICY_NAME
                 " must be " POLICY_VALUE,
                 p->topic);
        end(p, NULL);
    } else if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)fault_from(&f, FAULT_RETRY, "librdkafka", code, "describing the settings of topic %s: %s",
                         p->topic, rd_kafka_err2str(code));
        end(p, &f);
    } else if (policy != NULL && strcmp(policy, POLICY_VALUE) != 0) {
        repair(p, entries, count);
    } else {
        count_partitions(p);
    }
}

static void on_repaired(struct compacted_policy *p, const rd_kafka_ConfigResource_t *resource)
{
    rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resource);
    struct fault f;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        log_warn("kafka", "topic_repaired", LOG_WITH(LOG_TEXT("topic", p->topic)),
                 "records of topic %s would have expired: set its " POLICY_NAME " to " POLICY_VALUE,
                 p->topic);
        count_partitions(p);
        return;
    }
    (void)fault_from(&f, FAULT_CONFIG, "librdkafka", code,
                     "the records of topic %s expire, and changing its settings failed (%s): run "
                     "kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s "
                     "--add-config " POLICY_NAME "=" POLICY_VALUE,
                     p->topic, rd_kafka_err2str(code), p->bootstrap, p->topic);
    end(p, &f);
}

/** Only partition 0 is written and read: further partitions deserve a warning, no error. */
static void on_counted(struct compacted_policy *p, rd_kafka_event_t *event)
{
    size_t count = 0;
    const rd_kafka_CreatePartitions_result_t *result = rd_kafka_event_CreatePartitions_result(event);
    const rd_kafka_topic_result_t **topics =
        result == NULL ? NULL : rd_kafka_CreatePartitions_result_topics(result, &count);
    if (count == 1 && rd_kafka_topic_result_error(topics[0]) == RD_KAFKA_RESP_ERR_INVALID_PARTITIONS) {
        log_warn("kafka", "topic_partitions", LOG_WITH(LOG_TEXT("topic", p->topic)),
                 "topic %s has more than one partition; only partition 0 is used", p->topic);
    }
    end(p, NULL);
}

/** The requested resource; NULL and *f when the whole request failed. */
static const rd_kafka_ConfigResource_t *resource_of(const struct compacted_policy *p, rd_kafka_event_t *event,
                                                    struct fault *f)
{
    size_t count = 0;
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    const rd_kafka_ConfigResource_t **resources = NULL;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        resources =
            p->state == STATE_DESCRIBING
                ? rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event),
                                                            &count)
                : rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event), &count);
    }
    if (count == 1) {
        return resources[0];
    }
    (void)fault_from(f, FAULT_RETRY, "librdkafka", code, "the settings of topic %s: %s", p->topic,
                     rd_kafka_event_error_string(event));
    return NULL;
}

static void on_event(struct compacted_policy *p, rd_kafka_event_t *event)
{
    struct fault f;
    if (p->state == STATE_COUNTING) {
        on_counted(p, event);
        return;
    }
    const rd_kafka_ConfigResource_t *resource = resource_of(p, event, &f);
    if (resource == NULL) {
        end(p, &f);
    } else if (p->state == STATE_DESCRIBING) {
        on_described(p, resource);
    } else {
        on_repaired(p, resource);
    }
}

static void on_ready(void *self)
{
    struct compacted_policy *p = self;
    rd_kafka_event_t *event = rd_kafka_queue_poll(p->queue, 0);
    if (event == NULL) {
        return;
    }
    on_event(p, event);  // may free `p`
    rd_kafka_event_destroy(event);
}

static void on_made(void *self, const struct fault *f)
{
    struct compacted_policy *p = self;
    if (f != NULL || kafka_admin_is_embedded(p->admin)) {
        end(p, f);
    } else {
        describe(p);
    }
}

struct compacted_policy *compacted_policy_start(uv_loop_t *loop, rd_kafka_t *rk, const char *topic,
                                                const char *bootstrap, kafka_on_done on_done, void *self)
{
    struct compacted_policy *p = memory_zeroed(1, sizeof(*p));
    p->rk = rk;
    p->topic = memory_string(topic);
    p->bootstrap = bootstrap == NULL ? "…" : bootstrap;
    p->on_done = on_done;
    p->self = self;
    p->admin = kafka_admin_start(loop, rk);
    p->queue = rd_kafka_queue_new(rk);
    p->watch = kafka_watch_start(loop, p->queue, on_ready, p);
    struct text_pairs config = {0};
    text_pairs_set(&config, POLICY_NAME, POLICY_VALUE);
    const struct kafka_topic_spec spec = {topic, 1, 0, &config};
    kafka_admin_ensure_topic(p->admin, &spec, on_made, p);
    text_pairs_clear(&config);
    return p;
}

void compacted_policy_stop(struct compacted_policy *p)
{
    if (p == NULL) {
        return;
    }
    kafka_admin_stop(p->admin);
    kafka_watch_stop(p->watch);
    rd_kafka_queue_destroy(p->queue);
    free(p->topic);
    free(p);
}
