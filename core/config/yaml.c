#include "core/config/yaml.h"

#include <yaml.h>

#include "core/base/text.h"

// libyaml numbers its nodes, and an alias is the number of its anchor's node: a few lines can stand for
// billions of nodes, or for a node inside itself. So the document is copied into a tree, with limits.
struct yaml_reader {
    const char *file;
    struct complaints *complaints;
    struct slice source;
    yaml_document_t *document;
    bool *is_seen;  // by node number; a node that is seen again is an alias
    size_t node_count;
    size_t alias_count;
    bool is_good;
    bool is_over;  // a limit was exceeded: no more nodes or complaints are added
};

void yaml_node_free(struct yaml_node *node)
{
    if (node == NULL) {
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (node->keys != NULL) {
            yaml_node_free(node->keys[i]);
        }
        yaml_node_free(node->items[i]);
    }
    free(node->keys);
    free(node->items);
    memory_free_secret(node->text);
    free(node);
}

static void release_node(struct yaml_node **node)
{
    yaml_node_free(*node);
}

struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    if (map == NULL || map->kind != YAML_MAP) {
        return NULL;
    }
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->keys[i]->text, key) == 0) {
            return map->items[i];
        }
    }
    return NULL;
}

static void complain(struct yaml_reader *r, const yaml_node_t *at, const char *text)
{
    r->is_good = false;
    complaints_add(r->complaints, r->file, (int)at->start_mark.line + 1, (int)at->start_mark.column + 1, "%s",
                   text);
}

static struct yaml_node *give_up(struct yaml_reader *r, const yaml_node_t *at, const char *text)
{
    if (!r->is_over) {
        complain(r, at, text);
    }
    r->is_over = true;
    return NULL;
}

static bool is_standard_tag(const yaml_node_t *node)
{
    static const char *const tags[] = {YAML_NULL_TAG,  YAML_BOOL_TAG, YAML_STR_TAG, YAML_INT_TAG,
                                       YAML_FLOAT_TAG, YAML_SEQ_TAG,  YAML_MAP_TAG, YAML_TIMESTAMP_TAG};
    for (size_t i = 0; i < COUNT_OF(tags); i++) {
        if (node->tag != NULL && strcmp((const char *)node->tag, tags[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_null(const yaml_node_t *node)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
            strcmp((const char *)node->data.scalar.value, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static struct yaml_node *copy_node(struct yaml_reader *r, int number, int depth);

/** How far the first line that is not blank is indented, of those below a line (from 0). */
static size_t indent_below(struct slice source, size_t below)
{
    size_t line = 0;
    size_t indent = 0;
    bool is_blank = true;  // so far
    for (size_t i = 0; i < source.size; i++) {
        uint8_t c = source.data[i];
        if (c == '\n') {
            line++;
            indent = 0;
            is_blank = true;
        } else if (is_blank && c == ' ') {
            indent++;
        } else if (line > below && c != '\r') {
            break;
        } else {
            is_blank = false;
        }
    }
    return indent;
}

/** A block's text begins with its first line, even if that is blank. */
static void place_text(const struct yaml_reader *r, const yaml_node_t *from, struct yaml_node *to)
{
    bool is_block = from->data.scalar.style == YAML_LITERAL_SCALAR_STYLE ||
                    from->data.scalar.style == YAML_FOLDED_SCALAR_STYLE;
    to->text_line = to->line + (is_block ? 1 : 0);
    to->text_column = to->column + (to->is_quoted ? 1 : 0);
    if (is_block) {
        to->text_column = (int)indent_below(r->source, from->start_mark.line) + 1;
    }
}

static void copy_text(struct yaml_reader *r, const yaml_node_t *from, struct yaml_node *to)
{
    struct slice text = slice_make(from->data.scalar.value, from->data.scalar.length);
    if (memchr(text.data, '\0', text.size) != NULL) {
        complain(r, from, "a value can't contain a NUL character");
        to->is_bad = true;
    }
    to->kind = is_null(from) ? YAML_NULL : YAML_TEXT;
    to->is_quoted = from->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    to->text = slice_to_string(text);
    place_text(r, from, to);
}

static void copy_list(struct yaml_reader *r, const yaml_node_t *from, struct yaml_node *to, int depth)
{
    size_t count = (size_t)(from->data.sequence.items.top - from->data.sequence.items.start);
    to->kind = YAML_LIST;
    to->items = memory_zeroed(count, sizeof(struct yaml_node *));
    for (size_t i = 0; i < count && !r->is_over; i++) {
        struct yaml_node *item = copy_node(r, from->data.sequence.items.start[i], depth + 1);
        if (item != NULL) {
            to->items[to->count++] = item;
        }
    }
}

static bool check_key(struct yaml_reader *r, const struct yaml_node *map, const yaml_node_t *key)
{
    if (key->type != YAML_SCALAR_NODE) {
        complain(r, key, "a key must be a single word, not a list or a map");
        return false;
    }
    struct slice text = slice_make(key->data.scalar.value, key->data.scalar.length);
    if (memchr(text.data, '\0', text.size) != NULL) {
        complain(r, key, "a key can't contain a NUL character");
        return false;
    }
    if (key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && slice_equal(text, slice_of("<<"))) {
        complain(r, key, "merge keys are not supported: write out what << stands for");
        return false;
    }
    const struct yaml_node *before = yaml_get(map, (const char *)text.data);
    if (before != NULL) {
        CLEANUP(bytes_clear) struct bytes quoted = {0};
        bytes_append_string(&quoted, "the key ");
        text_append_json(&quoted, text.size > YAML_ECHO_MAX ? slice_make(text.data, YAML_ECHO_MAX) : text);
        bytes_format(&quoted, " is repeated; the first is in line %d", before->line);
        complain(r, key, bytes_text(&quoted));
        return false;
    }
    return true;
}

static void copy_map(struct yaml_reader *r, const yaml_node_t *from, struct yaml_node *to, int depth)
{
    size_t count = (size_t)(from->data.mapping.pairs.top - from->data.mapping.pairs.start);
    to->kind = YAML_MAP;
    to->keys = memory_zeroed(count, sizeof(struct yaml_node *));
    to->items = memory_zeroed(count, sizeof(struct yaml_node *));
    for (size_t i = 0; i < count && !r->is_over; i++) {
        const yaml_node_pair_t *pair = &from->data.mapping.pairs.start[i];
        if (!check_key(r, to, yaml_document_get_node(r->document, pair->key))) {
            continue;
        }
        CLEANUP(release_node) struct yaml_node *key = copy_node(r, pair->key, depth + 1);
        CLEANUP(release_node) struct yaml_node *item = copy_node(r, pair->value, depth + 1);
        if (key != NULL && item != NULL) {
            to->keys[to->count] = TAKE(key);
            to->items[to->count++] = TAKE(item);
        }
    }
}

static struct yaml_node *copy_node(struct yaml_reader *r, int number, int depth)
{
    const yaml_node_t *from = yaml_document_get_node(r->document, number);
    if (depth > YAML_DEPTH_MAX) {
        return give_up(r, from, "nested too deeply (32 levels are allowed)");
    }
    if (++r->node_count > YAML_NODES_MAX) {
        return give_up(r, from, "too many values (20000 are allowed, with aliases expanded)");
    }
    if (r->is_seen[number] && ++r->alias_count > YAML_ALIASES_MAX) {
        return give_up(r, from, "too many aliases (100 are allowed)");
    }
    r->is_seen[number] = true;
    if (!is_standard_tag(from)) {
        complain(r, from, "tags are not supported: remove the word that begins with !");
    }
    struct yaml_node *to = memory_zeroed(1, sizeof(*to));
    to->line = (int)from->start_mark.line + 1;
    to->column = (int)from->start_mark.column + 1;
    switch (from->type) {
    case YAML_NO_NODE:
        break;
    case YAML_SCALAR_NODE:
        copy_text(r, from, to);
        break;
    case YAML_SEQUENCE_NODE:
        copy_list(r, from, to, depth);
        break;
    case YAML_MAPPING_NODE:
        copy_map(r, from, to, depth);
        break;
    }
    return to;
}

// Line and column of a byte: for wrong encoding libyaml reports only an offset.
static void find_place(struct slice text, size_t offset, int *ret_line, int *ret_column)
{
    int line = 1;
    int column = 1;
    for (size_t i = 0; i < offset && i < text.size; i++) {
        if (text.data[i] == '\n') {
            line++;
            column = 1;
        } else if ((text.data[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    *ret_line = line;
    *ret_column = column;
}

static bool is_tab(struct slice text, const yaml_mark_t *mark)
{
    size_t line = 0;
    size_t column = 0;
    for (size_t i = 0; i < text.size && line <= mark->line; i++) {
        if (line == mark->line && column == mark->column) {
            return text.data[i] == '\t';
        }
        if (text.data[i] == '\n') {
            line++;
            column = 0;
        } else if ((text.data[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    return false;
}

/** What a text causes that begins with a character which YAML has for itself. */
static bool is_unquoted(const char *problem)
{
    static const char *const PROBLEMS[] = {"found character that cannot start any token",
                                           "found undefined alias",
                                           "did not find expected alphabetic or numeric character"};
    for (size_t i = 0; i < COUNT_OF(PROBLEMS); i++) {
        if (strcmp(problem, PROBLEMS[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void complain_of_parser(struct yaml_reader *r, const yaml_parser_t *parser, struct slice text)
{
    r->is_good = false;
    const char *problem = parser->problem == NULL ? "not YAML" : parser->problem;
    if (parser->error == YAML_READER_ERROR) {
        int line;
        int column;
        find_place(text, parser->problem_offset, &line, &column);
        complaints_add(r->complaints, r->file, line, column, "%s (the file must be UTF-8 text)", problem);
        return;
    }
    const yaml_mark_t *mark = &parser->problem_mark;
    int line = (int)mark->line + 1;
    int column = (int)mark->column + 1;
    if (is_tab(text, mark)) {
        complaints_add(r->complaints, r->file, line, column, "tabs can't be used to indent; use blanks");
    } else if (is_unquoted(problem)) {
        complaints_add(r->complaints, r->file, line, column,
                       "%s; put a text that begins with one of > | * & ! %% @ ` in quotes", problem);
    } else if (parser->context == NULL || parser->context_mark.line == mark->line) {
        complaints_add(r->complaints, r->file, line, column, "%s", problem);
    } else {
        complaints_add(r->complaints, r->file, line, column, "%s (%s that begins in line %d)", problem,
                       parser->context, (int)parser->context_mark.line + 1);
    }
}

/** Files may have plain secrets, and libyaml overwrites nothing that it frees. */
static void wipe_document(yaml_document_t *document)
{
    for (const yaml_node_t *node = document->nodes.start; node < document->nodes.top; node++) {
        if (node->type == YAML_SCALAR_NODE) {
            explicit_bzero(node->data.scalar.value, node->data.scalar.length);
        }
    }
    yaml_document_delete(document);
}

static void wipe_parser(yaml_parser_t *parser)
{
    explicit_bzero(parser->raw_buffer.start, (size_t)(parser->raw_buffer.end - parser->raw_buffer.start));
    explicit_bzero(parser->buffer.start, (size_t)(parser->buffer.end - parser->buffer.start));
    yaml_parser_delete(parser);
}

static struct yaml_node *load_first(struct yaml_reader *r, yaml_parser_t *parser, struct slice text)
{
    yaml_document_t document;
    if (yaml_parser_load(parser, &document) == 0) {
        complain_of_parser(r, parser, text);
        return NULL;
    }
    struct yaml_node *root = NULL;
    if (yaml_document_get_root_node(&document) != NULL) {
        size_t count = (size_t)(document.nodes.top - document.nodes.start);
        r->document = &document;
        r->is_seen = memory_zeroed(count + 1, sizeof(*r->is_seen));
        root = copy_node(r, 1, 1);
        free(r->is_seen);
        r->is_seen = NULL;
        r->document = NULL;
    }
    wipe_document(&document);
    return root;
}

static void refuse_second(struct yaml_reader *r, yaml_parser_t *parser, struct slice text)
{
    yaml_document_t document;
    if (yaml_parser_load(parser, &document) == 0) {
        complain_of_parser(r, parser, text);
        return;
    }
    const yaml_node_t *root = yaml_document_get_root_node(&document);
    if (root != NULL) {
        complain(r, root, "a second document begins here; only one is allowed");
    }
    wipe_document(&document);
}

bool yaml_parse(const char *file, struct slice text, struct yaml_node **ret_root,
                struct complaints *complaints)
{
    if (text.size > YAML_SIZE_MAX) {
        complaints_add(complaints, file, 1, 1, "the file is larger than %d KiB", YAML_SIZE_MAX / 1024);
        return false;
    }
    struct yaml_reader reader = {.file = file, .complaints = complaints, .source = text, .is_good = true};
    yaml_parser_t parser;
    INVARIANT(yaml_parser_initialize(&parser) == 1);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    static const unsigned char nothing[1] = "";
    yaml_parser_set_input_string(&parser, text.size == 0 ? nothing : text.data, text.size);
    CLEANUP(release_node) struct yaml_node *root = load_first(&reader, &parser, text);
    if (reader.is_good && root != NULL) {
        refuse_second(&reader, &parser, text);
    }
    wipe_parser(&parser);
    if (!reader.is_good && (root == NULL || reader.is_over)) {
        return false;
    }
    *ret_root = TAKE(root);
    return reader.is_good;
}
