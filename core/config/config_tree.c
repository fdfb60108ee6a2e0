#include "core/config/config_tree.h"

#include "core/base/text.h"

static const char *skip_digits(const char *at)
{
    return at + strspn(at, "0123456789");
}

/** RFC 8259, 6. */
static bool is_json_number(const char *text)
{
    const char *at = text + (*text == '-' ? 1 : 0);
    const char *whole = at;
    at = skip_digits(at);
    if (at == whole || (*whole == '0' && at - whole > 1)) {
        return false;
    }
    if (*at == '.') {
        const char *fraction = at + 1;
        at = skip_digits(fraction);
        if (at == fraction) {
            return false;
        }
    }
    if (*at == 'e' || *at == 'E') {
        at += at[1] == '+' || at[1] == '-' ? 2 : 1;
        const char *exponent = at;
        at = skip_digits(exponent);
        if (at == exponent) {
            return false;
        }
    }
    return *at == '\0';
}

/** YAML 1.2.2, 10.3.2. */
static const char *boolean_of(const char *text)
{
    static const char *const words[] = {"true", "True", "TRUE", "false", "False", "FALSE"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strcmp(text, words[i]) == 0) {
            return i < 3 ? "true" : "false";
        }
    }
    return NULL;
}

static void write_text(const struct yaml_node *node, struct bytes *out)
{
    const char *boolean = node->is_quoted ? NULL : boolean_of(node->text);
    if (boolean != NULL) {
        bytes_append_string(out, boolean);
    } else if (!node->is_quoted && is_json_number(node->text)) {
        bytes_append_string(out, node->text);
    } else {
        text_append_json(out, slice_of(node->text));
    }
}

static void note_place(struct config_tree *t, const struct yaml_node *node, const struct bytes *out)
{
    text_places_add(&t->places, out->size, (uint32_t)node->line, (uint32_t)node->column);
}

/** Not deeper than YAML_DEPTH_MAX. */
static void write_node(struct config_tree *t, const struct yaml_node *node, struct bytes *out)
{
    note_place(t, node, out);
    switch (node->kind) {
    case YAML_NULL:
        bytes_append_string(out, "null");
        return;
    case YAML_TEXT:
        write_text(node, out);
        return;
    case YAML_LIST:
    case YAML_MAP:
        break;
    }
    bool is_map = node->kind == YAML_MAP;
    bytes_append_byte(out, is_map ? '{' : '[');
    for (size_t i = 0; i < node->count; i++) {
        if (i > 0) {
            bytes_append_byte(out, ',');
        }
        if (is_map) {
            note_place(t, node->keys[i], out);
            text_append_json(out, slice_of(node->keys[i]->text));
            bytes_append_byte(out, ':');
        }
        write_node(t, node->items[i], out);
    }
    bytes_append_byte(out, is_map ? '}' : ']');
}

void config_tree_set(struct config_tree *t, const struct yaml_node *node)
{
    CLEANUP(bytes_clear) struct bytes json = {0};
    config_tree_clear(t);
    write_node(t, node, &json);
    t->json = slice_to_string(bytes_slice(&json));
}

void config_tree_clear(struct config_tree *t)
{
    free(t->json);
    text_places_clear(&t->places);
    *t = (struct config_tree){0};
}
