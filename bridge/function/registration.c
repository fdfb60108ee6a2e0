// Steps:
//
//   read the record -> plan (worker) -> claim: replace the record by one that has the start offsets -> read
//   it again -> commit (worker) -> write the record without the offsets
//
// Of processes that register a function at the same time, the first claim counts; the others plan again with
// it. A process that dies between claim and commit leaves the offsets in the record for the next start.
// Without offsets to commit, the record is only written when it changes.
#include "bridge/function/registration.h"

#include "bridge/function/registration_plan.h"
#include "core/base/clock.h"
#include "core/base/log.h"

enum step { STEP_READING, STEP_PLANNING, STEP_CLAIMING, STEP_CHECKING, STEP_COMMITTING, STEP_SAVING };

struct registration {
    uv_work_t work;
    uv_loop_t *loop;
    const struct settings *settings;
    struct registration_client *client;  // lent
    rd_kafka_t *rk;                      // while a worker thread uses the struct
    struct state_topic *state;
    const struct function_config *config;
    registration_on_done on_done;  // NULL: cancelled
    void (*on_cancelled)(void *self);
    void *self;
    char *key;
    char *component;
    enum step step;
    bool is_first;     // there was no record
    bool has_lost;     // another claim was first: the record is written again, to be the newest
    json_t *known;     // the state record; NULL: first start
    uint64_t version;  // of `known`
    // The worker's results:
    struct registration_plan plan;
    struct fault fault;
};

static void free_registration(struct registration *r)
{
    json_decref(r->known);
    registration_plan_clear(&r->plan);
    free(r->key);
    free(r->component);
    free(r);
}

/** Whether a worker thread uses the struct. */
static bool is_working(const struct registration *r)
{
    return r->step == STEP_PLANNING || r->step == STEP_COMMITTING;
}

/** Reports the result, or that the cancelled registration has ended. */
static void finish(struct registration *r)
{
    if (r->on_done != NULL) {
        const struct registration_result result = {.partition_count = r->plan.partition_count,
                                                   .expired_count = r->plan.expired_count,
                                                   .record = r->plan.record};
        r->on_done(r->self, &result, r->fault.kind == FAULT_NONE ? NULL : &r->fault);
    } else if (r->on_cancelled != NULL) {
        r->on_cancelled(r->self);
    }
    free_registration(r);
}

/** True: the registration is over, because it was cancelled or `f` is a fault. */
static bool has_ended(struct registration *r, const struct fault *f)
{
    if (f != NULL) {
        r->fault = *f;
    }
    if (r->on_done != NULL && r->fault.kind == FAULT_NONE) {
        return false;
    }
    finish(r);
    return true;
}

static struct registration_scope scope_of(const struct registration *r)
{
    return (struct registration_scope){.rk = r->rk,
                                       .settings = r->settings,
                                       .config = r->config,
                                       .component = r->component,
                                       .known = r->known};
}

/** Runs on a worker thread: it may block. */
static void work(uv_work_t *work)
{
    struct registration *r = work->data;
    const struct registration_scope scope = scope_of(r);
    bool is_good = r->step == STEP_PLANNING ? registration_plan_make(&scope, &r->plan, &r->fault)
                                            : registration_plan_commit(&scope, &r->plan, &r->fault);
    INVARIANT(is_good == (r->fault.kind == FAULT_NONE));
}

static void on_work_done(uv_work_t *done, int status);

static void start_work(struct registration *r, enum step step)
{
    r->step = step;
    r->work.data = r;
    struct fault f;
    CLEANUP(memory_free_pointer) char *group = function_config_group(r->config->name);
    if (!registration_client_acquire(r->client, group, &r->rk, &f)) {
        (void)has_ended(r, &f);
        return;
    }
    INVARIANT(uv_queue_work(r->loop, &r->work, work, on_work_done) == 0);
}

static void on_record_written(void *self, const struct fault *f)
{
    struct registration *r = self;
    if (has_ended(r, f)) {
        return;
    }
    if (r->is_first) {
        log_info(r->component, "function_registered",
                 LOG_WITH(LOG_NUMBER("partitions", r->plan.partition_count)),
                 "registered: from now on it continues at its committed offsets");
    }
    finish(r);
}

static void save(struct registration *r)
{
    r->step = STEP_SAVING;
    if (r->plan.partition_count == 0 && r->known == NULL) {
        log_warn(r->component, "topics_missing",
                 LOG_WITH(LOG_TEXT("topic", r->config->source.topics.items[0])),
                 "no topic of source.topics exists yet; each is read from its first record once it exists");
    }
    registration_save(r->state, r->config->name, r->plan.record, on_record_written, r);
}

static bool parse_record(struct registration *r, struct slice value, json_t **ret)
{
    *ret = value.data == NULL ? NULL : json_loadb((const char *)value.data, value.size, 0, NULL);
    return *ret != NULL || value.data == NULL ||
           fault_set(&r->fault, FAULT_CONFIG, "millrace.state: the record %s is not JSON", r->key);
}

/** Plans with the record that counts now. */
static void plan(struct registration *r, json_t *known)
{
    json_decref(r->known);
    r->known = known;
    r->version = state_topic_version(r->state, r->key);
    registration_plan_clear(&r->plan);
    start_work(r, STEP_PLANNING);
}

/** The claim was written: commits if it counts, else plans again with the one that was first. */
static void on_claim_read(void *self, struct slice value, const struct fault *f)
{
    struct registration *r = self;
    json_t *known = NULL;
    if (f == NULL) {
        (void)parse_record(r, value, &known);
    }
    if (has_ended(r, f)) {
        json_decref(known);
    } else if (json_equal(known, r->plan.record)) {
        json_decref(known);
        start_work(r, STEP_COMMITTING);
    } else {
        log_info(r->component, "registration_shared", NULL,
                 "another process has registered this function at the same time: its start offsets count");
        r->has_lost = true;
        plan(r, known);
    }
}

static void on_claimed(void *self, const struct fault *f)
{
    struct registration *r = self;
    if (!has_ended(r, f)) {
        r->step = STEP_CHECKING;
        state_topic_read(r->state, r->key, on_claim_read, r);
    }
}

static void on_planned(struct registration *r)
{
    bool is_known = json_equal(r->known, r->plan.record);
    if (r->plan.starting->cnt > 0 && is_known) {
        start_work(r, STEP_COMMITTING);  // the claim of another process, or of an earlier start
    } else if (r->plan.starting->cnt > 0) {
        r->step = STEP_CLAIMING;
        CLEANUP(memory_free_pointer) char *text = json_dumps(r->plan.record, JSON_COMPACT);
        INVARIANT(text != NULL);
        state_topic_replace(r->state, r->key, r->version, slice_of(text), on_claimed, r);
    } else if (is_known && !r->has_lost) {
        finish(r);
    } else {
        save(r);
    }
}

static void on_work_done(uv_work_t *done, int status)
{
    (void)status;
    struct registration *r = done->data;
    registration_client_release(r->client);
    if (has_ended(r, NULL)) {
        return;
    }
    if (r->step == STEP_PLANNING) {
        on_planned(r);
    } else {
        registration_record_clear_offsets(r->plan.record);
        save(r);
    }
}

static void on_state_read(void *self, struct slice value, const struct fault *f)
{
    struct registration *r = self;
    json_t *known = NULL;
    if (f == NULL) {
        (void)parse_record(r, value, &known);
    }
    if (has_ended(r, f)) {
        json_decref(known);
    } else {
        r->is_first = known == NULL;
        plan(r, known);
    }
}

struct registration *registration_start(uv_loop_t *loop, const struct settings *settings,
                                        struct registration_client *client, struct state_topic *state,
                                        const struct function_config *config, registration_on_done on_done,
                                        void *self)
{
    struct registration *r = memory_zeroed(1, sizeof(*r));
    *r = (struct registration){.loop = loop,
                               .settings = settings,
                               .client = client,
                               .state = state,
                               .config = config,
                               .on_done = on_done,
                               .self = self};
    r->key = memory_format("function/%s", config->name);
    r->component = memory_string(r->key);
    state_topic_read(state, r->key, on_state_read, r);
    return r;
}

void registration_save(struct state_topic *state, const char *function, const json_t *record,
                       state_on_written on_saved, void *self)
{
    CLEANUP(memory_free_pointer) char *key = memory_format("function/%s", function);
    CLEANUP(memory_free_pointer) char *text = json_dumps(record, JSON_COMPACT);
    INVARIANT(text != NULL);
    state_topic_write(state, key, slice_of(text), on_saved, self);
}

bool registration_cancel(struct registration *r, void (*on_cancelled)(void *self))
{
    r->on_done = NULL;
    r->on_cancelled = is_working(r) ? on_cancelled : NULL;
    return !is_working(r);
}
