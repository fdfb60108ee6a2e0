#include "bridge/endpoints/process/instance_command.h"

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/memory.h"

enum { FIXED_MAX = 12 };  // words before the function's own command

static void add(struct instance_command *c, size_t *count, const char *word)
{
    c->arguments[(*count)++] = (char *)(uintptr_t)word;
}

static void add_option(struct instance_command *c, size_t *count, const char *name, const char *value)
{
    if (value != NULL) {
        add(c, count, name);
        add(c, count, value);
    }
}

void instance_command_make(struct instance_command *ret, const struct process_config *config)
{
    size_t count = 0;
    ret->arguments = memory_zeroed(FIXED_MAX + config->command.count + 1, sizeof(*ret->arguments));
    (void)snprintf(ret->parent, sizeof(ret->parent), "%ld", (long)getpid());
    (void)snprintf(ret->memory, sizeof(ret->memory), "%lld", (long long)config->memory_bytes);
    add(ret, &count, "millrace");
    add(ret, &count, "exec-function");
    add_option(ret, &count, "--parent", ret->parent);
    add_option(ret, &count, "--user", config->user);
    add_option(ret, &count, "--directory", config->directory);
    add_option(ret, &count, "--memory", config->memory_bytes > 0 ? ret->memory : NULL);
    add(ret, &count, "--");
    INVARIANT(count <= FIXED_MAX);
    for (size_t i = 0; i < config->command.count; i++) {
        add(ret, &count, config->command.items[i]);
    }
}

void instance_command_clear(struct instance_command *c)
{
    free(c->arguments);
}
