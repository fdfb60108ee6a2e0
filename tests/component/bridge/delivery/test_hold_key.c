// delivery.on_failure.hold_key: behind an event that was dead-lettered the later ones of its key wait.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/intake/letter_watch.h"
#include "bridge/intake/progress_record.h"
#include "core/base/clock.h"
#include "core/kafka/kafka_client.h"
#include "tests/component/bridge/bridge_case.h"

enum { HELD = 1, FIRST_OTHER = 1000, OTHERS = 20, EVENTS = 2000, LETTER_PARTITIONS = 4 };

struct script {
    int held_calls;
    int other_calls;
    int delivered;  // of the held key, after the first event
    bool is_delivering_all;
    bool is_first_failing;
    bool is_out_of_order;
};

/** The first look at the letters, while it is held: Kafka has said where they end, and it goes on. */
static struct {
    bool is_wanted;
    int count;
    int32_t partition;
    letter_on_state on_state;
    void *self;
    int answers;  // of looks that were not held
} held_look;

struct letter_watch *__real_letter_watch_new(uv_loop_t *loop, const struct settings *settings,
                                             struct state_topic *state, const char *function,
                                             letter_on_state on_state, void *self);
struct letter_watch *__wrap_letter_watch_new(uv_loop_t *loop, const struct settings *settings,
                                             struct state_topic *state, const char *function,
                                             letter_on_state on_state, void *self);
bool __real_letter_watch_is_due(const struct letter_watch *w);
bool __wrap_letter_watch_is_due(const struct letter_watch *w);
void __real_letter_watch_look(struct letter_watch *w, const char *topic, const int32_t *partitions,
                              size_t count);
void __wrap_letter_watch_look(struct letter_watch *w, const char *topic, const int32_t *partitions,
                              size_t count);

static void on_answer(void *self, const struct letter_state *state)
{
    (void)self;
    held_look.answers++;
    held_look.on_state(held_look.self, state);
}

struct letter_watch *__wrap_letter_watch_new(uv_loop_t *loop, const struct settings *settings,
                                             struct state_topic *state, const char *function,
                                             letter_on_state on_state, void *self)
{
    held_look.on_state = on_state;
    held_look.self = self;
    held_look.answers = 0;
    return __real_letter_watch_new(loop, settings, state, function, on_answer, NULL);
}

bool __wrap_letter_watch_is_due(const struct letter_watch *w)
{
    return held_look.is_wanted ? held_look.count == 0 : __real_letter_watch_is_due(w);
}

void __wrap_letter_watch_look(struct letter_watch *w, const char *topic, const int32_t *partitions,
                              size_t count)
{
    if (!held_look.is_wanted) {
        __real_letter_watch_look(w, topic, partitions, count);
        return;
    }
    held_look.count++;
    held_look.partition = partitions[0];
}

static bool has_looked(struct bridge_case *c, int64_t n)
{
    (void)c;
    return held_look.count == n;
}

static bool has_answers(struct bridge_case *c, int64_t n)
{
    (void)c;
    return held_look.answers >= n;
}

/** Refuses the first event of key HELD for good. */
static struct stub_answer refuses_the_first(void *self, const struct stub_call *call, size_t number)
{
    (void)number;
    struct script *s = self;
    const char *at = strstr(call->body, "\"after\":{\"id\":");
    if (at == NULL || strtoll(at + strlen("\"after\":{\"id\":"), NULL, 10) != HELD) {
        s->other_calls++;
        return (struct stub_answer){.status = 200};
    }
    s->held_calls++;
    if (strstr(call->body, "\"note\":\"n0\"") != NULL) {
        return (struct stub_answer){.status = s->is_first_failing ? 503 : s->is_delivering_all ? 200 : 400};
    }
    CLEANUP(memory_free_pointer) char *next = memory_format("\"note\":\"n%d\"", ++s->delivered);
    s->is_out_of_order |= strstr(call->body, next) == NULL;
    return (struct stub_answer){.status = 200};
}

static bool has_status(struct bridge_case *c, const char *text)
{
    CLEANUP(bytes_clear) struct bytes status = {0};
    bridge_status(c->bridge, &status);
    return strstr(bytes_text(&status), text) != NULL;
}

static bool has_parked(struct bridge_case *c, int64_t n)
{
    CLEANUP(memory_free_pointer) char *text = memory_format("\"parked_keys\":%d,", (int)n);
    CLEANUP(memory_free_pointer) char *none = memory_format("\"parked_keys\":%d", (int)n);
    return has_status(c, n == 0 ? none : text);
}

static bool has_called_others(struct bridge_case *c, int64_t n)
{
    return ((struct script *)c->script)->other_calls >= n;
}

static bool has_delivered(struct bridge_case *c, int64_t n)
{
    return ((struct script *)c->script)->delivered >= n;
}

/** All records but those that are held were read: none is behind the ones in memory. */
static bool holds_events(struct bridge_case *c, int64_t n)
{
    CLEANUP(memory_free_pointer) char *text = memory_format("\"held_events\":%d,", (int)n);
    return has_status(c, text);
}

static bool has_letters_elsewhere(struct bridge_case *c, int64_t n)
{
    CLEANUP(memory_free_pointer) char *text = memory_format("\"letters_elsewhere\":%d", (int)n);
    return has_status(c, text);
}

static struct function_config *holding(const struct bridge_case *c)
{
    struct function_config *config = case_config(c, "fn");
    config->delivery.on_failure.hold_key = true;
    return config;
}

/** Commits this offset and text for the first partitions of a topic. */
static void commit(const struct bridge_case *c, const char *group, const char *topic, int32_t partitions,
                   int64_t offset, const char *text)
{
    const char *extra[] = {"group.id", group, NULL};
    struct fault f;
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk;
    assert_true(kafka_client_conf(&c->settings, KAFKA_CONSUMER, extra, &conf, &f));
    assert_true(kafka_client_open(conf, KAFKA_CONSUMER, &rk, &f));
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    for (int32_t i = 0; i < partitions; i++) {
        rd_kafka_topic_partition_t *which = rd_kafka_topic_partition_list_add(list, topic, i);
        which->offset = offset;
        which->metadata = memory_string(text);
        which->metadata_size = strlen(text);
    }
    (void)rd_kafka_commit(rk, list, 0);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
}

/** As `millrace dlq` does once all letters are redriven. */
static void settle_letters(const struct bridge_case *c)
{
    commit(c, "millrace.fn.dlq", "millrace.dlq.fn", LETTER_PARTITIONS, 1, "");
}

static void write_state(const struct bridge_case *c, const char *key, const struct bytes *value)
{
    rd_kafka_vu_t fields[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = "millrace.state"},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = 0},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key, strlen(key)}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {value->data, value->size}},
    };
    assert_null(rd_kafka_produceva(c->producer, fields, COUNT_OF(fields)));
    assert_int_equal(rd_kafka_flush(c->producer, 10000), RD_KAFKA_RESP_ERR_NO_ERROR);
}

static void begin(struct bridge_case *c, struct script *s)
{
    *s = (struct script){0};
    case_start(c, refuses_the_first, s);
    case_numbered_changes(c, EVENTS, HELD);
    for (int i = 0; i < OTHERS; i++) {
        case_change(c, FIRST_OTHER + i, 'c', "x");
    }
    case_apply(c, holding(c));
    case_run_until(c, has_parked, 1);
    case_run_until(c, has_called_others, OTHERS);
    assert_int_equal(s->held_calls, 1);
}

static void expect_rest_in_order(struct bridge_case *c, struct script *s)
{
    case_run_until(c, has_delivered, EVENTS - 1);
    case_run_until(c, has_parked, 0);
    assert_false(s->is_out_of_order);
    assert_int_equal(s->held_calls, EVENTS);
    assert_int_equal(s->other_calls, OTHERS);
    assert_int_equal(case_metric(c, "events_total{function=\"fn\",outcome=\"dead_lettered\"}"), 1);
    case_drain(c);
    assert_int_equal(case_committed(c, "fn"), EVENTS + OTHERS);
    case_stop(c);
}

static void a_key_waits_until_its_letter_is_settled(void **state)
{
    (void)state;
    struct bridge_case c;
    struct script s;
    begin(&c, &s);
    assert_int_equal(case_committed(&c, "fn") > 0, 0);
    case_run_until(&c, has_answers, 1);  // nothing is committed of its letter
    assert_true(has_parked(&c, 1));
    settle_letters(&c);
    expect_rest_in_order(&c, &s);
}

/** Another member takes over: the key is parked again, without a call and without a second letter. */
static void a_restart_parks_the_key_again(void **state)
{
    (void)state;
    struct bridge_case c;
    struct script s;
    begin(&c, &s);
    bridge_apply(c.bridge, NULL, 0);
    case_apply(&c, holding(&c));
    case_run_until(&c, holds_events, 0);
    case_run_until(&c, has_parked, 1);
    case_run_until(&c, holds_events, EVENTS);
    assert_int_equal(s.held_calls, 1);
    settle_letters(&c);
    case_run_until(&c, has_delivered, EVENTS - 1);
    assert_false(s.is_out_of_order);
    assert_int_equal(s.held_calls, EVENTS);
    assert_int_equal(s.other_calls, OTHERS);
    CLEANUP(memory_free_pointer) char *letters = case_read_topic(&c, "millrace.dlq.fn", 1);
    assert_non_null(strstr(letters, "millrace.dlq.reason=rejected;"));
    case_drain(&c);
    assert_int_equal(case_committed(&c, "fn"), EVENTS + OTHERS);
    case_stop(&c);
}

/** `millrace dlq` has committed offset 0; the text that says that the letters are settled was spilled. */
static void a_letter_that_is_settled_in_a_spilled_record_releases_its_key(void **state)
{
    (void)state;
    struct bridge_case c;
    struct script s;
    begin(&c, &s);
    CLEANUP(memory_free_pointer) struct progress_record *r = memory_zeroed(1, sizeof(*r));
    r->ranges[r->range_count++] = (struct progress_range){5, 6};
    r->spill = (struct progress_spill){.log = 7, .sequence = 1};
    for (int i = 0; i < LETTER_PARTITIONS; i++) {
        CLEANUP(bytes_clear) struct bytes value = {0};
        CLEANUP(memory_free_pointer) char *key = memory_format("progress/fn.dlq/millrace.dlq.fn/%d", i);
        bytes_format(&value, "1 ");
        assert_true(progress_record_write(&value, 1, r, 0));
        write_state(&c, key, &value);
    }
    CLEANUP(bytes_clear) struct bytes text = {0};
    assert_true(progress_record_write(&text, 0, r, 0));
    commit(&c, "millrace.fn.dlq", "millrace.dlq.fn", LETTER_PARTITIONS, 0, bytes_text(&text));
    expect_rest_in_order(&c, &s);
}

/** Its letter is not looked for in another topic. */
static void a_key_stays_held_while_another_dead_letter_topic_is_named(void **state)
{
    (void)state;
    struct bridge_case c;
    struct script s;
    begin(&c, &s);
    struct function_config *other = holding(&c);
    free(other->delivery.on_failure.dead_letter);
    other->delivery.on_failure.dead_letter = memory_string("other");
    case_apply(&c, other);
    case_run_until(&c, has_letters_elsewhere, 1);
    settle_letters(&c);
    assert_true(has_parked(&c, 1));
    case_apply(&c, holding(&c));
    expect_rest_in_order(&c, &s);
}

/** An earlier event of its key fails, behind which it waits as a ticket, and is read again. */
static void a_held_event_that_is_read_again_is_not_sent(void **state)
{
    enum { HELD_AT = 1500 };
    (void)state;
    struct bridge_case c;
    struct script s = {.is_delivering_all = true, .is_first_failing = true};
    case_start(&c, refuses_the_first, &s);
    case_numbered_changes(&c, EVENTS, HELD);
    for (int i = 0; i < OTHERS; i++) {
        case_change(&c, FIRST_OTHER + i, 'c', "x");
    }
    CLEANUP(bytes_clear) struct bytes text = {0};
    CLEANUP(memory_free_pointer) struct progress_record *r = memory_zeroed(1, sizeof(*r));
    r->attempts[r->attempt_count++] = (struct progress_attempt){
        .offset = HELD_AT,
        .attempts = 1,
        .letter = {.is_stored = true, .topic = progress_letter_topic("millrace.dlq.fn"), .offset = 0}};
    assert_true(progress_record_write(&text, 0, r, clock_wall_us() / CLOCK_US_PER_MS));
    case_register(&c, "fn", 0);
    commit(&c, "millrace.fn", CASE_TOPIC, 1, 0, bytes_text(&text));
    struct function_config *config = holding(&c);
    config->delivery.retry.attempts = 1000000;
    case_apply(&c, config);
    case_run_until(&c, has_called_others, OTHERS);
    assert_true(has_parked(&c, 0));  // it is a ticket
    s.is_first_failing = false;
    case_run_until(&c, has_parked, 1);
    case_run_until(&c, has_delivered, HELD_AT - 1);
    assert_int_equal(s.delivered, HELD_AT - 1);
    assert_false(s.is_out_of_order);
    s.delivered = HELD_AT;  // by `millrace dlq redrive`
    settle_letters(&c);
    case_run_until(&c, has_delivered, EVENTS - 1);
    assert_false(s.is_out_of_order);
    case_drain(&c);
    case_stop(&c);
}

static void without_hold_key_parked_keys_go_on(void **state)
{
    (void)state;
    struct bridge_case c;
    struct script s;
    begin(&c, &s);
    case_apply(&c, case_config(&c, "fn"));
    expect_rest_in_order(&c, &s);
}

static struct stub_answer refuses_all(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 400};
}

/** The look that was under way found the end of the letters before theirs were stored. */
static void keys_that_are_parked_during_a_look_stay_parked(void **state)
{
    (void)state;
    struct bridge_case c;
    struct script s = {0};
    memset(&held_look, 0, sizeof(held_look));
    held_look.is_wanted = true;
    case_start(&c, refuses_all, &s);
    case_change(&c, HELD, 'c', "x");
    case_apply(&c, holding(&c));
    case_run_until(&c, has_parked, 1);
    case_run_until(&c, has_looked, 1);
    for (int i = 0; i < OTHERS; i++) {
        case_change(&c, FIRST_OTHER + i, 'c', "x");  // some of their letters are in the same partition
    }
    case_run_until(&c, has_parked, 1 + OTHERS);
    const struct progress_record *none = memory_zeroed(1, sizeof(*none));
    const struct letter_state found = {.topic = progress_letter_topic("millrace.dlq.fn"),
                                       .partition = held_look.partition,
                                       .exists = true,
                                       .high = 1,
                                       .beyond = none};
    for (int i = 0; i < 3; i++) {
        held_look.on_state(held_look.self, &found);
    }
    assert_true(has_parked(&c, 1 + OTHERS));
    free((void *)(uintptr_t)none);
    held_look.is_wanted = false;
    case_drain(&c);
    case_stop(&c);
}

/** A broker that has just started may say that for a moment. */
static void a_key_goes_on_when_its_letter_is_missing_for_long(void **state)
{
    (void)state;
    struct bridge_case c;
    struct script s = {0};
    memset(&held_look, 0, sizeof(held_look));
    held_look.is_wanted = true;
    case_start(&c, refuses_all, &s);
    case_change(&c, HELD, 'c', "x");
    case_apply(&c, holding(&c));
    case_run_until(&c, has_looked, 1);
    const struct progress_record *none = memory_zeroed(1, sizeof(*none));
    const uint32_t topic = progress_letter_topic("millrace.dlq.fn");
    const struct letter_state there = {
        .topic = topic, .partition = held_look.partition, .exists = true, .high = 1, .beyond = none};
    const struct letter_state unknown = {.topic = topic, .partition = held_look.partition, .beyond = none};
    const struct letter_state shorter = {
        .topic = topic, .partition = held_look.partition, .exists = true, .high = 0, .beyond = none};
    const struct letter_state *const found[] = {&unknown, &shorter, &there, &unknown, &unknown};
    for (size_t i = 0; i < COUNT_OF(found); i++) {
        held_look.on_state(held_look.self, found[i]);
        assert_true(has_parked(&c, 1));
    }
    held_look.on_state(held_look.self, &shorter);
    assert_true(has_parked(&c, 0));
    free((void *)(uintptr_t)none);
    held_look.is_wanted = false;
    case_drain(&c);
    case_stop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_waits_until_its_letter_is_settled),
        cmocka_unit_test(a_restart_parks_the_key_again),
        cmocka_unit_test(a_letter_that_is_settled_in_a_spilled_record_releases_its_key),
        cmocka_unit_test(a_key_stays_held_while_another_dead_letter_topic_is_named),
        cmocka_unit_test(a_held_event_that_is_read_again_is_not_sent),
        cmocka_unit_test(without_hold_key_parked_keys_go_on),
        cmocka_unit_test(keys_that_are_parked_during_a_look_stay_parked),
        cmocka_unit_test(a_key_goes_on_when_its_letter_is_missing_for_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
