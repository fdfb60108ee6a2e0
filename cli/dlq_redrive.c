// millrace dlq redrive and drop: settle the selected letters, by delivering them or without.
//
// A first pass lists the places of the selected letters; the job then settles these and leaves all others.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/dlq.h"
#include "cli/job_run.h"

struct place {
    int32_t partition;
    int64_t offset;
};

struct selection {
    struct place *places;  // by partition and offset
    size_t count;
    size_t capacity;
    size_t limit;
    bool is_drop;
};

static bool visit(void *self, const struct letter_found *found)
{
    struct selection *s = self;
    if (s->count == s->limit) {
        return false;
    }
    if (s->count == s->capacity) {
        s->capacity = s->capacity == 0 ? 1024 : 2 * s->capacity;
        s->places = memory_resize(s->places, s->capacity * sizeof(*s->places));
    }
    s->places[s->count++] = (struct place){found->record->partition, found->record->offset};
    return true;
}

static int compare_places(const void *a, const void *b)
{
    const struct place *first = a;
    const struct place *second = b;
    if (first->partition != second->partition) {
        return first->partition < second->partition ? -1 : 1;
    }
    return (first->offset > second->offset) - (first->offset < second->offset);
}

static enum job_step select_letter(void *self, struct record *r)
{
    const struct selection *s = self;
    const struct place at = {r->partition, r->offset};
    if (s->count == 0 || bsearch(&at, s->places, s->count, sizeof(at), compare_places) == NULL) {
        return JOB_LEAVE;
    }
    return s->is_drop ? JOB_SETTLE : JOB_TAKE;
}

/** Asks on a terminal. */
static bool is_confirmed(const struct dlq_options *options, const char *function, size_t count)
{
    if (options->is_yes || isatty(STDIN_FILENO) == 0) {
        return options->is_yes;
    }
    (void)fprintf(stderr, "Drop %zu dead letters of %s? They are not delivered any more. [y/N] ", count,
                  function);
    int answer = getchar();
    return answer == 'y' || answer == 'Y';
}

static int run(struct job_setup *s, const struct dlq_options *options, struct selection *selection,
               const rd_kafka_topic_partition_list_t *ends)
{
    CLEANUP(memory_free_pointer) char *group = letter_group(s->config->name);
    CLEANUP(text_list_clear) struct text_list topics = {0};
    text_list_add(&topics, s->config->delivery.on_failure.dead_letter);
    const struct job_run_params params = {
        .setup = s,
        .job = {.group = group,
                .topics = &topics,
                .ends = ends,
                .keeps_failed = true,
                .prepare = letter_unwrap,
                .rate = selection->is_drop ? 0 : options->rate},
        .select = select_letter,
        .self = selection,
        .verb = selection->is_drop ? "dropped" : "redriven",
        .failed_verb = selection->is_drop ? "not dropped" : "failed again",
        .total = (int64_t)selection->count,
    };
    struct job_run_result result;
    return job_run(&params, &result);
}

static int settle(struct job_setup *s, const struct dlq_options *options, struct selection *selection,
                  const struct letter_scan_result *scanned)
{
    if (options->is_dry_run || selection->count == 0) {
        (void)printf("%zu of %" PRId64 " waiting dead letters are selected\n", selection->count,
                     scanned->seen);
        return CLI_DONE;
    }
    if (selection->is_drop && !is_confirmed(options, s->config->name, selection->count)) {
        (void)fprintf(stderr, "millrace dlq drop: nothing was dropped%s\n",
                      isatty(STDIN_FILENO) == 0 ? "; --yes drops without asking" : "");
        return CLI_FAILED;
    }
    if (!selection->is_drop && !job_setup_may_call(s)) {
        return CLI_CONFIG;
    }
    return run(s, options, selection, scanned->ends);
}

static int settle_selected(struct job_setup *s, const struct dlq_options *options, bool is_drop)
{
    struct selection selection = {.limit = options->limit < 0 ? SIZE_MAX : (size_t)options->limit,
                                  .is_drop = is_drop};
    const struct letter_scan_params params = {.loop = &s->loop,
                                              .settings = s->set.settings,
                                              .config = s->config,
                                              .schemas = s->schemas,
                                              .filter = &options->filter};
    CLEANUP(letter_scan_result_clear) struct letter_scan_result scanned = {0};
    struct fault f;
    int code;
    if (!letter_scan(&params, visit, &selection, &scanned, &f)) {
        code = job_setup_fail(s, &f);
    } else {
        code = settle(s, options, &selection, &scanned);
    }
    free(selection.places);
    return code;
}

int dlq_redrive(struct job_setup *s, const struct dlq_options *options)
{
    return settle_selected(s, options, false);
}

int dlq_drop(struct job_setup *s, const struct dlq_options *options)
{
    return settle_selected(s, options, true);
}
