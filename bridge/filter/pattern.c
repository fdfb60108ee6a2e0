#include "bridge/filter/pattern.h"

#include "bridge/filter/pattern_parts.h"
#include "core/base/memory.h"

struct pattern {
    char *text;
    struct pattern_parts parts;
    struct branch *branches;
};

/** With `places` the text was made from a file, else it stands in its file at `start`. */
static bool compile_text(struct slice text, struct json_place start, const struct text_places *places,
                         struct pattern **ret, struct fault *f)
{
    if (text.size > PATTERN_SIZE_MAX) {
        struct json_tree nothing = {.start = start, .places = places};
        (void)json_tree_refuse(&nothing, 0, f, "larger than %d bytes", PATTERN_SIZE_MAX);
        f->kind = FAULT_CONFIG;
        return false;
    }
    CLEANUP(pattern_free_pointer) struct pattern *p = memory_zeroed(1, sizeof *p);
    p->text = slice_to_string(text);
    struct slice copy = slice_make(p->text, text.size);
    bool is_parsed = places != NULL ? json_tree_parse_placed(copy, places, &p->parts.tree, f)
                                    : json_tree_parse(copy, start, &p->parts.tree, f);
    if (!is_parsed || !pattern_parts_compile(&p->parts, places != NULL, f)) {
        f->kind = FAULT_CONFIG;
        return false;
    }
    p->branches = memory_zeroed(p->parts.alternatives.count, sizeof *p->branches);
    for (size_t i = 0; i < p->parts.alternatives.count; i++) {
        pattern_branch_of_terms(p, i, p->parts.term_count, &p->branches[i]);
    }
    *ret = TAKE(p);
    return true;
}

bool pattern_compile(struct slice text, struct json_place start, struct pattern **ret, struct fault *f)
{
    return compile_text(text, start, NULL, ret, f);
}

bool pattern_compile_function(struct slice text, const struct text_places *places, struct pattern **ret,
                              struct fault *f)
{
    return compile_text(text, (struct json_place){1, 1}, places, ret, f);
}

void pattern_free(struct pattern *p)
{
    if (p == NULL) {
        return;
    }
    for (size_t i = 0; p->branches != NULL && i < p->parts.alternatives.count; i++) {
        branch_clear(&p->branches[i]);
    }
    free(p->branches);
    pattern_parts_clear(&p->parts);
    free(p->text);
    free(p);
}

size_t pattern_term_count(const struct pattern *p)
{
    return p->parts.term_count;
}

const struct pattern_term *pattern_term(const struct pattern *p, size_t index)
{
    INVARIANT(index < p->parts.term_count);
    return &p->parts.terms[index];
}

size_t pattern_step_count(const struct pattern *p)
{
    return p->parts.steps.count;
}

const struct pattern_step *pattern_step(const struct pattern *p, size_t index)
{
    INVARIANT(index < p->parts.steps.count);
    return &p->parts.steps.items[index];
}

bool pattern_asks_changes(const struct pattern *p)
{
    return p->parts.asks_changes;
}

size_t pattern_branch_count(const struct pattern *p)
{
    return p->parts.alternatives.count;
}

const struct branch *pattern_branch(const struct pattern *p, size_t index)
{
    INVARIANT(index < p->parts.alternatives.count);
    return &p->branches[index];
}

void pattern_branch_of_terms(const struct pattern *p, size_t index, size_t terms, struct branch *ret)
{
    INVARIANT(index < p->parts.alternatives.count);
    const struct clause_list *list = &p->parts.alternatives.items[index];
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
