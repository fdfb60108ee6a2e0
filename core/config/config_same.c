#include "core/config/config_same.h"

#include "core/base/text.h"

static bool is_same_text(const void *a, const void *b)
{
    return text_is_same(*(const char *const *)a, *(const char *const *)b);
}

static const struct config_text *file_of(const struct config_option *option, const char *config)
{
    return (const struct config_text *)(const void *)(config + option->offset);
}

static bool is_same_value(const struct config_option *option, const char *a, const char *b)
{
    switch (option->type) {
    case CONFIG_TEXT:
    case CONFIG_SECRET:
        return is_same_text(a + option->offset, b + option->offset);
    case CONFIG_FILE:
        return text_is_same(file_of(option, a)->path, file_of(option, b)->path) &&
               text_is_same(file_of(option, a)->text, file_of(option, b)->text);
    case CONFIG_ADDRESS:
        return is_same_text(a + option->offset, b + option->offset) &&
               memcmp(a + option->port_offset, b + option->port_offset, sizeof(int)) == 0;
    case CONFIG_BOOL:
        return a[option->offset] == b[option->offset];
    case CONFIG_INTEGER:
    case CONFIG_DURATION:
    case CONFIG_SIZE:
        return memcmp(a + option->offset, b + option->offset, sizeof(int64_t)) == 0;
    case CONFIG_CHOICE:
    case CONFIG_FLAGS:
        return memcmp(a + option->offset, b + option->offset, sizeof(uint32_t)) == 0;
    case CONFIG_LIST:
        return text_list_is_same((const void *)(a + option->offset), (const void *)(b + option->offset));
    case CONFIG_PAIRS:
        return text_pairs_is_same((const void *)(a + option->offset), (const void *)(b + option->offset));
    case CONFIG_TREE:
        return text_is_same(((const struct config_tree *)(const void *)(a + option->offset))->json,
                            ((const struct config_tree *)(const void *)(b + option->offset))->json);
    case CONFIG_SECTION:
        return config_same(option->section, a, b);
    }
    return false;
}

bool config_same(const struct config_option *options, const void *a, const void *b)
{
    struct config_walk walk = {.next = options};
    for (const struct config_option *option; (option = config_walk_next(&walk)) != NULL;) {
        bool is_stored = option->type == CONFIG_SECTION || option->offset != CONFIG_NO_TARGET;
        if (is_stored && !is_same_value(option, a, b)) {
            return false;
        }
    }
    return true;
}

/** NULL differs from "". */
static void append_hash(struct bytes *out, const char *text)
{
    bytes_append_byte(out, text == NULL ? 0 : 1);
    uint64_t hash = text == NULL ? 0 : text_hash(slice_of(text));
    bytes_append(out, &hash, sizeof(hash));
}

static void append_pairs(struct bytes *out, const struct text_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        append_hash(out, pairs->items[i].key);
        append_hash(out, pairs->items[i].value);
    }
}

void config_same_hash_hidden(const struct config_option *options, const void *config, struct bytes *out)
{
    struct config_walk walk = {.next = options};
    for (const struct config_option *option; (option = config_walk_next(&walk)) != NULL;) {
        const char *at = (const char *)config + option->offset;
        bool is_redacted = option->rules != NULL && option->rules->redact != NULL;
        if (option->type == CONFIG_SECTION) {
            config_same_hash_hidden(option->section, config, out);
        } else if (option->offset == CONFIG_NO_TARGET) {
            continue;
        } else if (option->type == CONFIG_SECRET || (option->type == CONFIG_TEXT && is_redacted)) {
            append_hash(out, *(const char *const *)(const void *)at);
        } else if (option->type == CONFIG_FILE) {
            append_hash(out, file_of(option, config)->text);
        } else if (option->type == CONFIG_PAIRS) {
            append_pairs(out, (const void *)at);
        }
    }
}
