#include "bridge/jobs/replay_plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/intake/start_offsets.h"
#include "core/kafka/kafka_client.h"
#include "core/kafka/kafka_query.h"

static bool kafka_fault(struct fault *f, rd_kafka_resp_err_t code, const char *what)
{
    return fault_from(f, FAULT_RETRY, "librdkafka", code, "%s: %s", what, rd_kafka_err2str(code));
}

static bool is_wanted(const void *self, const char *topic)
{
    const struct replay_scope *scope = self;
    return text_list_glob_match(&scope->config->source.topics, topic) &&
           (scope->range.topic == NULL || text_glob_match(scope->range.topic, topic));
}

static bool list_partitions(const struct replay_scope *scope, rd_kafka_t *rk,
                            rd_kafka_topic_partition_list_t *list, struct fault *f)
{
    rd_kafka_resp_err_t code = kafka_query_partitions(rk, is_wanted, scope, list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_fault(f, code, "Kafka does not say which topics it has");
    }
    return list->cnt > 0 || fault_set(f, FAULT_CONFIG, "no topic of the function matches");
}

/** Keeps offsets within the log. */
static void clamp(rd_kafka_topic_partition_list_t *list, const rd_kafka_topic_partition_list_t *lowest,
                  const rd_kafka_topic_partition_list_t *highest)
{
    for (int i = 0; i < list->cnt; i++) {
        int64_t low = lowest->elems[i].offset;
        int64_t high = highest->elems[i].offset;
        int64_t *offset = &list->elems[i].offset;
        *offset = *offset < low ? low : *offset > high ? high : *offset;
    }
}

static bool find(const struct replay_scope *scope, rd_kafka_t *rk, const char *option, const char *text,
                 rd_kafka_topic_partition_list_t *list, struct fault *f)
{
    struct start_position at;
    if (!start_position_parse_any(text, &at, f)) {
        return fault_context(f, "--%s", option);
    }
    // A replay to an LSN has that transaction; to an offset or a time it ends before it.
    at.value += at.kind == FUNCTION_START_LSN && strcmp(option, "to") == 0 && at.value < INT64_MAX ? 1 : 0;
    return start_offsets_find(rk, scope->settings, &at, list, f);
}

static bool commit(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *starts, struct fault *f)
{
    rd_kafka_resp_err_t code = rd_kafka_commit(rk, starts, 0);
    bool is_in_use = code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
                     code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
                     code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           kafka_fault(f, code,
                       is_in_use ? "this replay runs already, or did until some seconds ago; --name begins "
                                   "another"
                                 : "committing where the replay begins");
}

static bool make_plan(const struct replay_scope *scope, rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
                      rd_kafka_topic_partition_list_t **ret_ends, struct fault *f)
{
    if (!list_partitions(scope, rk, list, f)) {
        return false;
    }
    const struct start_position earliest = {FUNCTION_START_EARLIEST, 0};
    rd_kafka_topic_partition_list_t *lowest = rd_kafka_topic_partition_list_copy(list);
    rd_kafka_topic_partition_list_t *highest = rd_kafka_topic_partition_list_copy(list);
    rd_kafka_topic_partition_list_t *starts = rd_kafka_topic_partition_list_copy(list);
    rd_kafka_topic_partition_list_t *ends = rd_kafka_topic_partition_list_copy(list);
    bool is_good = start_offsets_find(rk, scope->settings, &earliest, lowest, f) &&
                   start_offsets_ends(rk, highest, f) &&
                   find(scope, rk, "from", scope->range.from, starts, f) &&
                   find(scope, rk, "to", scope->range.to == NULL ? "latest" : scope->range.to, ends, f);
    if (is_good) {
        clamp(starts, lowest, highest);
        clamp(ends, starts, highest);
        is_good = commit(rk, starts, f);
    }
    rd_kafka_topic_partition_list_destroy(lowest);
    rd_kafka_topic_partition_list_destroy(highest);
    rd_kafka_topic_partition_list_destroy(starts);
    if (is_good) {
        *ret_ends = ends;
    } else {
        rd_kafka_topic_partition_list_destroy(ends);
    }
    return is_good;
}

bool replay_plan_make(const struct replay_scope *scope, rd_kafka_topic_partition_list_t **ret_ends,
                      struct fault *f)
{
    const char *extra[] = {"group.id", scope->group, NULL};
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk;
    if (!kafka_client_conf(scope->settings, KAFKA_CONSUMER, extra, &conf, f) ||
        !kafka_client_open(conf, KAFKA_CONSUMER, &rk, f)) {
        return false;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    bool is_good = make_plan(scope, rk, list, ret_ends, f);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return is_good;
}

static const char *text_of(const char *text)
{
    return text == NULL ? "" : text;
}

json_t *replay_plan_record(const struct replay_range *range, const rd_kafka_topic_partition_list_t *ends)
{
    json_t *record = json_pack("{s:s, s:s, s:s, s:s, s:{}}", "from", range->from, "to", text_of(range->to),
                               "key", text_of(range->key), "topic", text_of(range->topic), "ends");
    INVARIANT(record != NULL);
    json_t *topics = json_object_get(record, "ends");
    for (int i = 0; i < ends->cnt; i++) {
        const rd_kafka_topic_partition_t *end = &ends->elems[i];
        char number[16];
        (void)snprintf(number, sizeof(number), "%" PRId32, end->partition);
        if (json_object_get(topics, end->topic) == NULL) {
            json_object_set_new(topics, end->topic, json_object());
        }
        json_object_set_new(json_object_get(topics, end->topic), number, json_integer(end->offset));
    }
    return record;
}

static bool has_text(const json_t *record, const char *name, const char *text)
{
    const char *value = json_string_value(json_object_get(record, name));
    return value != NULL && strcmp(value, text_of(text)) == 0;
}

bool replay_plan_read(const json_t *record, const struct replay_range *range,
                      rd_kafka_topic_partition_list_t **ret_ends, struct fault *f)
{
    if (!has_text(record, "from", range->from) || !has_text(record, "to", range->to) ||
        !has_text(record, "key", range->key) || !has_text(record, "topic", range->topic)) {
        const char *from = json_string_value(json_object_get(record, "from"));
        const char *to = json_string_value(json_object_get(record, "to"));
        return fault_set(
            f, FAULT_CONFIG,
            "an unfinished replay of this name has other limits (--from %s%s%s): --restart gives it "
            "up and begins anew, --name begins another",
            text_of(from), to == NULL || *to == '\0' ? "" : " --to ", text_of(to));
    }
    rd_kafka_topic_partition_list_t *ends = rd_kafka_topic_partition_list_new(16);
    const char *topic;
    json_t *numbers;
    json_object_foreach(json_object_get(record, "ends"), topic, numbers)
    {
        const char *number;
        json_t *offset;
        json_object_foreach(numbers, number, offset)
        {
            rd_kafka_topic_partition_list_add(ends, topic, (int32_t)strtol(number, NULL, 10))->offset =
                json_integer_value(offset);
        }
    }
    *ret_ends = ends;
    return true;
}
