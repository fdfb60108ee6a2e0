#include "core/config/config_store.h"

#include "core/base/text.h"
#include "core/config/config_file.h"
#include "core/config/config_foreign.h"
#include "core/config/config_secret.h"
#include "core/config/config_value.h"

static void *target_of(const struct config_store *r, const struct config_option *option)
{
    return r->config + option->offset;
}

static void complain(const struct config_store *r, struct yaml_node *at, const char *key,
                     const struct fault *f)
{
    config_complain_at(r->file, at, "%s: %s", key, f->text);
}

static void store_text(char **target, char *text)
{
    memory_free_secret(*target);
    *target = text;
}

static void write_number(enum config_type type, int64_t number, struct bytes *out)
{
    if (type == CONFIG_DURATION) {
        config_value_write_duration(number, out);
    } else if (type == CONFIG_SIZE) {
        config_value_write_size(number, out);
    } else {
        bytes_format(out, "%lld", (long long)number);
    }
}

static bool store_number(const struct config_option *option, const char *text, int64_t *ret, struct fault *f)
{
    int64_t number;
    bool is_read = option->type == CONFIG_DURATION ? config_value_duration(text, &number, f)
                   : option->type == CONFIG_SIZE   ? config_value_size(text, &number, f)
                                                   : config_value_integer(text, &number, f);
    if (!is_read) {
        return false;
    }
    if (option->max != 0 && (number < option->min || number > option->max)) {
        CLEANUP(bytes_clear) struct bytes why = {0};
        bytes_append_string(&why, "must be from ");
        write_number(option->type, option->min, &why);
        bytes_append_string(&why, " to ");
        write_number(option->type, option->max, &why);
        bytes_format(&why, ", not %s", text);
        return fault_set(f, FAULT_CONFIG, "%s", bytes_text(&why));
    }
    *ret = number;
    return true;
}

// A value that another program has for such an option: what to write in its place.
static void explain_foreign(const struct config_store *r, const struct config_option *option,
                            const char *text, struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes allowed = {0};
    CLEANUP(bytes_clear) struct bytes answer = {0};
    config_value_words(option->choices, &allowed);
    if (r->foreigner != NULL &&
        config_foreign_value(r->foreigner, option->key, text, bytes_text(&allowed), &answer)) {
        (void)fault_set(f, FAULT_CONFIG, "%s", bytes_text(&answer));
    }
}

static bool store_choice(const struct config_store *r, const struct config_option *option, const char *text,
                         struct fault *f)
{
    uint32_t value;
    if (!config_value_choice(option->choices, text, &value, f)) {
        explain_foreign(r, option, text, f);
        return false;
    }
    if (option->offset == CONFIG_NO_TARGET) {
        return true;
    }
    if (option->type == CONFIG_BOOL) {
        *(bool *)target_of(r, option) = value != 0;
    } else if (option->type == CONFIG_FLAGS) {
        *(uint32_t *)target_of(r, option) |= value;
    } else {
        memcpy(target_of(r, option), &value,
               sizeof(value));  // our enums have the size of unsigned int
    }
    return true;
}

static bool check_text(const struct config_store *r, const struct config_option *option, const char *text,
                       struct fault *f)
{
    if (*text == '\0') {
        return fault_set(f, FAULT_CONFIG, "must not be empty");
    }
    if (option->rules == NULL || option->rules->check == NULL) {
        return true;
    }
    return option->rules->check(r->file, text, f);
}

void config_text_clear(struct config_text *t)
{
    free(t->path);
    free(t->text);
    *t = (struct config_text){0};
}

// Of CONFIG_FILE: a bundle of all public authorities has 220 KiB.
enum { FILE_MAX = 1024 * 1024 };

static bool store_file(const struct config_store *r, const struct config_option *option, const char *path,
                       struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes content = {0};
    CLEANUP(memory_free_pointer) char *resolved = config_file_resolve(r->file->path, path);
    if (!config_file_load(resolved, FILE_MAX, &content, NULL, f)) {
        return fault_context(f, "the file can't be read");
    }
    CLEANUP(memory_free_pointer) char *text = slice_to_string(bytes_slice(&content));
    if (option->rules != NULL && option->rules->check != NULL && !option->rules->check(r->file, text, f)) {
        return false;
    }
    struct config_text *target = target_of(r, option);
    config_text_clear(target);
    *target = (struct config_text){memory_string(path), TAKE(text)};
    return true;
}

// Parses one value, one item of a list, or a default.
static bool store_one(const struct config_store *r, const struct config_option *option, const char *text,
                      struct fault *f)
{
    switch (option->type) {
    case CONFIG_TEXT:
    case CONFIG_SECRET:
        if (!check_text(r, option, text, f)) {
            return false;
        }
        store_text(target_of(r, option), memory_string(text));
        return true;
    case CONFIG_FILE:
        return store_file(r, option, text, f);
    case CONFIG_BOOL:
        if (option->choices == NULL) {
            return config_value_bool(text, target_of(r, option), f);
        }
        return store_choice(r, option, text, f);
    case CONFIG_INTEGER:
    case CONFIG_DURATION:
    case CONFIG_SIZE:
        return store_number(option, text, target_of(r, option), f);
    case CONFIG_CHOICE:
    case CONFIG_FLAGS:
        return store_choice(r, option, text, f);
    case CONFIG_LIST:
        if (!check_text(r, option, text, f)) {
            return false;
        }
        text_list_add(target_of(r, option), text);
        return true;
    case CONFIG_ADDRESS: {
        char *host;
        if (option->word != NULL && strcmp(text, option->word) == 0) {
            store_text(target_of(r, option), NULL);
            return true;
        }
        if (!config_value_address(text, &host, (int *)(void *)(r->config + option->port_offset), f)) {
            return false;
        }
        store_text(target_of(r, option), host);
        return true;
    }
    case CONFIG_PAIRS:
    case CONFIG_TREE:
    case CONFIG_SECTION:
        break;
    }
    INVARIANT(option->type != CONFIG_PAIRS && option->type != CONFIG_TREE && option->type != CONFIG_SECTION);
    return false;
}

void config_store_initial(const struct config_store *r, const struct config_option *option)
{
    struct fault f;
    if (option->initial == NULL) {
        return;
    }
    if (option->type != CONFIG_LIST && option->type != CONFIG_FLAGS) {
        INVARIANT(store_one(r, option, option->initial, &f));
        return;
    }
    for (const char *at = option->initial; *at != '\0';) {
        size_t length = strcspn(at, " ");
        CLEANUP(memory_free_pointer) char *item = slice_to_string(slice_make(at, length));
        INVARIANT(store_one(r, option, item, &f));
        at += length + strspn(at + length, " ");
    }
}

static void store_list(const struct config_store *r, const struct config_option *option,
                       struct yaml_node *node)
{
    if (node->kind != YAML_LIST) {
        config_complain_at(r->file, node, "%s: write a list, as in [a, b]", option->key);
        return;
    }
    if ((int64_t)node->count < option->min) {
        config_complain_at(r->file, node, "%s: the list is empty", option->key);
    }
    for (size_t i = 0; i < node->count; i++) {
        struct yaml_node *item = node->items[i];
        struct fault f;
        if (item->kind != YAML_TEXT) {
            config_complain_at(r->file, item, "%s: each item is a single value", option->key);
        } else if (!item->is_bad && !store_one(r, option, item->text, &f)) {
            complain(r, item, option->key, &f);
            node->is_bad = true;
        }
    }
}

// Whether the pair may be stored; `value` is NULL when the secret could not be read.
static bool is_pair_valid(const struct config_store *r, const struct config_option *option,
                          struct yaml_node *map, size_t i, const char *value)
{
    struct fault f;
    const char *key = map->keys[i]->text;
    if (option->rules == NULL || option->rules->check_pair == NULL) {
        return value != NULL;
    }
    switch (option->rules->check_pair(key, value, &f)) {
    case CONFIG_GOOD:
        return value != NULL;
    case CONFIG_BAD_KEY:
        config_complain_at(r->file, map->keys[i], "%s", f.text);
        return false;
    case CONFIG_BAD_VALUE: {
        CLEANUP(bytes_clear) struct bytes quoted = {0};
        config_value_quote(key, &quoted);
        if (map->items[i]->kind == YAML_MAP) {  // {file: …}: a secret, which the fault must not quote
            (void)fault_set(&f, FAULT_CONFIG, "the secret is not a valid value");
        }
        complain(r, map->items[i], bytes_text(&quoted), &f);
        return false;
    }
    }
    return false;
}

static void store_pair(const struct config_store *r, const struct config_option *option,
                       struct yaml_node *map, size_t i)
{
    struct yaml_node *node = map->items[i];
    const char *key = map->keys[i]->text;
    bool is_secret = node->kind == YAML_MAP || (option->rules != NULL && option->rules->is_secret != NULL &&
                                                option->rules->is_secret(key));
    CLEANUP(memory_free_secret_pointer) char *value = NULL;
    CLEANUP(bytes_clear) struct bytes quoted = {0};
    config_value_quote(key, &quoted);
    if (node->kind == YAML_LIST) {
        config_complain_at(r->file, node, "%s: must be a single value", bytes_text(&quoted));
    } else if (node->kind != YAML_NULL && !node->is_bad) {
        value =
            is_secret ? config_secret_read(r->file, node, bytes_text(&quoted)) : memory_string(node->text);
    }
    if (!is_pair_valid(r, option, map, i, value)) {
        return;
    }
    if (is_secret) {
        text_pairs_set_secret(target_of(r, option), key, value);
    } else {
        text_pairs_set(target_of(r, option), key, value);
    }
}

static void store_pairs(const struct config_store *r, const struct config_option *option,
                        struct yaml_node *node)
{
    if (node->kind != YAML_MAP) {
        config_complain_at(r->file, node, "%s: write a map, as in {name: value}", option->key);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        store_pair(r, option, node, i);
    }
}

static void store_secret(const struct config_store *r, const struct config_option *option,
                         struct yaml_node *node)
{
    struct fault f;
    CLEANUP(memory_free_secret_pointer) char *secret = config_secret_read(r->file, node, option->key);
    if (secret == NULL) {
        node->is_bad = true;
    } else if (!store_one(r, option, secret, &f)) {
        complain(r, node, option->key, &f);
    }
}

static void store_single(const struct config_store *r, const struct config_option *option,
                         struct yaml_node *node)
{
    struct fault f;
    if (node->kind != YAML_TEXT) {
        config_complain_at(r->file, node, "%s: must be a single value, not a %s", option->key,
                           node->kind == YAML_LIST ? "list" : "map");
    } else if (!node->is_bad && !store_one(r, option, node->text, &f)) {
        complain(r, node, option->key, &f);
    }
    if (node->is_bad) {
        config_store_initial(r, option);
    }
}

void config_store_value(const struct config_store *r, const struct config_option *option,
                        struct yaml_node *node)
{
    switch (option->type) {
    case CONFIG_LIST:
    case CONFIG_FLAGS:
        store_list(r, option, node);
        return;
    case CONFIG_PAIRS:
        store_pairs(r, option, node);
        return;
    case CONFIG_SECRET:
        store_secret(r, option, node);
        return;
    case CONFIG_TREE:
        config_tree_set(target_of(r, option), node);
        return;
    case CONFIG_TEXT:
    case CONFIG_FILE:
    case CONFIG_BOOL:
    case CONFIG_INTEGER:
    case CONFIG_DURATION:
    case CONFIG_SIZE:
    case CONFIG_CHOICE:
    case CONFIG_ADDRESS:
        store_single(r, option, node);
        return;
    case CONFIG_SECTION:
        break;
    }
    INVARIANT(option->type != CONFIG_SECTION);
}
