// `$or` multiplies its objects with what stands beside it, so that the alternatives are plain lists of
// clauses: only in those can "in the same element of an array" be decided.
#include "bridge/filter/pattern_parts.h"

#include "core/base/text.h"

struct compiler {
    struct pattern_parts *parts;
    struct fault *f;
    struct bytes path;
    uint32_t depth;
    bool is_in_or;
    bool is_function;
};

static bool refuse(struct compiler *c, size_t at, const char *reason)
{
    return json_tree_refuse(&c->parts->tree, at, c->f, "%s", reason);
}

static bool check_cost(struct compiler *c, const struct alternatives *a, size_t at)
{
    if (a->count > PATTERN_BRANCHES_MAX) {
        return json_tree_refuse(&c->parts->tree, at, c->f,
                                "more than %d alternatives: each \"$or\" multiplies those before it",
                                PATTERN_BRANCHES_MAX);
    }
    return alternatives_cost(a) <= PATTERN_COST_MAX ||
           json_tree_refuse(&c->parts->tree, at, c->f,
                            "more than %d comparisons over all alternatives of \"$or\"", PATTERN_COST_MAX);
}

static uint32_t begin_term(struct compiler *c, const struct json_node *node, bool is_or)
{
    struct pattern_parts *p = c->parts;
    p->steps.place = json_tree_place(&p->tree, node->name_at);
    if (c->is_in_or) {
        return (uint32_t)p->term_count - 1;
    }
    p->terms = memory_resize(p->terms, (p->term_count + 1) * sizeof *p->terms);
    struct slice path = {(uint8_t *)slice_to_string(bytes_slice(&c->path)), c->path.size};
    p->terms[p->term_count] = (struct pattern_term){path, p->steps.place, is_or};
    return (uint32_t)p->term_count++;
}

static struct clause *new_clause(struct compiler *c, uint32_t term, bool is_change)
{
    struct pattern_parts *p = c->parts;
    struct clause *clause = memory_zeroed(1, sizeof *clause);
    clause->path = (struct slice){(uint8_t *)slice_to_string(bytes_slice(&c->path)), c->path.size};
    clause->term = term;
    if (!is_change) {
        clause->step_count = step_table_split(&p->steps, clause->path, &clause->steps);
    }
    p->clauses = memory_resize(p->clauses, (p->clause_count + 1) * sizeof(struct clause *));
    p->clauses[p->clause_count++] = clause;
    return clause;
}

/** A word such as "update" would never match. */
static bool check_op(struct compiler *c, const struct json_node *node)
{
    bool is_op = c->is_function && slice_equal(bytes_slice(&c->path), slice_of("op"));
    bool is_letter =
        node->kind != FILTER_TEXT || (node->text.size == 1 && memchr("crud", node->text.data[0], 4) != NULL);
    return !is_op || is_letter ||
           refuse(c, node->at, "an event's op is c (create), r (read), u (update) or d (delete)");
}

static bool compile_leaf(struct compiler *c, const struct json_node *node, struct alternatives *a)
{
    const struct json_tree *tree = &c->parts->tree;
    struct clause *wanted = NULL;
    struct clause *absent = NULL;
    if (node->count == 0) {
        return refuse(c, node->at, "an empty array matches nothing");
    }
    if (alternatives_have_path(a, bytes_slice(&c->path))) {
        return json_tree_refuse(tree, node->name_at, c->f, "the path \"%.*s\" is there twice",
                                c->path.size > 64 ? 64 : (int)c->path.size, (const char *)c->path.data);
    }
    uint32_t term = begin_term(c, node, false);
    for (const struct json_node *n = json_tree_child(tree, node); n != NULL; n = json_tree_next(tree, n)) {
        struct condition condition;
        if (!check_op(c, n) || !condition_init(&condition, tree, n, c->f)) {
            return false;
        }
        if (condition.kind == CONDITION_ABSENT) {
            absent = absent == NULL ? new_clause(c, term, false) : absent;
            absent->is_absent = true;
            continue;
        }
        wanted = wanted == NULL ? new_clause(c, term, false) : wanted;
        wanted->conditions =
            memory_resize(wanted->conditions, (wanted->condition_count + 1) * sizeof *wanted->conditions);
        wanted->conditions[wanted->condition_count++] = condition;
    }
    alternatives_require(a, wanted, absent);
    return check_cost(c, a, node->name_at);
}

static bool compile_object(struct compiler *c, const struct json_node *object, struct alternatives *a);

static bool compile_or(struct compiler *c, const struct json_node *node, struct alternatives *a)
{
    const struct json_tree *tree = &c->parts->tree;
    struct alternatives all = {0};
    bool was_in_or = c->is_in_or;
    if (node->kind != FILTER_ARRAY || node->count < 2) {
        return refuse(c, node->at, "\"$or\" takes an array of at least two objects");
    }
    (void)begin_term(c, node, true);
    c->is_in_or = true;
    bool is_good = true;
    for (const struct json_node *n = json_tree_child(tree, node); is_good && n != NULL;
         n = json_tree_next(tree, n)) {
        struct alternatives one = {0};
        alternatives_add(&one, a);
        is_good = n->kind == FILTER_OBJECT ? compile_object(c, n, &one)
                                           : refuse(c, n->at, "\"$or\" takes objects only");
        alternatives_add(&all, &one);
        alternatives_clear(&one);
        is_good = is_good && check_cost(c, &all, node->name_at);
    }
    c->is_in_or = was_in_or;
    alternatives_clear(a);
    *a = all;
    return is_good;
}

/** A clause that one of `count` columns changed,. */
static struct clause *new_change(struct compiler *c, uint32_t term, size_t count)
{
    struct clause *clause = new_clause(c, term, true);
    clause->columns = memory_zeroed(count, sizeof *clause->columns);
    c->parts->asks_changes = true;
    return clause;
}

static void add_column(struct compiler *c, struct clause *clause, struct slice name)
{
    struct step_table *steps = &c->parts->steps;
    struct clause_column *column = &clause->columns[clause->column_count++];
    column->before[0] = step_table_add(steps, STEP_EVENT, slice_of("before"));
    column->before[1] = step_table_add(steps, column->before[0].id, name);
    column->after[0] = step_table_add(steps, STEP_EVENT, slice_of("after"));
    column->after[1] = step_table_add(steps, column->after[0].id, name);
}

static bool check_column(struct compiler *c, struct slice name, size_t at)
{
    if (name.size == 0) {
        return refuse(c, at, "a column's name is missing");
    }
    return memchr(name.data, '.', name.size) == NULL ||
           refuse(c, at, "a column has no dot in its name: write it without \"before\" or \"after\"");
}

/** `changed: [column, …]`. */
static bool compile_changed(struct compiler *c, const struct json_node *node, struct alternatives *a)
{
    const struct json_tree *tree = &c->parts->tree;
    if (node->kind != FILTER_ARRAY || node->count == 0) {
        return refuse(c, node->at, "\"changed\" takes an array of column names");
    }
    struct clause *clause = new_change(c, begin_term(c, node, false), node->count);
    for (const struct json_node *n = json_tree_child(tree, node); n != NULL; n = json_tree_next(tree, n)) {
        if (n->kind != FILTER_TEXT) {
            return refuse(c, n->at, "\"changed\" takes column names: strings");
        }
        if (!check_column(c, n->text, n->at)) {
            return false;
        }
        c->parts->steps.place = json_tree_place(tree, n->at);
        add_column(c, clause, n->text);
    }
    alternatives_require(a, clause, NULL);
    return check_cost(c, a, node->name_at);
}

static bool compile_value(struct compiler *c, const struct json_node *node, struct alternatives *a)
{
    if (node->kind == FILTER_OBJECT) {
        return compile_object(c, node, a);
    }
    return node->kind == FILTER_ARRAY
               ? compile_leaf(c, node, a)
               : refuse(c, node->at, "a field takes an array of what it may be, or an object of fields");
}

/** `changed_from: {column: pattern}`: the column changed, and its value in `row` matches. */
static bool compile_changed_value(struct compiler *c, const struct json_node *node, const char *row,
                                  struct alternatives *a)
{
    const struct json_tree *tree = &c->parts->tree;
    size_t size = c->path.size;
    if (node->kind != FILTER_OBJECT || node->count == 0) {
        return json_tree_refuse(tree, node->at, c->f,
                                "\"%.*s\" takes an object of columns and their patterns",
                                (int)node->name.size, (const char *)node->name.data);
    }
    for (const struct json_node *n = json_tree_child(tree, node); n != NULL; n = json_tree_next(tree, n)) {
        if (!check_column(c, n->name, n->name_at)) {
            return false;
        }
        bytes_append_byte(&c->path, '.');
        bytes_append_slice(&c->path, n->name);
        struct clause *clause = new_change(c, begin_term(c, n, false), 1);
        add_column(c, clause, n->name);
        alternatives_require(a, clause, NULL);
        bytes_reset(&c->path);
        bytes_append_string(&c->path, row);
        bytes_append_byte(&c->path, '.');
        bytes_append_slice(&c->path, n->name);
        c->depth = 2;
        bool is_good = compile_value(c, n, a);
        c->depth = 0;
        bytes_reset(&c->path);
        bytes_append_slice(&c->path, node->name);
        if (!is_good) {
            return false;
        }
    }
    c->path.size = size;
    return true;
}

enum keyword { KEYWORD_NONE, KEYWORD_CHANGED, KEYWORD_CHANGED_FROM, KEYWORD_CHANGED_TO };

/** Words that stand beside the event's members, also within `$or` there. */
static enum keyword keyword_of(const struct compiler *c, struct slice name)
{
    if (c->depth > 0) {
        return KEYWORD_NONE;
    }
    return slice_equal(name, slice_of("changed"))        ? KEYWORD_CHANGED
           : slice_equal(name, slice_of("changed_from")) ? KEYWORD_CHANGED_FROM
           : slice_equal(name, slice_of("changed_to"))   ? KEYWORD_CHANGED_TO
                                                         : KEYWORD_NONE;
}

static bool compile_keyword(struct compiler *c, const struct json_node *node, enum keyword keyword,
                            struct alternatives *a)
{
    bytes_append_slice(&c->path, node->name);
    bool is_good =
        keyword == KEYWORD_CHANGED
            ? compile_changed(c, node, a)
            : compile_changed_value(c, node, keyword == KEYWORD_CHANGED_FROM ? "before" : "after", a);
    bytes_reset(&c->path);
    return is_good;
}

/** A function's events have the same members, whatever the table is. */
static bool check_root(struct compiler *c, const struct json_node *node)
{
    static const char *const members[] = {"key",        "headers", "op",      "before",
                                          "after",      "source",  "changed", "changed_from",
                                          "changed_to", "$or",     NULL};
    const uint8_t *dot = node->name.size == 0 ? NULL : memchr(node->name.data, '.', node->name.size);
    size_t size = dot == NULL ? node->name.size : (size_t)(dot - node->name.data);
    CLEANUP(memory_free_pointer) char *name = slice_to_string(slice_make(node->name.data, size));
    for (size_t i = 0; members[i] != NULL; i++) {
        if (strcmp(members[i], name) == 0) {
            return true;
        }
    }
    const char *near = text_nearest(name, members);
    return json_tree_refuse(&c->parts->tree, node->name_at, c->f,
                            near == NULL
                                ? "an event has no \"%.64s\": columns stand below \"after\" or \"before\""
                                : "an event has no \"%.64s\"; did you mean \"%s\"?",
                            name, near);
}

static bool is_reserved(struct slice name)
{
    const char *const *lists[] = {CONDITION_OPERATORS, CONDITION_RESERVED};
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        for (const char *const *word = lists[i]; *word != NULL; word++) {
            if (slice_equal(name, slice_of(*word))) {
                return true;
            }
        }
    }
    return false;
}

static bool compile_member(struct compiler *c, const struct json_node *node, struct alternatives *a)
{
    size_t size = c->path.size;
    uint32_t depth = c->depth;
    if (slice_equal(node->name, slice_of("$or"))) {
        return compile_or(c, node, a);
    }
    enum keyword keyword = keyword_of(c, node->name);
    if (keyword != KEYWORD_NONE) {
        return compile_keyword(c, node, keyword, a);
    }
    if (c->is_function && depth == 0 && !check_root(c, node)) {
        return false;
    }
    if (c->is_in_or && is_reserved(node->name)) {
        return refuse(c, node->name_at, "the name of an operator cannot be that of a field within \"$or\"");
    }
    if (depth > 0) {
        bytes_append_byte(&c->path, '.');
    }
    bytes_append_slice(&c->path, node->name);
    c->depth++;
    for (size_t i = 0; i < node->name.size; i++) {
        c->depth += node->name.data[i] == '.' ? 1 : 0;
    }
    bool is_good = c->depth > PATTERN_DEPTH_MAX ? refuse(c, node->name_at, "the path has more than 64 names")
                                                : compile_value(c, node, a);
    c->path.size = size;
    c->depth = depth;
    return is_good;
}

static bool compile_object(struct compiler *c, const struct json_node *object, struct alternatives *a)
{
    const struct json_tree *tree = &c->parts->tree;
    if (object->count == 0) {
        return refuse(c, object->at, "an empty object asks for nothing");
    }
    for (const struct json_node *n = json_tree_child(tree, object); n != NULL; n = json_tree_next(tree, n)) {
        if (!compile_member(c, n, a)) {
            return false;
        }
    }
    return true;
}

bool pattern_parts_compile(struct pattern_parts *p, bool is_function, struct fault *f)
{
    struct compiler c = {.parts = p, .f = f, .is_function = is_function};
    const struct json_node *root = &p->tree.nodes[0];
    p->alternatives = (struct alternatives){memory_zeroed(1, sizeof *p->alternatives.items), 1};
    bool is_good = root->kind == FILTER_OBJECT ? compile_object(&c, root, &p->alternatives)
                                               : refuse(&c, root->at, "a pattern is an object");
    bytes_clear(&c.path);
    return is_good;
}

static void free_clause(struct clause *clause)
{
    for (size_t i = 0; i < clause->condition_count; i++) {
        condition_clear(&clause->conditions[i]);
    }
    free(clause->conditions);
    free(clause->steps);
    free(clause->columns);
    free((void *)(uintptr_t)clause->path.data);
    free(clause);
}

void pattern_parts_clear(struct pattern_parts *p)
{
    for (size_t i = 0; i < p->clause_count; i++) {
        free_clause(p->clauses[i]);
    }
    for (size_t i = 0; i < p->term_count; i++) {
        free((void *)(uintptr_t)p->terms[i].path.data);
    }
    alternatives_clear(&p->alternatives);
    free(p->clauses);
    free(p->terms);
    json_tree_clear(&p->tree);
    step_table_clear(&p->steps);
}
