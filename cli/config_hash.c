#include "cli/config_hash.h"

#include "core/base/memory.h"
#include "core/config/config_same.h"
#include "core/config/settings_kind.h"

static void append_text(struct bytes *out, const char *text)
{
    bytes_append_byte(out, text == NULL ? 0 : 1);
    uint64_t hash = text == NULL ? 0 : text_hash(slice_of(text));
    bytes_append(out, &hash, sizeof(hash));
}

/** What config_show shows, and the hashes of what it hides. */
static void append_config(const struct config_kind *kind, const void *config, struct bytes *out)
{
    config_show(kind, config, out);
    config_same_hash_hidden(kind->options, config, out);
}

uint64_t config_hash_settings(const struct settings *s)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    append_config(&settings_kind, s, &text);
    return text_hash(bytes_slice(&text));
}

uint64_t config_hash_connector(const struct connector_config *c)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    append_text(&text, c->name);
    append_config(&connector_config_kind, c, &text);
    return text_hash(bytes_slice(&text));
}

uint64_t config_hash_function(const struct function_config *c)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    append_text(&text, c->name);
    append_config(&function_config_kind, c, &text);
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
        append_text(&hashes, set->rejected.items[i].text);
    }
    return text_hash(bytes_slice(&hashes));
}
