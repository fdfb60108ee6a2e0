// Decides which records a change becomes: its value and the tombstone after a delete, or a dead letter for a
// row that can't be encoded or is too large.
#ifndef CONNECTORS_CHANGE_PLANNER_H
#define CONNECTORS_CHANGE_PLANNER_H

#include "connectors/change.h"
#include "connectors/config/connector_config.h"
#include "connectors/record_plan.h"
#include "connectors/transaction_counts.h"

enum change_planner_step {
    CHANGE_PLANNED,
    CHANGE_LEFT_OUT,       // a TRUNCATE, of which the topic can't have a record: it is compacted
    CHANGE_UNPUBLISHABLE,  // and no dead letter is wanted or possible: `problem` and `cure` say more
    CHANGE_PLAN_FAULT,
};

/** Embedded. The owner fills in the first six members. */
struct change_planner {
    const struct connector_config *config;        // lent
    const char *kind;                             // lent: the kind of source
    struct topic_routes *routes;                  // lent
    const struct text_list *compacted;            // lent: topics that take no records without key
    const char *dead_letter_topic;                // lent
    const struct text_pairs *dead_letter_config;  // lent
    size_t message_max_bytes;
    char problem[480];   // of the newest row that could not be published
    struct bytes place;  // which row that is, as text
    const char *cure;
    struct record_plan scratch;
    struct bytes before;  // of a row that is shrunk
    struct bytes after;
};

/**
 * Fills an empty plan.
 *
 * @param route  of the change's table
 * @param plan   empty again unless the step is PLANNED
 */
enum change_planner_step change_planner_plan(struct change_planner *r, const struct topic_route *route,
                                             const struct change *change, struct record_plan *plan,
                                             struct fault *f) MUST_USE;

/** Whether the plan's record of the table's definition is too large; then `problem` and `cure` are set. */
bool change_planner_refuses_definition(struct change_planner *r, const struct change *change,
                                       const struct record_plan *plan);

/** False: the partition of the row, or of its former values, can't be known; then `problem` and `cure` are
 * set.
 */
bool change_planner_has_partition(struct change_planner *r, const struct change *change);

/** Fills an empty plan with the BEGIN of a transaction. @param first  its first event @param route  its
 * topic's
 */
void change_planner_plan_begin(const struct topic_route *route, const struct change *first,
                               struct record_plan *plan);

/** The same with its END. */
void change_planner_plan_end(struct change_planner *r, const struct topic_route *route,
                             const struct transaction_counts *counts, const struct change *commit,
                             struct record_plan *plan);

/** Whether the change's value would be over message.max.bytes. */
bool change_planner_is_too_large(struct change_planner *r, const struct topic_route *route,
                                 const struct change *change);

/** Whether the plan's last record, made elsewhere, is too large. */
bool change_planner_refuses(const struct change_planner *r, const struct record_plan *plan);

/**
 * Fills an empty plan for a row that can't become the record that it should be: with its dead letter, or not
 * at all (UNPUBLISHABLE), as on_bad_row says.
 *
 * @param reason   of the header: "undecodable" or "oversize"
 * @param problem  copied
 * @param json     the row, the dead letter's value
 */
enum change_planner_step change_planner_put_aside(struct change_planner *r, const struct change *change,
                                                  const char *reason, const char *problem, struct slice json,
                                                  struct record_plan *plan) MUST_USE;

void change_planner_clear(struct change_planner *r);

#endif
