#include "bridge/config/function_config.h"

#include "core/base/memory.h"

bool function_config_wants(uint32_t operations, char op)
{
    switch (op) {
    case 'c':
        return (operations & FUNCTION_CREATE) != 0;
    case 'r':
        return (operations & FUNCTION_READ) != 0;
    case 'u':
        return (operations & FUNCTION_UPDATE) != 0;
    case 'd':
        return (operations & FUNCTION_DELETE) != 0;
    default:
        return false;
    }
}

char *function_config_group(const char *function)
{
    return memory_format("millrace.%s", function);
}

char *function_config_dead_letter(const char *function)
{
    return memory_format("millrace.dlq.%s", function);
}

void function_config_clear(struct function_config *c)
{
    if (c == NULL) {
        return;
    }
    free(c->name);
    text_list_clear(&c->source.topics);
    free(c->source.start_text);
    pattern_free(c->filter.pattern);
    config_tree_clear(&c->filter.tree);
    config_tree_clear(&c->tests);
    memory_free_secret(c->http.url);
    text_pairs_clear(&c->http.headers);
    auth_config_clear(&c->http.auth);
    text_pairs_clear(&c->delivery.retry.status_texts);
    free(c->delivery.on_failure.dead_letter);
    free(c->delivery.rate_text);
    free(c->delivery.limit);
    *c = (struct function_config){0};
}
