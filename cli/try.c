// `millrace try`: starts every part once on this machine and shows changes on their way from a database to a
// function.
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "bridge/config/function_config.h"
#include "cli/cli.h"
#include "cli/try/shell_word.h"
#include "cli/try/try_broker.h"
#include "cli/try/try_database.h"
#include "cli/try/try_function_config.h"
#include "cli/try/try_handler.h"
#include "cli/try/try_ledger.h"
#include "cli/try/try_options.h"
#include "cli/try/try_postgres.h"
#include "cli/try/try_process.h"
#include "cli/try/try_report.h"
#include "cli/try/try_run.h"
#include "cli/try/try_shop.h"
#include "cli/try/try_topics.h"
#include "connectors/config/connector_config.h"
#include "connectors/table_topic.h"
#include "core/base/log.h"
#include "core/kafka/state_topic.h"
#include "schemas/registry/registry.h"

enum { PARTITIONS = 3, TABLES = 3 };

struct
try {
    struct try_options options;
    struct settings settings;
    struct try_report report;
    struct try_ledger *ledger;
    struct try_postgres *postgres;   // NULL with --dsn
    struct try_broker *broker;       // NULL with --kafka
    struct try_topics *topics_made;  // with --kafka only
    PGconn *conn;
    const char *dsn;
    char *name;    // try-4711
    char *slot;    // millrace_try_4711; also the publications' name
    char *schema;  // "public"; with --dsn or --kafka a name of its own
    char *topics[TABLES + 1];
    char *dead_letter;
    struct try_handler handler;
    struct bytes
        function;          // payload and endpoint of the handler, as in a function's file; size 0: the sample
    struct bytes details;  // what a handler's process wrote that did not start
    bool is_database_touched;  // --dsn: there may be objects to remove
    bool is_kafka_clean;       // all that this run made there is removed
    bool is_left;              // not drained: parts still run until the process ends
};

static void on_table_row(void *self, const struct try_shop_change *row)
{
    struct try *t = self;
    try_ledger_expect(t->ledger, row->op, row->table, row->id);
}

static void choose_names(struct try *t)
{
    bool is_ours_alone = t->options.dsn == NULL && t->options.kafka == NULL;
    t->name = memory_format("try-%d", (int)getpid());
    t->slot = connector_config_slot(t->name);
    t->schema = memory_string(is_ours_alone ? "public" : t->slot);
    t->dead_letter = function_config_dead_letter(t->name);
    for (size_t i = 0; TRY_SHOP_TABLES[i] != NULL; i++) {
        t->topics[i] = table_topic_name(TRY_PREFIX, t->schema, TRY_SHOP_TABLES[i]);
    }
}

static bool start_postgres(struct try *t, struct fault *f)
{
    t->dsn = t->options.dsn;
    if (t->dsn == NULL) {
        try_report_started(&t->report, "starting",
                           "starting a temporary PostgreSQL and an embedded broker: takes some seconds");
        if (!try_postgres_start(t->options.is_kept, &t->postgres, f)) {
            return false;
        }
        t->dsn = try_postgres_dsn(t->postgres);
    }
    if (!try_database_open(t->dsn, &t->conn, f)) {
        return fault_context(f, "PostgreSQL");
    }
    t->is_database_touched = true;
    CLEANUP(bytes_clear) struct bytes sql = {0};
    try_shop_tables(t->schema, &sql, on_table_row, t);
    if (!try_database_run(t->conn, bytes_text(&sql), f)) {
        return fault_context(f, "creating the shop's tables");
    }
    if (t->postgres != NULL) {
        try_report_started(&t->report, "PostgreSQL", "%s, throwaway, %s:%s, schema %s",
                           try_postgres_version(t->postgres), PQhost(t->conn), PQport(t->conn), t->schema);
    } else {
        try_report_started(&t->report, "PostgreSQL", "yours, %s:%s, schema %s (removed at the end)",
                           PQhost(t->conn), PQport(t->conn), t->schema);
    }
    return true;
}

static bool start_embedded_broker(struct try *t, struct fault *f)
{
    const char *const single[] = {STATE_TOPIC_NAME, REGISTRY_TOPIC, t->dead_letter};
    if (!try_broker_start(&t->broker, f)) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(single); i++) {
        if (!try_broker_make_topic(t->broker, single[i], 1, f)) {
            return false;
        }
    }
    for (size_t i = 0; i < TABLES; i++) {
        if (!try_broker_make_topic(t->broker, t->topics[i], PARTITIONS, f)) {
            return false;
        }
    }
    text_pairs_set(&t->settings.kafka, "bootstrap.servers", try_broker_bootstrap(t->broker));
    // A real broker ends a fetch's wait when a record arrives; the mock one waits for the full time.
    text_pairs_set(&t->settings.kafka, "fetch.wait.max.ms", "2");
    try_report_started(&t->report, "Kafka",
                       "embedded broker at %s: in memory, removed at the end, not for real data",
                       try_broker_bootstrap(t->broker));
    return true;
}

static bool start_kafka(struct try *t, struct fault *f)
{
    if (t->options.kafka == NULL) {
        return start_embedded_broker(t, f);
    }
    text_pairs_set(&t->settings.kafka, "bootstrap.servers", t->options.kafka);
    if (!try_topics_make(&t->settings, (const char *const *)t->topics, PARTITIONS, &t->topics_made, f)) {
        return fault_context(f, "Kafka");
    }
    try_report_started(&t->report, "Kafka", "yours, %s, topics " TRY_PREFIX ".%s.* (removed at the end)",
                       t->options.kafka, t->schema);
    return true;
}

/** Before anything is started: most mistakes are here. */
static bool find_handler(struct try *t, struct fault *f)
{
    const struct try_options *o = &t->options;
    if (o->handler == NULL && o->command == NULL) {
        return true;
    }
    if (!try_handler_find(o->handler, o->command, &t->handler, f)) {
        return false;
    }
    try_handler_write(&t->handler, o->payload, &t->function);
    struct function_config *config =
        try_function_config_make(t->name, (const char *const *)t->topics, bytes_text(&t->function), f);
    try_function_config_free(config);
    return config != NULL;
}

/** The command line of its process, and who it runs as. */
static void report_handler(struct try *t)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    const struct text_list *command = &t->handler.command;
    for (size_t i = 0; i < command->count; i++) {
        bytes_append_string(&text, i == 0 ? "" : " ");
        shell_word_append(&text, command->items[i]);
    }
    if (t->handler.user.name[0] != '\0') {
        bytes_format(&text, ", as user %s", t->handler.user.name);
    }
    try_report_started(&t->report, "handler", "%s", bytes_text(&text));
}

static void on_event(void *self, const struct try_ledger_event *event)
{
    struct try *t = self;
    try_report_event(&t->report, event);
}

static bool run(struct try *t, struct fault *f)
{
    if (!find_handler(t, f) || !start_postgres(t, f) || !start_kafka(t, f)) {
        return false;
    }
    try_report_started(&t->report, "connector", "slot %s, topics " TRY_PREFIX ".%s.*", t->slot, t->schema);
    try_report_started(&t->report, "bridge", "function %s, one call per change, order per key", t->name);
    if (t->function.size > 0) {
        report_handler(t);
    }
    struct try_run_params params = {
        .name = t->name,
        .settings = &t->settings,
        .dsn = t->dsn,
        .conn = t->conn,
        .schema = t->schema,
        .topics = (const char *const *)t->topics,
        .partitions = PARTITIONS,
        .changes = t->options.changes,
        .function = t->function.size == 0 ? NULL : bytes_text(&t->function),
        .is_verbose = t->options.is_verbose,
        .details = &t->details,
        .on_retry = on_event,
        .self = t,
        .ledger = t->ledger,
    };
    return try_run(&params, &t->is_left, f);
}

static void print_leftovers(const struct try *t, FILE *out)
{
    if (t->postgres == NULL && t->is_database_touched) {
        fprintf(
            out,
            "left in your PostgreSQL; to remove it:\n"
            "  SELECT pg_drop_replication_slot('%s');\n  DROP PUBLICATION %s;\n  DROP SCHEMA %s CASCADE;\n",
            t->slot, t->slot, t->schema);
    }
    if (t->options.kafka != NULL && !t->is_kafka_clean) {
        CLEANUP(memory_free_pointer) char *group = function_config_group(t->name);
        fprintf(out,
                "left on your Kafka: topics " TRY_PREFIX ".%s.*, consumer group %s,\n"
                "  keys connector/%s and function/%s in " STATE_TOPIC_NAME ", subjects " TRY_PREFIX
                ".%s.* in " REGISTRY_TOPIC "\n",
                t->schema, group, t->name, t->name, t->schema);
    }
}

static bool remove_all(struct try *t, struct fault *f)
{
    bool is_clean = true;
    if (t->postgres == NULL && t->is_database_touched) {
        is_clean =
            try_database_clean(t->dsn, t->slot, t->schema, f) || fault_context(f, "cleaning up PostgreSQL");
        t->is_database_touched = !is_clean;
    }
    if (t->topics_made != NULL) {
        CLEANUP(memory_free_pointer) char *group = function_config_group(t->name);
        CLEANUP(memory_free_pointer) char *state_keys = memory_format("/%s", t->name);
        CLEANUP(memory_free_pointer) char *subjects = memory_format("\"" TRY_PREFIX ".%s.", t->schema);
        const char *const topics[] = {t->topics[0], t->topics[1], t->topics[2], t->dead_letter, NULL};
        struct try_topics_leftovers left = {topics, group, state_keys, subjects};
        t->is_kafka_clean =
            try_topics_remove(TAKE(t->topics_made), &left, f) || fault_context(f, "cleaning up Kafka");
        is_clean = t->is_kafka_clean && is_clean;
    }
    return is_clean;
}

static void clear(struct try *t)
{
    try_topics_free(t->topics_made);
    try_postgres_stop(t->postgres);
    try_broker_stop(t->broker);
    try_ledger_free(t->ledger);
    if (!t->is_left) {
        settings_clear(&t->settings);
    }
    for (size_t i = 0; i < TABLES; i++) {
        free(t->topics[i]);
    }
    free(t->name);
    free(t->slot);
    free(t->schema);
    free(t->dead_letter);
    try_handler_clear(&t->handler);
    bytes_clear(&t->function);
    bytes_clear(&t->details);
}

static void print_fault(const struct fault *f)
{
    fprintf(stderr, "millrace try: %s\n", f->text);
}

static int end(struct try *t, bool is_complete, struct fault *f)
{
    struct try_ledger_counts counts;
    try_ledger_count(t->ledger, &counts);
    if (t->options.is_json) {
        try_report_json(stdout, &counts);
    } else if (counts.changes > 0) {
        try_report_summary(&t->report, &counts);
    }
    if (!is_complete && f->origin != NULL && strcmp(f->origin, TRY_RUN_INTERRUPTED) == 0) {
        try_report_interrupted(stderr, f->text, &counts);
    } else if (!is_complete && f->origin != NULL && strcmp(f->origin, HANDLER_WATCH_HOPELESS) == 0) {
        print_fault(f);
        (void)fputs(bytes_text(&t->details), stderr);
    } else if (!is_complete) {
        print_fault(f);
        if (counts.missing > 0 && (counts.changes > 0 || counts.before_invoked > 0)) {
            try_report_missing(stderr, t->ledger);
        }
    }
    PQfinish(t->conn);
    bool is_clean = true;
    if (t->options.is_kept) {
        FILE *out = t->options.is_json ? stderr : stdout;
        print_leftovers(t, out);
        if (t->postgres != NULL) {
            try_postgres_leave(TAKE(t->postgres), out);
        }
    } else if (!remove_all(t, f)) {
        is_clean = false;
        print_fault(f);
        print_leftovers(t, stderr);
    }
    if (is_complete) {
        try_report_next(&t->report, t->function.size == 0 ? NULL : bytes_text(&t->function));
    }
    return is_complete && is_clean ? CLI_DONE : CLI_FAILED;
}

int try_command(int argc, char **argv)
{
    static struct try t;
    if (!try_options_read(argc, argv, &t.options)) {
        try_options_help(stderr);
        return CLI_USAGE;
    }
    if (t.options.is_help) {
        try_options_help(stdout);
        return CLI_DONE;
    }
    // A reader that leaves (`millrace try | head`) must not take our servers' removal with it.
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    try_process_block_signals();
    // The table shows what the log warns of when a handler fails.
    bool has_handler = t.options.handler != NULL || t.options.command != NULL;
    log_start(LOG_FORMAT_TEXT, t.options.is_verbose ? LOG_LEVEL_INFO
                               : has_handler        ? LOG_LEVEL_ERROR
                                                    : LOG_LEVEL_WARN);
    t.settings.log.format = LOG_FORMAT_TEXT;
    t.settings.bridge.processes = 1;
    t.ledger = try_ledger_new(on_event, &t);
    choose_names(&t);
    try_report_init(&t.report, stdout, t.options.is_json, t.schema);
    struct fault f = {0};
    bool is_complete = run(&t, &f);
    int code = end(&t, is_complete, &f);
    clear(&t);
    return t.is_left ? code | CLI_AT_ONCE : code;
}
