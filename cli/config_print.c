#include "cli/config_print.h"

#include "core/base/memory.h"

/** What the effective values shown as "***" hide; an absent text is not an empty one. */
static void append_secret(struct bytes *out, const char *text)
{
    bytes_append_byte(out, text == NULL ? 0 : 1);
    if (text != NULL) {
        bytes_append(out, text, strlen(text) + 1);
    }
}

static void append_pairs(struct bytes *out, const struct text_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        append_secret(out, pairs->items[i].key);
        append_secret(out, pairs->items[i].value);
    }
}

uint64_t config_print_settings(const struct settings *s)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    config_show(&settings_kind, s, &text);
    append_pairs(&text, &s->kafka);
    append_secret(&text, s->registry.url);
    append_secret(&text, s->registry.username);
    append_secret(&text, s->registry.password);
    return text_hash(bytes_slice(&text));
}

uint64_t config_print_connector(const struct connector_config *c)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    append_secret(&text, c->name);
    config_show(&connector_config_kind, c, &text);
    append_secret(&text, c->postgres.dsn);
    append_secret(&text, c->postgres.password);
    return text_hash(bytes_slice(&text));
}

uint64_t config_print_function(const struct function_config *c)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    append_secret(&text, c->name);
    config_show(&function_config_kind, c, &text);
    append_secret(&text, c->http.url);
    append_secret(&text, c->http.bearer);
    append_pairs(&text, &c->http.headers);
    return text_hash(bytes_slice(&text));
}

uint64_t config_print_set(const struct config_set *set)
{
    CLEANUP(bytes_clear) struct bytes prints = {0};
    uint64_t print = set->settings == NULL ? 0 : config_print_settings(set->settings);
    bytes_append(&prints, &print, sizeof(print));
    for (size_t i = 0; i < set->connector_count; i++) {
        print = config_print_connector(set->connectors[i]);
        bytes_append(&prints, &print, sizeof(print));
    }
    for (size_t i = 0; i < set->function_count; i++) {
        print = config_print_function(set->functions[i]);
        bytes_append(&prints, &print, sizeof(print));
    }
    return text_hash(bytes_slice(&prints));
}
