#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/postgres/pg_slot.h"

static struct connector_config config = {.name = (char *)"shop",
                                         .slot = {.name = (char *)"millrace_shop", .create = true}};
static const struct pg_slot there = {.server_version = 150000,
                                     .is_logical = true,
                                     .slots_max = 4,
                                     .slots_used = 1,
                                     .exists = true,
                                     .is_ours = true};
static const struct pg_slot gone = {
    .server_version = 150000, .is_logical = true, .slots_max = 4, .slots_used = 0};
static const struct source_state unknown = {0};
static const struct source_state whole = {.is_known = true,
                                          .is_snapshot_done = true,
                                          .slot = "millrace_shop",
                                          .system_identifier = "77",
                                          .timeline = 1};
static const struct source_state half = {.is_known = true,
                                         .is_snapshot_done = false,
                                         .slot = "millrace_shop",
                                         .system_identifier = "77",
                                         .timeline = 1};
static const struct source_state other = {.is_known = true,
                                          .is_snapshot_done = true,
                                          .slot = "millrace_other",
                                          .system_identifier = "77",
                                          .timeline = 1};

static enum pg_slot_plan plan;
static struct fault f;

static bool decide(const struct pg_slot *slot, const struct source_state *known)
{
    return pg_slot_decide(slot, &config, known, "77", &plan, &f);
}

static void the_record_and_the_server_decide_together(void **state)
{
    (void)state;
    assert_true(decide(&there, &whole) && plan == PG_SLOT_USE);
    assert_true(decide(&gone, &unknown) && plan == PG_SLOT_MAKE);
    assert_true(decide(&gone, &half) && plan == PG_SLOT_MAKE);
    assert_true(decide(&there, &half) && plan == PG_SLOT_RESUME);
    assert_true(decide(&gone, &other) && plan == PG_SLOT_MAKE);
    config.snapshot = CONNECTOR_SNAPSHOT_NEVER;
    assert_true(decide(&there, &unknown) && plan == PG_SLOT_USE);
    assert_true(decide(&there, &other) && plan == PG_SLOT_USE);
    // Stopped after creating the slot and before saving the record: the slot has all changes since.
    assert_true(decide(&there, &half) && plan == PG_SLOT_USE);
    config.snapshot = CONNECTOR_SNAPSHOT_INITIAL;
}

static void assert_config(const struct pg_slot *slot, const struct source_state *known, const char *says)
{
    assert_false(decide(slot, known));
    assert_int_equal(f.kind, FAULT_CONFIG);
    if (strstr(f.text, says) == NULL) {
        fail_msg("%s", f.text);
    }
}

static void lost_changes_stop_the_connector_with_what_to_type(void **state)
{
    (void)state;
    struct pg_slot lost = there;
    lost.is_lost = true;
    assert_config(&lost, &whole, "SELECT pg_drop_replication_slot('millrace_shop');");
    assert_config(&lost, &whole, "connector/shop:");
    assert_config(&gone, &whole, "existed before and was dropped");
    struct source_state elsewhere = whole;
    elsewhere.system_identifier[0] = '8';
    assert_config(&there, &elsewhere, "another cluster");
    struct pg_slot foreign = there;
    foreign.is_ours = false;
    assert_config(&foreign, &whole, "not a logical pgoutput slot");
    struct pg_slot full = gone;
    full.slots_used = 4;
    assert_config(&full, &unknown, "max_replication_slots = 14");
}

static void a_slot_is_never_beyond_the_position_that_was_remembered(void **state)
{
    (void)state;
    struct pg_slot slot = there;
    struct source_state known = whole;
    known.position = 0x5000;
    slot.confirmed_lsn = 0x5000;
    assert_true(decide(&slot, &known) && plan == PG_SLOT_USE);
    slot.confirmed_lsn = 0x4000;  // the server did not receive the last position, or lost it in a crash
    assert_true(decide(&slot, &known) && plan == PG_SLOT_USE);
    slot.confirmed_lsn = 0x5008;
    assert_config(&slot, &known, "slot millrace_shop stands at 0/5008, beyond 0/5000");
    assert_config(&slot, &known, "SELECT pg_drop_replication_slot('millrace_shop');");
    assert_config(&slot, &known, "connector/shop:");
    known.is_snapshot_done = false;
    assert_config(&slot, &known, "made again or advanced");
    known.position = 0;  // a record of an older version
    assert_true(decide(&slot, &known) && plan == PG_SLOT_RESUME);
    known = half;
    known.position = 0x5000;
    assert_config(&gone, &known, "existed before and was dropped");
}

static void the_server_must_have_the_history_that_was_read(void **state)
{
    (void)state;
    struct source_state known = whole;
    known.timeline = 2;
    static const char history[] = "1\t0/3000\tno recovery target specified\n\n2\t0/5000\tbefore 2026\n";
    assert_true(pg_slot_check_timeline(&config, &known, 3, history, &f));
    assert_true(pg_slot_check_timeline(&config, &known, 3, NULL, &f));
    assert_false(pg_slot_check_timeline(&config, &known, 3, "1\t0/3000\tno recovery target specified\n", &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_false(pg_slot_check_timeline(&config, &known, 1, NULL, &f));
    assert_non_null(strstr(f.text, "connector/shop:"));
}

static void a_slot_that_may_not_be_made_is_asked_for(void **state)
{
    (void)state;
    config.slot.create = false;
    assert_config(&gone, &unknown, "SELECT pg_create_logical_replication_slot('millrace_shop', 'pgoutput');");
    assert_config(&gone, &unknown, "set slot.create: true to have the rows that are there read too");
    config.snapshot = CONNECTOR_SNAPSHOT_NEVER;
    assert_config(&gone, &unknown, "slot.create is false; run: SELECT pg_create_logical_replication_slot(");
    assert_true(decide(&there, &half) && plan == PG_SLOT_USE);
    config.snapshot = CONNECTOR_SNAPSHOT_INITIAL;
    config.slot.create = true;
}

static void a_slot_that_millrace_did_not_create_gets_no_snapshot(void **state)
{
    (void)state;
    assert_config(&there, &unknown, "To read them run: SELECT pg_drop_replication_slot('millrace_shop');");
    assert_config(&there, &other, "snapshot: never");
    config.slot.create = false;
    assert_config(&there, &unknown, "set slot.create: true and run: SELECT pg_drop_replication_slot(");
    assert_true(decide(&there, &half) && plan == PG_SLOT_RESUME);
    assert_true(decide(&there, &whole) && plan == PG_SLOT_USE);
    config.slot.create = true;
}

static void the_server_is_checked(void **state)
{
    (void)state;
    assert_true(pg_slot_check_server(&there, &f));
    struct pg_slot s = there;
    s.server_version = 130004;
    assert_false(pg_slot_check_server(&s, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    s = there;
    s.is_logical = false;
    assert_false(pg_slot_check_server(&s, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    s = there;
    s.is_standby = true;
    assert_false(pg_slot_check_server(&s, &f));
    assert_int_equal(f.kind, FAULT_RETRY);
}

static void a_server_that_switches_logical_decoding_on_itself_needs_no_other_wal_level(void **state)
{
    (void)state;
    assert_true(pg_slot_is_logical("logical", ""));
    assert_false(pg_slot_is_logical("replica", ""));
    assert_false(pg_slot_is_logical("minimal", ""));
    assert_true(pg_slot_is_logical("replica", "replica"));  // 19, before the first slot
    assert_true(pg_slot_is_logical("replica", "logical"));
    assert_true(pg_slot_is_logical("logical", "logical"));
    assert_false(pg_slot_is_logical("minimal", "minimal"));
}

static void lsns_are_parsed_and_nothing_else(void **state)
{
    (void)state;
    uint64_t lsn = 0;
    assert_true(pg_slot_parse_lsn("16/B374D848", &lsn));
    assert_int_equal(lsn, UINT64_C(0x16B374D848));
    assert_false(pg_slot_parse_lsn("", &lsn));
    assert_false(pg_slot_parse_lsn("16", &lsn));
    assert_false(pg_slot_parse_lsn("16/", &lsn));
    assert_false(pg_slot_parse_lsn("16/1G", &lsn));
    assert_false(pg_slot_parse_lsn("100000000/0", &lsn));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_record_and_the_server_decide_together),
        cmocka_unit_test(lost_changes_stop_the_connector_with_what_to_type),
        cmocka_unit_test(a_slot_is_never_beyond_the_position_that_was_remembered),
        cmocka_unit_test(the_server_must_have_the_history_that_was_read),
        cmocka_unit_test(a_slot_that_may_not_be_made_is_asked_for),
        cmocka_unit_test(a_slot_that_millrace_did_not_create_gets_no_snapshot),
        cmocka_unit_test(the_server_is_checked),
        cmocka_unit_test(a_server_that_switches_logical_decoding_on_itself_needs_no_other_wal_level),
        cmocka_unit_test(lsns_are_parsed_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
