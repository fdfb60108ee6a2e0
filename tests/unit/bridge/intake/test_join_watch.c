#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/intake/join_watch.h"
#include "core/base/memory.h"

/** What librdkafka logs when it comes from one state to another. */
static void change(struct join_watch *w, const char *from, const char *to)
{
    CLEANUP(memory_free_pointer)
    char *text = memory_format("Group \"millrace.fn\" changed join state %s -> %s (state up)", from, to);
    w->reader.on_line(w->reader.self, "CGRPJOINSTATE", text);
}

static void commits_wait_from_the_first_sign_of_a_join_to_the_assignment(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *to;
        bool can_commit;
    } CHANGES[] = {
        {"init", "wait-join", false},
        {"wait-join", "wait-metadata", false},
        {"wait-metadata", "wait-sync", false},
        {"wait-sync", "wait-unassign-call", true},
        {"wait-unassign-call", "wait-incr-unassign-to-complete", false},
        {"wait-incr-unassign-to-complete", "wait-assign-call", true},
        {"wait-assign-call", "steady", true},
        {"steady", "init", false},
        {"init", "wait-unassign-call", true},
        {"wait-unassign-call", "wait-unassign-to-complete", false},
        {"wait-unassign-to-complete", "init", false},
    };
    struct join_watch w;
    join_watch_init(&w);
    for (size_t i = 0; i < COUNT_OF(CHANGES); i++) {
        change(&w, CHANGES[i].from, CHANGES[i].to);
        assert_int_equal(join_watch_can_commit(&w), CHANGES[i].can_commit);
    }
}

static void a_state_that_is_not_known_holds_nothing_up(void **state)
{
    (void)state;
    struct join_watch w;
    join_watch_init(&w);
    assert_true(join_watch_can_commit(&w));
    change(&w, "steady", "init");
    change(&w, "init", "something-new");
    assert_true(join_watch_can_commit(&w));
    change(&w, "steady", "init");
    change(&w, "init", "steady-");
    assert_true(join_watch_can_commit(&w));
    change(&w, "steady", "init");
    w.reader.on_line(w.reader.self, "CGRPJOINSTATE", "in other words");
    assert_true(join_watch_can_commit(&w));
}

static void other_lines_change_nothing(void **state)
{
    (void)state;
    struct join_watch w;
    join_watch_init(&w);
    change(&w, "steady", "init");
    w.reader.on_line(w.reader.self, "HEARTBEAT", "changed join state init -> steady (state up)");
    assert_false(join_watch_can_commit(&w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_wait_from_the_first_sign_of_a_join_to_the_assignment),
        cmocka_unit_test(a_state_that_is_not_known_holds_nothing_up),
        cmocka_unit_test(other_lines_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
