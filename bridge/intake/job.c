#include "bridge/intake/job.h"

#include "core/base/clock.h"

int64_t job_end_of(const struct job *job, const char *topic, int32_t partition)
{
    const rd_kafka_topic_partition_t *found = rd_kafka_topic_partition_list_find(
        (rd_kafka_topic_partition_list_t *)(uintptr_t)job->ends, topic, partition);
    return found == NULL ? 0 : found->offset;
}

void job_prepare(const struct job *job, struct record *r)
{
    if (job != NULL && job->prepare != NULL) {
        job->prepare(r);
    }
}

bool job_admits(struct job *job, int64_t now_us)
{
    if (job->rate == 0) {
        return true;
    }
    int64_t price_us = CLOCK_US_PER_S / job->rate;
    int64_t most_us = price_us > CLOCK_US_PER_S / 2 ? price_us : CLOCK_US_PER_S / 2;
    int64_t saved_us = job->refilled_us == 0 ? price_us : job->tokens_us + now_us - job->refilled_us;
    job->refilled_us = now_us;
    job->tokens_us = saved_us > most_us ? most_us : saved_us;
    if (job->tokens_us < price_us) {
        return false;
    }
    job->tokens_us -= price_us;
    return true;
}
