#include "bridge/config/function_config.h"

#include "core/base/memory.h"

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
    memory_free_secret(c->http.bearer);
    text_pairs_clear(&c->delivery.retry.status_texts);
    free(c->delivery.on_failure.dead_letter);
    free(c->delivery.rate_text);
    free(c->delivery.limit);
    *c = (struct function_config){0};
}
