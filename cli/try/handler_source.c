#include "cli/try/handler_source.h"

#include <ctype.h>

// In the order in which consoles and guides of Lambda use them in each language.
static const char *const PYTHON_NAMES[] = {"lambda_handler", "handler", NULL};
static const char *const NODE_NAMES[] = {"handler", "lambda_handler", NULL};

enum handler_language handler_language_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *end = strrchr(slash == NULL ? path : slash, '.');
    if (end == NULL) {
        return HANDLER_OTHER;
    }
    if (strcmp(end, ".py") == 0) {
        return HANDLER_PYTHON;
    }
    bool is_node = strcmp(end, ".js") == 0 || strcmp(end, ".mjs") == 0 || strcmp(end, ".cjs") == 0;
    return is_node ? HANDLER_NODE : HANDLER_OTHER;
}

static bool is_word_byte(uint8_t byte)
{
    return isalnum(byte) || byte == '_' || byte == '$';
}

/** What follows the word, if the text begins with it and blanks; data NULL: it does not. */
static struct slice behind_word(struct slice text, const char *word)
{
    size_t size = strlen(word);
    if (text.size < size || memcmp(text.data, word, size) != 0 ||
        (text.size > size && is_word_byte(text.data[size]))) {
        return (struct slice){NULL, 0};
    }
    while (size < text.size && (text.data[size] == ' ' || text.data[size] == '\t')) {
        size++;
    }
    return slice_make(text.data + size, text.size - size);
}

static bool has_word(struct slice text, const char *word)
{
    for (size_t i = 0; i < text.size; i++) {
        bool is_start = i == 0 || !is_word_byte(text.data[i - 1]);
        if (is_start && behind_word(slice_make(text.data + i, text.size - i), word).data != NULL) {
            return true;
        }
    }
    return false;
}

static bool begins_with(struct slice text, char byte)
{
    return text.size > 0 && text.data[0] == (uint8_t)byte;
}

/** `def NAME(`, `async def NAME(`, `NAME = …`, `NAME: Type = …`, `from module import NAME`; all at the start
 * of a line, since a function inside of another is none that can be called. */
static bool python_defines(struct slice line, const char *name)
{
    struct slice rest = behind_word(line, "async");
    struct slice definition = behind_word(rest.data == NULL ? line : rest, "def");
    if (definition.data != NULL) {
        return begins_with(behind_word(definition, name), '(');
    }
    if (behind_word(line, "from").data != NULL) {
        return has_word(line, "import") && has_word(line, name);
    }
    struct slice value = behind_word(line, name);
    return begins_with(value, '=') || begins_with(value, ':');
}

/** `exports.NAME = …`, `export const NAME`, `export function NAME`, `export { NAME }`, `module.exports = {
 * NAME }`: both words in a line, or in a list that goes on in the next lines. `text` begins with the line. */
static bool node_exports(struct slice line, struct slice text, const char *name)
{
    if (!has_word(line, "exports") && !has_word(line, "export")) {
        return false;
    }
    const uint8_t *open = memchr(line.data, '{', line.size);
    const uint8_t *close = open == NULL ? NULL : memchr(open, '}', text.size - (size_t)(open - text.data));
    bool is_list = close != NULL && (size_t)(close - line.data) > line.size;
    return has_word(is_list ? slice_make(line.data, (size_t)(close - line.data)) : line, name);
}

static bool is_defined(enum handler_language language, struct slice source, const char *name)
{
    while (source.size > 0) {
        const uint8_t *end = memchr(source.data, '\n', source.size);
        size_t size = end == NULL ? source.size : (size_t)(end - source.data);
        struct slice line = slice_make(source.data, size);
        if (language == HANDLER_PYTHON ? python_defines(line, name) : node_exports(line, source, name)) {
            return true;
        }
        size += end != NULL ? 1 : 0;
        source = slice_make(source.data + size, source.size - size);
    }
    return false;
}

const char *handler_name_in(enum handler_language language, struct slice source)
{
    if (language == HANDLER_OTHER) {
        return NULL;
    }
    const char *const *names = language == HANDLER_PYTHON ? PYTHON_NAMES : NODE_NAMES;
    for (; *names != NULL; names++) {
        if (is_defined(language, source, *names)) {
            return *names;
        }
    }
    return NULL;
}
