// Compiles conditions: what each operator takes, and why it refuses the rest.
#include "bridge/filter/condition.h"
#include "core/base/text.h"

struct compiler {
    const struct json_tree *tree;
    struct fault *f;
};

struct operator
{
    const char *name;
    bool (*init)(const struct compiler *, const struct json_node *, struct condition *);
};

const char *const CONDITION_OPERATORS[] = {
    "exactly", "prefix", "suffix", "equals-ignore-case", "wildcard", "anything-but", "numeric",
    "exists",  "cidr",   NULL,
};

const char *const CONDITION_RESERVED[] = {
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
    NULL,
};

static bool init_operator(const struct compiler *k, const struct json_node *node, struct condition *c);

static bool refuse(const struct compiler *k, const struct json_node *node, const char *reason)
{
    return json_tree_refuse(k->tree, node->at, k->f, "%s", reason);
}

static bool init_literal(struct condition *c, enum condition_kind kind, const struct json_node *node)
{
    *c = (struct condition){.kind = kind, .text = node->text};
    if (kind == CONDITION_CASE || kind == CONDITION_CASE_PREFIX || kind == CONDITION_CASE_SUFFIX) {
        letter_case_init(&c->letters, node->text);
    }
    return true;
}

static bool init_exactly(const struct compiler *k, const struct json_node *node, struct condition *c)
{
    return node->kind == FILTER_TEXT ? init_literal(c, CONDITION_TEXT, node)
                                     : refuse(k, node, "\"exactly\" takes a string");
}

static bool init_case(const struct compiler *k, const struct json_node *node, struct condition *c)
{
    return node->kind == FILTER_TEXT ? init_literal(c, CONDITION_CASE, node)
                                     : refuse(k, node, "\"equals-ignore-case\" takes a string");
}

/** "prefix" or "suffix": a string, or one within {"equals-ignore-case": …}. */
static bool init_end(const struct compiler *k, const struct json_node *node, struct condition *c,
                     bool is_prefix)
{
    const struct json_node *inner = json_tree_child(k->tree, node);
    if (node->kind == FILTER_TEXT) {
        return init_literal(c, is_prefix ? CONDITION_PREFIX : CONDITION_SUFFIX, node);
    }
    if (node->kind == FILTER_OBJECT && node->count == 1 && inner->kind == FILTER_TEXT &&
        slice_equal(inner->name, slice_of("equals-ignore-case"))) {
        return init_literal(c, is_prefix ? CONDITION_CASE_PREFIX : CONDITION_CASE_SUFFIX, inner);
    }
    return json_tree_refuse(k->tree, node->at, k->f,
                            "\"%s\" takes a string or {\"equals-ignore-case\": string}",
                            is_prefix ? "prefix" : "suffix");
}

static bool init_prefix(const struct compiler *k, const struct json_node *node, struct condition *c)
{
    return init_end(k, node, c, true);
}

static bool init_suffix(const struct compiler *k, const struct json_node *node, struct condition *c)
{
    return init_end(k, node, c, false);
}

static bool init_wildcard(const struct compiler *k, const struct json_node *node, struct condition *c)
{
    *c = (struct condition){.kind = CONDITION_WILDCARD};
    if (node->kind != FILTER_TEXT) {
        return refuse(k, node, "\"wildcard\" takes a string");
    }
    const char *wrong = wildcard_init(&c->wildcard, node->text);
    return wrong == NULL || json_tree_refuse(k->tree, node->at, k->f, "the wildcard %s", wrong);
}

static bool init_cidr(const struct compiler *k, const struct json_node *node, struct condition *c)
{
    *c = (struct condition){.kind = CONDITION_ADDRESS};
    if (node->kind != FILTER_TEXT) {
        return refuse(k, node, "\"cidr\" takes a string");
    }
    const char *wrong = ip_address_read_range(node->text, &c->range);
    return wrong == NULL || json_tree_refuse(k->tree, node->at, k->f, "the range %s", wrong);
}

static bool init_exists(const struct compiler *k, const struct json_node *node, struct condition *c)
{
    *c = (struct condition){.kind = node->kind == FILTER_FALSE ? CONDITION_ABSENT : CONDITION_EXISTS};
    return node->kind == FILTER_TRUE || node->kind == FILTER_FALSE ||
           refuse(k, node, "\"exists\" takes true or false");
}

static void init_equal(const struct json_node *node, struct condition *c)
{
    *c = (struct condition){.kind = CONDITION_NUMBER, .text = node->text};
    bool is_number = decimal_read(node->text, &c->numbers.low);
    INVARIANT(is_number);  // the tree has only JSON's numbers
    c->numbers.high = c->numbers.low;
    c->numbers.has_low = c->numbers.has_high = true;
}

static bool is_operator(const struct json_node *node, const char *first, const char *second)
{
    return node->kind == FILTER_TEXT &&
           (slice_equal(node->text, slice_of(first)) || slice_equal(node->text, slice_of(second)));
}

/** One operator with its number, at `node`. */
static bool init_bound(const struct compiler *k, const struct json_node *node, struct condition_numbers *n,
                       bool is_first)
{
    const struct json_node *number = json_tree_next(k->tree, node);
    bool is_low = is_operator(node, ">", ">=");
    bool is_high = is_operator(node, "<", "<=");
    if (is_first && !is_low && !is_high && !is_operator(node, "=", "=")) {
        return refuse(k, node, "\"numeric\" begins with one of \"=\", \"<\", \"<=\", \">\", \">=\"");
    }
    if (!is_first && !is_high) {
        return refuse(k, node, "the upper bound has \"<\" or \"<=\"");
    }
    if (number == NULL || number->kind != FILTER_NUMBER) {
        return refuse(k, number == NULL ? node : number, "a comparison takes a number");
    }
    struct condition equal;
    init_equal(number, &equal);
    if (!is_high) {
        n->low = equal.numbers.low;
        n->has_low = true;
        n->is_low_open = is_operator(node, ">", ">");
    }
    if (!is_low) {
        n->high = equal.numbers.high;
        n->has_high = true;
        n->is_high_open = is_operator(node, "<", "<");
    }
    return true;
}

static bool init_numeric(const struct compiler *k, const struct json_node *node, struct condition *c)
{
    *c = (struct condition){.kind = CONDITION_NUMBER};
    const struct json_node *first = json_tree_child(k->tree, node);
    if (node->kind != FILTER_ARRAY || first == NULL) {
        return refuse(k, node, "\"numeric\" takes an array of an operator and a number");
    }
    if (!init_bound(k, first, &c->numbers, true)) {
        return false;
    }
    const struct json_node *second = json_tree_next(k->tree, json_tree_next(k->tree, first));
    if (second == NULL) {
        return true;
    }
    if (c->numbers.has_high || node->count > 4) {
        return refuse(k, second, "too many terms: only a lower bound may be followed, by one upper bound");
    }
    if (!init_bound(k, second, &c->numbers, false)) {
        return false;
    }
    return decimal_compare(&c->numbers.low, &c->numbers.high) < 0 ||
           refuse(k, second, "the upper bound must be above the lower one");
}

/** What each value of anything-but must not be; `inner` is the operator in it or NULL. */
static bool init_other(const struct compiler *k, const struct json_node *node, const struct operator* inner,
                       struct condition *c)
{
    if (inner == NULL) {
        if (node->kind == FILTER_NUMBER) {
            init_equal(node, c);
            return true;
        }
        return node->kind == FILTER_TEXT ? init_literal(c, CONDITION_TEXT, node)
                                         : refuse(k, node, "\"anything-but\" takes strings or numbers");
    }
    if (node->kind != FILTER_TEXT) {
        return json_tree_refuse(k->tree, node->at, k->f, "\"%s\" within \"anything-but\" takes strings",
                                inner->name);
    }
    if (node->text.size == 0 && (inner->init == init_prefix || inner->init == init_suffix)) {
        return json_tree_refuse(k->tree, node->at, k->f, "an empty %s: no string would be left", inner->name);
    }
    return inner->init(k, node, c);
}

static bool init_others(const struct compiler *k, const struct json_node *node, const struct operator* inner,
                        struct condition *c)
{
    size_t count = node->kind == FILTER_ARRAY ? node->count : 1;
    const struct json_node *first = node->kind == FILTER_ARRAY ? json_tree_child(k->tree, node) : node;
    if (count == 0) {
        return refuse(k, node, "\"anything-but\" takes no empty array");
    }
    c->others = memory_zeroed(count, sizeof *c->others);
    const struct json_node *other = first;
    for (size_t i = 0; i < count; i++) {
        if (!init_other(k, other, inner, &c->others[c->other_count++])) {
            return false;
        }
        if (other->kind != first->kind) {
            return refuse(k, other, "\"anything-but\" takes either strings or numbers, not both");
        }
        other = i + 1 < count ? json_tree_next(k->tree, other) : other;
    }
    return true;
}

static bool init_anything_but(const struct compiler *k, const struct json_node *node, struct condition *c)
{
    static const struct operator INNER[] = {{"prefix", init_prefix},
                                            {"suffix", init_suffix},
                                            {"equals-ignore-case", init_case},
                                            {"wildcard", init_wildcard}};
    *c = (struct condition){.kind = CONDITION_ANYTHING_BUT};
    if (node->kind != FILTER_OBJECT) {
        return init_others(k, node, NULL, c);
    }
    const struct json_node *value = json_tree_child(k->tree, node);
    for (size_t i = 0; i < COUNT_OF(INNER) && node->count == 1; i++) {
        if (slice_equal(value->name, slice_of(INNER[i].name))) {
            return init_others(k, value, &INNER[i], c);
        }
    }
    return refuse(
        k, node,
        "\"anything-but\" takes one of \"prefix\", \"suffix\", \"equals-ignore-case\", \"wildcard\"");
}

static bool refuse_name(const struct compiler *k, const struct json_node *value)
{
    CLEANUP(memory_free_pointer) char *name = slice_to_string(value->name);
    const char *near = text_nearest(name, CONDITION_OPERATORS);
    return json_tree_refuse(k->tree, value->name_at, k->f, "unknown operator \"%.64s\"%s%s%s", name,
                            near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
                            near == NULL ? "" : "\"?");
}

static bool init_operator(const struct compiler *k, const struct json_node *node, struct condition *c)
{
    static const struct operator OPERATORS[] = {
        {"exactly", init_exactly},         {"prefix", init_prefix},     {"suffix", init_suffix},
        {"equals-ignore-case", init_case}, {"wildcard", init_wildcard}, {"anything-but", init_anything_but},
        {"numeric", init_numeric},         {"exists", init_exists},     {"cidr", init_cidr},
    };
    const struct json_node *value = json_tree_child(k->tree, node);
    if (value == NULL) {
        return refuse(k, node, "an operator is missing");
    }
    if (node->count > 1) {
        return json_tree_refuse(k->tree, json_tree_next(k->tree, value)->name_at, k->f,
                                "only one operator in an object");
    }
    for (size_t i = 0; i < COUNT_OF(OPERATORS); i++) {
        if (slice_equal(value->name, slice_of(OPERATORS[i].name))) {
            return OPERATORS[i].init(k, value, c);
        }
    }
    return refuse_name(k, value);
}

static bool init_member(const struct compiler *k, const struct json_node *node, struct condition *c)
{
    struct ip_address address;
    switch (node->kind) {
    case FILTER_NULL:
        return init_literal(c, CONDITION_NULL, node);
    case FILTER_FALSE:
        return init_literal(c, CONDITION_FALSE, node);
    case FILTER_TRUE:
        return init_literal(c, CONDITION_TRUE, node);
    case FILTER_NUMBER:
        init_equal(node, c);
        return true;
    case FILTER_TEXT:
        (void)init_literal(c, CONDITION_TEXT, node);
        if (ip_address_read(node->text, &address)) {
            c->kind = CONDITION_ADDRESS;
            c->range = (struct ip_range){address, (uint8_t)(address.size * 8)};
        }
        return true;
    case FILTER_OBJECT:
        return init_operator(k, node, c);
    case FILTER_ARRAY:
        break;
    }
    return refuse(k, node, "takes a string, a number, true, false, null or an operator");
}

bool condition_init(struct condition *c, const struct json_tree *tree, const struct json_node *node,
                    struct fault *f)
{
    const struct compiler k = {tree, f};
    *c = (struct condition){0};
    if (!init_member(&k, node, c)) {
        condition_clear(c);
        return false;
    }
    return true;
}
