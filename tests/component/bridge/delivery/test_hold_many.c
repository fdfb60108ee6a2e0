// delivery.on_failure.hold_key with keys whose dead letters are spread over many partitions.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/intake/letter_watch.h"
#include "tests/component/bridge/bridge_case.h"

#include <librdkafka/rdkafka_mock.h>

enum { KEYS = 400, LETTER_PARTITIONS = 100, TIMEOUT_MS = 10000 };
#define LETTERS "millrace.dlq.many"

/** Partitions of the dead-letter topic that were looked at. */
static bool is_looked_at[LETTER_PARTITIONS];

void __real_letter_watch_look(struct letter_watch *w, const char *topic, const int32_t *partitions,
                              size_t count);
void __wrap_letter_watch_look(struct letter_watch *w, const char *topic, const int32_t *partitions,
                              size_t count);

void __wrap_letter_watch_look(struct letter_watch *w, const char *topic, const int32_t *partitions,
                              size_t count)
{
    assert_true(count <= LETTER_PARTITIONS);  // each once
    for (size_t i = 0; i < count; i++) {
        is_looked_at[partitions[i]] = true;
    }
    __real_letter_watch_look(w, topic, partitions, count);
}

static struct stub_answer refuses_all(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 400};
}

static bool has_parked(struct bridge_case *c, int64_t n)
{
    CLEANUP(bytes_clear) struct bytes status = {0};
    CLEANUP(memory_free_pointer) char *text = memory_format("\"parked_keys\":%d,", (int)n);
    bridge_status(c->bridge, &status);
    return strstr(bytes_text(&status), text) != NULL;
}

static bool has_looked_at(struct bridge_case *c, int64_t n)
{
    (void)c;
    int64_t count = 0;
    for (size_t i = 0; i < LETTER_PARTITIONS; i++) {
        count += is_looked_at[i] ? 1 : 0;
    }
    return count == n;
}

static int64_t partitions_with_letters(const struct bridge_case *c)
{
    int64_t count = 0;
    for (int32_t i = 0; i < LETTER_PARTITIONS; i++) {
        int64_t low;
        int64_t high;
        assert_int_equal(rd_kafka_query_watermark_offsets(c->producer, LETTERS, i, &low, &high, TIMEOUT_MS),
                         0);
        count += high > 0 ? 1 : 0;
    }
    return count;
}

/** Else a letter that is settled in a partition that is never looked at releases its key only after others.
 */
static void the_letters_of_all_held_keys_are_looked_for(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, refuses_all, NULL);
    assert_int_equal(
        rd_kafka_mock_topic_create(rd_kafka_handle_mock_cluster(c.broker), LETTERS, LETTER_PARTITIONS, 1), 0);
    struct function_config *config = case_config(&c, "many");
    free(config->delivery.on_failure.dead_letter);
    config->delivery.on_failure.dead_letter = memory_string(LETTERS);
    config->delivery.on_failure.hold_key = true;
    case_distinct_changes(&c, KEYS, 1);
    case_apply(&c, config);
    case_run_until(&c, has_parked, KEYS);
    int64_t count = partitions_with_letters(&c);
    assert_in_range(count, 65, LETTER_PARTITIONS);
    case_run_until(&c, has_looked_at, count);
    case_stop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_letters_of_all_held_keys_are_looked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
