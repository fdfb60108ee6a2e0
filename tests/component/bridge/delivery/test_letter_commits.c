// A dead letter that was stored is committed at once: a kill before that would store it once more.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/intake/consumer.h"
#include "bridge/intake/offset_store.h"
#include "core/base/clock.h"
#include "core/kafka/kafka_client.h"
#include "tests/component/bridge/bridge_case.h"

enum { POISONED = 1000, LETTERS = 30 };

static bool is_ticking;
static int commits;

void __real_consumer_tick(struct consumer *c);
void __wrap_consumer_tick(struct consumer *c);
bool __real_offset_store_commit(struct offset_store *s, bool is_last);
bool __wrap_offset_store_commit(struct offset_store *s, bool is_last);

/** The commit of the tick comes half a second late, after a kill perhaps. */
void __wrap_consumer_tick(struct consumer *c)
{
    if (is_ticking) {
        __real_consumer_tick(c);
    }
}

bool __wrap_offset_store_commit(struct offset_store *s, bool is_last)
{
    bool is_begun = __real_offset_store_commit(s, is_last);
    commits += is_begun ? 1 : 0;
    return is_begun;
}

static struct stub_answer refuses_poisoned(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)number;
    const char *at = strstr(call->body, "\"after\":{\"id\":");
    bool is_poisoned = at != NULL && strtoll(at + strlen("\"after\":{\"id\":"), NULL, 10) >= POISONED;
    return (struct stub_answer){.status = is_poisoned ? 400 : 200};
}

static bool is_committed(struct bridge_case *c, int64_t n)
{
    return case_committed(c, "fn") == n;
}

static bool has_letters(struct bridge_case *c, int64_t n)
{
    return case_metric(c, "events_total{function=\"fn\",outcome=\"dead_lettered\"}") >= (double)n;
}

static bool has_commits(struct bridge_case *c, int64_t n)
{
    (void)c;
    return commits >= n;
}

/** The function runs, and its first event is settled and committed. */
static void begin(struct bridge_case *c, bool holds_key)
{
    is_ticking = true;
    case_start(c, refuses_poisoned, NULL);
    struct function_config *config = case_config(c, "fn");
    config->delivery.on_failure.hold_key = holds_key;
    case_apply(c, config);
    case_change(c, 1, 'c', "x");
    case_run_until(c, is_committed, 1);
    is_ticking = false;
}

static void end(struct bridge_case *c)
{
    is_ticking = true;
    case_drain(c);
    case_stop(c);
}

static void a_letter_is_committed_before_the_next_tick(void **state)
{
    (void)state;
    struct bridge_case c;
    begin(&c, false);
    case_change(&c, POISONED, 'c', "x");
    case_run_until(&c, is_committed, 2);
    end(&c);
}

/** What is committed with the offset names the letter of the record at offset 1. */
static bool names_letter(struct bridge_case *c, int64_t n)
{
    const char *extra[] = {"group.id", "millrace.fn", NULL};
    struct fault f;
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk;
    assert_true(kafka_client_conf(&c->settings, KAFKA_CONSUMER, extra, &conf, &f));
    assert_true(kafka_client_open(conf, KAFKA_CONSUMER, &rk, &f));
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, CASE_TOPIC, 0);
    assert_int_equal(rd_kafka_committed(rk, list, 10000), RD_KAFKA_RESP_ERR_NO_ERROR);
    const rd_kafka_topic_partition_t *which = &list->elems[0];
    struct progress_record *r = memory_zeroed(1, sizeof(*r));
    bool is_read =
        progress_record_read(slice_make(which->metadata, which->metadata_size), which->offset, 0, r, &f);
    bool ret =
        is_read && r->attempt_count == 1 && r->attempts[0].offset == n && r->attempts[0].letter.is_stored;
    free(r);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return ret;
}

static void the_letter_of_a_held_key_is_committed_before_the_next_tick(void **state)
{
    (void)state;
    struct bridge_case c;
    begin(&c, true);
    case_change(&c, POISONED, 'c', "x");
    case_run_until(&c, names_letter, 1);
    end(&c);
}

/** While the clock stands still, only the first of many letters is committed. */
static void many_letters_are_committed_together(void **state)
{
    (void)state;
    struct bridge_case c;
    begin(&c, false);
    case_change(&c, POISONED, 'c', "x");  // the topic of the letters is made
    case_run_until(&c, is_committed, 2);
    case_run_ms(&c, 50);  // the next letter may be committed at once
    clock_fake(clock_now_us(), clock_wall_us());
    commits = 0;
    for (int i = 1; i <= LETTERS; i++) {
        case_change(&c, POISONED + i, 'c', "x");
        case_run_until(&c, has_letters, 1 + i);
    }
    case_run_until(&c, has_commits, 1);
    assert_in_range(commits, 1, 3);  // also one for calls that have ended
    clock_fake(-1, 0);
    end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_letter_is_committed_before_the_next_tick),
        cmocka_unit_test(the_letter_of_a_held_key_is_committed_before_the_next_tick),
        cmocka_unit_test(many_letters_are_committed_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
