// The schema-change topic: a record for each definition of a table, before the first record that has it.
#ifndef CONNECTORS_SCHEMA_CHANGES_H
#define CONNECTORS_SCHEMA_CHANGES_H

#include "connectors/change.h"
#include "connectors/config/connector_config.h"
#include "connectors/known_tables.h"
#include "connectors/pipeline_metrics.h"
#include "connectors/record_plan.h"

struct schema_changes;

/** @param kind  of source @param metrics, known, routes  lent. NULL: none are wanted. */
struct schema_changes *schema_changes_new(const struct connector_config *config, const char *kind,
                                          const char *component, struct pipeline_metrics *metrics,
                                          struct known_tables *known, struct topic_routes *routes);

/** Whether the change's version of its table was not compared in this session. Accepts NULL. */
bool schema_changes_is_due(const struct schema_changes *s, const struct change *change);

/** Plans the record, into an empty plan. False: the definition is recorded already. */
bool schema_changes_plan(struct schema_changes *s, const struct change *change, struct record_plan *plan);

/** The planned record was taken; does nothing if none was due. @param ticket  the ledger's, of its
 * transaction */
void schema_changes_taken(struct schema_changes *s, const struct change *change, uint64_t ticket);

/** Accepts NULL. */
void schema_changes_free(struct schema_changes *s);

#endif
