#include "bridge/endpoints/auth/oauth2_response.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <strings.h>

#include "bridge/endpoints/auth/oauth2_request.h"
#include "bridge/filter/json_tree.h"
#include "core/base/clock.h"
#include "core/http/http_field_list.h"

enum {
    WORD_MAX = 100,
    DESCRIPTION_MAX = 240,
    SKEW_MAX_S = 30,  // a larger difference of clocks is named
    LIFE_DIGITS_MAX = 15,
};

/** The text of a member; size 0: there is none. */
static struct slice text_of(const struct json_tree *tree, const char *name)
{
    const struct json_node *node = json_tree_member(tree, &tree->nodes[0], slice_of(name));
    return node != NULL && node->kind == FILTER_TEXT ? node->text : (struct slice){NULL, 0};
}

static bool has(struct slice text, const char *secret)
{
    return text.size > 0 && secret != NULL && *secret != '\0' &&
           memmem(text.data, text.size, secret, strlen(secret)) != NULL;
}

/** Whether the text repeats the client's secret in one of the forms in which it was sent. */
static bool has_client_secret(struct slice text, const struct oauth2_config *config)
{
    if (config->client_secret == NULL) {
        return false;
    }
    CLEANUP(bytes_wipe) struct bytes encoded = {.is_secret = true};
    CLEANUP(bytes_wipe) struct bytes form = {.is_secret = true};
    CLEANUP(bytes_wipe) struct bytes line = {.is_secret = true};
    oauth2_request_encode(&encoded, config->client_secret);
    oauth2_request_write(config, NULL, 0, &form, &line);
    const char *basic = line.size == 0 ? NULL : strrchr(bytes_text(&line), ' ') + 1;
    return has(text, config->client_secret) || has(text, bytes_text(&encoded)) || has(text, basic);
}

/** Whether the text repeats a secret that was sent. */
static bool has_secret(struct slice text, const struct oauth2_config *config)
{
    bool ret = has_client_secret(text, config);
    for (size_t i = 0; i < config->parameters.count; i++) {
        const struct text_pair *pair = &config->parameters.items[i];
        ret = ret || (pair->is_secret && has(text, pair->value));
    }
    return ret;
}

/** Copies what the endpoint says for a fault's text: cut, in one line, without secrets. */
static void quote(struct slice text, size_t max, const struct oauth2_config *config, char *ret)
{
    bool is_hidden = has_secret(text, config);
    struct slice cut = is_hidden ? slice_of("***") : text_cut(text, max);
    for (size_t i = 0; i < cut.size; i++) {
        bool is_control = cut.data[i] < ' ' || cut.data[i] == 0x7f;
        ret[i] = is_control ? ' ' : (char)cut.data[i];
    }
    ret[cut.size] = '\0';
}

/** A client whose clock is wrong makes assertions that are refused, and nothing says why. */
static void add_skew(const struct http_response *r, int64_t wall_us, struct fault *f)
{
    CLEANUP(memory_free_pointer)
    char *date = slice_to_string(http_field_list_find(r->fields, r->field_count, "date"));
    time_t at_s = curl_getdate(date, NULL);
    int64_t ahead_s = wall_us / CLOCK_US_PER_S - (int64_t)at_s;
    if (at_s < 0 || (ahead_s <= SKEW_MAX_S && ahead_s >= -SKEW_MAX_S)) {
        return;
    }
    const struct fault why = *f;
    (void)fault_set(f, why.kind, "%.380s; this machine's clock is %" PRId64 " s %s the endpoint's", why.text,
                    ahead_s < 0 ? -ahead_s : ahead_s, ahead_s < 0 ? "behind" : "ahead of");
}

/** RFC 6749, 5.2; without a body of that form the status is all there is. */
static bool refuse_status(const struct http_response *r, const struct oauth2_config *config, int64_t wall_us,
                          struct fault *f)
{
    struct fault ignored;
    char word[WORD_MAX + 1] = "";
    char description[DESCRIPTION_MAX + 1] = "";
    CLEANUP(json_tree_clear) struct json_tree tree = {0};
    if (json_tree_parse(r->body, (struct json_place){1, 1}, &tree, &ignored) &&
        tree.nodes[0].kind == FILTER_OBJECT) {
        quote(text_of(&tree, "error"), WORD_MAX, config, word);
        quote(text_of(&tree, "error_description"), DESCRIPTION_MAX, config, description);
    }
    (void)fault_set(f, FAULT_RETRY, "it answered %d%s%s%s%s", r->status, word[0] == '\0' ? "" : " ", word,
                    description[0] == '\0' ? "" : ": ", description);
    add_skew(r, wall_us, f);
    return false;
}

/** Microseconds; -1: not a number. Some endpoints write it as a string. */
static int64_t life_of(const struct json_node *node)
{
    if (node == NULL || (node->kind != FILTER_NUMBER && node->kind != FILTER_TEXT)) {
        return -1;
    }
    struct slice text = node->text;
    if (text.size > 0 && text.data[0] == '-') {
        return 0;
    }
    int64_t seconds = 0;
    size_t at = 0;
    for (; at < text.size && text.data[at] >= '0' && text.data[at] <= '9'; at++) {
        seconds = at < LIFE_DIGITS_MAX ? seconds * 10 + (text.data[at] - '0') : seconds;
    }
    bool is_whole = at == text.size || text.data[at] == '.';
    int64_t max_s = INT64_MAX / CLOCK_US_PER_S;
    return at == 0 || !is_whole ? -1 : (seconds < max_s ? seconds : max_s) * CLOCK_US_PER_S;
}

/** RFC 6750, 2.1: what a header carries. */
static bool is_visible(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f) {
            return false;
        }
    }
    return text.size > 0;
}

static bool read_token(const struct json_tree *tree, const struct oauth2_config *config,
                       struct oauth2_token *ret, struct fault *f)
{
    struct slice token = text_of(tree, "access_token");
    struct slice type = text_of(tree, "token_type");
    if (token.size == 0) {
        return fault_set(f, FAULT_RETRY, "its response has no access_token");
    }
    if (token.size > OAUTH2_TOKEN_MAX) {
        return fault_set(f, FAULT_RETRY, "its token is longer than %d KiB", OAUTH2_TOKEN_MAX / 1024);
    }
    if (!is_visible(token)) {
        return fault_set(f, FAULT_RETRY, "its token has characters that a header can't carry");
    }
    if (type.size == 0) {
        return fault_set(f, FAULT_RETRY, "its response has no token_type");
    }
    bool is_bearer = type.size == 6 && strncasecmp((const char *)type.data, "bearer", 6) == 0;
    if (!is_bearer) {
        char word[WORD_MAX + 1];
        quote(type, WORD_MAX, config, word);
        return fault_set(f, FAULT_RETRY, "its token is of type \"%s\", not Bearer", word);
    }
    bytes_erase(&ret->text);
    ret->text.is_secret = true;
    bytes_append_slice(&ret->text, token);
    ret->life_us = life_of(json_tree_member(tree, &tree->nodes[0], slice_of("expires_in")));
    return true;
}

bool oauth2_response_read(const struct http_response *r, const struct oauth2_config *config, int64_t wall_us,
                          struct oauth2_token *ret, struct fault *f)
{
    if (r->transport.kind != FAULT_NONE) {
        return fault_set(f, FAULT_RETRY, "%.400s", r->transport.text);
    }
    if (r->status != 200) {
        return refuse_status(r, config, wall_us, f);
    }
    if (r->is_cut || r->body.size > OAUTH2_BODY_MAX) {
        return fault_set(f, FAULT_RETRY, "its response is longer than %d KiB", OAUTH2_BODY_MAX / 1024);
    }
    struct fault ignored;
    CLEANUP(json_tree_clear) struct json_tree tree = {0};
    if (!json_tree_parse(r->body, (struct json_place){1, 1}, &tree, &ignored) ||
        tree.nodes[0].kind != FILTER_OBJECT) {
        char type[WORD_MAX + 1];
        quote(http_field_list_find(r->fields, r->field_count, "content-type"), WORD_MAX, config, type);
        return fault_set(f, FAULT_RETRY, "its response is no JSON object%s%s", type[0] == '\0' ? "" : " but ",
                         type);
    }
    return read_token(&tree, config, ret, f);
}
