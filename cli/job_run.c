#include "cli/job_run.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "bridge/bridge.h"
#include "cli/cli.h"
#include "core/base/clock.h"
#include "core/metrics.h"

enum {
    LOOK_MS = 100,
    SHOW_AGAIN_US = 10 * 1000000,  // on anything but a terminal
    ALONE_US = 15 * 1000000,       // without a partition: another process has them all
    JOINING_US = 4 * 1000000,      // to be silent about
    FAILURES_SHOWN = 20,
    SIGNAL_COUNT = 2,
};

struct run {
    const struct job_run_params *params;
    struct job job;
    struct job_run_result result;
    struct bridge *bridge;
    struct metrics *metrics;
    uv_timer_t timer;
    uv_signal_t signals[SIGNAL_COUNT];
    struct bytes failures;  // lines
    int64_t left;           // records; -1: not known yet
    const char *trouble;    // why it waits now; NULL: it does not
    int64_t shown_us;
    int64_t assigned_us;  // 0: not yet
    int64_t started_us;
    bool is_wait_shown;  // for the group
    bool is_terminal;
    bool is_draining;
    bool is_ended;
    bool has_no_partition;
    char error[480];  // why it can't go on; empty: it can
};

static void note_failure(struct run *r, const struct job_event *event)
{
    if (r->result.failed++ >= FAILURES_SHOWN) {
        return;
    }
    const struct record *record = event->record;
    CLEANUP(memory_free_pointer) char *id = slice_to_string(record->id);
    bytes_format(&r->failures, "  %" PRId32 ":%" PRId64 " %s", record->partition, record->offset, id);
    if (event->reason != NULL) {
        bytes_format(&r->failures, " %s: %s", event->reason, event->message);
    }
    bytes_append_byte(&r->failures, '\n');
}

static void on_event(void *self, const struct job_event *event)
{
    struct run *r = self;
    switch (event->end) {
    case JOB_DELIVERED:
    case JOB_SETTLED:
        r->result.done++;
        break;
    case JOB_FILTERED:
        r->result.filtered++;
        break;
    case JOB_DEAD_LETTERED:
    case JOB_KEPT:
        note_failure(r, event);
        break;
    }
}

static enum job_step select_record(void *self, struct record *record)
{
    struct run *r = self;
    return r->params->select(r->params->self, record);
}

static void append_counts(const struct run *r, struct bytes *out)
{
    const struct job_run_result *result = &r->result;
    bytes_format(out, "%" PRId64 " %s", result->done, r->params->verb);
    if (result->filtered > 0) {
        bytes_format(out, ", %" PRId64 " filtered", result->filtered);
    }
    bytes_format(out, ", %" PRId64 " %s", result->failed, r->params->failed_verb);
    if (r->params->total >= 0) {
        int64_t left = r->params->total - result->done - result->filtered - result->failed;
        bytes_format(out, ", %" PRId64 " left", left < 0 ? 0 : left);
    } else if (r->left >= 0) {
        bytes_format(out, ", %" PRId64 " records left", r->left);
    }
    if (r->trouble != NULL && !r->is_draining) {
        bytes_format(out, " (%s)", r->trouble);
    }
}

/** A line that is written over on a terminal, else one every ten seconds and the last. */
static void show(struct run *r, bool is_last)
{
    int64_t now_us = clock_now_us();
    if (!is_last && !r->is_terminal && now_us - r->shown_us < SHOW_AGAIN_US) {
        return;
    }
    r->shown_us = now_us;
    CLEANUP(bytes_clear) struct bytes line = {0};
    append_counts(r, &line);
    (void)fprintf(stderr, "%s%s%s", r->is_terminal ? "\r" : "", bytes_text(&line),
                  r->is_terminal && !is_last ? "\033[K" : "\n");
}

static void drain(struct run *r)
{
    if (!r->is_draining) {
        r->is_draining = true;
        bridge_drain(r->bridge);
    }
}

/** A group waits for the member of a process that was killed until its session ends. */
static void show_joining(struct run *r)
{
    if (r->is_wait_shown || clock_now_us() - r->started_us < JOINING_US) {
        return;
    }
    r->is_wait_shown = true;
    (void)fprintf(
        stderr,
        "%smillrace %s: waits for group %s to admit it; after a kill, that is when the session of the killed "
        "process ends (session.timeout.ms, 10 s unless set)\n",
        r->is_terminal ? "\r\033[K" : "", r->params->setup->command, r->params->job.group);
}

static void judge(struct run *r, const struct job_state *job)
{
    if (job->error != NULL) {
        (void)snprintf(r->error, sizeof(r->error), "%s", job->error);
        drain(r);
        return;
    }
    if (!job->is_assigned) {
        show_joining(r);
        return;
    }
    int64_t now_us = clock_now_us();
    r->left = job->left;
    r->assigned_us = job->partition_count > 0 || r->assigned_us == 0 ? now_us : r->assigned_us;
    if (job->partition_count == 0) {
        r->has_no_partition = now_us - r->assigned_us > ALONE_US;
    }
    r->result.is_complete = job->is_done && job->partition_count > 0;
    if (r->result.is_complete || r->has_no_partition) {
        drain(r);
    }
}

static void on_look(uv_timer_t *timer)
{
    struct run *r = timer->data;
    if (!r->is_draining) {
        const struct job_state job = bridge_job(r->bridge);
        r->trouble = job.trouble;
        judge(r, &job);
        show(r, false);
    }
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    struct run *r = signal->data;
    if (r->is_draining) {
        uv_stop(signal->loop);  // the second one ends it at once
    }
    r->result.is_interrupted = true;
    drain(r);
}

static void on_end(void *self, const struct fault *f)
{
    (void)f;
    struct run *r = self;
    r->is_ended = true;
    uv_stop(r->timer.loop);
}

/** Takes the function's configuration out of the set, and releases the others. */
static struct function_config *take_config(struct job_setup *s)
{
    size_t count;
    struct function_config **all = config_set_take_functions(&s->set, &count);
    for (size_t i = 0; i < count; i++) {
        if (all[i] != s->config) {
            function_config_clear(all[i]);
            free(all[i]);
        }
    }
    free(all);
    return TAKE(s->config);
}

static bool start(struct run *r, struct fault *f)
{
    struct job_setup *s = r->params->setup;
    const struct bridge_params params = {.loop = &s->loop,
                                         .settings = s->set.settings,
                                         .registry = s->registry,
                                         .metrics = r->metrics,
                                         .on_end = on_end,
                                         .self = r,
                                         .job = &r->job};
    if (!bridge_start(&params, &r->bridge, f)) {
        return false;
    }
    static const int ENDING[SIGNAL_COUNT] = {SIGINT, SIGTERM};
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        (void)uv_signal_init(&s->loop, &r->signals[i]);
        r->signals[i].data = r;
        (void)uv_signal_start(&r->signals[i], on_signal, ENDING[i]);
    }
    (void)uv_timer_init(&s->loop, &r->timer);
    r->timer.data = r;
    (void)uv_timer_start(&r->timer, on_look, LOOK_MS, LOOK_MS);
    struct function_config *config = take_config(s);
    bridge_apply(r->bridge, &config, 1);
    return true;
}

/** Prints what failed and why it ended; returns the exit code. */
static int conclude(struct run *r)
{
    const char *command = r->params->setup->command;
    show(r, true);
    if (r->failures.size > 0) {
        (void)fprintf(stderr, "%s:\n%s", r->params->failed_verb, bytes_text(&r->failures));
    }
    if (r->result.failed > FAILURES_SHOWN) {
        (void)fprintf(stderr, "  … and %" PRId64 " more\n", r->result.failed - FAILURES_SHOWN);
    }
    if (r->error[0] != '\0') {
        (void)fprintf(stderr, "millrace %s: %s\n", command, r->error);
        return CLI_FAILED;
    }
    if (r->has_no_partition) {
        (void)fprintf(stderr, "millrace %s: another process does this and has all partitions\n", command);
        return CLI_FAILED;
    }
    if (r->result.is_interrupted) {
        (void)fprintf(stderr, "millrace %s: interrupted; the same command goes on\n", command);
    }
    return r->result.is_complete && r->result.failed == 0 ? CLI_DONE : CLI_FAILED;
}

int job_run(const struct job_run_params *params, struct job_run_result *ret)
{
    static struct run r;  // when calls still run at the end, their threads may use it
    r = (struct run){.params = params,
                     .job = params->job,
                     .metrics = metrics_new(),
                     .left = -1,
                     .shown_us = clock_now_us(),
                     .started_us = clock_now_us(),
                     .is_terminal = isatty(STDERR_FILENO) != 0};
    r.job.select = select_record;
    r.job.on_event = on_event;
    r.job.self = &r;
    *ret = (struct job_run_result){0};
    struct fault f;
    if (!start(&r, &f)) {
        metrics_free(r.metrics);
        return job_setup_fail(params->setup, &f);
    }
    (void)uv_run(&params->setup->loop, UV_RUN_DEFAULT);
    int code = conclude(&r);
    *ret = r.result;
    bytes_clear(&r.failures);
    uv_close((uv_handle_t *)&r.timer, NULL);
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        uv_close((uv_handle_t *)&r.signals[i], NULL);
    }
    if (!r.is_ended || !bridge_is_over(r.bridge)) {
        return code | CLI_AT_ONCE;
    }
    bridge_free(r.bridge);
    (void)uv_run(&params->setup->loop, UV_RUN_NOWAIT);
    metrics_free(r.metrics);
    return code;
}
