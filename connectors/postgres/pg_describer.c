// A transaction is decoded as soon as its commit is in the WAL, and becomes visible to other sessions only
// afterwards: with a synchronous standby much later. Its definitions are read until it is visible.
#include "connectors/postgres/pg_describer.h"

#include <stdlib.h>

#include "connectors/postgres/catalogue/table_filter.h"
#include "core/base/clock.h"
#include "core/base/log.h"

enum {
    PREPARE_MAX = 100,  // versions made in one loop iteration
    ASK_SOON_MS = 20,   // a commit becomes visible right after it is in the WAL
    ASK_LATER_MS = 500,
};

#define SOON_US (1 * CLOCK_US_PER_S)
#define LOG_WAIT_US (5 * CLOCK_US_PER_S)
#define WAIT_MAX_US (60 * CLOCK_US_PER_S)

#define BIT(state) (1U << PG_DESCRIBER_##state)

static void enter(struct pg_describer *d, enum pg_describer_state to)
{
    static const uint32_t allowed[] = {
        [PG_DESCRIBER_IDLE] = BIT(LOADING) | BIT(ASKING) | BIT(RETYPING) | BIT(LOOKING),
        [PG_DESCRIBER_LOADING] = BIT(IDLE) | BIT(ASKING),
        [PG_DESCRIBER_ASKING] = BIT(IDLE) | BIT(WAITING),
        [PG_DESCRIBER_WAITING] = BIT(IDLE) | BIT(ASKING),
        [PG_DESCRIBER_RETYPING] = BIT(IDLE),
        [PG_DESCRIBER_LOOKING] = BIT(IDLE),
    };
    INVARIANT((allowed[d->state] & 1U << to) != 0);
    d->state = to;
    d->on_change(d->self);
}

static void rest(struct pg_describer *d)
{
    d->relation = NULL;
    enter(d, PG_DESCRIBER_IDLE);
}

static void fail(struct pg_describer *d, const char *what, const struct fault *f)
{
    struct fault fault = {0};
    (void)fault_set(&fault, FAULT_RETRY, "reading %s: %s", what, f == NULL ? "no answer" : f->text);
    d->deps->on_fault(d->deps->self, &fault);
}

static bool sees(const PGresult *snapshot, uint32_t transaction_id)
{
    CLEANUP(pg_visibility_clear) struct pg_visibility seen = {0};
    struct fault f;
    return pg_visibility_parse(PQgetvalue(snapshot, 0, 0), &seen, &f) &&
           pg_visibility_sees(&seen, transaction_id);
}

// --- one table ---

static void ask(struct pg_describer *d);

static void on_ask_again(uv_timer_t *timer)
{
    ask(timer->data);
}

static void log_wait(struct pg_describer *d, bool is_over)
{
    const struct pgoutput_relation *message = &d->message->relation;
    const struct log_value *values = LOG_WITH(LOG_NUMBER("transaction", d->message->begin.transaction_id),
                                              LOG_TEXT("table", (const char *)message->name.data));
    if (is_over) {
        log_error(d->deps->component, "definition_too_early", values,
                  "transaction %u is not visible after %ld s: %s gets its definition from before it; the "
                  "stream starts again when it is visible",
                  d->message->begin.transaction_id, (long)(WAIT_MAX_US / CLOCK_US_PER_S),
                  (const char *)message->name.data);
    } else {
        log_warn(d->deps->component, "definition_waits", values,
                 "the stream waits: transaction %u is committed and not visible, so the definition that it "
                 "gave to %s can't be read; a synchronous standby has not confirmed it: SHOW "
                 "synchronous_standby_names; SELECT * FROM pg_stat_replication;",
                 d->message->begin.transaction_id, (const char *)message->name.data);
    }
}

// Whether to ask again, because the message's transaction was not visible.
static bool must_wait(struct pg_describer *d, const PGresult *snapshot)
{
    if (d->is_in_snapshot || sees(snapshot, d->message->begin.transaction_id)) {
        d->hidden_us = 0;
        d->has_logged_wait = false;
        return false;
    }
    int64_t now_us = clock_now_us();
    d->hidden_us = d->hidden_us == 0 ? now_us : d->hidden_us;
    if (now_us - d->hidden_us >= WAIT_MAX_US) {
        log_wait(d, true);
        d->early = d->message->begin.transaction_id;
        return false;
    }
    if (now_us - d->hidden_us >= LOG_WAIT_US && !d->has_logged_wait) {
        d->has_logged_wait = true;
        log_wait(d, false);
    }
    return true;
}

static void on_asked(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_describer *d = self;
    if (f != NULL || count < PG_CATALOGUE_RESULTS) {
        fail(d, "the catalogue", f);
        return;
    }
    if (must_wait(d, results[0])) {
        bool is_soon = clock_now_us() - d->hidden_us < SOON_US;
        enter(d, PG_DESCRIBER_WAITING);
        d->ask_again->data = d;
        (void)uv_timer_start(d->ask_again, on_ask_again, is_soon ? ASK_SOON_MS : ASK_LATER_MS, 0);
        return;
    }
    struct pg_catalogue catalogue;
    pg_catalogue_read(results, &catalogue);
    pg_relations_update(d->deps->relations, d->relation, &d->message->relation, &catalogue);
    pg_catalogue_clear(&catalogue);
    rest(d);
}

static struct pg_catalogue_scope scope_of(const struct pg_describer *d)
{
    return (struct pg_catalogue_scope){.slot = d->deps->config->slot.name,
                                       .unsent_by = pg_deps_unsent_by(d->deps),
                                       .server_version = pg_conn_server_version(d->session->sql)};
}

// Queries what the Relation message does not tell. It stays in memory.
static void ask(struct pg_describer *d)
{
    CLEANUP(bytes_clear) struct bytes sql = {0};
    enter(d, PG_DESCRIBER_ASKING);
    d->set.queried++;
    struct pg_catalogue_scope scope = scope_of(d);
    scope.oids = &d->relation->oid;
    scope.count = 1;
    pg_catalogue_query(&sql, &scope, &d->message->relation);
    pg_conn_query(d->session->sql, bytes_text(&sql), on_asked, d);
}

static void on_retyped(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_describer *d = self;
    if (f != NULL || count == 0) {
        fail(d, "types", f);
        return;
    }
    size_t type_count;
    struct pg_type *types = pg_catalogue_read_types(results[0], &type_count);
    pg_relations_retype(d->deps->relations, d->relation, types, type_count);
    pg_type_list_free(types, type_count);
    rest(d);
}

// A snapshot's transaction does not see types that are newer.
bool pg_describer_must_retype(struct pg_describer *d, struct pg_relation *relation,
                              const struct pg_row_notes *notes, bool was_kept)
{
    if (!notes->is_stale) {
        return false;
    }
    for (size_t i = 0; i < relation->unknown_count && i < PG_RELATION_UNKNOWN_MAX; i++) {
        if (relation->unknown_values[i] == notes->stale_hash) {
            return false;
        }
    }
    if (was_kept && !d->is_in_snapshot) {
        relation->unknown_values[relation->unknown_count++ % PG_RELATION_UNKNOWN_MAX] = notes->stale_hash;
    }
    return !was_kept;
}

void pg_describer_retype(struct pg_describer *d, struct pg_relation *relation)
{
    CLEANUP(bytes_clear) struct bytes sql = {0};
    d->relation = relation;
    enter(d, PG_DESCRIBER_RETYPING);
    pg_catalogue_types_query(&sql, relation->table);
    pg_conn_query(d->session->sql, bytes_text(&sql), on_retyped, d);
}

// --- all tables ---

// A table whose version is not made yet.
static void note_matches(const struct pg_describer *d, const struct pgoutput_relation *message,
                         const struct pg_catalogue *c)
{
    if (c->name != NULL && table_filter_wants(d->deps->config, c->schema, c->name, &c->ancestors)) {
        CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", c->schema, c->name);
        pg_unmatched_see(pg_relations_unmatched(d->deps->relations), full, &c->ancestors, message);
    }
}

// Makes the versions of the tables whose definition is known for all that the stream will send, so that their
// topics and schemas are there before their first rows. Of a table that was altered lately each version waits
// for its Relation message: the registry must get them in their order. Some in each turn of the loop: other
// work goes on, and the query's result is freed before.
static void on_prepare(uv_timer_t *timer)
{
    struct pg_describer *d = timer->data;
    const struct source_listener *l = d->deps->listener;
    int version = pg_conn_server_version(d->session->sql);
    struct pgoutput_relation *message = memory_new(sizeof(*message));
    for (int left = PREPARE_MAX; left > 0 && d->prepared < d->set.count; left--) {
        const struct pg_catalogue *c = &d->set.tables[d->prepared++];
        pg_catalogue_describe(c, version, message);
        struct table *t = c->is_settled ? pg_relations_prepare(d->deps->relations, message, c) : NULL;
        if (t != NULL) {
            l->on_version(l->self, t);
        } else {
            note_matches(d, message, c);
        }
    }
    free(message);
    if (d->prepared < d->set.count) {
        (void)uv_timer_start(timer, on_prepare, 0, 0);
    } else if (d->set.count > 0) {
        pg_unmatched_report(pg_relations_unmatched(d->deps->relations));
    }
}

// Uses a definition that was read before, if the message's transaction was visible then.
static bool use_known(struct pg_describer *d, struct pg_relation *relation)
{
    const struct pgoutput_relation *message = &d->message->relation;
    const struct pg_catalogue *known =
        pg_catalogue_set_take(&d->set, message, d->message->begin.transaction_id);
    if (known == NULL) {
        return false;
    }
    pg_relations_update(d->deps->relations, relation, message, known);
    return true;
}

static void on_loaded(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_describer *d = self;
    if (f == NULL && count >= PG_CATALOGUE_SET_RESULTS) {
        pg_catalogue_set_read(results + count - PG_CATALOGUE_SET_RESULTS, &d->set);
        if (d->is_set_past) {
            d->set.lsn = d->session->position;
        }
        d->prepared = 0;
        d->prepare->data = d;
        (void)uv_timer_start(d->prepare, on_prepare, 0, 0);
    }
    // If this failed, each table is queried by itself.
    if (d->relation != NULL && !use_known(d, d->relation)) {
        ask(d);
    } else {
        rest(d);
    }
}

// From PostgreSQL 16 on, listing a publication's tables locks each of them. The stream must not wait for
// another session's lock, so there is a time limit, except in a transaction that must not fail.
static void load(struct pg_describer *d, bool can_fail)
{
    CLEANUP(bytes_clear) struct bytes publications = {0};
    CLEANUP(bytes_clear) struct bytes sql = {0};
    enter(d, PG_DESCRIBER_LOADING);
    pg_catalogue_set_forget(&d->set);
    d->set.retry_us = clock_now_us() + CLOCK_US_PER_S;  // if it fails
    d->is_set_past = !can_fail;
    pg_publication_literals(d->deps->publication, &publications);
    bytes_append_string(&sql, can_fail ? "SET LOCAL lock_timeout = '100ms';" : "");
    struct pg_catalogue_scope scope = scope_of(d);
    scope.publications = bytes_text(&publications);
    pg_catalogue_set_query(&sql, &scope);
    pg_conn_query(d->session->sql, bytes_text(&sql), on_loaded, d);
}

void pg_describer_describe(struct pg_describer *d)
{
    struct pg_relation *relation = pg_relations_see(d->deps->relations, &d->message->relation);
    if (!relation->is_wanted || use_known(d, relation)) {
        return;
    }
    d->relation = relation;
    if (pg_catalogue_set_is_due(&d->set) && !d->is_in_snapshot) {
        load(d, true);
    } else {
        ask(d);  // waits for no lock
    }
}

// --- definitions that were read too early ---

static void on_looked(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_describer *d = self;
    struct fault restart = {0};
    if (f != NULL || count == 0) {
        fail(d, "which transactions are visible", f);
    } else if (sees(results[0], d->early)) {
        (void)fault_set(&restart, FAULT_RETRY,
                        "starting the stream again: transaction %u is visible now, and the definitions that "
                        "it gave to tables can be read",
                        d->early);
        d->deps->on_restart(d->deps->self, &restart);
    } else {
        rest(d);
    }
}

void pg_describer_tick(struct pg_describer *d)
{
    if (d->state != PG_DESCRIBER_IDLE) {
        return;
    }
    if (d->set.count > 0 && d->prepared == d->set.count &&
        pg_catalogue_set_is_over(&d->set, d->message->begin.final_lsn)) {
        pg_catalogue_set_forget(&d->set);
    }
    if (d->early != 0 && !d->is_in_snapshot) {
        enter(d, PG_DESCRIBER_LOOKING);
        pg_conn_query(d->session->sql, PG_CATALOGUE_SNAPSHOT, on_looked, d);
    }
}

void pg_describer_start(struct pg_describer *d, struct pg_session *session, uv_timer_t *prepare,
                        uv_timer_t *ask_again)
{
    d->session = session;
    d->prepare = prepare;
    d->ask_again = ask_again;
    load(d, !session->has_snapshot);
}

void pg_describer_stop(struct pg_describer *d)
{
    if (d->session != NULL) {
        (void)uv_timer_stop(d->prepare);
        (void)uv_timer_stop(d->ask_again);
    }
    pg_catalogue_set_clear(&d->set);
    d->session = NULL;
    d->relation = NULL;
    d->state = PG_DESCRIBER_IDLE;
    d->hidden_us = 0;
    d->has_logged_wait = false;
    d->early = 0;
}
