#include "cli/job_setup.h"

#include <stdio.h>
#include <stdlib.h>

#include "bridge/config/start_position.h"
#include "bridge/jobs/letter_filter.h"
#include "bridge/jobs/loop_wait.h"
#include "cli/cli.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/config/config_value.h"
#include "core/config/settings_kind.h"
#include "core/kafka/kafka_client.h"

enum { SILENT_MS = 2000 };  // until the user hears what is waited for

static void complain_unknown(const struct job_setup *s, const char *name)
{
    const struct config_set *set = &s->set;
    const char **names = memory_zeroed(set->function_count + set->rejected.count + 1, sizeof(*names));
    size_t count = 0;
    for (size_t i = 0; i < set->function_count; i++) {
        names[count++] = set->functions[i]->name;
    }
    for (size_t i = 0; i < set->rejected.count; i++) {
        if (set->rejected.items[i].kind == &function_config_kind) {
            names[count++] = set->rejected.items[i].name;
        }
    }
    const char *nearest = text_nearest(name, names);
    (void)fprintf(stderr, "millrace %s: there is no function \"%s\": %s/functions has no file %s.yaml",
                  s->command, name, s->dir, name);
    if (nearest != NULL) {
        (void)fprintf(stderr, "; did you mean \"%s\"?", nearest);
    } else if (count == 0) {
        (void)fputs(", nor another one; -c names another folder", stderr);
    }
    (void)fputc('\n', stderr);
    free(names);
}

/** Files of other functions may be wrong. */
static bool load(struct job_setup *s, const char *function, int *ret_exit)
{
    static const struct config_scope scope = {CONFIG_FOLDER_FUNCTIONS, NULL};
    *ret_exit = CLI_CONFIG;
    bool is_sound = config_dir_load_scope(s->dir, &scope, &s->set);
    const struct config_rejected *own =
        config_rejections_find(&s->set.rejected, &function_config_kind, function);
    const struct config_rejected *settings = config_rejections_find(&s->set.rejected, &settings_kind, NULL);
    if (!is_sound && (own != NULL || settings != NULL)) {
        (void)fputs(own != NULL ? own->text : settings->text, stderr);
        return false;
    }
    s->config = config_set_function(&s->set, function);
    if (s->config == NULL) {
        complain_unknown(s, function);
        return false;
    }
    return true;
}

/** Asks for the brokers until they respond. */
static bool reach_kafka(const struct job_setup *s, struct fault *f)
{
    const struct settings *settings = s->set.settings;
    const char *brokers = text_pairs_get(&settings->kafka, "bootstrap.servers");
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk;
    if (!kafka_client_conf(settings, KAFKA_CONSUMER, NULL, &conf, f) ||
        !kafka_client_open(conf, KAFKA_CONSUMER, &rk, f)) {
        return false;
    }
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 0, NULL, &metadata, SILENT_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)fprintf(stderr, "millrace %s: waits for Kafka at %s, %d s at most\n", s->command, brokers,
                      LOOP_WAIT_MS / 1000);
        code = rd_kafka_metadata(rk, 0, NULL, &metadata, LOOP_WAIT_MS - SILENT_MS);
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(metadata);
    } else {
        (void)fault_from(f, FAULT_RETRY, "librdkafka", code,
                         "%s/millrace.yaml:%d:%d: Kafka does not respond at %s: %s", s->dir,
                         s->set.brokers_line, s->set.brokers_column, brokers, rd_kafka_err2str(code));
    }
    rd_kafka_destroy(rk);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool job_setup_open(struct job_setup *s, const char *command, const char *dir, const char *function,
                    int *ret_exit)
{
    s->command = command;
    s->dir = config_dir_choose(dir);
    if (!load(s, function, ret_exit)) {
        return false;
    }
    enum log_level level = s->set.settings->log.level;
    log_start(s->set.settings->log.format, level < LOG_LEVEL_WARN ? LOG_LEVEL_WARN : level);
    INVARIANT(uv_loop_init(&s->loop) == 0);
    s->has_loop = true;
    struct fault f;
    if (!reach_kafka(s, &f) || !registry_open(&s->loop, s->set.settings, &s->registry, &f)) {
        *ret_exit = job_setup_fail(s, &f);
        return false;
    }
    s->schemas = schema_cache_new(&s->loop, s->registry);
    return true;
}

void job_setup_close(struct job_setup *s)
{
    if (s->has_loop) {
        if (s->schemas != NULL) {
            schema_cache_free(s->schemas);
        }
        registry_close(s->registry);
        (void)uv_run(&s->loop, UV_RUN_DEFAULT);
        (void)uv_loop_close(&s->loop);
    }
    config_set_clear(&s->set);
}

bool job_setup_may_call(const struct job_setup *s)
{
    if (s->config->paused) {
        (void)fprintf(stderr, "millrace %s: %s is paused: remove `paused: true` from its file first\n",
                      s->command, s->config->name);
    }
    return !s->config->paused;
}

int job_setup_fail(const struct job_setup *s, const struct fault *f)
{
    (void)fprintf(stderr, "millrace %s: %s\n", s->command, f->text);
    return f->kind == FAULT_CONFIG ? CLI_CONFIG : CLI_FAILED;
}

bool job_setup_time(const char *command, const char *option, const char *text, int64_t *ret_ms)
{
    struct fault f;
    int64_t ago_us;
    if (start_position_parse_time(text, ret_ms)) {
        return true;
    }
    if (config_value_duration(text, &ago_us, &f)) {
        *ret_ms = (clock_wall_us() - ago_us) / CLOCK_US_PER_MS;
        return true;
    }
    (void)fprintf(stderr,
                  "millrace %s: --%s \"%s\" is neither an RFC 3339 timestamp (2026-01-02T03:04:05Z) nor a "
                  "duration (2h)\n",
                  command, option, text);
    return false;
}

bool job_setup_key(const char *command, const char *text)
{
    struct fault f;
    if (!event_key_check(text, &f)) {
        (void)fprintf(stderr, "millrace %s: --key %s: %s\n", command, text, f.text);
        return false;
    }
    return true;
}

bool job_setup_number(const char *command, const char *option, const char *text, int64_t *ret)
{
    struct fault f;
    if (config_value_integer(text, ret, &f) && *ret >= 0) {
        return true;
    }
    (void)fprintf(stderr, "millrace %s: --%s \"%s\" is not a number\n", command, option, text);
    return false;
}

bool job_setup_rate(const char *command, const char *text, int64_t *ret)
{
    static const struct {
        const char *unit;
        int64_t seconds;
    } UNITS[] = {{"", 1}, {"/s", 1}, {"/m", 60}, {"/h", 3600}};
    size_t digits = strspn(text, "0123456789");
    for (size_t i = 0; i < COUNT_OF(UNITS) && digits > 0 && digits < 10; i++) {
        if (strcmp(text + digits, UNITS[i].unit) == 0) {
            *ret = strtoll(text, NULL, 10) / UNITS[i].seconds;
            if (*ret > 0 && *ret <= 1000000) {
                return true;
            }
        }
    }
    (void)fprintf(stderr,
                  "millrace %s: --rate \"%s\" is not a rate such as 10/s or 600/m, from 1/s to 1000000/s\n",
                  command, text);
    return false;
}
