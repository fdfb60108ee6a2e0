// A topic is found to be made again while its partition waits for room: what waits is of the old log.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/intake/consumer_state.h"
#include "bridge/intake/refetch.h"
#include "tests/component/bridge/bridge_case.h"

enum { RECORDS = 140, LANE_EVENTS = 128, NOTE_SIZE = 100000 };

static bool is_reading_held;  // evicted records are not read again
static bool is_made_again;    // at the next check in this state of the partition
static enum partition_state state_made_again;
static const struct partition *checked;

void __real_refetch_run(struct refetch *r);
void __wrap_refetch_run(struct refetch *r);
void __wrap_refetch_run(struct refetch *r)
{
    if (!is_reading_held) {
        __real_refetch_run(r);
    }
}

void __wrap_topic_check_run(struct topic_check *t);
void __wrap_topic_check_run(struct topic_check *t)
{
    struct partition *p = *t->partitions;
    checked = p;
    if (p != NULL && p->state == state_made_again && is_made_again) {
        is_made_again = false;
        t->listener.on_made_again(t->listener.self, p);
    }
}

/** Only the first call takes its time. */
static struct stub_answer first_is_slow(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    return (struct stub_answer){.status = 200, .delay_ms = number == 0 ? 1500 : 0};
}

/** All that waits behind the call was evicted, none of it was ever sent, and the lane is full. */
static bool is_full_of_tickets(struct bridge_case *c, int64_t n)
{
    (void)c;
    (void)n;
    return checked != NULL && checked->is_held && checked->item_count == 0;
}

static void the_new_log_is_read_though_the_lane_of_the_old_one_was_full(void **state)
{
    (void)state;
    struct bridge_case c;
    CLEANUP(memory_free_pointer) char *note = memory_zeroed(1, NOTE_SIZE + 1);
    memset(note, 'x', NOTE_SIZE);
    is_reading_held = true;
    case_start(&c, first_is_slow, NULL);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.order = FUNCTION_ORDER_PARTITION;
    for (int i = 0; i < RECORDS / 20; i++) {
        case_changes(&c, 20, 1, note);  // what the producer's queue takes
    }
    case_apply(&c, config);
    case_run_until(&c, is_full_of_tickets, 0);
    assert_true(case_has_calls(&c, 1));
    assert_false(case_has_calls(&c, 2));
    is_made_again = true;
    state_made_again = PARTITION_ASSIGNED;
    is_reading_held = false;
    case_run_until(&c, case_has_calls, 1 + RECORDS);
    case_stop(&c);
}

static bool has_committed(struct bridge_case *c, int64_t n)
{
    return case_committed(c, "fn") == n;
}

/** Only the second call takes its time. */
static struct stub_answer second_is_slow(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    return (struct stub_answer){.status = 200, .delay_ms = number == 1 ? 1500 : 0};
}

static void nothing_of_the_old_log_is_committed_when_its_partition_is_being_given_back(void **state)
{
    (void)state;
    struct bridge_case c;
    is_reading_held = false;
    case_start(&c, second_is_slow, NULL);
    case_apply(&c, case_config(&c, "fn"));
    case_change(&c, 1, 'c', "x");
    case_run_until(&c, has_committed, 1);
    case_change(&c, 2, 'c', "x");
    case_run_until(&c, case_has_calls, 2);
    is_made_again = true;
    state_made_again = PARTITION_REVOKED;
    case_drain(&c);
    assert_false(is_made_again);
    assert_int_equal(case_committed(&c, "fn"), 1);
    case_stop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_new_log_is_read_though_the_lane_of_the_old_one_was_full),
        cmocka_unit_test(nothing_of_the_old_log_is_committed_when_its_partition_is_being_given_back),
    };
    return case_run_part(tests, COUNT_OF(tests));
}
