// Effective values as YAML: the file's values and all defaults; secrets are hidden.
#include "core/base/text.h"
#include "core/config/config_value.h"

struct config_show {
    const char *config;
    struct bytes *out;
    int depth;
};

static const void *value_of(const struct config_show *s, const struct config_option *option)
{
    return s->config + option->offset;
}

static void show_indent(const struct config_show *s)
{
    for (int i = 0; i < s->depth; i++) {
        bytes_append_string(s->out, "  ");
    }
}

// A word that every YAML reader takes as this text is written plain, any other text as a JSON string, which
// is valid YAML.
static void show_text(const char *text, struct bytes *out)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:");
    bool is_plain = length > 0 && text[length] == '\0' && text[length - 1] != ':' &&
                    strchr("-.0123456789:", text[0]) == NULL;
    static const char *const words[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        is_plain = is_plain && strcasecmp(text, words[i]) != 0;
    }
    if (is_plain) {
        bytes_append_string(out, text);
    } else {
        text_append_json(out, slice_of(text));
    }
}

static const char *find_word(const struct config_choice *choices, uint32_t value)
{
    while (choices->word != NULL && choices->value != value) {
        choices++;
    }
    INVARIANT(choices->word != NULL);
    return choices->word;
}

static void show_flags(const struct config_choice *choices, uint32_t value, struct bytes *out)
{
    const char *between = "";
    bytes_append_byte(out, '[');
    for (; choices->word != NULL; choices++) {
        if ((value & choices->value) != 0) {
            bytes_format(out, "%s%s", between, choices->word);
            between = ", ";
        }
    }
    bytes_append_byte(out, ']');
}

static void show_list(const struct text_list *list, struct bytes *out)
{
    bytes_append_byte(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        bytes_append_string(out, i == 0 ? "" : ", ");
        show_text(list->items[i], out);
    }
    bytes_append_byte(out, ']');
}

static void show_pairs(struct config_show *s, const struct config_option *option,
                       const struct text_pairs *pairs)
{
    bool (*is_shown)(const char *key) = option->rules == NULL ? NULL : option->rules->is_shown;
    s->depth++;
    for (size_t i = 0; i < pairs->count; i++) {
        bytes_append_byte(s->out, '\n');
        show_indent(s);
        show_text(pairs->items[i].key, s->out);
        bytes_append_string(s->out, ": ");
        bool is_hidden = pairs->items[i].is_secret || (is_shown != NULL && !is_shown(pairs->items[i].key));
        show_text(is_hidden ? "***" : pairs->items[i].value, s->out);
    }
    s->depth--;
}

static void show_string(const struct config_option *option, const char *text, struct bytes *out)
{
    CLEANUP(bytes_clear) struct bytes redacted = {0};
    if (option->rules != NULL && option->rules->redact != NULL) {
        option->rules->redact(text, &redacted);
        text = bytes_text(&redacted);
    }
    show_text(option->type == CONFIG_SECRET ? "***" : text, out);
}

static void show_choice(const struct config_show *s, const struct config_option *option)
{
    uint32_t value;
    memcpy(&value, value_of(s, option), sizeof(value));
    bytes_append_string(s->out, find_word(option->choices, value));
}

static void show_value(struct config_show *s, const struct config_option *option)
{
    const void *source = value_of(s, option);
    switch (option->type) {
    case CONFIG_TEXT:
    case CONFIG_SECRET:
        show_string(option, *(const char *const *)source, s->out);
        break;
    case CONFIG_FILE:
        show_text(((const struct config_text *)source)->path, s->out);
        break;
    case CONFIG_BOOL: {
        bool value = *(const bool *)source;
        bytes_append_string(s->out, option->choices != NULL ? find_word(option->choices, value)
                                    : value                 ? "true"
                                                            : "false");
        break;
    }
    case CONFIG_INTEGER:
        bytes_format(s->out, "%lld", (long long)*(const int64_t *)source);
        break;
    case CONFIG_DURATION:
        config_value_write_duration(*(const int64_t *)source, s->out);
        break;
    case CONFIG_SIZE:
        config_value_write_size(*(const int64_t *)source, s->out);
        break;
    case CONFIG_CHOICE:
        show_choice(s, option);
        break;
    case CONFIG_FLAGS:
        show_flags(option->choices, *(const uint32_t *)source, s->out);
        break;
    case CONFIG_LIST:
        show_list(source, s->out);
        break;
    case CONFIG_PAIRS:
        show_pairs(s, option, source);
        break;
    case CONFIG_TREE:
        bytes_append_string(s->out, ((const struct config_tree *)source)->json);
        break;
    case CONFIG_ADDRESS: {
        const char *host = *(const char *const *)source;
        int port = *(const int *)(const void *)(s->config + option->port_offset);
        if (host == NULL) {
            bytes_append_string(s->out, option->word);
            break;
        }
        bytes_format(s->out, strchr(host, ':') == NULL ? "\"%s:%d\"" : "\"[%s]:%d\"", host, port);
        break;
    }
    case CONFIG_SECTION:
        break;
    }
}

static bool has_effective_value(const struct config_show *s, const struct config_option *option);

/** Whether the section has a value, and all those that it must have: without them it is not there, and its
 * defaults mean nothing. */
static bool is_section_there(const struct config_show *s, const struct config_option *options)
{
    bool has_value = false;
    struct config_walk walk = {.next = options};
    for (const struct config_option *option; (option = config_walk_next(&walk)) != NULL;) {
        bool has_this = has_effective_value(s, option);
        has_value = has_value || has_this;
        if (option->is_required && !has_this) {
            return false;
        }
    }
    return has_value;
}

// Whether there is a value to show: false when none was given and there is no default.
static bool has_effective_value(const struct config_show *s, const struct config_option *option)
{
    if (option->type == CONFIG_SECTION) {
        return is_section_there(s, option->section);
    }
    if (option->offset == CONFIG_NO_TARGET) {
        return option->initial != NULL;
    }
    const void *source = value_of(s, option);
    switch (option->type) {
    case CONFIG_TEXT:
    case CONFIG_SECRET:
        return *(const char *const *)source != NULL;
    case CONFIG_FILE:
        return ((const struct config_text *)source)->path != NULL;
    case CONFIG_ADDRESS:
        return option->word != NULL || *(const char *const *)source != NULL;
    case CONFIG_LIST:
        return ((const struct text_list *)source)->count > 0;
    case CONFIG_PAIRS:
        return ((const struct text_pairs *)source)->count > 0;
    case CONFIG_TREE:
        return ((const struct config_tree *)source)->json != NULL;
    case CONFIG_INTEGER:
    case CONFIG_DURATION:
    case CONFIG_SIZE:
        return option->initial != NULL || *(const int64_t *)source != 0;
    case CONFIG_BOOL:
    case CONFIG_CHOICE:
    case CONFIG_FLAGS:
    case CONFIG_SECTION:
        break;
    }
    return true;
}

static void show_options(struct config_show *s, const struct config_option *options)
{
    struct config_walk walk = {.next = options};
    for (const struct config_option *option; (option = config_walk_next(&walk)) != NULL;) {
        bool has_value = has_effective_value(s, option);
        if (!has_value && option->word == NULL) {
            continue;
        }
        show_indent(s);
        bytes_format(s->out, "%s:%s", option->key, option->type == CONFIG_PAIRS ? "" : " ");
        if (!has_value) {
            bytes_append_string(s->out, option->word);
        } else if (option->type == CONFIG_SECTION) {
            s->out->size--;
            bytes_append_byte(s->out, '\n');
            s->depth++;
            show_options(s, option->section);
            s->depth--;
            continue;
        } else if (option->offset == CONFIG_NO_TARGET) {
            bytes_append_string(s->out, option->initial);
        } else {
            show_value(s, option);
        }
        bytes_append_byte(s->out, '\n');
    }
}

void config_show(const struct config_kind *kind, const void *config, struct bytes *out)
{
    struct config_show show = {config, out, 0};
    show_options(&show, kind->options);
}
