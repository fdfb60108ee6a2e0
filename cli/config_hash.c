#include "cli/config_hash.h"

#include "core/base/memory.h"

/** Appends the hash of a value that config_show hides, so that no copy of it is made; NULL differs from "".
 */
static void append_secret(struct bytes *out, const char *text)
{
    bytes_append_byte(out, text == NULL ? 0 : 1);
    uint64_t hash = text == NULL ? 0 : text_hash(slice_of(text));
    bytes_append(out, &hash, sizeof(hash));
}

static void append_pairs(struct bytes *out, const struct text_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        append_secret(out, pairs->items[i].key);
        append_secret(out, pairs->items[i].value);
    }
}

uint64_t config_hash_settings(const struct settings *s)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    config_show(&settings_kind, s, &text);
    append_pairs(&text, &s->kafka);
    append_secret(&text, s->registry.url);
    append_secret(&text, s->registry.username);
    append_secret(&text, s->registry.password);
    return text_hash(bytes_slice(&text));
}

uint64_t config_hash_connector(const struct connector_config *c)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    append_secret(&text, c->name);
    config_show(&connector_config_kind, c, &text);
    append_secret(&text, c->postgres.dsn);
    append_secret(&text, c->postgres.password);
    return text_hash(bytes_slice(&text));
}

uint64_t config_hash_function(const struct function_config *c)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    append_secret(&text, c->name);
    config_show(&function_config_kind, c, &text);
    append_secret(&text, c->http.url);
    append_secret(&text, c->http.bearer);
    append_secret(&text, c->http.webhook_secret);
    append_secret(&text, c->http.webhook_previous_secret);
    append_pairs(&text, &c->http.headers);
    return text_hash(bytes_slice(&text));
}

uint64_t config_hash_set(const struct config_set *set)
{
    CLEANUP(bytes_clear) struct bytes hashes = {0};
    uint64_t hash = set->settings == NULL ? 0 : config_hash_settings(set->settings);
    bytes_append(&hashes, &hash, sizeof(hash));
    for (size_t i = 0; i < set->connector_count; i++) {
        hash = config_hash_connector(set->connectors[i]);
        bytes_append(&hashes, &hash, sizeof(hash));
    }
    for (size_t i = 0; i < set->function_count; i++) {
        hash = config_hash_function(set->functions[i]);
        bytes_append(&hashes, &hash, sizeof(hash));
    }
    for (size_t i = 0; i < set->rejected.count; i++) {
        append_secret(&hashes, set->rejected.items[i].text);
    }
    return text_hash(bytes_slice(&hashes));
}
