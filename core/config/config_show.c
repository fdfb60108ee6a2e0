// Effective values as YAML: what a file says, with every default, without any secret.
#include "core/base/text.h"
#include "core/config/config_value.h"

struct config_show {
    const char *config;
    struct bytes *out;
    int depth;
};

static const void *config_show_source(const struct config_show *s, const struct config_option *option)
{
    return s->config + option->offset;
}

static void config_show_indent(const struct config_show *s)
{
    for (int i = 0; i < s->depth; i++) {
        bytes_append_string(s->out, "  ");
    }
}

// A word that no YAML reader takes for anything but this text stands plain; JSON strings are YAML too.
static void config_show_text(const char *text, struct bytes *out)
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

static const char *config_show_word(const struct config_choice *choices, uint32_t value)
{
    while (choices->word != NULL && choices->value != value) {
        choices++;
    }
    INVARIANT(choices->word != NULL);
    return choices->word;
}

static void config_show_flags(const struct config_choice *choices, uint32_t value, struct bytes *out)
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

static void config_show_list(const struct text_list *list, struct bytes *out)
{
    bytes_append_byte(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        bytes_append_string(out, i == 0 ? "" : ", ");
        config_show_text(list->items[i], out);
    }
    bytes_append_byte(out, ']');
}

static void config_show_pairs(struct config_show *s, const struct config_option *option,
                              const struct text_pairs *pairs)
{
    bool (*is_shown)(const char *key) = option->rules == NULL ? NULL : option->rules->is_shown;
    s->depth++;
    for (size_t i = 0; i < pairs->count; i++) {
        bytes_append_byte(s->out, '\n');
        config_show_indent(s);
        config_show_text(pairs->items[i].key, s->out);
        bytes_append_string(s->out, ": ");
        bool is_hidden = pairs->items[i].is_secret || (is_shown != NULL && !is_shown(pairs->items[i].key));
        config_show_text(is_hidden ? "***" : pairs->items[i].value, s->out);
    }
    s->depth--;
}

static void config_show_string(const struct config_option *option, const char *text, struct bytes *out)
{
    CLEANUP(bytes_clear) struct bytes redacted = {0};
    if (option->rules != NULL && option->rules->redact != NULL) {
        option->rules->redact(text, &redacted);
        text = bytes_text(&redacted);
    }
    config_show_text(option->type == CONFIG_SECRET ? "***" : text, out);
}

static void config_show_choice(const struct config_show *s, const struct config_option *option)
{
    uint32_t value;
    memcpy(&value, config_show_source(s, option), sizeof(value));
    bytes_append_string(s->out, config_show_word(option->choices, value));
}

static void config_show_value(struct config_show *s, const struct config_option *option)
{
    const void *source = config_show_source(s, option);
    switch (option->type) {
    case CONFIG_TEXT:
    case CONFIG_SECRET:
        config_show_string(option, *(const char *const *)source, s->out);
        break;
    case CONFIG_BOOL: {
        bool value = *(const bool *)source;
        bytes_append_string(s->out, option->choices != NULL ? config_show_word(option->choices, value)
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
        config_show_choice(s, option);
        break;
    case CONFIG_FLAGS:
        config_show_flags(option->choices, *(const uint32_t *)source, s->out);
        break;
    case CONFIG_LIST:
        config_show_list(source, s->out);
        break;
    case CONFIG_PAIRS:
        config_show_pairs(s, option, source);
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

// Whether there is a value to show: what was not given and has no default has none.
static bool config_show_has(const struct config_show *s, const struct config_option *option)
{
    if (option->type == CONFIG_SECTION) {
        const struct config_option *inner = option->section;
        while (inner->key != NULL && !config_show_has(s, inner)) {
            inner++;
        }
        return inner->key != NULL;
    }
    if (option->offset == CONFIG_NO_TARGET) {
        return option->initial != NULL;
    }
    const void *source = config_show_source(s, option);
    switch (option->type) {
    case CONFIG_TEXT:
    case CONFIG_SECRET:
        return *(const char *const *)source != NULL;
    case CONFIG_ADDRESS:
        return option->word != NULL || *(const char *const *)source != NULL;
    case CONFIG_LIST:
        return ((const struct text_list *)source)->count > 0;
    case CONFIG_PAIRS:
        return ((const struct text_pairs *)source)->count > 0;
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

static void config_show_options(struct config_show *s, const struct config_option *options)
{
    for (; options->key != NULL; options++) {
        bool has_value = config_show_has(s, options);
        if (!has_value && options->word == NULL) {
            continue;
        }
        config_show_indent(s);
        bytes_format(s->out, "%s:%s", options->key, options->type == CONFIG_PAIRS ? "" : " ");
        if (!has_value) {
            bytes_append_string(s->out, options->word);
        } else if (options->type == CONFIG_SECTION) {
            s->out->size--;
            bytes_append_byte(s->out, '\n');
            s->depth++;
            config_show_options(s, options->section);
            s->depth--;
            continue;
        } else if (options->offset == CONFIG_NO_TARGET) {
            bytes_append_string(s->out, options->initial);
        } else {
            config_show_value(s, options);
        }
        bytes_append_byte(s->out, '\n');
    }
}

void config_show(const struct config_kind *kind, const void *config, struct bytes *out)
{
    struct config_show show = {config, out, 0};
    config_show_options(&show, kind->options);
}
