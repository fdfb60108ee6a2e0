#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/kafka/kafka_refusal.h"

// As librdkafka 2.0.2 writes it, without its thread.
static const char LINE[] =
    "127.0.0.1:9092/1: shop.public.items [3]: MessageSet with 2 message(s) (MsgId 7, BaseSeq 6) encountered "
    "error: Broker: Not enough in-sync replicas (actions Retry,MsgNotPersisted)";

static void a_refusal_is_told_with_its_topic_its_partition_and_the_name_of_the_error(void **state)
{
    (void)state;
    struct kafka_refusal *r = kafka_refusal_new();
    char text[320] = "";
    assert_false(kafka_refusal_get(r, text, sizeof(text)));
    kafka_refusal_note(r, "MSGSET", LINE);
    assert_true(kafka_refusal_get(r, text, sizeof(text)));
    assert_string_equal(text, "topic shop.public.items, partition 3: Broker: Not enough in-sync replicas "
                              "(NOT_ENOUGH_REPLICAS)");
    kafka_refusal_free(r);
}

static void other_lines_are_none(void **state)
{
    (void)state;
    struct kafka_refusal *r = kafka_refusal_new();
    char text[320] = "";
    kafka_refusal_note(r, "PRODUCE", LINE);
    kafka_refusal_note(
        r, "MSGSET", "127.0.0.1:9092/1: a [0]: MessageSet with 1 message(s) (MsgId 1, BaseSeq 0) delivered");
    kafka_refusal_note(r, "MSGSET", " encountered error: Broker: x");
    kafka_refusal_note(r, "MSGSET", "]: MessageSet with  encountered error: x");
    kafka_refusal_note(r, "MSGSET", "[]: MessageSet with  encountered error: x");
    assert_false(kafka_refusal_get(r, text, sizeof(text)));
    kafka_refusal_free(r);
}

static void a_line_cut_anywhere_is_read_without_harm(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof(LINE); size++) {
        struct kafka_refusal *r = kafka_refusal_new();
        char *line = strndup(LINE, size);
        char text[320];
        kafka_refusal_note(r, "MSGSET", line);
        (void)kafka_refusal_get(r, text, sizeof(text));
        free(line);
        kafka_refusal_free(r);
    }
}

static void a_refusal_is_forgotten_when_no_other_follows(void **state)
{
    (void)state;
    struct kafka_refusal *r = kafka_refusal_new();
    char text[320];
    clock_fake(0, 0);
    kafka_refusal_note(r, "MSGSET", LINE);
    clock_fake(5 * CLOCK_US_PER_S, 0);
    assert_true(kafka_refusal_get(r, text, sizeof(text)));
    clock_fake(30 * CLOCK_US_PER_S, 0);
    assert_false(kafka_refusal_get(r, text, sizeof(text)));
    clock_fake(-1, 0);
    kafka_refusal_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_is_told_with_its_topic_its_partition_and_the_name_of_the_error),
        cmocka_unit_test(other_lines_are_none),
        cmocka_unit_test(a_line_cut_anywhere_is_read_without_harm),
        cmocka_unit_test(a_refusal_is_forgotten_when_no_other_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
