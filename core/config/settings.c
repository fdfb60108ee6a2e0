#include "core/config/settings.h"

#include <stdlib.h>

#include "core/base/memory.h"
#include "core/config/tracing_rules.h"

const char *settings_state_directory(const struct settings *s)
{
    const char *unit = getenv("STATE_DIRECTORY");
    return s->state_directory != NULL       ? s->state_directory
           : unit != NULL && unit[0] == '/' ? unit
                                            : "/var/lib/millrace";
}

const struct limit_setting *settings_limit(const struct settings *s, const char *name)
{
    for (size_t i = 0; i < s->limits.count; i++) {
        if (strcmp(s->limits.items[i].name, name) == 0) {
            return &s->limits.items[i];
        }
    }
    return NULL;
}

// The URL has no user and password (config_value_check_url); a query may have a key.
char *settings_registry_address(const struct settings *s)
{
    const char *url = s->registry.public_url != NULL ? s->registry.public_url : s->registry.url;
    size_t size = url == NULL ? 0 : strcspn(url, "?#");
    while (size > 0 && url[size - 1] == '/') {
        size--;
    }
    return url == NULL ? NULL : memory_format("%.*s", (int)size, url);
}

double settings_trace_sample(const struct settings *s)
{
    struct fault f;
    double share = 0;
    bool is_read = s->tracing.sample != NULL && tracing_sample_read(s->tracing.sample, &share, &f);
    return is_read ? share : 0;
}

static void clear_registry(struct settings *s)
{
    memory_free_secret(s->registry.url);
    memory_free_secret(s->registry.public_url);
    free(s->registry.username);
    memory_free_secret(s->registry.password);
    memory_free_secret(s->registry.token);
    memory_free_secret(s->registry.key);
    config_text_clear(&s->registry.ca);
    config_text_clear(&s->registry.certificate);
    text_list_clear(&s->registry.urls);
    free(s->registry.listen_host);
}

static void clear_limits(struct settings *s)
{
    config_tree_clear(&s->limits.tree);
    for (size_t i = 0; i < s->limits.count; i++) {
        free(s->limits.items[i].name);
    }
    free(s->limits.items);
}

void settings_clear(struct settings *s)
{
    if (s == NULL) {
        return;
    }
    text_pairs_clear(&s->kafka);
    clear_registry(s);
    free(s->admin.host);
    text_list_clear(&s->admin.hosts);
    text_list_clear(&s->endpoint.allow);
    memory_free_secret(s->tracing.url);
    text_pairs_clear(&s->tracing.headers);
    free(s->tracing.sample);
    clear_limits(s);
    free(s->state_directory);
    *s = (struct settings){0};
}
