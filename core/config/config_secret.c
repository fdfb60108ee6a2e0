#include "core/config/config_secret.h"

#include <stdlib.h>

#include "core/base/text.h"
#include "core/config/config_file.h"
#include "core/config/config_value.h"

static char *check_secret(const struct config_file *file, struct yaml_node *node, const char *key,
                          struct slice secret)
{
    if (secret.size == 0) {
        config_complain_at(file, node, "%s: the secret is empty", key);
        return NULL;
    }
    if (memchr(secret.data, '\0', secret.size) != NULL) {
        config_complain_at(file, node, "%s: the secret has a NUL byte in it", key);
        return NULL;
    }
    return slice_to_string(secret);
}

static char *read_from_file(const struct config_file *file, struct yaml_node *node, const char *key)
{
    CLEANUP(memory_free_pointer) char *path = config_file_resolve(file->path, node->text);
    CLEANUP(bytes_wipe) struct bytes text = {0};
    struct fault f;
    if (!config_file_load(path, CONFIG_SECRET_MAX, &text, NULL, &f)) {
        config_complain_at(file, node, "%s: the secret's file can't be read: %s", key, f.text);
        return NULL;
    }
    struct slice secret = bytes_slice(&text);
    if (secret.size > 0 && secret.data[secret.size - 1] == '\n') {
        secret.size--;
    }
    if (secret.size > 0 && secret.data[secret.size - 1] == '\r') {
        secret.size--;
    }
    return check_secret(file, node, key, secret);
}

static char *read_from_environment(const struct config_file *file, struct yaml_node *node, const char *key)
{
    const char *value = getenv(node->text);
    if (file->variables != NULL) {
        text_list_add(file->variables, node->text);
    }
    if (value == NULL) {
        CLEANUP(bytes_clear) struct bytes name = {0};
        config_value_quote(node->text, &name);
        config_complain_at(file, node, "%s: there is no environment variable %s", key, bytes_text(&name));
        return NULL;
    }
    return check_secret(file, node, key, slice_of(value));
}

static char *read_from_map(const struct config_file *file, struct yaml_node *map, const char *key)
{
    if (map->count != 1 || map->items[0]->kind != YAML_TEXT) {
        config_complain_at(file, map, "%s: write one of {file: PATH} and {env: NAME}", key);
        return NULL;
    }
    if (strcmp(map->keys[0]->text, "file") == 0) {
        return read_from_file(file, map->items[0], key);
    }
    if (strcmp(map->keys[0]->text, "env") == 0) {
        return read_from_environment(file, map->items[0], key);
    }
    CLEANUP(bytes_clear) struct bytes word = {0};
    config_value_quote(map->keys[0]->text, &word);
    config_complain_at(file, map->keys[0], "%s: unknown key %s; write {file: PATH} or {env: NAME}", key,
                       bytes_text(&word));
    map->is_bad = true;
    return NULL;
}

char *config_secret_read(const struct config_file *file, struct yaml_node *node, const char *key)
{
    switch (node->kind) {
    case YAML_MAP:
        return read_from_map(file, node, key);
    case YAML_TEXT:
        if (file->is_private) {
            return check_secret(file, node, key, slice_of(node->text));
        }
        config_complain_at(file, node,
                           "%s: a plain secret in a file that others may read: use {file: PATH} or "
                           "{env: NAME}, or chmod 600",
                           key);
        return NULL;
    case YAML_NULL:
    case YAML_LIST:
        break;
    }
    config_complain_at(file, node, "%s: write {file: PATH} or {env: NAME}", key);
    return NULL;
}
