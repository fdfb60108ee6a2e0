#include "core/config/config.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/base/text.h"
#include "core/config/config_file.h"
#include "core/config/config_foreign.h"
#include "core/config/config_store.h"
#include "core/config/config_value.h"

static void complain_list(const struct config_file *file, struct yaml_node *at, const char *format,
                          va_list arguments)
{
    char *text = NULL;
    INVARIANT(vasprintf(&text, format, arguments) >= 0);
    complaints_add(file->complaints, file->path, at == NULL ? 1 : at->line, at == NULL ? 1 : at->column, "%s",
                   text);
    free(text);
    if (at != NULL) {
        at->is_bad = true;
    }
}

void config_complain_at(const struct config_file *file, struct yaml_node *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain_list(file, at, format, arguments);
    va_end(arguments);
}

void config_complain_place(const struct config_file *file, uint32_t line, uint32_t column, const char *format,
                           ...)
{
    va_list arguments;
    struct yaml_node place = {.line = (int)line, .column = (int)column};
    va_start(arguments, format);
    complain_list(file, &place, format, arguments);
    va_end(arguments);
}

void config_complain(const struct config_file *file, const char *path, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain_list(file, config_node(file, path), format, arguments);
    va_end(arguments);
}

// The node at the path if it exists, else the innermost existing section on the way.
static struct yaml_node *find_node(const struct config_file *file, const char *path, bool *ret_is_whole)
{
    struct yaml_node *node = file->root;
    *ret_is_whole = node != NULL;
    while (*path != '\0' && *ret_is_whole) {
        size_t length = strcspn(path, ".");
        CLEANUP(memory_free_pointer) char *key = slice_to_string(slice_make(path, length));
        struct yaml_node *next = yaml_get(node, key);
        *ret_is_whole = next != NULL;
        node = next == NULL ? node : next;
        path += length + (path[length] == '.' ? 1 : 0);
    }
    return node;
}

struct yaml_node *config_node(const struct config_file *file, const char *path)
{
    bool is_whole;
    return find_node(file, path, &is_whole);
}

struct yaml_node *config_find(const struct config_file *file, const char *path)
{
    bool is_whole;
    struct yaml_node *node = find_node(file, path, &is_whole);
    return is_whole ? node : NULL;
}

bool config_is_sound(const struct config_file *file, const char *path)
{
    bool is_whole;
    const struct yaml_node *node = find_node(file, path, &is_whole);
    return !is_whole || !node->is_bad;
}

const struct config_option *config_walk_next(struct config_walk *w)
{
    if (w->next->key == NULL && w->outer != NULL) {
        w->next = w->outer;
        w->outer = NULL;
    }
    if (w->next->key == NULL && w->next->group != NULL) {
        w->outer = w->next + 1;
        w->next = w->next->group;
    }
    return w->next->key == NULL ? NULL : w->next++;
}

static void key_words(const struct config_option *options, struct bytes *out)
{
    const char *between = "";
    struct config_walk walk = {.next = options};
    for (const struct config_option *option; (option = config_walk_next(&walk)) != NULL;) {
        bytes_format(out, "%s%s", between, option->key);
        between = ", ";
    }
}

static const struct config_option *find_option(const struct config_option *options, const char *key)
{
    struct config_walk walk = {.next = options};
    for (const struct config_option *option; (option = config_walk_next(&walk)) != NULL;) {
        if (strcmp(option->key, key) == 0) {
            return option;
        }
    }
    return NULL;
}

enum { CONFIG_KEYS_MAX = 64 };  // of one section

/** Appends the path of each section below that has the key, as `batch` or `retry.backoff`; returns how many.
 */
static int find_below(const struct config_option *options, const char *key, const char *path,
                      struct bytes *out)
{
    int found = 0;
    struct config_walk walk = {.next = options};
    for (const struct config_option *option; (option = config_walk_next(&walk)) != NULL;) {
        if (option->type != CONFIG_SECTION) {
            continue;
        }
        CLEANUP(memory_free_pointer)
        char *here = memory_format("%s%s%s", path, path[0] == 0 ? "" : ".", option->key);
        if (find_option(option->section, key) != NULL) {
            bytes_append_string(out, here);
            found++;
        }
        found += find_below(option->section, key, here, out);
    }
    return found;
}

static void refuse_key(const struct config_store *r, const struct config_option *options,
                       struct yaml_node *key)
{
    const char *words[CONFIG_KEYS_MAX + 1] = {NULL};
    size_t count = 0;
    struct config_walk walk = {.next = options};
    for (const struct config_option *option; (option = config_walk_next(&walk)) != NULL;) {
        INVARIANT(count < CONFIG_KEYS_MAX);
        words[count++] = option->key;
    }
    CLEANUP(bytes_clear) struct bytes quoted = {0};
    config_value_quote(key->text, &quoted);
    CLEANUP(bytes_clear) struct bytes answer = {0};
    if (r->foreigner != NULL && config_foreign_key(r->foreigner, key->text, &answer)) {
        config_complain_at(r->file, key, "unknown key %s, %s", bytes_text(&quoted), bytes_text(&answer));
        return;
    }
    CLEANUP(bytes_clear) struct bytes section = {0};
    if (find_below(options, key->text, "", &section) == 1) {
        config_complain_at(r->file, key, "unknown key %s; it belongs in %s", bytes_text(&quoted),
                           bytes_text(&section));
        return;
    }
    const char *near = text_nearest(key->text, words);
    if (near != NULL) {
        config_complain_at(r->file, key, "unknown key %s; did you mean \"%s\"?", bytes_text(&quoted), near);
        return;
    }
    CLEANUP(bytes_clear) struct bytes allowed = {0};
    key_words(options, &allowed);
    config_complain_at(r->file, key, "unknown key %s; valid keys: %s", bytes_text(&quoted),
                       bytes_text(&allowed));
}

static void refuse_unknown(const struct config_store *r, const struct config_option *options,
                           const struct yaml_node *map)
{
    for (size_t i = 0; i < map->count; i++) {
        if (find_option(options, map->keys[i]->text) == NULL) {
            refuse_key(r, options, map->keys[i]);
        }
    }
}

// A section's node; NULL when there is none or the value means no section.
static struct yaml_node *section_node(const struct config_store *r, const struct config_option *option,
                                      struct yaml_node *node)
{
    if (node == NULL || node->kind == YAML_MAP || node->kind == YAML_NULL) {
        return node == NULL || node->kind == YAML_NULL ? NULL : node;
    }
    if (option->word != NULL && node->kind == YAML_TEXT && strcmp(node->text, option->word) == 0) {
        return NULL;
    }
    CLEANUP(bytes_clear) struct bytes keys = {0};
    key_words(option->section, &keys);
    config_complain_at(r->file, node, "%s: write %s%sa section with %s", option->key,
                       option->word == NULL ? "" : option->word, option->word == NULL ? "" : ", or ",
                       bytes_text(&keys));
    return NULL;
}

static void read_section(const struct config_store *r, const struct config_option *options,
                         struct yaml_node *map, bool is_needed);

static void read_option(const struct config_store *r, const struct config_option *option,
                        struct yaml_node *map, bool is_needed)
{
    struct yaml_node *node = yaml_get(map, option->key);
    bool is_absent = node == NULL || node->kind == YAML_NULL;
    if (option->is_required && is_needed && is_absent) {
        config_complain_at(r->file, node == NULL ? map : node, "required key \"%s\" is missing", option->key);
    }
    if (option->type == CONFIG_SECTION) {
        struct yaml_node *section = section_node(r, option, node);
        read_section(r, option->section, section, section != NULL);
    } else if (is_absent) {
        config_store_initial(r, option);
    } else {
        config_store_value(r, option, node);
    }
}

// `map` NULL: every option gets its default; required keys are missing only if `is_needed`.
static void read_section(const struct config_store *r, const struct config_option *options,
                         struct yaml_node *map, bool is_needed)
{
    if (map != NULL) {
        refuse_unknown(r, options, map);
    }
    struct config_walk walk = {.next = options};
    for (const struct config_option *option; (option = config_walk_next(&walk)) != NULL;) {
        read_option(r, option, map, is_needed);
    }
}

bool config_read(const struct config_kind *kind, struct config_file *file, struct slice text, void *config)
{
    size_t before = file->complaints->count;
    bool is_tree = yaml_parse(file->path, text, &file->root, file->complaints) || file->root != NULL;
    struct config_store store = {file, config, kind->foreigner};
    struct yaml_node *map = file->root;
    if (map != NULL && map->kind != YAML_MAP && map->kind != YAML_NULL) {
        CLEANUP(bytes_clear) struct bytes keys = {0};
        key_words(kind->options, &keys);
        config_complain_at(file, map, "the file must have keys: %s", bytes_text(&keys));
        is_tree = false;
    }
    if (map != NULL && map->kind != YAML_MAP) {
        map = NULL;
    }
    read_section(&store, kind->options, map, is_tree);
    if (kind->finish != NULL && is_tree) {
        kind->finish(file, config);
    }
    return file->complaints->count == before;
}

bool config_read_file(const struct config_kind *kind, struct config_file *file, void *config)
{
    CLEANUP(bytes_wipe) struct bytes text = {0};  // it may contain plain secrets
    struct fault f;
    if (!config_file_load(file->path, YAML_SIZE_MAX, &text, &file->is_private, &f)) {
        const char *why = f.text + strlen(file->path) + 2;  // without the path, which begins the complaint
        complaints_add(file->complaints, file->path, 0, 0, "can't be read: %s", why);
        read_section(&(struct config_store){file, config, NULL}, kind->options, NULL, false);
        return false;
    }
    return config_read(kind, file, bytes_slice(&text), config);
}

static void clear_value(const struct config_option *option, char *config)
{
    void *value = config + option->offset;
    switch (option->type) {
    case CONFIG_TEXT:
    case CONFIG_SECRET:
        memory_free_secret(*(char **)value);
        break;
    case CONFIG_ADDRESS:
        free(*(char **)value);
        break;
    case CONFIG_FILE:
        config_text_clear(value);
        break;
    case CONFIG_LIST:
        text_list_clear(value);
        break;
    case CONFIG_PAIRS:
        text_pairs_clear(value);
        break;
    case CONFIG_TREE:
        config_tree_clear(value);
        break;
    case CONFIG_SECTION:
        config_clear(option->section, config);
        break;
    case CONFIG_BOOL:
    case CONFIG_INTEGER:
    case CONFIG_DURATION:
    case CONFIG_SIZE:
    case CONFIG_CHOICE:
    case CONFIG_FLAGS:
        break;
    }
}

void config_clear(const struct config_option *options, void *config)
{
    struct config_walk walk = {.next = options};
    for (const struct config_option *option; (option = config_walk_next(&walk)) != NULL;) {
        if (option->type == CONFIG_SECTION || option->offset != CONFIG_NO_TARGET) {
            clear_value(option, config);
        }
    }
}
