// The steps of a pattern's paths: equal paths have the same id.
#ifndef BRIDGE_FILTER_STEP_TABLE_H
#define BRIDGE_FILTER_STEP_TABLE_H

#include "bridge/filter/json_tree.h"

#define STEP_EVENT UINT32_MAX

/** One place of the event that the pattern looks at; its index is the id of its filter_step. */
struct pattern_step {
    struct slice path;        // owned by the table
    struct slice name;        // its end
    uint32_t parent;          // STEP_EVENT: a member of the event
    struct json_place place;  // where the pattern has it first
};

/** Zero-initialised is empty. */
struct step_table {
    struct pattern_step *items;
    uint32_t count;
    uint32_t capacity;
    struct json_place place;  // of the steps that are added now
};

/** The step that leads from the parent's place to its member of that name. */
struct filter_step step_table_add(struct step_table *t, uint32_t parent, struct slice name);

/** The steps of a path with dots; the caller frees *ret. Returns how many. */
uint32_t step_table_split(struct step_table *t, struct slice path, struct filter_step **ret);

void step_table_clear(struct step_table *t);

#endif
