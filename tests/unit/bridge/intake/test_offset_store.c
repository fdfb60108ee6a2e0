// bridge/intake/offset_store: what the answer to a commit means.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/intake/offset_store.h"

enum { PARTITIONS = 3 };

/** Partitions of one topic, each with its first record settled and its commit in progress. */
static void begin(struct partition *partitions, rd_kafka_topic_partition_list_t **ret)
{
    *ret = rd_kafka_topic_partition_list_new(PARTITIONS);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        struct partition *p = &partitions[i];
        *p = (struct partition){.topic = (char *)"a", .number = i};
        p->next = i + 1 < PARTITIONS ? &partitions[i + 1] : NULL;
        progress_init(&p->progress, -1);
        progress_settle(&p->progress, progress_open(&p->progress, 0, -1));
        progress_commit_begun(&p->progress, progress_next_commit(&p->progress));
        rd_kafka_topic_partition_list_add(*ret, "a", i)->offset = 1;
    }
}

static void end(struct partition *partitions, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_topic_partition_list_destroy(list);
    for (int i = 0; i < PARTITIONS; i++) {
        progress_clear(&partitions[i].progress);
    }
}

static void only_partitions_without_an_error_have_come_on(void **state)
{
    (void)state;
    struct partition partitions[PARTITIONS];
    rd_kafka_topic_partition_list_t *list;
    begin(partitions, &list);
    list->elems[1].err = RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    rd_kafka_topic_partition_list_del(list, "a", 2);
    offset_store_commit_ended(&(struct offset_store){.partitions = &(struct partition *){partitions}},
                              RD_KAFKA_RESP_ERR_NO_ERROR, list);
    assert_int_equal(progress_next_commit(&partitions[0].progress), -1);
    assert_int_equal(progress_next_commit(&partitions[1].progress), 1);
    assert_int_equal(progress_next_commit(&partitions[2].progress), 1);
    end(partitions, list);
}

static void a_commit_that_failed_as_a_whole_moves_none(void **state)
{
    (void)state;
    struct partition partitions[PARTITIONS];
    rd_kafka_topic_partition_list_t *list;
    begin(partitions, &list);
    offset_store_commit_ended(&(struct offset_store){.partitions = &(struct partition *){partitions}},
                              RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, NULL);
    for (int i = 0; i < PARTITIONS; i++) {
        assert_int_equal(progress_next_commit(&partitions[i].progress), 1);
    }
    end(partitions, list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_partitions_without_an_error_have_come_on),
        cmocka_unit_test(a_commit_that_failed_as_a_whole_moves_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
