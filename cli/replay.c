// millrace replay: delivers records again, beside live delivery.
#include <inttypes.h>
#include <stdio.h>

#include "bridge/config/start_position.h"
#include "bridge/jobs/letter_filter.h"
#include "bridge/jobs/loop_wait.h"
#include "bridge/jobs/replay_plan.h"
#include "cli/cli.h"
#include "cli/job_run.h"
#include "cli/options.h"
#include "core/base/bytes.h"
#include "core/config/config_value.h"
#include "core/kafka/state_topic.h"

static const char USAGE[] =
    "usage: millrace replay FUNCTION --from TIME|OFFSET|LSN [--to TIME|OFFSET|LSN] [-c DIR]\n"
    "                       [--key K] [--topic T] [--rate N/s] [--name N] [--restart]\n"
    "\n"
    "Delivers records again to one function as its file is now, with the same ids, in order per key. It has "
    "a\n"
    "group of its own, millrace.FUNCTION.replay: live delivery goes on and its offsets do not move. Events\n"
    "that can't be delivered go to the function's dead-letter topic.\n"
    "\n"
    "  --from     earliest, 2026-01-02T03:04:05Z, an LSN (16/B374D848) or an offset in each partition\n"
    "  --to       ends before this time or offset, or behind this LSN; the ends of now unless told\n"
    "  --key K    only this row's key, as JSON ({\"id\":7}), or the text of a key of one column\n"
    "  --topic T  only these of the function's topics: a name or a glob\n"
    "  --rate     most events a second: 10/s unless told (also /m, /h)\n"
    "  --name N   another replay beside the one without a name\n"
    "  --restart  gives up what is left of an interrupted replay. Without it the same command goes on\n";

enum { RATE = 10 };

static const struct option OPTIONS[] = {
    {"config", required_argument, NULL, 'c'}, {"from", required_argument, NULL, 'f'},
    {"to", required_argument, NULL, 't'},     {"key", required_argument, NULL, 'k'},
    {"topic", required_argument, NULL, 'o'},  {"rate", required_argument, NULL, 'r'},
    {"name", required_argument, NULL, 'n'},   {"restart", no_argument, NULL, 's'},
    {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
};

/** Texts point into argv. */
struct replay_options {
    const char *dir;
    const char *function;
    const char *name;  // NULL: none
    struct replay_range range;
    int64_t rate;
    bool is_restart;
};

/** Lives as long as calls may run. */
struct replay {
    struct job_setup setup;
    struct replay_options options;
    struct state_topic *state;
    char *key;  // of the state record
    char *group;
    struct text_list topics;
    rd_kafka_topic_partition_list_t *ends;
    struct json_options json;
    struct bytes decoded;  // key
    int64_t seen;          // records of this run
    bool is_answered;      // by the state topic
    struct fault fault;    // of that
    json_t *record;
};

static bool read_position(const char *option, const char *text, struct start_position *ret)
{
    struct fault f;
    if (start_position_parse_any(text, ret, &f)) {
        return true;
    }
    (void)fprintf(stderr, "millrace replay: --%s: %s\n", option, f.text);
    return false;
}

/** Whether the command line names a stretch that may have records. */
static bool is_stretch(const struct replay_range *range)
{
    struct start_position from;
    struct start_position to;
    if (!read_position("from", range->from, &from) ||
        (range->to != NULL && !read_position("to", range->to, &to))) {
        return false;
    }
    const char *wrong = NULL;
    if (from.kind == FUNCTION_START_LATEST) {
        wrong = "--from latest: no record comes after the ends of now; name a time, an LSN, an offset, or "
                "earliest";
    } else if (range->to != NULL && to.kind == FUNCTION_START_EARLIEST) {
        wrong = "--to earliest: no record comes before the first one; name a time, an LSN or an offset";
    } else if (range->to != NULL && from.kind == to.kind && from.value > to.value) {
        wrong = "--to lies before --from";
    }
    if (wrong != NULL) {
        (void)fprintf(stderr, "millrace replay: %s\n", wrong);
    }
    return wrong == NULL;
}

static bool refuse(const char *what, const char *word)
{
    return options_refuse("replay", USAGE, what, word) == CLI_DONE;
}

static bool take_option(void *self, int option, const char *value)
{
    struct replay_options *o = self;
    switch (option) {
    case 'f':
        o->range.from = value;
        return true;
    case 't':
        o->range.to = value;
        return true;
    case 'k':
        o->range.key = value;
        return job_setup_key("replay", value);
    case 'o':
        o->range.topic = value;
        return true;
    case 'r':
        return job_setup_rate("replay", value, &o->rate);
    case 'n':
        o->name = value;
        return config_value_is_name(value) ||
               refuse("--name takes lower-case letters, digits and -, not", value);
    default:
        o->is_restart = true;
        return true;
    }
}

/** False, with the exit code, for --help and wrong command lines. */
static bool read_options(int argc, char **argv, struct replay_options *o, int *ret_exit)
{
    const struct options options = {"replay", USAGE, OPTIONS, take_option, o};
    if (!options_read(argc, argv, &options, &o->dir, ret_exit)) {
        return false;
    }
    *ret_exit = CLI_USAGE;
    if (optind == argc) {
        return refuse("name the function", NULL);
    }
    o->function = argv[optind++];
    if (optind < argc) {
        return refuse("unexpected argument", argv[optind]);
    }
    return (o->range.from != NULL || refuse("--from says where it begins", NULL)) && is_stretch(&o->range);
}

static void on_read(void *self, struct slice value, const struct fault *f)
{
    struct replay *r = self;
    r->is_answered = true;
    if (f != NULL) {
        r->fault = *f;
    } else if (value.data != NULL) {
        r->record = json_loadb((const char *)value.data, value.size, 0, NULL);
    }
}

static void on_written(void *self, const struct fault *f)
{
    struct replay *r = self;
    r->is_answered = true;
    if (f != NULL) {
        r->fault = *f;
    }
}

static bool is_answered(void *self)
{
    return ((const struct replay *)self)->is_answered;
}

static bool wait_for_state(struct replay *r, struct fault *f)
{
    if (!loop_wait(&r->setup.loop, LOOP_WAIT_MS, is_answered, r)) {
        state_topic_forget(r->state, r);
        return fault_set(f, FAULT_RETRY, "Kafka does not answer about topic " STATE_TOPIC_NAME " for 30 s");
    }
    r->is_answered = false;
    if (r->fault.kind != FAULT_NONE) {
        *f = r->fault;
    }
    return r->fault.kind == FAULT_NONE;
}

/** Writes the record; NULL deletes it. */
static bool write_record(struct replay *r, const json_t *record, struct fault *f)
{
    CLEANUP(memory_free_pointer) char *text = record == NULL ? NULL : json_dumps(record, JSON_COMPACT);
    state_topic_write(r->state, r->key, text == NULL ? (struct slice){NULL, 0} : slice_of(text), on_written,
                      r);
    return wait_for_state(r, f);
}

/** Goes on with an unfinished replay, or begins one. */
static bool find_ends(struct replay *r, struct fault *f)
{
    state_topic_read(r->state, r->key, on_read, r);
    if (!wait_for_state(r, f)) {
        return false;
    }
    if (r->record != NULL && !r->options.is_restart) {
        return replay_plan_read(r->record, &r->options.range, &r->ends, f);
    }
    const struct replay_scope scope = {.settings = r->setup.set.settings,
                                       .config = r->setup.config,
                                       .group = r->group,
                                       .range = r->options.range};
    if (!replay_plan_make(&scope, &r->ends, f)) {
        return false;
    }
    json_decref(r->record);
    r->record = replay_plan_record(&r->options.range, r->ends);
    return write_record(r, r->record, f);
}

/** A record may come twice. */
static void count_record(struct replay *r, const struct record *record)
{
    rd_kafka_topic_partition_t *end =
        rd_kafka_topic_partition_list_find(r->ends, record->topic, record->partition);
    uintptr_t next = (uintptr_t)record->offset + 1;
    if (end != NULL && (uintptr_t)end->opaque < next) {
        end->opaque = (void *)next;
        r->seen++;
    }
}

static enum job_step select_record(void *self, struct record *record)
{
    struct replay *r = self;
    count_record(r, record);
    if (r->options.range.key == NULL) {
        return JOB_TAKE;
    }
    bytes_reset(&r->decoded);
    record_decode_key(record, &r->json, &r->decoded);
    return event_key_matches(r->options.range.key, bytes_slice(&r->decoded)) ? JOB_TAKE : JOB_PASS;
}

static int run(struct replay *r)
{
    for (int i = 0; i < r->ends->cnt; i++) {
        if (!text_list_has(&r->topics, r->ends->elems[i].topic)) {
            text_list_add(&r->topics, r->ends->elems[i].topic);
        }
    }
    const struct job_run_params params = {
        .setup = &r->setup,
        .job = {.group = r->group, .topics = &r->topics, .ends = r->ends, .rate = r->options.rate},
        .select = select_record,
        .self = r,
        .verb = "replayed",
        .failed_verb = "dead-lettered",
        .total = -1,
    };
    struct job_run_result result;
    int code = job_run(&params, &result);
    struct fault f;
    if (r->options.range.key != NULL && result.is_complete &&
        result.done + result.filtered + result.failed == 0) {
        (void)fprintf(stderr, "millrace replay: none of the %" PRId64 " records has the key %s\n", r->seen,
                      r->options.range.key);
    }
    bool is_over = result.is_complete && (code & CLI_AT_ONCE) == 0;  // else the loop must not turn again
    if (is_over && !write_record(r, NULL, &f)) {
        return job_setup_fail(&r->setup, &f);
    }
    return code;
}

static int start(struct replay *r)
{
    struct fault f;
    bool is_good = state_topic_open(&r->setup.loop, r->setup.set.settings, &r->state, &f) && find_ends(r, &f);
    return is_good ? run(r) : job_setup_fail(&r->setup, &f);
}

static void close_replay(struct replay *r)
{
    state_topic_close(r->state);
    if (r->ends != NULL) {
        rd_kafka_topic_partition_list_destroy(r->ends);
    }
    json_decref(r->record);
    text_list_clear(&r->topics);
    bytes_clear(&r->decoded);
    free(r->key);
    free(r->group);
    job_setup_close(&r->setup);
}

int replay_command(int argc, char **argv)
{
    static struct replay r;  // when calls still run at the end, their threads may use it
    r = (struct replay){.options = {.rate = RATE}};
    int code;
    if (!read_options(argc, argv, &r.options, &code)) {
        return code;
    }
    if (job_setup_open(&r.setup, "replay", r.options.dir, r.options.function, &code)) {
        const char *name = r.options.name;
        r.key = memory_format("replay/%s%s%s", r.options.function, name == NULL ? "" : ".",
                              name == NULL ? "" : name);
        r.group = memory_format("millrace.%s.replay%s%s", r.options.function, name == NULL ? "" : ".",
                                name == NULL ? "" : name);
        r.json.int64_as_string = r.setup.config->int64_as_string;
        code = job_setup_may_call(&r.setup) ? start(&r) : CLI_CONFIG;
    }
    if ((code & CLI_AT_ONCE) == 0) {
        close_replay(&r);
    }
    return code;
}
