#include "bridge/config/process_config.h"

#include <stdlib.h>

#include "core/base/memory.h"

const char *process_config_path(const struct process_config *c)
{
    const char *own = getenv("PATH");
    const char *given = text_pairs_get(&c->env, "PATH");
    return given != NULL ? given : own != NULL && *own != '\0' ? own : "/usr/local/bin:/usr/bin:/bin";
}

static char *copy_text(const char *text)
{
    return text == NULL ? NULL : memory_string(text);
}

void process_config_copy(const struct process_config *from, struct process_config *ret)
{
    *ret = *from;
    ret->command = (struct text_list){0};
    for (size_t i = 0; i < from->command.count; i++) {
        text_list_add(&ret->command, from->command.items[i]);
    }
    ret->env = (struct text_pairs){0};
    for (size_t i = 0; i < from->env.count; i++) {
        const struct text_pair *pair = &from->env.items[i];
        (pair->is_secret ? text_pairs_set_secret : text_pairs_set)(&ret->env, pair->key, pair->value);
    }
    ret->handler = copy_text(from->handler);
    ret->directory = copy_text(from->directory);
    ret->cpu_text = copy_text(from->cpu_text);
    ret->user = copy_text(from->user);
}

void process_config_clear(struct process_config *c)
{
    text_list_clear(&c->command);
    free(c->handler);
    free(c->directory);
    text_pairs_clear(&c->env);
    free(c->cpu_text);
    free(c->user);
    *c = (struct process_config){0};
}
