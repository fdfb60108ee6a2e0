// bridge/intake/offset_store: what the answer to a commit means.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/intake/offset_store.h"
#include "bridge/intake/partition_spill.h"
#include "core/kafka/state_topic.h"

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

/** What was written to the state topic. */
static struct {
    int count;
    const char *key;
    bool has_value;
    state_on_written on_written;
    void *self;
} written;

void __wrap_state_topic_write(struct state_topic *s, const char *key, struct slice value,
                              state_on_written on_written, void *self);
void __wrap_state_topic_write(struct state_topic *s, const char *key, struct slice value,
                              state_on_written on_written, void *self)
{
    (void)s;
    written.count++;
    written.key = key;
    written.has_value = value.data != NULL;
    written.on_written = on_written;
    written.self = self;
}

static void on_spill_done(void *self, struct partition *p)
{
    (void)p;
    ++*(int *)self;
}

/** The commit of a partition whose progress is spilled is accepted. */
static int accept_commit(struct offset_store *store, struct partition *partitions, enum partition_state state,
                         bool names_spill)
{
    int done = 0;
    rd_kafka_topic_partition_list_t *list;
    begin(partitions, &list);
    struct partition *p = &partitions[0];
    p->state = state;
    p->is_spill_committing = names_spill;
    p->spill = (struct partition_spill){.state = (struct state_topic *)&written,
                                        .key = (char *)"progress/fn/a/0",
                                        .named = {.log = 7, .sequence = 1},
                                        .on_done = on_spill_done,
                                        .self = &done};
    memset(&written, 0, sizeof(written));
    *store = (struct offset_store){.partitions = &(struct partition *){partitions}};
    offset_store_commit_ended(store, RD_KAFKA_RESP_ERR_NO_ERROR, list);
    bool was_spilling = offset_store_is_spilling(store);
    if (written.count > 0) {
        assert_false(written.has_value);
        assert_string_equal(written.key, "progress/fn/a/0");
        assert_int_equal(was_spilling, state == PARTITION_REVOKED);
        written.on_written(written.self, NULL);
        assert_int_equal(done, 1);
    }
    assert_false(offset_store_is_spilling(store));
    end(partitions, list);
    return written.count;
}

/** Also by the last commit before the partition is given back, which waits for that: nobody else would. */
static void a_commit_that_says_all_deletes_what_was_spilled(void **state)
{
    (void)state;
    struct offset_store store;
    struct partition partitions[PARTITIONS];
    assert_int_equal(accept_commit(&store, partitions, PARTITION_ASSIGNED, false), 1);
    assert_int_equal(accept_commit(&store, partitions, PARTITION_REVOKED, false), 1);
    assert_int_equal(accept_commit(&store, partitions, PARTITION_LOST, false), 0);  // it is another member's
    assert_int_equal(accept_commit(&store, partitions, PARTITION_ASSIGNED, true), 0);
    assert_int_equal(accept_commit(&store, partitions, PARTITION_REVOKED, true), 0);
}

/** A record that was acknowledged while the commit was in flight: the next commit names it. */
static void a_commit_that_does_not_say_all_keeps_what_is_spilled(void **state)
{
    (void)state;
    struct partition partitions[PARTITIONS];
    rd_kafka_topic_partition_list_t *list;
    begin(partitions, &list);
    struct partition *p = &partitions[0];
    p->needs_spill = true;
    p->spill.state = (struct state_topic *)(void *)partitions;  // never used
    p->spill.named = (struct progress_spill){1, 1};
    offset_store_commit_ended(&(struct offset_store){.partitions = &(struct partition *){partitions}},
                              RD_KAFKA_RESP_ERR_NO_ERROR, list);
    assert_int_equal(p->spill.named.log, 1);
    end(partitions, list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_partitions_without_an_error_have_come_on),
        cmocka_unit_test(a_commit_that_failed_as_a_whole_moves_none),
        cmocka_unit_test(a_commit_that_does_not_say_all_keeps_what_is_spilled),
        cmocka_unit_test(a_commit_that_says_all_deletes_what_was_spilled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
