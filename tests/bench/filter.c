// A typical pattern of five clauses on updates of the orders table: from a record's bytes to the verdict,
// fields found and compared, a million times each. Also prints the same events as JSON, for an evaluator that
// reads it.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bridge/filter/avro_event.h"
#include "bridge/filter/match.h"
#include "core/base/memory.h"
#include "schemas/avro/avro_schema.h"
#include "schemas/json/event_view.h"
#include "tests/bench/orders.h"

enum { ROUNDS = 250000, EVENTS = 4 };

static const char PATTERN[] = "{\"op\":[\"c\",\"u\"],\"source\":{\"table\":[\"orders\"]},\"after\":{"
                              "\"status\":[\"paid\",\"shipped\"],\"amount\":[{\"numeric\":[\">\",100]}],"
                              "\"note\":[{\"prefix\":\"leave\"}]}}";

/** The statuses of the events: all of one event's clauses hold, or the one on the status does not. */
static const char *const STATUSES[2][EVENTS] = {{"paid", "shipped", "paid", "shipped"},
                                                {"paid", "open", "refunded", "shipped"}};

static void make_event(struct bytes *out, int64_t id, const char *status)
{
    struct bytes before = {0};
    struct bytes after = {0};
    orders_row(&before, id, "open");
    orders_row(&after, id, status);
    struct avro_envelope e = {.version = "0.1.0",
                              .connector = "postgresql",
                              .table = &orders,
                              .database = "shop",
                              .snapshot = "false",
                              .op = 'u',
                              .commit_time_us = 1795414726233631,
                              .transaction_id = 3379,
                              .lsn = 54850784,
                              .last_commit_lsn = 54850784,
                              .now_ns = 1795414726708975875,
                              .before = bytes_slice(&before),
                              .after = bytes_slice(&after)};
    avro_encode_envelope(out, &e);
    bytes_clear(&before);
    bytes_clear(&after);
}

/** Processor time: other programs may run beside it. */
static double now_s(void)
{
    struct timespec now;
    INVARIANT(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/** Returns evaluations a second of one core. */
static double run(const struct pattern *pattern, const struct avro_type *type, const struct bytes *events,
                  int expected)
{
    struct fault f;
    struct avro_event event = {0};
    struct bytes scratch = {0};
    struct avro_plan *plan = avro_plan_new(pattern, type, NULL);
    int matches = 0;
    double start_s = now_s();
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < EVENTS; i++) {
            const struct avro_source source = {.value = bytes_slice(&events[i])};
            INVARIANT(avro_event_read(&event, plan, &source, &f));
            matches += match_event(pattern, &AVRO_EVENT_OPS, avro_event_root(&event), &scratch) ? 1 : 0;
            INVARIANT(avro_event_finish(&event, &f));
        }
    }
    double seconds = now_s() - start_s;
    INVARIANT(matches == expected * ROUNDS);
    avro_plan_free(plan);
    avro_event_clear(&event);
    bytes_clear(&scratch);
    return ROUNDS * EVENTS / seconds;
}

static void print_json(const struct avro_type *type, const struct bytes *event)
{
    struct fault f;
    struct bytes json = {0};
    INVARIANT(event_view_encode(type, bytes_slice(event), NULL, &json, &f));
    (void)printf("%s\n", bytes_text(&json));
    bytes_clear(&json);
}

int main(int argc, char **argv)
{
    struct fault f;
    struct bytes text = {0};
    struct avro_type *type = NULL;
    struct pattern *pattern = NULL;
    struct bytes events[2][EVENTS] = {0};
    avro_schema_envelope(&text, &orders);
    INVARIANT(avro_type_parse(bytes_slice(&text), &type, &f));
    INVARIANT(pattern_compile(slice_of(PATTERN), (struct json_place){1, 1}, &pattern, &f));
    for (int set = 0; set < 2; set++) {
        for (int i = 0; i < EVENTS; i++) {
            make_event(&events[set][i], i, STATUSES[set][i]);
        }
    }
    if (argc > 1 && strcmp(argv[1], "events") == 0) {
        (void)printf("%s\n", PATTERN);
        for (int i = 0; i < EVENTS; i++) {
            print_json(type, &events[1][i]);
        }
    } else {
        for (int round = 0; round < 3; round++) {
            double all = run(pattern, type, events[0], 4);
            double half = run(pattern, type, events[1], 2);
            (void)printf("all pass %.0f, half pass %.0f, %zu bytes\n", all, half, events[0][0].size);
        }
    }
    for (int set = 0; set < 2; set++) {
        for (int i = 0; i < EVENTS; i++) {
            bytes_clear(&events[set][i]);
        }
    }
    pattern_free(pattern);
    avro_type_free(type);
    bytes_clear(&text);
    return 0;
}
