#include "bridge/config/process_config.h"

#include <stdlib.h>

const char *process_config_path(const struct process_config *c)
{
    const char *own = getenv("PATH");
    const char *given = text_pairs_get(&c->env, "PATH");
    return given != NULL ? given : own != NULL && *own != '\0' ? own : "/usr/local/bin:/usr/bin:/bin";
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
