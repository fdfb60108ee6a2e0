// core/config/config_same: equality and the hash of hidden values, by the option table.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/config/config_same.h"

struct sample {
    char *text;
    char *secret;
    char *url;
    bool is_on;
    int64_t number;
    uint32_t choice;
    char *host;
    int port;
    struct text_list list;
    struct text_pairs pairs;
    struct config_tree tree;
};

static void redact(const char *value, struct bytes *out)
{
    (void)value;
    bytes_append_string(out, "***");
}

static const struct config_rules url_rules = {.redact = redact};

#define AT(member) .offset = offsetof(struct sample, member)

static const struct config_option inner[] = {
    {.key = "secret", .type = CONFIG_SECRET, AT(secret)},
    {.key = "number", .type = CONFIG_INTEGER, AT(number)},
    {.key = NULL},
};
static const struct config_option group[] = {
    {.key = "is_on", .type = CONFIG_BOOL, AT(is_on)},
    {.key = "choice", .type = CONFIG_FLAGS, AT(choice)},
    {.key = NULL},
};
static const struct config_option last_group[] = {
    {.key = "pairs", .type = CONFIG_PAIRS, AT(pairs)},
    {.key = "tree", .type = CONFIG_TREE, AT(tree)},
    {.key = "inner", .type = CONFIG_SECTION, .section = inner},
    {.key = NULL},
};
static const struct config_option options[] = {
    {.key = "text", .type = CONFIG_TEXT, AT(text)},
    {.key = "url", .type = CONFIG_TEXT, AT(url), .rules = &url_rules},
    {.key = "unstored", .type = CONFIG_BOOL, .offset = CONFIG_NO_TARGET},
    {.group = group},
    {.key = "address", .type = CONFIG_ADDRESS, AT(host), .port_offset = offsetof(struct sample, port)},
    {.key = "list", .type = CONFIG_LIST, AT(list)},
    {.group = last_group},
    {.key = NULL},
};

static char *texts[] = {"a", "b"};
static struct text_pair pairs[] = {{.key = "k", .value = "v"}, {.key = "k", .value = "w"}};

static struct sample make(void)
{
    return (struct sample){
        .text = texts[0],
        .secret = texts[0],
        .url = texts[0],
        .host = texts[0],
        .list = {.items = &texts[0], .count = 1},
        .pairs = {.items = &pairs[0], .count = 1},
        .tree = {.json = texts[0]},
    };
}

/** One difference in each member. */
static size_t differ(struct sample *s, size_t number)
{
    enum { MEMBERS = 11 };
    switch (number) {
    case 0:
        s->text = NULL;
        break;
    case 1:
        s->secret = texts[1];
        break;
    case 2:
        s->url = texts[1];
        break;
    case 3:
        s->is_on = true;
        break;
    case 4:
        s->number = INT64_C(1) << 40;
        break;
    case 5:
        s->choice = 2;
        break;
    case 6:
        s->host = texts[1];
        break;
    case 7:
        s->port = 1;
        break;
    case 8:
        s->list.items = &texts[1];
        break;
    case 9:
        s->pairs.items = &pairs[1];
        break;
    case 10:
        s->tree.json = texts[1];
        break;
    default:
        break;
    }
    return MEMBERS;
}

static void each_kind_of_value_is_compared(void **state)
{
    (void)state;
    struct sample a = make();
    struct sample b = make();
    assert_true(config_same(options, &a, &b));
    for (size_t i = 0, count = 1; i < count; i++) {
        b = make();
        count = differ(&b, i);
        assert_false(config_same(options, &a, &b));
        assert_false(config_same(options, &b, &a));
    }
}

static uint64_t hash(const struct sample *s)
{
    CLEANUP(bytes_clear) struct bytes out = {0};
    config_same_hash_hidden(options, s, &out);
    return text_hash(bytes_slice(&out));
}

static void only_what_is_hidden_is_hashed(void **state)
{
    (void)state;
    struct sample a = make();
    for (size_t i = 0, count = 1; i < count; i++) {
        struct sample b = make();
        count = differ(&b, i);
        bool is_hidden = i == 1 || i == 2 || i == 9;
        assert_int_equal(hash(&a) != hash(&b), is_hidden);
    }
    struct sample none = make();
    struct sample empty = make();
    char nothing[] = "";
    none.secret = NULL;
    empty.secret = nothing;
    assert_true(hash(&none) != hash(&empty));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_value_is_compared),
        cmocka_unit_test(only_what_is_hidden_is_hashed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
