#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>

#include "cli/supervise/child.h"
#include "core/base/memory.h"

static void fill(struct child_report *r)
{
    r->is_ready = true;
    bytes_append_string(&r->status, "{\"name\":\"shop\",\"detail\":\"\xc3\xa9\\n\"}");
    bytes_append_string(&r->metrics, "# HELP x X.\nx{a=\"1\"} 2\n");
}

static void expect_filled(struct child_report *r)
{
    assert_true(r->is_ready);
    assert_string_equal(bytes_text(&r->status), "{\"name\":\"shop\",\"detail\":\"\xc3\xa9\\n\"}");
    assert_string_equal(bytes_text(&r->metrics), "# HELP x X.\nx{a=\"1\"} 2\n");
    assert_int_equal(r->fault.size, 0);
}

static void reports_come_out_as_they_went_in_one_after_the_other(void **state)
{
    (void)state;
    struct child_report sent = {0};
    struct child_report got = {0};
    struct bytes wire = {0};
    struct fault f;
    fill(&sent);
    child_report_write(&sent, &wire);
    child_report_write(&sent, &wire);
    assert_int_equal(child_report_read(&wire, &got, &f), CHILD_REPORT);
    expect_filled(&got);
    assert_int_equal(child_report_read(&wire, &got, &f), CHILD_REPORT);
    expect_filled(&got);
    assert_int_equal(child_report_read(&wire, &got, &f), CHILD_NOTHING);
    child_report_clear(&sent);
    child_report_clear(&got);
    bytes_clear(&wire);
}

static void a_report_cut_anywhere_waits_for_its_rest(void **state)
{
    (void)state;
    struct child_report sent = {0};
    struct child_report got = {0};
    struct bytes wire = {0};
    struct fault f;
    fill(&sent);
    child_report_write(&sent, &wire);
    for (size_t size = 0; size < wire.size; size++) {
        struct bytes part = {.data = memory_new(size + 1), .size = size, .capacity = size};
        memcpy(part.data, wire.data, size);
        assert_int_equal(child_report_read(&part, &got, &f), CHILD_NOTHING);
        assert_int_equal(part.size, size);
        bytes_clear(&part);
    }
    child_report_clear(&sent);
    bytes_clear(&wire);
}

static void expect_refused(const char *json)
{
    struct bytes wire = {0};
    struct child_report got = {0};
    struct fault f;
    bytes_append(&wire, (uint8_t[]){0, 0, 0, (uint8_t)strlen(json)}, 4);
    bytes_append_string(&wire, json);
    assert_int_equal(child_report_read(&wire, &got, &f), CHILD_FAULT);
    assert_int_equal(f.kind, FAULT_REJECT);
    bytes_clear(&wire);
}

static void what_no_child_sends_is_refused(void **state)
{
    (void)state;
    expect_refused("");
    expect_refused("[]");
    expect_refused("{\"ready\":1,\"status\":\"\",\"metrics\":\"\",\"fault\":\"\"}");
    expect_refused("{\"ready\":true,\"status\":{},\"metrics\":\"\",\"fault\":\"\"}");
    expect_refused("{\"ready\":true,\"status\":\"\"}");
    struct bytes wire = {0};
    struct child_report got = {0};
    struct fault f;
    bytes_append(&wire, "\xff\xff\xff\xff", 4);
    assert_int_equal(child_report_read(&wire, &got, &f), CHILD_FAULT);
    bytes_clear(&wire);
}

struct parent {
    bool is_ready;
    int filled;
    int orphaned;
};

static void on_fill(void *self, struct child_report *report)
{
    ((struct parent *)self)->filled++;
    bytes_append_string(&report->status, "{}");
}

static bool on_ask(void *self)
{
    return ((struct parent *)self)->is_ready;
}

static void on_orphan(void *self)
{
    ((struct parent *)self)->orphaned++;
}

static void the_last_words_arrive_and_a_lost_supervisor_is_noticed(void **state)
{
    (void)state;
    uv_loop_t loop;
    int ends[2];
    struct parent parent = {0};
    const struct child_source source = {on_fill, on_ask, on_orphan, &parent};
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    struct child_reporter *r = child_reporter_start(&loop, ends[0], &source);
    child_reporter_finish(r, "no such slot");
    struct bytes wire = {0};
    struct child_report got = {0};
    struct fault f;
    ssize_t size = recv(ends[1], bytes_reserve(&wire, 4096), 4096, 0);
    assert_true(size > 0);
    wire.size = (size_t)size;
    assert_int_equal(child_report_read(&wire, &got, &f), CHILD_REPORT);
    assert_string_equal(bytes_text(&got.fault), "no such slot");
    assert_int_equal(shutdown(ends[1], SHUT_RDWR), 0);
    while (parent.orphaned == 0) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    child_reporter_stop(r);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(parent.orphaned, 1);
    child_report_clear(&got);
    bytes_clear(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_come_out_as_they_went_in_one_after_the_other),
        cmocka_unit_test(a_report_cut_anywhere_waits_for_its_rest),
        cmocka_unit_test(what_no_child_sends_is_refused),
        cmocka_unit_test(the_last_words_arrive_and_a_lost_supervisor_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
