#include "cli/filter_try.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "bridge/filter/avro_event.h"
#include "bridge/filter/json_event.h"
#include "bridge/filter/match.h"
#include "cli/cli.h"
#include "cli/config_dir.h"
#include "cli/filter_report.h"
#include "cli/filter_topics.h"
#include "core/base/line_reader.h"
#include "core/base/memory.h"
#include "core/config/settings_kind.h"
#include "schemas/avro/framing.h"
#include "schemas/json/json_encode.h"

/** The events of one run. */
struct run {
    const struct filter_try *try;
    const struct function_config *config;
    struct filter_report report;
    struct avro_event event;
    struct bytes scratch;
};

static void report_event(struct run *run, const struct filter_event_place *at,
                         const struct filter_value_ops *ops, struct filter_value event, char op)
{
    const struct pattern *pattern = run->config->filter.pattern;
    if (!filter_report_wants(run->config, op)) {
        const char detail[] = {op == '\0' ? '?' : op, '\0'};
        filter_report_event(&run->report, at, VERDICT_OPERATION, NULL, detail);
        return;
    }
    const struct pattern_term *term =
        pattern == NULL ? NULL : match_explain(pattern, ops, event, &run->scratch);
    filter_report_event(&run->report, at, term == NULL ? VERDICT_PASSES : VERDICT_REFUSED, term, NULL);
}

static bool report_line(struct run *run, struct slice text, uint32_t number)
{
    struct fault f;
    struct filter_value event;
    CLEANUP(json_tree_clear) struct json_tree tree = {0};
    CLEANUP(memory_free_pointer) char *label = memory_format("line %u", number);
    CLEANUP(memory_free_pointer) char *members = memory_format("\"line\":%u", number);
    const struct filter_event_place at = {label, members};
    if (!json_event_parse(text, (struct json_place){number, 1}, &tree, &event, &f)) {
        (void)fprintf(stderr, "%s:%s\n", run->try->file, f.text);
        return false;
    }
    report_event(run, &at, &JSON_EVENT_OPS, event, json_event_op(event));
    return true;
}

/** Wrong lines are named, and the others still reported. */
static int run_lines(struct run *run, FILE *in)
{
    CLEANUP(bytes_clear) struct bytes line = {0};
    bool is_good = true;
    enum line_step step;
    for (uint32_t number = 1; (step = line_reader_next(in, &line)) != LINE_END; number++) {
        if (step == LINE_TOO_LONG) {
            (void)fprintf(stderr, "%s:%u:1: the line is longer than %d bytes\n", run->try->file, number,
                          LINE_READER_MAX_BYTES);
            is_good = false;
        } else if (!line_reader_is_blank(&line)) {
            is_good = report_line(run, bytes_slice(&line), number) && is_good;
        }
    }
    if (ferror(in) != 0) {  // fopen opens folders, too
        (void)fprintf(stderr, "millrace filter: %s: %s\n", run->try->file, strerror(errno));
        return CLI_FAILED;
    }
    filter_report_summary(&run->report);
    return is_good ? CLI_DONE : CLI_FAILED;
}

static int run_file(struct run *run)
{
    if (strcmp(run->try->file, "-") == 0) {
        return run_lines(run, stdin);
    }
    FILE *in = fopen(run->try->file, "re");
    if (in == NULL) {
        (void)fprintf(stderr, "millrace filter: %s: %s\n", run->try->file, strerror(errno));
        return CLI_FAILED;
    }
    int code = run_lines(run, in);
    (void)fclose(in);
    return code;
}

static struct slice without_frame(const void *data, size_t size)
{
    return size < FRAMING_SIZE ? (struct slice){NULL, 0}
                               : slice_make((const uint8_t *)data + FRAMING_SIZE, size - FRAMING_SIZE);
}

/** The key as JSON; "none" when there is none. */
static void append_key(const struct filter_record *record, struct bytes *key)
{
    const rd_kafka_message_t *m = record->message;
    struct fault f;
    if (m->key == NULL) {
        bytes_append_string(key, "none");
        return;
    }
    bool is_avro = record->key_type != NULL &&
                   json_encode_datum(record->key_type, without_frame(m->key, m->key_len), NULL, key, &f);
    if (!is_avro) {
        bytes_reset(key);
        text_append_json(key, slice_make(m->key, m->key_len));
    }
}

static void report_avro(struct run *run, const struct filter_event_place *at,
                        const struct filter_record *record)
{
    struct fault f;
    const rd_kafka_message_t *m = record->message;
    rd_kafka_headers_t *headers = NULL;
    (void)rd_kafka_message_headers(m, &headers);
    struct avro_plan *plan = avro_plan_new(run->config->filter.pattern, record->value_type, record->key_type);
    const struct slice raw_key = slice_make(m->key, m->key == NULL ? 0 : m->key_len);
    const struct avro_source source = {
        .value = without_frame(m->payload, m->len),
        .key = record->key_type == NULL ? raw_key : without_frame(m->key, m->key_len),
        .raw_key = raw_key,
        .has_key = m->key != NULL,
        .headers = headers,
    };
    CLEANUP(bytes_clear) struct bytes json = {0};
    if (!avro_event_read(&run->event, plan, &source, &f) ||
        !json_encode_datum(record->value_type, source.value, NULL, &json, &f)) {
        filter_report_event(&run->report, at, VERDICT_UNREADABLE, NULL, f.text);
    } else {
        report_event(run, at, &AVRO_EVENT_OPS, avro_event_root(&run->event), avro_event_op(&run->event));
    }
    avro_plan_free(plan);
}

static void report_json(struct run *run, const struct filter_event_place *at, const rd_kafka_message_t *m,
                        struct slice key)
{
    struct fault f;
    struct filter_value event;
    rd_kafka_headers_t *headers = NULL;
    CLEANUP(json_tree_clear) struct json_tree tree = {0};
    CLEANUP(bytes_clear) struct bytes json = {0};
    (void)rd_kafka_message_headers(m, &headers);
    json_event_append_record(&json, key, headers, slice_make(m->payload, m->len));
    if (!json_event_parse(bytes_slice(&json), (struct json_place){1, 1}, &tree, &event, &f)) {
        filter_report_event(&run->report, at, VERDICT_UNREADABLE, NULL, f.text);
        return;
    }
    report_event(run, at, &JSON_EVENT_OPS, event, json_event_op(event));
}

static void on_record(void *self, const struct filter_record *record)
{
    struct run *run = self;
    const rd_kafka_message_t *m = record->message;
    CLEANUP(bytes_clear) struct bytes key = {0};
    append_key(record, &key);
    CLEANUP(memory_free_pointer)
    char *label = memory_format("%s/%" PRId32 " offset %" PRId64 " key %s", record->topic, m->partition,
                                m->offset, bytes_text(&key));
    CLEANUP(memory_free_pointer)
    char *members =
        memory_format("\"topic\":\"%s\",\"partition\":%" PRId32 ",\"offset\":%" PRId64 ",\"key\":%s",
                      record->topic, m->partition, m->offset, m->key == NULL ? "null" : bytes_text(&key));
    const struct filter_event_place at = {label, members};
    if (m->payload == NULL) {
        filter_report_event(&run->report, &at, VERDICT_TOMBSTONE, NULL, NULL);
    } else if (record->is_json) {
        report_json(run, &at, m, m->key == NULL ? (struct slice){NULL, 0} : bytes_slice(&key));
    } else if (record->value_type == NULL) {
        filter_report_event(&run->report, &at, VERDICT_UNREADABLE, NULL, record->why);
    } else {
        report_avro(run, &at, record);
    }
}

static int run_topics(struct run *run, const struct settings *settings)
{
    struct fault f;
    CLEANUP(text_list_clear) struct text_list one = {0};
    if (run->try->topic != NULL) {
        text_list_add(&one, run->try->topic);
    }
    const struct filter_topics_params params = {
        .settings = settings,
        .topics = run->try->topic == NULL ? &run->config->source.topics : &one,
        .last = run->try->last,
        .on_record = on_record,
        .self = run,
    };
    if (!filter_topics_read(&params, &f)) {
        (void)fprintf(stderr, "millrace filter: %s\n", f.text);
        return CLI_FAILED;
    }
    filter_report_summary(&run->report);
    return CLI_DONE;
}

int filter_try_run(const struct filter_try *try)
{
    static const struct config_scope scope = {CONFIG_FOLDER_FUNCTIONS, NULL};
    CLEANUP(config_set_clear) struct config_set set = {0};
    bool is_good = config_dir_load_scope(try->dir, &scope, &set);
    const struct function_config *config = config_set_need_function(&set, "filter", try->dir, try->function);
    if (config == NULL) {
        return CLI_CONFIG;
    }
    if (!is_good && try->file == NULL &&
        config_rejections_find(&set.rejected, &settings_kind, NULL) != NULL) {
        (void)fputs(config_rejections_find(&set.rejected, &settings_kind, NULL)->text, stderr);
        return CLI_CONFIG;
    }
    struct run run = {.try = try, .config = config};
    CLEANUP(memory_free_pointer) char *path = memory_format("%s/functions/%s.yaml", try->dir, try->function);
    filter_report_init(&run.report, config, path, try->is_json);
    int code = try->file != NULL ? run_file(&run) : run_topics(&run, set.settings);
    bool is_written = fflush(stdout) == 0 && ferror(stdout) == 0;
    filter_report_clear(&run.report);
    avro_event_clear(&run.event);
    bytes_clear(&run.scratch);
    return is_written ? code : CLI_FAILED;
}
