#include "connectors/config/selection_check.h"

#include "connectors/config/name_glob.h"
#include "core/base/name_regex.h"
#include "core/config/config_value.h"

// Where the file has globs, and over what.
static const struct place {
    const char *path;
    size_t dots;  // of the names; 0: prefixes of messages
} PLACES[] = {
    {"tables.include", 1},
    {"tables.exclude", 1},
    {"tables.publish_inserts_only", 1},
    {"columns.include", 2},
    {"columns.exclude", 2},
    {"columns.mask", 2},
    {"columns.truncate", 2},
    {"columns.hash.columns", 2},
    {"rows", 1},
    {"keys", 1},
    {"partition_by", 1},
    {"routes", 1},
    {"messages.include", 0},
    {"messages.exclude", 0},
};

static void check_node(const struct config_file *file, const struct connector_config *c,
                       const struct place *place, struct yaml_node *node)
{
    struct fault f;
    if (node == NULL || node->kind != YAML_TEXT || node->is_bad || name_regex_is(node->text)) {
        return;
    }
    bool is_good = place->dots == 0 ? name_glob_check_message(node->text, &f)
                                    : name_glob_check_dots(node->text, place->dots, c->topic_prefix, &f);
    if (!is_good) {
        const char *dot = strrchr(place->path, '.');
        config_complain_at(file, node, "%s: %s", dot == NULL ? place->path : dot + 1, f.text);
    }
}

// An entry without wildcards of which exclude leaves nothing.
static void check_excluded(const struct config_file *file, const struct connector_config *c)
{
    const struct yaml_node *include = config_find(file, "tables.include");
    for (size_t i = 0; include != NULL && include->kind == YAML_LIST && i < include->count; i++) {
        struct yaml_node *item = include->items[i];
        bool is_name = item->kind == YAML_TEXT && !item->is_bad && !name_regex_is(item->text) &&
                       strpbrk(item->text, "*?[") == NULL;
        if (is_name && text_list_name_match(&c->tables.exclude, item->text)) {
            config_complain_at(
                file, item, "include: tables.exclude leaves %s out; take it out of one of them", item->text);
        }
    }
}

void selection_check(const struct config_file *file, const struct connector_config *c)
{
    for (size_t i = 0; i < COUNT_OF(PLACES); i++) {
        const struct place *place = &PLACES[i];
        const struct yaml_node *node = config_find(file, place->path);
        bool is_map = node != NULL && node->kind == YAML_MAP;
        for (size_t k = 0; node != NULL && k < node->count; k++) {
            struct yaml_node *item = is_map ? node->keys[k] : node->items[k];
            bool is_route = !is_map && item->kind == YAML_MAP;
            check_node(file, c, place, is_route ? yaml_get(item, "match") : item);
        }
    }
    check_excluded(file, c);
}
