// Compiles a pattern. `$or` multiplies its objects with what stands beside it, so that the alternatives are
// plain lists of clauses: only in those can "in the same element of an array" be decided.
#include "bridge/filter/pattern.h"

#include "core/base/text.h"

/** The clauses of one alternative. */
struct clause_list {
    struct clause **items;
    size_t count;
};

struct alternatives {
    struct clause_list *items;
    size_t count;
};

struct pattern {
    char *text;
    struct json_tree tree;
    struct clause **clauses;
    size_t clause_count;
    struct pattern_term *terms;
    size_t term_count;
    struct alternatives alternatives;
    struct branch *branches;
    uint32_t step_count;
};

struct compiler {
    struct pattern *pattern;
    struct fault *f;
    struct bytes path;
    uint32_t depth;
    bool is_in_or;
};

static void alternatives_clear(struct alternatives *a)
{
    for (size_t i = 0; i < a->count; i++) {
        free(a->items[i].items);
    }
    free(a->items);
    *a = (struct alternatives){0};
}

static void list_add(struct clause_list *list, struct clause *clause)
{
    list->items = memory_resize(list->items, (list->count + 1) * sizeof(struct clause *));
    list->items[list->count++] = clause;
}

static void add_copies(struct alternatives *to, const struct alternatives *from)
{
    to->items = memory_resize(to->items, (to->count + from->count + 1) * sizeof *to->items);
    for (size_t i = 0; i < from->count; i++) {
        struct clause_list copy = {memory_new((from->items[i].count + 1) * sizeof(struct clause *)), 0};
        for (; copy.count < from->items[i].count; copy.count++) {
            copy.items[copy.count] = from->items[i].items[copy.count];
        }
        to->items[to->count++] = copy;
    }
}

static bool refuse(struct compiler *c, size_t at, const char *reason)
{
    return json_tree_refuse(&c->pattern->tree, at, c->f, "%s", reason);
}

static bool check_cost(struct compiler *c, const struct alternatives *a, size_t at)
{
    size_t cost = 0;
    for (size_t i = 0; i < a->count; i++) {
        for (size_t k = 0; k < a->items[i].count; k++) {
            const struct clause *clause = a->items[i].items[k];
            cost++;
            for (size_t n = 0; n < clause->condition_count; n++) {
                cost += condition_cost(&clause->conditions[n]);
            }
        }
    }
    if (a->count > PATTERN_BRANCHES_MAX) {
        return json_tree_refuse(&c->pattern->tree, at, c->f,
                                "more than %d alternatives: each \"$or\" multiplies those before it",
                                PATTERN_BRANCHES_MAX);
    }
    return cost <= PATTERN_COST_MAX ||
           json_tree_refuse(&c->pattern->tree, at, c->f,
                            "more than %d comparisons over all alternatives of \"$or\"", PATTERN_COST_MAX);
}

static uint32_t begin_term(struct compiler *c, const struct json_node *node, bool is_or)
{
    struct pattern *p = c->pattern;
    if (c->is_in_or) {
        return (uint32_t)p->term_count - 1;
    }
    p->terms = memory_resize(p->terms, (p->term_count + 1) * sizeof *p->terms);
    struct slice path = {(uint8_t *)slice_to_string(bytes_slice(&c->path)), c->path.size};
    p->terms[p->term_count] = (struct pattern_term){path, json_tree_place(&p->tree, node->name_at), is_or};
    return (uint32_t)p->term_count++;
}

/** Equal paths have equal ids. */
static uint32_t step_id(struct pattern *p, struct slice prefix)
{
    for (size_t i = 0; i < p->clause_count; i++) {
        const struct clause *clause = p->clauses[i];
        if (clause->path.size < prefix.size || memcmp(clause->path.data, prefix.data, prefix.size) != 0) {
            continue;
        }
        for (uint32_t k = 0; k < clause->step_count; k++) {
            const struct filter_step *step = &clause->steps[k];
            if (step->name.data + step->name.size == clause->path.data + prefix.size) {
                return step->id;
            }
        }
    }
    return p->step_count++;
}

static void split_path(struct pattern *p, struct clause *clause)
{
    const uint8_t *start = clause->path.data;
    const uint8_t *end = start + clause->path.size;
    clause->step_count = 1;
    for (const uint8_t *at = start; at < end; at++) {
        clause->step_count += *at == '.' ? 1 : 0;
    }
    clause->steps = memory_zeroed(clause->step_count, sizeof *clause->steps);
    for (uint32_t i = 0; i < clause->step_count; i++) {
        const uint8_t *dot = memchr(start, '.', (size_t)(end - start));
        const uint8_t *stop = dot == NULL ? end : dot;
        clause->steps[i].name = slice_make(start, (size_t)(stop - start));
        clause->steps[i].id = step_id(p, slice_make(clause->path.data, (size_t)(stop - clause->path.data)));
        start = dot == NULL ? end : dot + 1;
    }
}

static struct clause *new_clause(struct compiler *c, uint32_t term)
{
    struct pattern *p = c->pattern;
    struct clause *clause = memory_zeroed(1, sizeof *clause);
    clause->path = (struct slice){(uint8_t *)slice_to_string(bytes_slice(&c->path)), c->path.size};
    clause->term = term;
    split_path(p, clause);
    p->clauses = memory_resize(p->clauses, (p->clause_count + 1) * sizeof(struct clause *));
    p->clauses[p->clause_count++] = clause;
    return clause;
}

static bool has_path(const struct alternatives *a, struct slice path)
{
    for (size_t i = 0; i < a->count; i++) {
        for (size_t k = 0; k < a->items[i].count; k++) {
            if (slice_equal(a->items[i].items[k]->path, path)) {
                return true;
            }
        }
    }
    return false;
}

/** Each alternative with `wanted`; with both, each twice: once with either. NULL: not asked for. */
static void add_to_all(struct alternatives *a, struct clause *wanted, struct clause *absent)
{
    struct alternatives more = {0};
    if (wanted != NULL && absent != NULL) {
        add_copies(&more, a);
    }
    for (size_t i = 0; i < a->count; i++) {
        list_add(&a->items[i], wanted != NULL ? wanted : absent);
    }
    for (size_t i = 0; i < more.count; i++) {
        list_add(&more.items[i], absent);
    }
    add_copies(a, &more);
    alternatives_clear(&more);
}

static bool compile_leaf(struct compiler *c, const struct json_node *node, struct alternatives *a)
{
    const struct json_tree *tree = &c->pattern->tree;
    struct clause *wanted = NULL;
    struct clause *absent = NULL;
    if (node->count == 0) {
        return refuse(c, node->at, "an empty array matches nothing");
    }
    if (has_path(a, bytes_slice(&c->path))) {
        return json_tree_refuse(tree, node->name_at, c->f, "the path \"%.*s\" is there twice",
                                c->path.size > 64 ? 64 : (int)c->path.size, (const char *)c->path.data);
    }
    uint32_t term = begin_term(c, node, false);
    for (const struct json_node *n = json_tree_child(tree, node); n != NULL; n = json_tree_next(tree, n)) {
        struct condition condition;
        if (!condition_init(&condition, tree, n, c->f)) {
            return false;
        }
        if (condition.kind == CONDITION_ABSENT) {
            absent = absent == NULL ? new_clause(c, term) : absent;
            absent->is_absent = true;
            continue;
        }
        wanted = wanted == NULL ? new_clause(c, term) : wanted;
        wanted->conditions =
            memory_resize(wanted->conditions, (wanted->condition_count + 1) * sizeof *wanted->conditions);
        wanted->conditions[wanted->condition_count++] = condition;
    }
    add_to_all(a, wanted, absent);
    return check_cost(c, a, node->name_at);
}

static bool compile_object(struct compiler *c, const struct json_node *object, struct alternatives *a);

static bool compile_or(struct compiler *c, const struct json_node *node, struct alternatives *a)
{
    const struct json_tree *tree = &c->pattern->tree;
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
        add_copies(&one, a);
        is_good = n->kind == FILTER_OBJECT ? compile_object(c, n, &one)
                                           : refuse(c, n->at, "\"$or\" takes objects only");
        add_copies(&all, &one);
        alternatives_clear(&one);
        is_good = is_good && check_cost(c, &all, node->name_at);
    }
    c->is_in_or = was_in_or;
    alternatives_clear(a);
    *a = all;
    return is_good;
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
    bool is_good = false;
    if (c->depth > PATTERN_DEPTH_MAX) {
        is_good = refuse(c, node->name_at, "the path has more than 64 names");
    } else if (node->kind == FILTER_OBJECT) {
        is_good = compile_object(c, node, a);
    } else if (node->kind == FILTER_ARRAY) {
        is_good = compile_leaf(c, node, a);
    } else {
        is_good = refuse(c, node->at, "a field takes an array of what it may be, or an object of fields");
    }
    c->path.size = size;
    c->depth = depth;
    return is_good;
}

static bool compile_object(struct compiler *c, const struct json_node *object, struct alternatives *a)
{
    const struct json_tree *tree = &c->pattern->tree;
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

static bool compile(struct pattern *p, struct fault *f)
{
    struct compiler c = {.pattern = p, .f = f};
    const struct json_node *root = &p->tree.nodes[0];
    p->alternatives = (struct alternatives){memory_zeroed(1, sizeof *p->alternatives.items), 1};
    bool is_good = root->kind == FILTER_OBJECT ? compile_object(&c, root, &p->alternatives)
                                               : refuse(&c, root->at, "a pattern is an object");
    bytes_clear(&c.path);
    if (!is_good) {
        return false;
    }
    p->branches = memory_zeroed(p->alternatives.count, sizeof *p->branches);
    for (size_t i = 0; i < p->alternatives.count; i++) {
        pattern_branch_of_terms(p, i, p->term_count, &p->branches[i]);
    }
    return true;
}

bool pattern_compile(struct slice text, struct json_place start, struct pattern **ret, struct fault *f)
{
    if (text.size > PATTERN_SIZE_MAX) {
        return fault_set(f, FAULT_CONFIG, "%u:%u: larger than %d bytes", start.line, start.column,
                         PATTERN_SIZE_MAX);
    }
    CLEANUP(pattern_free_pointer) struct pattern *p = memory_zeroed(1, sizeof *p);
    p->text = slice_to_string(text);
    if (!json_tree_parse(slice_make(p->text, text.size), start, &p->tree, f) || !compile(p, f)) {
        f->kind = FAULT_CONFIG;
        return false;
    }
    *ret = TAKE(p);
    return true;
}

static void free_clause(struct clause *clause)
{
    for (size_t i = 0; i < clause->condition_count; i++) {
        condition_clear(&clause->conditions[i]);
    }
    free(clause->conditions);
    free(clause->steps);
    free((void *)(uintptr_t)clause->path.data);
    free(clause);
}

void pattern_free(struct pattern *p)
{
    if (p == NULL) {
        return;
    }
    for (size_t i = 0; p->branches != NULL && i < p->alternatives.count; i++) {
        branch_clear(&p->branches[i]);
    }
    for (size_t i = 0; i < p->clause_count; i++) {
        free_clause(p->clauses[i]);
    }
    for (size_t i = 0; i < p->term_count; i++) {
        free((void *)(uintptr_t)p->terms[i].path.data);
    }
    alternatives_clear(&p->alternatives);
    free(p->branches);
    free(p->clauses);
    free(p->terms);
    json_tree_clear(&p->tree);
    free(p->text);
    free(p);
}

size_t pattern_term_count(const struct pattern *p)
{
    return p->term_count;
}

const struct pattern_term *pattern_term(const struct pattern *p, size_t index)
{
    INVARIANT(index < p->term_count);
    return &p->terms[index];
}

size_t pattern_branch_count(const struct pattern *p)
{
    return p->alternatives.count;
}

const struct branch *pattern_branch(const struct pattern *p, size_t index)
{
    INVARIANT(index < p->alternatives.count);
    return &p->branches[index];
}

void pattern_branch_of_terms(const struct pattern *p, size_t index, size_t terms, struct branch *ret)
{
    INVARIANT(index < p->alternatives.count);
    const struct clause_list *list = &p->alternatives.items[index];
    CLEANUP(memory_free_pointer)
    const struct clause **some = memory_zeroed(list->count + 1, sizeof(struct clause *));
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i]->term < terms) {
            some[count++] = list->items[i];
        }
    }
    branch_init(ret, some, count);
}
