#include "core/config/settings_limits.h"

#include "core/base/memory.h"
#include "core/config/config_value.h"

enum { LIMIT_NUMBER_MAX = 1000000 };

/** Reads one number of a limit, from 1 to a million. */
static void read_limit_number(const struct config_file *file, const char *key, struct yaml_node *node,
                              int64_t *ret)
{
    struct fault f;
    if (node->kind != YAML_TEXT) {
        config_complain_at(file, node, "%s: must be a number", key);
    } else if (!config_value_integer(node->text, ret, &f)) {
        config_complain_at(file, node, "%s: %s", key, f.text);
    } else if (*ret < 1 || *ret > LIMIT_NUMBER_MAX) {
        config_complain_at(file, node, "%s: must be between 1 and %d", key, LIMIT_NUMBER_MAX);
    }
}

static void read_limit_rate(const struct config_file *file, struct yaml_node *node, struct config_rate *ret)
{
    struct fault f;
    if (node->kind != YAML_TEXT) {
        config_complain_at(file, node, "rate: must be a rate such as 100/s");
    } else if (!config_rate_parse(node->text, ret, &f)) {
        config_complain_at(file, node, "rate: %s", f.text);
    }
}

static void read_limit_member(const struct config_file *file, struct yaml_node *key, struct yaml_node *value,
                              struct limit_setting *limit)
{
    static const char *const known[] = {"concurrency", "rate", "burst", NULL};
    if (strcmp(key->text, "concurrency") == 0) {
        read_limit_number(file, key->text, value, &limit->concurrency);
    } else if (strcmp(key->text, "burst") == 0) {
        read_limit_number(file, key->text, value, &limit->burst);
    } else if (strcmp(key->text, "rate") == 0) {
        read_limit_rate(file, value, &limit->rate);
    } else {
        CLEANUP(bytes_clear) struct bytes quoted = {0};
        config_value_quote(key->text, &quoted);
        const char *near = text_nearest(key->text, known);
        config_complain_at(file, key, "unknown key %s%s%s%s", bytes_text(&quoted),
                           near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
                           near == NULL ? "" : "\"?");
    }
}

static void read_limit(const struct config_file *file, struct yaml_node *key, struct yaml_node *value,
                       struct limit_setting *limit)
{
    limit->name = memory_string(key->text);
    if (!config_value_is_name(key->text)) {
        config_complain_at(file, key, "a limit's name consists of a-z, 0-9 and -, at most 63 characters");
    }
    if (value->kind != YAML_MAP) {
        config_complain_at(file, value, "%s: must have concurrency, rate or both", key->text);
        return;
    }
    for (size_t i = 0; i < value->count; i++) {
        read_limit_member(file, value->keys[i], value->items[i], limit);
    }
    bool has_any = limit->concurrency > 0 || limit->rate.count > 0;
    if (!has_any && yaml_get(value, "concurrency") == NULL && yaml_get(value, "rate") == NULL) {
        config_complain_at(file, key, "%s: must have concurrency, rate or both", key->text);
    }
    if (limit->burst > 0 && yaml_get(value, "rate") == NULL) {
        config_complain_at(file, yaml_get(value, "burst"), "burst: has a meaning only with rate");
    }
    limit->burst = limit->burst > 0 ? limit->burst : config_rate_default_burst(&limit->rate);
}

void settings_limits_read(const struct config_file *file, struct settings *s)
{
    struct yaml_node *limits = yaml_get(file->root, "limits");
    if (limits == NULL || limits->kind == YAML_NULL) {
        return;
    }
    if (limits->kind != YAML_MAP) {
        config_complain_at(file, limits, "limits: must be NAME: {concurrency: …, rate: …}");
        return;
    }
    s->limits.items = memory_zeroed(limits->count + 1, sizeof(*s->limits.items));
    s->limits.count = limits->count;
    for (size_t i = 0; i < limits->count; i++) {
        read_limit(file, limits->keys[i], limits->items[i], &s->limits.items[i]);
    }
}
