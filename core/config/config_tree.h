// The value of an option of type TREE: any YAML, kept as JSON text with the places that its parts have in the
// file.
#ifndef CORE_CONFIG_CONFIG_TREE_H
#define CORE_CONFIG_CONFIG_TREE_H

#include "core/base/text_places.h"
#include "core/config/yaml.h"

/** Zero-initialised: the option is not set. */
struct config_tree {
    char *json;                 // NULL: not set
    struct text_places places;  // of every value and of every member's name
};

/**
 * Writes the node as JSON. A plain word is true, false or null in YAML 1.2's spellings, a number if it is
 * written as in JSON, digit by digit, and any other word (yes, 007, 0x10) is a string, as everything in
 * quotes is.
 */
void config_tree_set(struct config_tree *t, const struct yaml_node *node);

void config_tree_clear(struct config_tree *t);

#endif
