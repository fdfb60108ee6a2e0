// bridge/delivery/work_item: the identity of an event, by which failures of the same event are told from
// those of several.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/delivery/work_item.h"
#include "core/base/memory.h"

static void on_ready(void *self)
{
    (void)self;
}

/** The identity of the event at the offset, in a partition that was just assigned from `from` on. */
static uint64_t identity(const char *topic, int32_t partition, int64_t from, int64_t offset)
{
    rd_kafka_topic_partition_t which = {.topic = (char *)topic, .partition = partition, .offset = from};
    struct partition *p = partition_open(NULL, &which, on_ready);
    struct work_item item = {.partition = p, .ticket = progress_open(&p->progress, offset, 0)};
    uint64_t ret = work_item_identity(&item);
    progress_settle(&p->progress, item.ticket);
    partition_free(p);
    return ret;
}

static void an_event_stays_the_same_when_its_partition_is_assigned_again(void **state)
{
    (void)state;
    const uint64_t before = identity("t", 1, 5, 7);
    CLEANUP(memory_free_pointer) void *elsewhere = memory_new(sizeof(struct partition));
    (void)elsewhere;
    assert_true(identity("t", 1, 7, 7) == before);
    assert_true(before != 0);
    assert_true(identity("t", 1, 5, 8) != before);
    assert_true(identity("t", 2, 5, 7) != before);
    assert_true(identity("u", 1, 5, 7) != before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_stays_the_same_when_its_partition_is_assigned_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
