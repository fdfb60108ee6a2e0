// A YAML document as a tree of nodes with their places. Size, depth and aliases are limited; keys are unique.
#ifndef CORE_CONFIG_YAML_H
#define CORE_CONFIG_YAML_H

#include "core/base/memory.h"
#include "core/config/complaints.h"

enum {
    YAML_SIZE_MAX = 256 * 1024,  // bytes of a file
    YAML_DEPTH_MAX = 32,
    YAML_NODES_MAX = 20000,  // with aliases expanded
    YAML_ALIASES_MAX = 100,
    YAML_ECHO_MAX = 80,  // bytes of the user's text that a complaint quotes
};

enum yaml_kind { YAML_NULL, YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    int line;       // from 1
    int column;     // from 1, in characters
    int text_line;  // TEXT: where its first character stands: behind the quote, or below the | of a block
    int text_column;
    bool is_quoted;            // TEXT: it was written in quotes or as a block
    bool is_bad;               // has a complaint: errors that follow from its value need none
    char *text;                // TEXT: as written, without quotes; never has a NUL inside
    struct yaml_node **keys;   // MAP: TEXT nodes, each text once
    struct yaml_node **items;  // LIST, MAP: the values
    size_t count;
};

/**
 * Parses one document.
 *
 * @param file      prefix of the complaints
 * @param ret_root  the caller frees it; NULL when the document is empty. Set after some complaints too (a
 *                  duplicate key), so that the rest can be checked
 * @return          false when there was a complaint
 */
bool yaml_parse(const char *file, struct slice text, struct yaml_node **ret_root,
                struct complaints *complaints) MUST_USE;

/** The value under the key of a map; NULL when it isn't there or `map` is NULL or no map. */
struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/** Accepts NULL. */
void yaml_node_free(struct yaml_node *node);

#endif
