#include "bridge/function/registration_plan.h"

#include <inttypes.h>

#include "bridge/intake/start_offsets.h"
#include "core/base/log.h"
#include "core/kafka/kafka_client.h"
#include "core/kafka/kafka_query.h"

static bool kafka_fault(struct fault *f, rd_kafka_resp_err_t code, const char *what)
{
    bool is_forbidden = code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
                        code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    bool is_refused = is_forbidden || code == RD_KAFKA_RESP_ERR__AUTHENTICATION;
    return fault_from(f, is_refused ? FAULT_CONFIG : FAULT_RETRY, "librdkafka", code, "%s: %s%s", what,
                      rd_kafka_err2str(code),
                      is_forbidden ? ": allow READ on the topics and on group millrace.*" : "");
}

static bool is_wanted(const void *self, const char *topic)
{
    const struct registration_scope *scope = self;
    return text_list_glob_match(&scope->config->source.topics, topic);
}

/** Lists all partitions of the function's topics. */
static bool list_partitions(const struct registration_scope *scope, rd_kafka_topic_partition_list_t *list,
                            struct fault *f)
{
    rd_kafka_resp_err_t code = kafka_query_partitions(scope->rk, is_wanted, scope, list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || kafka_fault(f, code, "listing the topics");
}

/** Fills in the committed offsets; a partition without one gets a negative offset. */
static bool ask_committed(const struct registration_scope *scope, rd_kafka_topic_partition_list_t *list,
                          struct fault *f)
{
    CLEANUP(memory_free_pointer) char *group = function_config_group(scope->config->name);
    rd_kafka_resp_err_t code = kafka_query_group_offsets(scope->rk, group, list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || kafka_fault(f, code, "fetching the committed offsets");
}

/** Logs a partition that does not continue at a committed offset. */
static void log_step(const struct registration_scope *scope, enum registration_step step,
                     const rd_kafka_topic_partition_t *which)
{
    bool is_expired = step == REGISTRATION_EXPIRED;
    bool is_ruled = step == REGISTRATION_START && scope->config->source.start != FUNCTION_START_EARLIEST;
    const char *start = !is_ruled                                              ? "beginning"
                        : scope->config->source.start == FUNCTION_START_LATEST ? "end"
                                                                               : "source.start";
    log_write(is_expired ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, scope->component,
              is_expired ? "offset_expired" : "partition_added",
              LOG_WITH(LOG_TEXT("topic", which->topic), LOG_NUMBER("partition", which->partition)),
              is_expired ? "group millrace.%s has lost its offset: continuing at the %s"
                         : "new to function %s: starting at its %s",
              scope->config->name, start);
}

/** Decides where each partition begins. `all` has the committed offsets. */
static void decide(const struct registration_scope *scope, const rd_kafka_topic_partition_list_t *all,
                   struct registration_plan *plan)
{
    struct registration_offsets offsets = {0};
    for (int i = 0; i < all->cnt; i++) {
        offsets.has_any = offsets.has_any || all->elems[i].offset >= 0;
    }
    if (scope->known == NULL && offsets.has_any) {
        log_warn(
            scope->component, "registration_lost", NULL,
            "the record of this function in millrace.state is gone: continuing at the committed offsets");
    }
    for (int i = 0; i < all->cnt; i++) {
        const rd_kafka_topic_partition_t *which = &all->elems[i];
        offsets.own = which->offset;
        enum registration_step step = registration_decide(scope->known, scope->config->source.start, &offsets,
                                                          which->topic, which->partition);
        if (step == REGISTRATION_START) {
            rd_kafka_topic_partition_list_add(plan->starting, which->topic, which->partition)->offset =
                RD_KAFKA_OFFSET_INVALID;
        }
        // The consumer says where one begins that has appeared: it may appear later, too.
        bool is_told = step == REGISTRATION_START || step == REGISTRATION_EXPIRED;
        if (is_told && (scope->known != NULL || offsets.has_any)) {
            log_step(scope, step, which);
        }
        if (step != REGISTRATION_APPEARED) {  // that one is added once it has a committed offset
            (void)registration_record_add(plan->record, which->topic, which->partition);
        }
        plan->expired_count += step == REGISTRATION_EXPIRED ? 1 : 0;
    }
}

/** Finds the offsets of the partitions that begin now, except those that another start has written down. */
static bool find_offsets(const struct registration_scope *scope, rd_kafka_topic_partition_list_t *starting,
                         struct fault *f)
{
    rd_kafka_topic_partition_list_t *asked = rd_kafka_topic_partition_list_new(starting->cnt);
    for (int i = 0; i < starting->cnt; i++) {
        rd_kafka_topic_partition_t *which = &starting->elems[i];
        which->offset = registration_record_offset(scope->known, which->topic, which->partition);
        if (which->offset < 0) {
            rd_kafka_topic_partition_list_add(asked, which->topic, which->partition);
        }
    }
    const struct start_position at = {scope->config->source.start, scope->config->source.start_value};
    bool is_good = asked->cnt == 0 || start_offsets_find(scope->rk, scope->settings, &at, asked, f);
    for (int i = 0; i < asked->cnt && is_good; i++) {
        const rd_kafka_topic_partition_t *found = &asked->elems[i];
        rd_kafka_topic_partition_list_find(starting, found->topic, found->partition)->offset = found->offset;
    }
    rd_kafka_topic_partition_list_destroy(asked);
    return is_good;
}

bool registration_plan_make(const struct registration_scope *scope, struct registration_plan *ret,
                            struct fault *f)
{
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(16);
    bool is_good = list_partitions(scope, all, f) && ask_committed(scope, all, f);
    if (is_good) {
        ret->partition_count = (size_t)all->cnt;
        ret->record = registration_record_new(scope->known, scope->config);
        ret->starting = rd_kafka_topic_partition_list_new(all->cnt);
        decide(scope, all, ret);
        is_good = find_offsets(scope, ret->starting, f);
    }
    for (int i = 0; is_good && i < ret->starting->cnt; i++) {
        const rd_kafka_topic_partition_t *which = &ret->starting->elems[i];
        registration_record_set_offset(ret->record, which->topic, which->partition, which->offset);
    }
    rd_kafka_topic_partition_list_destroy(all);
    return is_good;
}

static bool is_group_in_use(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID || code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
           code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
}

/** The partitions of the list that have no committed offset; the caller destroys them. NULL: `f` says why. */
static rd_kafka_topic_partition_list_t *without_offset(const struct registration_scope *scope,
                                                       const rd_kafka_topic_partition_list_t *list,
                                                       struct fault *f)
{
    rd_kafka_topic_partition_list_t *committed = rd_kafka_topic_partition_list_copy(list);
    rd_kafka_topic_partition_list_t *ret = NULL;
    if (ask_committed(scope, committed, f)) {
        ret = rd_kafka_topic_partition_list_new(list->cnt);
    }
    for (int i = 0; ret != NULL && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *which = &list->elems[i];
        if (rd_kafka_topic_partition_list_find(committed, which->topic, which->partition)->offset < 0) {
            rd_kafka_topic_partition_list_add(ret, which->topic, which->partition)->offset = which->offset;
        }
    }
    rd_kafka_topic_partition_list_destroy(committed);
    return ret;
}

/** A commit is refused while the group has members. Then another process may have committed the same offsets
 * first, and joined. */
static bool judge_refusal(const struct registration_scope *scope, rd_kafka_topic_partition_list_t *list,
                          rd_kafka_resp_err_t code, struct fault *f)
{
    if (!is_group_in_use(code)) {
        return kafka_fault(f, code, "committing the start offsets");
    }
    rd_kafka_topic_partition_list_t *left = without_offset(scope, list, f);
    if (left == NULL) {
        return false;
    }
    bool is_good = left->cnt == 0;
    rd_kafka_topic_partition_list_destroy(left);
    return is_good || kafka_fault(f, code,
                                  "committing the start offsets of added topics (other processes that run "
                                  "this function must stop or load the new file first)");
}

bool registration_plan_commit(const struct registration_scope *scope, const struct registration_plan *plan,
                              struct fault *f)
{
    rd_kafka_topic_partition_list_t *left = without_offset(scope, plan->starting, f);
    bool is_good = left != NULL;
    if (is_good && left->cnt > 0) {
        CLEANUP(memory_free_pointer) char *group = function_config_group(scope->config->name);
        rd_kafka_resp_err_t code = kafka_query_group_commit(scope->rk, group, left);
        is_good = code == RD_KAFKA_RESP_ERR_NO_ERROR || judge_refusal(scope, left, code, f);
    }
    if (left != NULL) {
        rd_kafka_topic_partition_list_destroy(left);
    }
    return is_good;
}

void registration_plan_clear(struct registration_plan *plan)
{
    json_decref(plan->record);
    if (plan->starting != NULL) {
        rd_kafka_topic_partition_list_destroy(plan->starting);
    }
    *plan = (struct registration_plan){0};
}
